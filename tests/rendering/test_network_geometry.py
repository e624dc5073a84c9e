"""The buffers of lines and units, against what can be counted by hand."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_shots import lines_of, units_at

from cnnvis.core.palette import group_colour
from cnnvis.rendering import network_geometry as geometry_of
from cnnvis.rendering.network_geometry import as_lines, network_geometry
from cnnvis.scene import Stance


def bent(*heights, importance=1.0):
    """Return a line through (0, h0, 0), (1, h1, 0), ..."""
    return lines_of([[x, y, 0] for x, y in enumerate(heights)], importance=importance)


def test_pieces_are_units_then_lines_by_importance():
    lines = lines_of([[0, 0, 0], [1, 0, 0]], [[2, 0, 0], [3, 0, 0], [4, 0, 0]], importance=[0.3, 0.9])
    found = network_geometry([lines, units_at([[9, 0, 0], [8, 0, 0]], importance=[0.1, 0.7])])
    x = found.bundled[:, 0][found.pairs]
    np.testing.assert_array_equal(x, [[8, 8], [9, 9], [2, 3], [3, 4], [0, 1]])
    np.testing.assert_allclose(found.tone[found.pairs[:, 0]][:, 0], [0.7, 0.1, 0.9, 0.9, 0.3])
    np.testing.assert_array_equal(found.tone[found.pairs[:, 0], 3], [1, 1, 0, 0, 0])


def test_tangents_are_means_of_the_pieces_at_a_point():
    found = network_geometry([bent(0, 2, 2), units_at([[5, 5, 5]])])
    np.testing.assert_allclose(found.tangent, [[1, 2, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]])


def test_straight_places_go_by_t_or_else_by_number():
    with_t = lines_of([[0, 0, 0], [1, 5, 0], [4, 0, 0]], t=np.array([0, 0.5, 1]))
    without = lines_of([[0, 0, 0], [1, 5, 0], [3, 5, 0], [3, 0, 0]])
    found = network_geometry([with_t, without])
    np.testing.assert_allclose(found.straight[:, 0], [0, 2, 4, 0, 1, 2, 3], atol=1e-6)
    np.testing.assert_allclose(found.straight[:, 1], 0, atol=1e-6)


def test_the_importance_of_a_line_is_its_own_or_the_mean_of_its_points():
    lines = bent(0, 0, 0)
    varied = as_lines(lines_of([[0, 0, 0]] * 3, importance=1.0))
    assert varied.line_arrays["importance"] == pytest.approx([1.0])
    points = dict(lines.point_arrays) | {"importance": np.float32([0, 0.3, 0.9])}
    mean = as_lines(type(lines)(lines.points, lines.offsets, points))
    assert mean.line_arrays["importance"] == pytest.approx([0.4])
    own = as_lines(type(lines)(lines.points, lines.offsets, points, {"importance": np.float32([0.8])}))
    assert own.line_arrays["importance"] == pytest.approx([0.8])


def test_classes_are_mixed_and_one_is_chosen():
    shares = np.array([[1, 0], [0.25, 0.75]])
    lines = lines_of([[0, 0, 0], [1, 0, 0]], class_shares=shares)
    found = network_geometry([bent(0, 1), lines])
    palette = np.array([group_colour(0), group_colour(1)])
    counted = [(1, 0), (1 / 28, 27 / 28)]  # cubes of the shares, as parts of their sum
    np.testing.assert_allclose(found.mixed[2:, :3], 255 * np.array(counted) @ palette, atol=0.5)
    np.testing.assert_array_equal(found.tone[:, 2], 1)
    found.set_class(1, 1)
    np.testing.assert_allclose(found.tone[:, 2], [1, 1, 0, 0.75])
    found.set_class(1, None)
    np.testing.assert_array_equal(found.tone[:, 2], 1)


@given(
    st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=2, max_size=30),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda way: np.linalg.norm(way) > 0.1),
    st.floats(0, 1),
)
def test_pieces_come_from_far_to_near(points, forward, blend):
    points = np.float32(points)
    found = network_geometry([lines_of(*pairwise(points))])
    forward = np.array(forward) / np.linalg.norm(forward)
    pairs = found.far_to_near(found.pairs, forward, np.array([blend]), np.array([1.0]))
    assert sorted(map(tuple, pairs)) == sorted(map(tuple, found.pairs))
    depth = (found.bundled[pairs].mean(axis=1) @ forward).astype(float)
    step = 1.01 * np.ptp(depth) / geometry_of.DEPTHS + 1e-4
    assert (np.diff(depth) <= step).all()


def test_lines_that_end_in_a_unit_lie_behind_it():
    lines = lines_of([[0, 0, -0.1], [0, 0, 0]])
    found = network_geometry([lines, units_at([[0, 0, 0]])])
    args = (np.array([0.0, 0.0, 1.0]), np.ones(2))
    line, unit = [0, 1], [2, 2]
    assert found.far_to_near(found.pairs, *args, np.array([1.0, 0.2])).tolist() == [line, unit]
    assert found.far_to_near(found.pairs, *args, np.array([1.0, 0.0])).tolist() == [unit, line]


def test_of_too_many_lines_the_most_important_are_drawn(monkeypatch):
    monkeypatch.setattr(geometry_of, "MAX_PIECES", 10)
    lines = lines_of(*[[[i, 0, 0], [i, 1, 0]] for i in range(20)], importance=np.linspace(0, 1, 20))
    found = network_geometry([lines])
    np.testing.assert_array_equal(found.bundled[::2, 0], [19, 18, 17, 16, 15])
    assert found.share == 0.25


def test_what_is_chosen_comes_last_and_is_kept_first():
    found = network_geometry([lines_of([[0, 0, 1]] * 2, [[0, 0, 3]] * 2, [[0, 0, 2]] * 2, importance=[0.9, 0.5, 0.1])])
    found.set_stances(0, np.array([Stance.FADED, Stance.MARKED, Stance.CHOSEN], np.uint8))
    np.testing.assert_array_equal(found.bundled[:, 2][found.chosen_first()[:, 0]], [3, 2, 1])
    pairs = found.far_to_near(found.pairs, np.array([0.0, 0.0, 1.0]), np.ones(1), np.ones(1))
    np.testing.assert_array_equal(found.bundled[:, 2][pairs[:, 0]], [1, 3, 2])


def test_pieces_know_the_lines_and_units_that_they_are_of():
    lines = lines_of([[0, 0, 0], [1, 0, 0]], [[2, 0, 0], [3, 0, 0], [4, 0, 0]], importance=[0.3, 0.9])
    found = network_geometry([lines, units_at([[9, 0, 0], [8, 0, 0]], importance=[0.1, 0.7])])
    assert found.owners.tolist() == [1, 0, 1, 1, 0]


def test_nothing_to_draw():
    found = network_geometry([lines_of(), units_at(np.zeros((0, 3)))])
    assert found.pairs.shape == (0, 2)
    assert found.far_to_near(found.pairs, np.array([0.0, 0, 1]), np.ones(2), np.ones(2)).shape == (0, 2)
    np.testing.assert_array_equal(found.bounds(), 0)
    assert network_geometry([]).tone.shape == (0, 4)
