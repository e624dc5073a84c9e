"""A survey of the network that is open is asked for in the window, made in a thread, stopped, and kept."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core import Provenance
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.model_files import is_loadable
from cnnvis.viewer.surveys.dialog import SurveyDialog
from cnnvis.viewer.surveys.making import SURVEYING, SurveyWish, origin_of, surveyed

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
NAME = "fashion-cnn"

CODE = """
    import torch
    from torch import nn

    from cnnvis.models import ImageSpec, Network

    def build():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3))
        return Network(module, name="nets.py:build", weights="random", image=ImageSpec((28, 28), colour="L"))
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Twelve pictures, and one file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    values = np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8)
    for number, pixels in enumerate(values):
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


@pytest.fixture
def opened(driver, pictures):
    """A window with maps of fashion-cnn."""
    driver.window.files.open_model(NAME, str(pictures / "00.png"))
    driver.settle()
    return driver


def ask(driver) -> SurveyDialog:
    driver.press(Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier)
    return next(each for each in driver.window.findChildren(SurveyDialog) if each.isVisible())


def messages_of(driver) -> list[str]:
    found: list[str] = []
    driver.workspace.message.connect(found.append)
    return found


def type_into(line, text: str) -> None:
    line.selectAll()
    QTest.keyClicks(line, text)


# -- which network it is -------------------------------------------------------------------------


def test_the_network_is_that_of_what_is_drawn_or_chosen(workspace) -> None:
    assert origin_of(workspace) is workspace.network.provenance
    workspace.show(volume_scene())
    assert origin_of(workspace) is None, "a ball is of no network"


def test_which_names_a_network_can_be_loaded_by(tmp_path) -> None:
    code = tmp_path / "nets.py"
    code.write_text("")
    for name in (NAME, f"{NAME}@3", "torchvision:vgg16", f"{code}:build"):
        assert is_loadable(name), name
    for name in ("nets.py:build", "random network 3-2", "gone", ""):
        assert not is_loadable(name), name


# -- asking --------------------------------------------------------------------------------------


def test_the_dialog_begins_with_the_network_that_is_open(opened) -> None:
    dialog = ask(opened)
    assert dialog.wish == SurveyWish(model=NAME)
    assert not dialog.state.isVisible()
    type_into(dialog.data.lineEdit(), "photos")
    type_into(dialog.layers, "conv*, fc1,")
    dialog.signal.setFocus()
    QTest.keyClick(dialog.signal, Qt.Key.Key_Down)
    assert dialog.wish == SurveyWish(model=NAME, data="photos", layers=("conv*", "fc1"), signal="pre")
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    opened.settle()
    assert opened.workspace.survey is None


def test_of_a_random_network_it_says_what_to_name(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    dialog = ask(driver)
    assert dialog.state.isVisible()
    assert "random network 12-9-6-4" in dialog.state.text()
    assert "file.py:factory" in dialog.state.text()
    assert not dialog.start.isEnabled()
    type_into(dialog.network.lineEdit(), NAME)
    assert dialog.start.isEnabled()


def test_where_nothing_is_of_a_network_it_says_what_to_do(driver) -> None:
    said = messages_of(driver)
    driver.window.commands.run("file.survey")
    assert "open a model first" in said[0]
    assert not driver.window.findChildren(SurveyDialog)
    driver.window.commands.run("file.save_survey")
    assert "no survey to save" in said[1]


# -- making --------------------------------------------------------------------------------------


def test_a_survey_is_made_with_progress_shown_and_kept(opened, pictures, tmp_path, monkeypatch) -> None:
    seen, said = [], messages_of(opened)
    opened.workspace.jobs.progressed.connect(lambda slot, done, total: seen.append((slot, done, total)))
    target = opened.workspace.target
    dialog = ask(opened)
    type_into(dialog.data.lineEdit(), str(pictures))
    type_into(dialog.layers, "conv*")
    QTest.mouseClick(dialog.start, LEFT)
    opened.settle()
    survey = opened.workspace.survey
    assert survey.layers.keys() == {"conv1", "conv2", "conv3"}
    assert (survey.n_images, survey.n_skipped) == (12, 1)
    assert "12 images, 1 could not be read" in said[-1]
    assert (SURVEYING, 13, 13) in seen
    assert opened.workspace.target is target, "what is open stays open"
    assert opened.window.docks["survey"].isVisible()
    assert opened.window.survey.bench.survey is survey
    monkeypatch.setattr("cnnvis.viewer.acts.surveys.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / "my"), ""))
    opened.window.commands.run("file.save_survey")
    opened.settle()
    again = cnnvis.load(tmp_path / "my.safetensors")
    np.testing.assert_array_equal(again["conv2"].mean, survey["conv2"].mean)
    assert opened.window.settings.recent[0].name == "my.safetensors"


def test_stopping_leaves_all_as_it_was(opened, pictures) -> None:
    target, before = opened.workspace.target, opened.pixels()
    stop = opened.window.status.stop
    seen = []

    def stop_it(slot, done, total) -> None:
        if slot == SURVEYING:
            seen.append(slot)
            QTest.mouseClick(stop, LEFT)

    opened.workspace.jobs.progressed.connect(stop_it)
    dialog = ask(opened)
    QTest.mouseClick(dialog.start, LEFT)
    assert SURVEYING in opened.workspace.jobs.slots
    assert opened.window.status.work.text() == "Survey of fashion-cnn"
    opened.settle()
    assert seen == [SURVEYING]
    assert opened.workspace.survey is None
    assert opened.workspace.target is target
    assert not opened.window.docks["survey"].isVisible()
    np.testing.assert_array_equal(opened.pixels(), before)


@pytest.mark.parametrize(
    ("data", "said"), [("no/such/folder", "no/such/folder"), ("empty", "is empty"), ("mnist", "are not those of")]
)
def test_images_that_cannot_be_surveyed_are_a_message(opened, tmp_path, data, said) -> None:
    (tmp_path / "empty").mkdir()
    dialog = ask(opened)
    type_into(dialog.data.lineEdit(), str(tmp_path / data) if data == "empty" else data)
    QTest.mouseClick(dialog.start, LEFT)
    opened.settle()
    ((what, error),) = opened.problems
    assert what == "Survey of fashion-cnn"
    assert said in str(error)
    assert opened.workspace.survey is None
    assert not opened.window.docks["survey"].isVisible()
    opened.problems.clear()


def test_a_network_of_ones_own_is_found_again_with_its_folder(driver, pictures, tmp_path) -> None:
    code = tmp_path / "nets.py"
    code.write_text(textwrap.dedent(CODE))
    driver.window.files.open_model(f"{code}:build", str(pictures / "00.png"), layers=("0",))
    driver.settle()
    assert origin_of(driver.workspace).model == "nets.py:build"
    dialog = ask(driver)
    assert dialog.wish.model == f"{code}:build"
    type_into(dialog.data.lineEdit(), str(pictures))
    QTest.mouseClick(dialog.start, LEFT)
    driver.settle()
    assert driver.workspace.survey.layers.keys() == {"0", "2"}


def test_another_network_of_the_same_name_is_refused(pictures) -> None:
    origin = Provenance(model=NAME, weights="mine.pt", model_sha256="of others")
    with pytest.raises(cnnvis.core.errors.InvalidInputError, match=r"other weights.*'mine\.pt'.*under Weights"):
        surveyed(SurveyWish(model=NAME, data=str(pictures)), origin, Tell())
