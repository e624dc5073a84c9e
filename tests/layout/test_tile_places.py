"""Where tiles stand: by hand, on the way between two forms, and never one on the other."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import place_tiles
from cnnvis.layout.tiles import GRID, LONGEST, RADIUS, ROW, UNIT, lines_between

LAYERS = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=6)
ONE_ROW = {"rows": 1}


def test_a_grid_of_four_maps_by_hand():
    tiles = place_tiles([(4, 8, 8)], [0], arrangement=2, spacing=0.1)
    half = GRID / 4  # two columns, two rows
    expected = [(-half, -half, 0), (half, -half, 0), (-half, half, 0), (half, half, 0)]
    np.testing.assert_allclose(tiles.centres, expected)
    np.testing.assert_allclose(tiles.sides, 0.9 * GRID / 2)


def test_a_circle_runs_clockwise_from_the_top():
    tiles = place_tiles([(4, 3, 3)], [0], arrangement=1)
    expected = RADIUS * np.array([(0, -1, 0), (1, 0, 0), (0, 1, 0), (-1, 0, 0)])  # y points down
    np.testing.assert_allclose(tiles.centres, expected, atol=1e-12)


def test_a_line_lies_across_the_flow_and_is_turned_along_it():
    across, along = (place_tiles([(3, 2, 2)], [0], arrangement=0, turn=turn) for turn in (0, 1))
    assert np.ptp(across.centres[:, 0]) > 0
    assert np.ptp(across.centres[:, 2]) == pytest.approx(0)
    assert np.ptp(along.centres[:, 0]) == pytest.approx(0)
    assert np.all(np.diff(along.centres[:, 2]) > 0)
    np.testing.assert_allclose(along.sides, 1)
    many = place_tiles([(500, 2, 2)], [0], arrangement=0, turn=0)
    assert np.ptp(many.centres[:, 0]) <= LONGEST


def test_between_two_forms_every_tile_is_on_its_straight_way():
    layers = [(5, 4, 4), (7, 1, 1)]
    for first, second in ((0, 1), (1, 2)):
        ends = [place_tiles(layers, [0, 1], arrangement=form, turn=0.3) for form in (first, second)]
        middle = place_tiles(layers, [0, 1], arrangement=(first + second) / 2, turn=0.3)
        np.testing.assert_allclose(middle.centres, (ends[0].centres + ends[1].centres) / 2)
        np.testing.assert_allclose(middle.sides, (ends[0].sides + ends[1].sides) / 2)


def test_layers_follow_the_flow_and_branches_stand_side_by_side():
    tiles = place_tiles([(1, 2, 2)] * 4, [0, 1, 1, 2], layer_distance=3, rows=1)
    np.testing.assert_allclose(tiles.centres[:, 2], [-3, 0, 0, 3])
    np.testing.assert_allclose(tiles.centres[1, 0], -tiles.centres[2, 0])
    assert tiles.centres[1, 0] < 0
    assert tiles.centres[[0, 3], 0].tolist() == [0, 0]


def test_in_rows_the_flow_turns_round():
    tiles = place_tiles([(1, 2, 2)] * 4, [0, 1, 2, 3], layer_distance=3, rows=2)
    np.testing.assert_allclose(tiles.centres[:, 2], [-1.5, 1.5, 1.5, -1.5])
    np.testing.assert_allclose(np.diff(tiles.centres[:, 1]), [0, ROW, 0])
    stack = place_tiles([(2, 2, 2)] * 2, [0, 1], arrangement=0, rows=2)
    steps = np.diff(stack.centres[:, 2])[[0, 2]]
    assert steps[0] > 0 > steps[1], "maps are passed in their order in each row"


def test_maps_keep_their_shape_and_with_same_pixels_their_size():
    layers = [(1, 8, 4), (1, 2, 2), (1, 1, 1)]
    sides = place_tiles(layers, [0, 1, 2]).sides
    np.testing.assert_allclose(sides, [(0.5, 1), (1, 1), (UNIT, UNIT)])
    np.testing.assert_allclose(
        place_tiles(layers, [0, 1, 2], same_pixels=True).sides, [(0.5, 1), (0.25, 0.25), (UNIT, UNIT)]
    )


@given(LAYERS, st.sampled_from([0.0, 1.0, 2.0]), st.floats(0, 0.5))
def test_tiles_of_a_layer_do_not_cover_each_other(layers, arrangement, spacing):
    tiles = place_tiles(layers, range(len(layers)), arrangement=arrangement, turn=0, spacing=spacing)
    assert len(tiles.centres) == len(tiles.layer) == sum(layer[0] for layer in layers)
    for layer in range(len(layers)):
        own = np.flatnonzero(tiles.layer == layer)[:12]
        for one, other in itertools.combinations(own, 2):
            apart = np.abs(tiles.centres[one, :2] - tiles.centres[other, :2])
            if arrangement == 1:  # along a circle squares may touch at their corners
                assert np.linalg.norm(apart) > 0.99 * (1 - spacing) * max(
                    tiles.sides[one].max(), tiles.sides[other].max()
                )
            else:
                assert (apart >= 0.999 * tiles.sides[[one, other]].mean(axis=0)).any()


def test_corners_are_those_of_the_tile_from_the_upper_left_clockwise():
    tiles = place_tiles([(1, 1, 2)], [0], rows=1)
    width, height = tiles.sides[0]
    expected = np.array([(-width, -height, 0), (width, -height, 0), (width, height, 0), (-width, height, 0)]) / 2
    np.testing.assert_allclose(tiles.corners[0], expected)


def test_curves_keep_their_ends_and_go_through_the_point_that_pulls():
    starts, ends, pull = np.array([[0.0, 0, 0]]), np.array([[2.0, 0, 0]]), np.array([[1.0, 5, 0]])
    curve = lines_between(starts, ends, pull, n_points=3)
    np.testing.assert_allclose(curve, [[(0, 0, 0), (1, 5, 0), (2, 0, 0)]])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arrangement": 2.1}, "arrangement must be from 0 to 2"),
        ({"turn": -0.1}, "turn"),
        ({"layer_distance": 0}, "layer_distance"),
        ({"spacing": 1}, "spacing"),
        ({"rows": 0}, "rows must be a whole number"),
    ],
)
def test_numbers_out_of_range_are_refused(options, words):
    with pytest.raises(InvalidInputError, match=words):
        place_tiles([(1, 2, 2)], [0], **options)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InvalidInputError, match="depths"):
        place_tiles([(1, 2, 2)], [0, 1])
    with pytest.raises(InvalidInputError, match="one pixel at least"):
        place_tiles([(0, 2, 2)], [0])


def test_an_enlarged_layer_is_a_sheet_of_whole_tiles_and_its_row_has_room():
    shapes, depths = [(4, 8, 8), (9, 4, 4), (2, 4, 4), (3, 2, 2)], [0, 1, 2, 3]
    for arrangement in (0, 1, 2):
        tiles = place_tiles(shapes, depths, arrangement=arrangement, rows=2, spacing=0.2, enlarged=[1])
        own = tiles.layer == 1
        np.testing.assert_allclose(tiles.sides[own], 1)
        centres = tiles.centres[own] - tiles.centres[own].mean(axis=0)
        pitch = 1 / 0.8
        expected = [(pitch * x, pitch * y, 0) for y in (-1, 0, 1) for x in (-1, 0, 1)]
        np.testing.assert_allclose(centres, expected, atol=1e-12)
        upper, lower = (tiles.corners[np.isin(tiles.layer, layers)][..., 1] for layers in ((0, 1), (2, 3)))
        assert upper.max() < lower.min()
