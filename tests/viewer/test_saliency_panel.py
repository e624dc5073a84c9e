"""An image is explained in the window: the open one by a key, any other by name; class, method and opacity follow."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from viewer_scenes import volume_scene

import cnnvis
from cnnvis.core import SaliencyMap
from cnnvis.viewer.saliency import SLOT

pytestmark = pytest.mark.qt

LEFT, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
NAME = "fashion-cnn"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A picture file of a boot."""
    pixels = cnnvis.models.labelled_images("fashion-mnist", "test").images[0, 0].numpy()
    path = tmp_path_factory.mktemp("pictures") / "boot.png"
    Image.fromarray((255 * (pixels - pixels.min()) / np.ptp(pixels)).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def panel(driver):
    """The dock of a window in which nothing is open, with a test image explained."""
    panel = driver.window.saliency
    driver.window.show_large("saliency")
    type_into(panel.network, NAME)
    type_into(panel.image, "0")
    QTest.mouseClick(panel.explain, LEFT)
    driver.settle()
    return panel


def type_into(line, text: str) -> None:
    line.lineEdit().selectAll()
    QTest.keyClick(line.lineEdit(), Qt.Key.Key_Delete)
    QTest.keyClicks(line.lineEdit(), text)


def choose(driver, field, row: int) -> None:
    """Choose by keyboard, as the wheel and the mouse are the list's own."""
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Home)
    for _ in range(row):
        QTest.keyClick(field, Qt.Key.Key_Down)
    driver.settle()


def colour(panel) -> int:
    return int(np.ptp(panel.overlay.pixels.astype(int), axis=2).max())


def test_a_key_explains_what_is_open(driver, picture) -> None:
    driver.window.files.open_model(NAME, str(picture))
    driver.settle()
    driver.press(Qt.Key.Key_I, CONTROL)
    driver.settle()
    panel = driver.window.saliency
    assert not driver.window.docks["saliency"].visibleRegion().isEmpty()
    assert panel.image.currentText() == str(picture)
    shown = panel.bench.shown
    assert (shown.class_name, shown.method, shown.provenance.inputs) == ("Ankle boot", "grad_cam", ("boot.png",))
    assert panel.classes.currentText().startswith("Ankle boot")
    assert not driver.problems


def test_without_a_network_it_says_what_to_do(driver) -> None:
    messages = []
    driver.workspace.message.connect(messages.append)
    driver.press(Qt.Key.Key_I, CONTROL)
    driver.settle()
    assert "name one in the dock" in messages[-1]
    assert driver.window.docks["saliency"].isVisible()
    driver.workspace.show(volume_scene())  # of a network that nobody can load, and no image
    driver.press(Qt.Key.Key_I, CONTROL)
    driver.settle()
    assert driver.window.saliency.bench.shown is None


def test_method_score_and_class_are_followed(driver, panel) -> None:
    assert panel.bench.shown.values.max() == 0  # by the logit nothing speaks for the boot, and it says so
    assert "try its margin" in panel.said.text()
    assert colour(panel) == 0
    choose(driver, panel.score, 1)
    assert panel.bench.shown.options["of"] == "margin"
    assert colour(panel) > 60
    choose(driver, panel.method, 1)
    assert panel.bench.shown.method == "occlusion"
    started = []
    driver.workspace.jobs.started.connect(started.append)
    choose(driver, panel.classes, 2)  # found together with the first
    assert panel.bench.shown.target == panel.bench.found.predictions[2].index
    assert started == []
    assert panel.classes.value == panel.bench.shown.target


def test_the_picture_shows_it_as_opaque_as_the_slider_says(driver, panel) -> None:
    choose(driver, panel.score, 1)
    strong = panel.overlay.grab().toImage()
    panel.opacity.box.setFocus()
    panel.opacity.box.selectAll()
    QTest.keyClicks(panel.opacity.box, "0")
    QTest.keyClick(panel.opacity.box, Qt.Key.Key_Return)
    driver.settle()
    assert colour(panel) == 0
    assert panel.overlay.grab().toImage() != strong


def test_what_cannot_be_explained_is_said_and_the_last_is_kept(driver, panel) -> None:
    before = panel.bench.shown
    type_into(panel.image, "nowhere.png")
    QTest.mouseClick(panel.explain, LEFT)
    driver.settle()
    assert "no picture file nowhere.png" in str(driver.problems.pop()[1])
    assert panel.bench.shown is before
    type_into(panel.image, "")
    assert not panel.explain.isEnabled()


def test_it_can_be_stopped(driver, panel) -> None:
    assert not panel.cancel.isEnabled()
    type_into(panel.image, "1")
    QTest.mouseClick(panel.explain, LEFT)
    assert panel.cancel.isEnabled()
    QTest.mouseClick(panel.cancel, LEFT)
    driver.settle()
    assert SLOT not in driver.workspace.jobs.slots
    assert panel.bench.found.name.endswith("0000")


def test_it_is_saved_as_picture_map_and_array(driver, panel, tmp_path) -> None:
    for suffix in (".png", ".safetensors", ".npy"):
        panel.save_as(tmp_path / f"boot{suffix}")
        driver.settle()
    assert not driver.problems
    found = cnnvis.load(tmp_path / "boot.safetensors")
    assert isinstance(found, SaliencyMap)
    np.testing.assert_array_equal(np.load(tmp_path / "boot.npy"), panel.bench.shown.values)
    assert np.asarray(Image.open(tmp_path / "boot.png")).shape[1] == 1600
