"""Pointing at tiles: what is said of a pixel is what the pixel shows."""

import numpy as np
import pytest

from cnnvis.core import NetworkMaps
from cnnvis.rendering import OffscreenWindow, Picker, TileHit
from cnnvis.rendering.pane import Pane as ScreenPane
from cnnvis.rendering.pick_tiles import pixel_at, tile_marks
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Camera, Scene, Selection

SIZE = (500, 360)


def network(**changes):
    generator = np.random.default_rng(0)
    parts = {
        "layers": ("input", "conv", "fc"),
        "roles": ("input", "convolution", "dense"),
        "values": tuple(5 * generator.random(shape) for shape in ((1, 4, 6), (5, 3, 3), (3, 1, 1))),
        "depths": [0, 1, 2],
        "flow": [[0, 1], [1, 2]],
    }
    return NetworkMaps(**(parts | changes))


def scene_of(maps, **state):
    scene = Scene.of_tiles(maps, links=False, legend=False, **state)
    scene["network"].transfer = scene["network"].transfer.model_copy(update={"span": (0.0, 1.0), "centre": None})
    return scene


@pytest.mark.parametrize("state", [{}, {"arrangement": 1.0}, {"arrangement": 0.0, "turn": 0.4}, {"depth": "slab"}])
@pytest.mark.parametrize("azimuth", [8, 200])
def test_the_value_at_a_pixel_has_the_colour_of_the_pixel(state, azimuth):
    maps = network()
    scene = scene_of(maps, **state)
    scene.camera.azimuth = azimuth
    with OffscreenWindow(scene, SIZE) as window:
        picture, picker = window.draw(), Picker(window.panes[0].drawn)
        found = 0
        for x, y in np.random.default_rng(1).integers((5, 5), (SIZE[0] - 5, SIZE[1] - 60), (6000, 2)):
            around = picture[SIZE[1] - 1 - y - 2 : SIZE[1] - y + 2, x - 2 : x + 3].reshape(-1, 3).astype(int)
            if np.ptp(around, axis=0).max() > 4 or around.min() > 250:
                continue  # an edge, or nothing
            hit = picker.at(x, y)
            if hit is None:
                continue  # a line of the data flow
            limit = maps.limits[maps.layers.index(hit.layer)]
            colour = 255 * scene["network"].transfer.colours(np.array([hit.value / limit], np.float32))[0]
            assert np.abs(colour - around.mean(axis=0)).max() < 6, (x, y, hit.text)
            found += 1
    assert found > 40


def test_what_a_hit_says():
    maps = network(values=(np.ones((1, 2, 2)), np.arange(20.0).reshape(5, 2, 2), np.ones((3, 1, 1))))
    scene = scene_of(maps, rows=1)
    scene.camera = Camera(view="front", parallel=True)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        drawn = window.panes[0].drawn
        (artist,) = drawn.shown
        tiles = artist.tiles()
        start = tiles.centres[1] + [-0.2 * tiles.sides[1, 0], 0.2 * tiles.sides[1, 1], -0.5]
        seen = pixel_at(artist, start, np.array([0.0, 0, 1]))
    assert (seen.tile, seen.row, seen.column) == (1, 1, 0)
    hit = TileHit(
        item="network", kind="tiles", place=(0, 0, 0), depth=0,
        layer="conv", channel=0, n_maps=1, row=1, column=0, value=2.0, quantity="activation",
    )  # fmt: skip
    assert hit.text == "conv #0 · row 1, column 0 · activation 2"
    assert hit.selection == Selection(units={("conv", 0)})
    mean = TileHit(
        item="network", kind="tiles", place=(0, 0, 0), depth=0,
        layer="conv", channel=None, n_maps=5, row=0, column=0, value=2.0, quantity="activation",
    )  # fmt: skip
    assert mean.text.startswith("conv mean of 5 maps")
    assert mean.selection == Selection(layers={"conv"})


def test_the_nearest_of_tiles_one_behind_the_other_is_hit_and_reduced_ones_keep_their_number():
    values = (np.ones((1, 2, 2)), np.array([1.0, 9, 3, 8, 2])[:, None, None] * np.ones((5, 2, 2)), np.ones((3, 1, 1)))
    scene = scene_of(network(values=values), arrangement=0.0, turn=1.0, depth="reduced", n_reduced=2, rows=1)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        picker = Picker(window.panes[0].drawn)
        hits = [picker.at(x, y) for x in range(0, SIZE[0], 4) for y in range(0, SIZE[1], 4)]
    found = {(hit.layer, hit.channel, round(hit.value, 4)) for hit in hits if hit is not None}
    assert {entry for entry in found if entry[0] == "conv"} == {("conv", 1, 9.0), ("conv", 3, 8.0)}


def test_selected_tiles_have_an_outline():
    scene = scene_of(network())
    with OffscreenWindow(scene, SIZE) as window:
        before = window.draw().astype(int)
        for selection in (Selection(units={("conv", 2)}), Selection(layers={"fc"})):
            scene.selection = selection
            assert (np.abs(window.draw() - before).max(axis=2) > 60).sum() > 40
        drawn = window.panes[0].drawn
        (artist,) = drawn.shown
        pane = ScreenPane.of(*SIZE, THEMES[scene.background])
        assert tile_marks(artist, Selection(units={("conv", 2)}), pane)
        assert not tile_marks(artist, Selection(units={("elsewhere", 0), ("conv", 77)}), pane)
