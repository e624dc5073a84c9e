"""Whatever a user does, in whatever order: no exception, no window left over, no growing memory, and undo goes back."""

from __future__ import annotations

import gc
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QApplication
from random_hands import Hands, small_survey
from viewer_scenes import network_scene, random_network
from vtkmodules.vtkCommonCore import vtkObjectBase

import cnnvis
from cnnvis.core.errors import CnnvisError
from cnnvis.scene import Scene
from cnnvis.viewer.examples import EXAMPLES

pytestmark = pytest.mark.qt

FEW, MANY = 60, 500

POPUPS = Counter(QFrame=4)
"""Lists of boxes that were opened once stay as long as the box, as windows that are hidden."""

PLOTS = Counter(QMenu=21, QWidget=2)
"""What the plots of the transfer editor hold, where it was shown; it goes with them."""


def windows_left() -> Counter[str]:
    """Count windows by kind, hidden ones among them."""
    for _ in range(2):  # what is deleted lets go of more
        gc.collect()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return Counter(type(each).__name__ for each in QApplication.topLevelWidgets())


class Kept(NamedTuple):
    """What a process holds while its window is empty."""

    windows: Counter[str]
    objects_of_vtk: int
    megabytes: float

    @classmethod
    def by(cls, driver) -> Kept:
        """Close what is open, and count."""
        driver.workspace.show(Scene())
        driver.settle()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return cls(
            windows_left(),
            sum(issubclass(type(each), vtkObjectBase) for each in gc.get_objects()),
            pages * 4096 / 2**20,
        )


def warm_up(driver) -> None:
    """Load and make what is loaded and made once: torch, numba's code, menus of plots."""
    for name in EXAMPLES:
        driver.window.files.open_example(name)
        driver.settle()
        for dock in driver.window.docks.values():
            dock.raise_()
            driver.settle()


def run(driver, folder: Path, seed: int, count: int) -> list[str]:
    """Let hands do so many things, and return which."""
    hands = Hands(driver, folder, seed)
    done = []
    for _ in range(count):
        done.append(hands.act())
        unknown = [error for _, error in driver.problems if not isinstance(error, CnnvisError)]
        assert not unknown, (done[-5:], unknown)
        driver.problems.clear()
    hands.rest()
    driver.problems.clear()
    return done


@pytest.mark.parametrize("seed", [0, 1])
def test_random_actions(driver, tmp_path, seed) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.workspace.show_survey(small_survey())
    driver.settle()
    windows = windows_left()
    assert len(set(run(driver, tmp_path, seed, FEW))) > 8
    assert not windows_left() - windows - POPUPS - PLOTS
    if driver.window.pages.currentWidget() is not driver.window.canvas:
        driver.window.start_page.back.emit()
    pixels = driver.pixels()
    if isinstance(driver.workspace.target, Scene):
        height, width = pixels.shape[:2]
        np.testing.assert_array_equal(pixels, cnnvis.render(driver.workspace.target, size=(width, height)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(5))
def test_five_hundred_random_actions(driver, tmp_path, seed) -> None:
    warm_up(driver)
    driver.workspace.show(network_scene(), random_network())
    driver.workspace.show_survey(small_survey())
    run(driver, tmp_path, seed, MANY // 2)
    before = Kept.by(driver)
    run(driver, tmp_path, seed + 100, MANY // 2)
    after = Kept.by(driver)
    assert not after.windows - before.windows - POPUPS
    assert after.objects_of_vtk < 1.2 * before.objects_of_vtk + 100
    assert after.megabytes - before.megabytes < 150
