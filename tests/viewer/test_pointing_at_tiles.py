"""Pointing at the maps of a network in the window: what is under the mouse is said, a click selects and outlines it."""

import numpy as np
import pytest
from viewer_scenes import small_network_maps

from cnnvis.rendering.screen_box import Projection
from cnnvis.scene import Scene, Selection

pytestmark = pytest.mark.qt


def middle_of_tile(driver, number):
    """Return the pixel of the view in which the middle of a tile is."""
    drawn = driver.window.canvas.panes[0].drawn
    (artist,) = drawn.shown
    view = driver.window.canvas.view
    width, height = view.width(), view.height()
    x, y = Projection.of(drawn.renderer, width / height)(artist.tiles().centres[number][None])[0]
    return round((x + width / height / 2) * height), round(height - (y + 0.5) * height)


def test_a_tile_is_said_selected_and_outlined(driver, qtbot) -> None:
    driver.workspace.show(Scene.of_tiles(small_network_maps(), links=False))
    before = driver.pixels()
    at = middle_of_tile(driver, 3)
    driver.hover(at)
    said = driver.window.status.under_cursor
    qtbot.waitUntil(lambda: "conv #2 · row 1, column 1" in said.text(), timeout=20_000)
    driver.click(at)
    assert driver.scene.selection == Selection(units={("conv", 2)})
    assert (np.abs(driver.pixels() - before).max(axis=2) > 60).sum() > 20
