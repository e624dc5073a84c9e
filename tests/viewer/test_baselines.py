"""Main states of the window beside pictures of them that a person has looked at.

After a change of what the window looks like: ``pytest tests/viewer/test_baselines.py --renew-baselines``, and look at
what is in tests/viewer/baselines before it is committed.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from qtpy import QT5
from qtpy.QtCore import QSize
from qtpy.QtGui import QImage
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.models import labelled_images, load
from cnnvis.scene import Scene
from cnnvis.viewer import comparing
from cnnvis.viewer.theme import apply_theme

pytestmark = [pytest.mark.qt, pytest.mark.skipif(not QT5, reason="the pictures are of Qt 5")]

PLACE = Path(__file__).parent / "baselines"
SIZE = (1000, 640)
BLOCK = 20
"""Pixels of a side of the blocks whose mean colours are compared: letters may be a pixel off."""

BOUND = 3.0
"""Root mean square difference of blocks, of 255, up to which a picture is that of its baseline."""


def start_page(driver, tmp_path):
    """Nothing is open."""


def one_class(driver, tmp_path):
    """A network, one class standing out."""
    driver.workspace.show(network_scene(), random_network())
    driver.scene["bundle"].update({"shown_class": 1, "blend": 0.9})
    driver.scene["units"].shown_class = 1


def volume(driver, tmp_path):
    """A volume, its axes and its colours, with the editor of its transfer function."""
    driver.workspace.show(volume_scene())
    driver.window.docks["transfer"].raise_()


def difference(driver, tmp_path):
    """Two volumes and what is between them."""
    values = volume_scene(side=14)["ball"].data.values
    path = cnnvis.save(Scene.of(np.roll(values, 3, axis=2), name="ball"), tmp_path / "other.json")
    driver.workspace.show(volume_scene(side=14))
    comparing.add_files(driver.workspace, [path])
    driver.settle()
    comparing.add_difference(driver.workspace)


def survey(driver, tmp_path):
    """What the channels of a network do over some images."""
    images, labels = labelled_images("fashion-mnist", "importance").pair
    driver.workspace.show_survey(cnnvis.survey(load("fashion-cnn"), (images[:60], labels[:60])))


def dark(driver, tmp_path):
    """The network in the dark."""
    driver.workspace.show(network_scene(), random_network())
    driver.window.toggle_theme()


STATES = {state.__name__: state for state in (start_page, one_class, volume, difference, survey, dark)}


@pytest.fixture
def shown(open_driver, tmp_path):
    """Brings a window to a state and gives its picture (H, W, 3)."""

    def show(name):
        driver = open_driver()
        driver.window.resize(QSize(*SIZE))
        STATES[name](driver, tmp_path)
        driver.settle()
        return driver, picture(driver)

    yield show
    apply_theme("light")


def picture(driver):
    driver.settle()
    image = driver.window.screenshot().toImage().convertToFormat(QImage.Format.Format_RGB888)
    data = image.constBits()
    if hasattr(data, "setsize"):
        data.setsize(image.sizeInBytes() if hasattr(image, "sizeInBytes") else image.byteCount())
    rows = np.frombuffer(bytes(data), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def blocks(pixels):
    """The mean colours (rows, columns, 3) of blocks."""
    height, width = (side // BLOCK * BLOCK for side in pixels.shape[:2])
    cut = pixels[:height, :width].astype(float)
    return cut.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3).mean(axis=(1, 3))


def apart(first, second):
    """Return the root mean square difference of the blocks that both pictures have."""
    height, width = np.minimum(first.shape[:2], second.shape[:2])
    return float(np.sqrt(np.square(blocks(first[:height, :width]) - blocks(second[:height, :width])).mean()))


def baseline(name):
    with Image.open(PLACE / f"{name}.png") as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", STATES)
def test_the_window_looks_as_it_did(shown, name, request):
    _, found = shown(name)
    if request.config.getoption("--renew-baselines"):
        PLACE.mkdir(exist_ok=True)
        Image.fromarray(found).save(PLACE / f"{name}.png", optimize=True)
        pytest.skip("renewed")
    expected = baseline(name)
    assert found.shape == expected.shape
    assert apart(found, expected) < BOUND


def test_every_two_states_are_further_apart():
    for first, second in combinations(STATES, 2):
        assert apart(baseline(first), baseline(second)) > 2 * BOUND, (first, second)


def test_what_is_missing_is_noticed(shown):
    driver, whole = shown("one_class")
    expected = baseline("one_class")
    assert apart(whole, expected) < BOUND
    driver.scene["bundle"].visible = False
    assert apart(picture(driver), expected) > BOUND
    driver.scene["bundle"].visible = True
    apply_theme("dark")
    assert apart(picture(driver), expected) > BOUND
    apply_theme("light")
    assert apart(picture(driver), expected) < BOUND
    driver.window.docks["properties"].hide()  # another tab is in front then
    assert apart(picture(driver), expected) > BOUND
