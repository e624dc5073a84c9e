import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.report.tiles import constant_tiles, cross_out, fit_grid, resize

sides = st.integers(1, 40)


@given(sides, sides, sides, sides)
def test_resizing_keeps_the_mean_and_a_constant(height, width, new_height, new_width):
    maps = np.random.default_rng(0).random((2, height, width))
    small = resize(maps, (new_height, new_width))
    assert small.shape == (2, new_height, new_width)
    np.testing.assert_allclose(small.mean(axis=(1, 2)), maps.mean(axis=(1, 2)), rtol=1e-9)
    np.testing.assert_allclose(resize(np.ones((1, height, width)), (new_height, new_width)), 1)


def test_enlarging_by_a_whole_factor_repeats_pixels():
    maps = np.arange(6.0).reshape(1, 2, 3)
    expected = maps.repeat(4, axis=1).repeat(5, axis=2)
    np.testing.assert_allclose(resize(maps, (8, 15)), expected)


def test_shrinking_by_a_whole_factor_averages_blocks():
    maps = np.arange(16.0).reshape(1, 4, 4)
    np.testing.assert_allclose(resize(maps, (2, 2))[0], [[2.5, 4.5], [10.5, 12.5]])


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_single_missing_value_is_never_lost_nor_spread(old, new):
    maps = np.zeros((1, 1, old))
    hole = old // 2
    maps[0, 0, hole] = np.inf
    missing = np.flatnonzero(np.isnan(resize(maps, (1, new))[0, 0]))
    # Exactly the new pixels that overlap [hole, hole + 1).
    first, last = (hole * new) // old, -(-(hole + 1) * new // old) - 1
    assert missing.tolist() == list(range(first, last + 1))


def test_single_precision_stays_single():
    assert resize(np.zeros((1, 4, 4), dtype=np.float32), (3, 3)).dtype == np.float32


@given(st.integers(1, 3000), st.integers(1, 64), st.integers(1, 64))
def test_a_grid_holds_every_tile_inside_its_width(n, height, width):
    grid = fit_grid(n, (height, width), width=1544, height=780)
    corners = [grid.corner(position) for position in range(n)]
    assert len(set(corners)) == n
    assert grid.rows * grid.columns >= n
    assert max(x for x, _ in corners) + grid.tile[1] <= grid.width <= 1544
    assert max(y for _, y in corners) + grid.tile[0] == grid.height


@pytest.mark.parametrize(("n", "labelled"), [(1, True), (32, True), (96, True), (512, False), (2048, False)])
def test_labels_stay_while_they_fit(n, labelled):
    grid = fit_grid(n, (112, 112), width=1544, height=780)
    assert grid.labelled is labelled
    assert grid.height <= 780


def test_tiles_keep_the_maps_aspect():
    height, width = fit_grid(20, (50, 100), width=1544, height=780).tile
    assert width / height == pytest.approx(2, rel=0.02)


def test_constant_maps_are_found():
    maps = np.zeros((4, 3, 3))
    maps[1, 0, 0] = 1e-9
    maps[2] = np.nan
    maps[3, 1, 1] = np.inf
    assert constant_tiles(maps).tolist() == [True, False, False, False]


def test_a_cross_runs_through_the_middle_and_the_corners():
    tile = np.zeros((60, 90, 3), dtype=np.uint8)
    cross_out(tile)
    marked = tile.any(axis=-1)
    assert marked[30, 45]
    assert marked[0, 0]
    assert marked[59, 89]
    assert marked[59, 0]
    assert not marked[30, 10]
    assert marked.mean() < 0.1
