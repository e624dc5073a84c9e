"""Maps in one texture: every one found again, none touched by its neighbours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.rendering import tile_atlas
from cnnvis.rendering.tile_atlas import TileAtlas

SHAPES = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=5)


def stacks_of(shapes, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.random(shape).astype(np.float32) for shape in shapes]


@given(SHAPES)
def test_every_map_is_found_in_its_box_and_has_its_own_border(shapes):
    stacks = stacks_of(shapes)
    atlas = TileAtlas.of(stacks)
    boxes = iter(atlas.boxes)
    for stack in stacks:
        for one in stack:
            x, y, width, height = next(boxes)
            np.testing.assert_array_equal(atlas.values[y : y + height, x : x + width], one)
            bordered = atlas.values[y - 1 : y + height + 1, x - 1 : x + width + 1]
            np.testing.assert_array_equal(bordered, np.pad(one, 1, mode="edge"))
    taken = np.zeros(atlas.values.shape, int)
    for x, y, width, height in atlas.boxes:
        taken[y - 1 : y + height + 1, x - 1 : x + width + 1] += 1
    assert taken.max() == 1
    assert atlas.n_halved == 0


def test_texture_points_are_the_corners_of_the_box():
    atlas = TileAtlas.of(stacks_of([(1, 2, 3)]))
    x, y = 1 / tile_atlas.WIDTH, 1 / len(atlas.values)
    expected = [(x, y), (4 * x, y), (4 * x, 3 * y), (x, 3 * y)]
    np.testing.assert_allclose(atlas.texture_points[0], expected, rtol=1e-6)


def test_what_has_no_room_is_made_smaller_the_largest_layer_first(monkeypatch):
    monkeypatch.setattr(tile_atlas, "WIDTH", 16)
    monkeypatch.setattr(tile_atlas, "HIGHEST", 16)
    large = np.arange(2 * 13 * 12, dtype=np.float32).reshape(2, 13, 12)
    atlas = TileAtlas.of([large, np.ones((1, 2, 2), np.float32)])
    assert atlas.n_halved == 1
    x, y, width, height = atlas.boxes[0]
    assert (width, height) == (6, 7)
    found = atlas.values[y : y + height, x : x + width]
    assert found[0, 0] == pytest.approx(large[0, :2, :2].mean())
    assert found[6, 0] == pytest.approx(large[0, 12, :2].mean()), "an odd last row counts by itself"
    assert len(atlas.values) <= 16
