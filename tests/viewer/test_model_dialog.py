"""Models are opened from the window: named, chosen or dropped, with an image and layers, in a thread."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox
from viewer_scenes import random_network

import cnnvis
from cnnvis.core import Importance
from cnnvis.viewer.examples import MODELS, SAMPLES
from cnnvis.viewer.jobs import OPENING, Jobs
from cnnvis.viewer.model_dialog import LINKS, MAPS, TILES, ModelDialog
from cnnvis.viewer.model_files import functions_of, is_model, network_of

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton

CODE = """
    import torch
    from torch import nn

    def build():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def sized(width, *, depth=2):
        return nn.Identity()

    def keyword(*, depth):
        return nn.Identity()

    def usual(width=3, /, *more, depth=2, **rest):
        return build()

    def _hidden():
        return build()

    class Net(nn.Sequential):
        pass
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("code") / "nets.py"
    path.write_text(textwrap.dedent(CODE))
    return path


@pytest.fixture(scope="module")
def checkpoint(code) -> Path:
    """Weights of `build`, all of them 0 but for the bias."""
    import torch

    from cnnvis.models import load

    state = load(f"{code}:build").module.state_dict()
    state = {
        name: torch.ones_like(value) if "bias" in name else torch.zeros_like(value) for name, value in state.items()
    }
    path = code.parent / "zeros.pt"
    torch.save(state, path)
    return path


@pytest.fixture
def dialog(qtbot, request):
    jobs = Jobs()
    made = ModelDialog(jobs, *getattr(request, "param", ()))
    qtbot.addWidget(made)
    made.show()
    yield made
    jobs.close()


def button(dialog: ModelDialog):
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Open)


def type_into(line, text: str) -> None:
    line.lineEdit().selectAll()
    QTest.keyClicks(line.lineEdit(), text)


# -- what is known of files ----------------------------------------------------------------------


def test_which_files_are_models(tmp_path, code, checkpoint) -> None:
    cnnvis.save(random_network(), tmp_path / "network.safetensors")
    cnnvis.save(Importance({"a": np.ones(3)}, "weight"), tmp_path / "scores.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    from safetensors.numpy import save_file

    save_file({"weight": np.ones(3)}, tmp_path / "weights.safetensors")
    for name in ("network.safetensors", "scores.safetensors", "broken.safetensors", "none.safetensors", "a.vti"):
        assert not is_model(tmp_path / name), name
    for path in (tmp_path / "weights.safetensors", code, checkpoint, Path("x.PT2"), Path("x.pth")):
        assert is_model(path), path


def test_what_a_python_file_offers_is_read_and_not_run(tmp_path, code) -> None:
    assert functions_of(code) == ("build", "usual", "Net")
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit\ndef make(): ...\n")
    assert functions_of(trap) == ("make",)
    trap.write_text("def make(:")
    assert functions_of(trap) == ()
    assert functions_of(tmp_path / "none.py") == ()


def test_names_by_hand_are_those_that_come_along() -> None:
    from cnnvis.models import bundled_names
    from cnnvis.models.images import sample_images

    assert set(MODELS) == set(bundled_names())
    assert set(SAMPLES) <= set(sample_images())
    assert network_of(Path("x/mnist-mlp-l1.safetensors")) == "mnist-mlp-l1"
    assert network_of(Path("fashion-cnn-05.safetensors")) == "fashion-cnn"
    assert network_of(Path("mine.pt")) == ""


# -- the dialog ----------------------------------------------------------------------------------


def test_at_first_a_network_and_an_image_that_come_along(dialog) -> None:
    assert dialog.model in MODELS
    assert not dialog.function.isVisible(), "that is of Python files"
    assert dialog.view == {"image": SAMPLES[0]}
    assert button(dialog).isEnabled()
    dialog.what.set_value(LINKS)
    dialog.what.changed.emit(LINKS)
    assert dialog.view == {}
    assert not dialog.image.isEnabled()
    dialog.what.set_value(TILES)
    dialog.what.changed.emit(TILES)
    assert dialog.view == {"image": SAMPLES[0], "tiles": True}
    assert dialog.image.isEnabled()
    assert not dialog.layers.isEnabled()
    type_into(dialog.network, " ")
    assert not button(dialog).isEnabled()


def test_layers_are_read_in_a_thread_and_chosen(dialog, code, qtbot) -> None:
    dialog._take_code(str(code))
    assert dialog.model == f"{code}:build"
    assert dialog.function.isVisible()
    QTest.mouseClick(dialog.read, LEFT)
    assert not dialog.read.isEnabled()
    qtbot.waitUntil(lambda: dialog.layers.count() > 0, timeout=20_000)
    texts = [dialog.layers.item(row).text() for row in range(dialog.layers.count())]
    assert [text.split()[0] for text in texts][:4] == ["input", "0", "1", "2"]
    assert "(Conv2d, 4 x" in texts[1]
    assert dialog.view["layers"] == ("0",), "the network's own choice has the tick"
    dialog.layers.setCurrentRow(3)
    dialog.layers.setFocus()
    QTest.keyClick(dialog.layers, Qt.Key.Key_Space)
    assert dialog.view["layers"] == ("0", "2")
    dialog.function.setCurrentText("usual")
    assert "layers" not in dialog.view, "those were of another network"


def test_why_layers_cannot_be_read_is_said_in_the_dialog(dialog, code, qtbot) -> None:
    dialog._take_code(str(code))
    dialog.function.setCurrentText("nothing")
    QTest.mouseClick(dialog.read, LEFT)
    qtbot.waitUntil(lambda: "nothing" in dialog.state.text(), timeout=20_000)
    assert dialog.read.isEnabled()
    dialog.function.setCurrentText("")
    assert not button(dialog).isEnabled(), "of a Python file a function is needed"


# -- in the window -------------------------------------------------------------------------------


def dialog_of(driver) -> ModelDialog:
    return next(each for each in driver.window.findChildren(ModelDialog) if each.isVisible())


def test_a_model_of_ones_own_is_opened_with_an_image_and_progress(driver, code) -> None:
    seen = []
    driver.workspace.jobs.progressed.connect(lambda slot, done, total: seen.append((slot, done, total)))
    QTest.mouseClick(driver.window.start_page.open_model, LEFT)
    dialog = dialog_of(driver)
    dialog._take_code(str(code))
    QTest.mouseClick(button(dialog), LEFT)
    driver.settle()
    (item,) = driver.scene
    assert item.data.layer == "0"
    assert item.data.shape[0] == 4
    assert "chelsea" in " ".join(item.data.provenance.inputs)
    assert (OPENING, 4, 4) in seen
    pixels = driver.pixels()
    item.visible = False
    assert np.abs(driver.pixels() - pixels).max() > 50


def test_a_checkpoint_that_is_dropped_asks_for_the_network_it_is_of(driver, code, checkpoint) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(checkpoint))])
    common = (Qt.DropAction.CopyAction, mime, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(driver.window, QDragEnterEvent(QPoint(50, 50), *common))
    QApplication.sendEvent(driver.window, QDropEvent(QPoint(50, 50), *common))
    dialog = dialog_of(driver)
    assert not button(dialog).isEnabled(), "weights alone are no network"
    type_into(dialog.network, str(code))
    type_into(dialog.function, "build")
    dialog.what.set_value(MAPS)
    assert dialog.view == {"weights": str(checkpoint), "image": SAMPLES[0]}
    QTest.mouseClick(button(dialog), LEFT)
    driver.settle()
    (item,) = driver.scene
    np.testing.assert_array_equal(item.data.values, 1.0)


def test_esc_opens_nothing(driver) -> None:
    driver.window.commands.run("file.model")
    QTest.keyClick(dialog_of(driver), Qt.Key.Key_Escape)
    driver.settle()
    assert not driver.scene.items
