"""Lines and units with their look: opacity by hand, colours of classes, the budget of lines."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_samples import sagging_network

from cnnvis.core import PolylineSet
from cnnvis.core.palette import group_colour
from cnnvis.rendering.gltf import LINES, TRIANGLES
from cnnvis.rendering.gltf_export import mesh_of
from cnnvis.rendering.network_geometry import as_lines
from cnnvis.rendering.shapes import Look, Shape

LINES_OF_3 = PolylineSet(
    np.arange(18, dtype=np.float32).reshape(6, 3),
    [0, 3, 4, 4, 6],
    {
        "importance": np.float32([0.2, 0.4, 0.6, 1, 0, 0.5]),
        "class_shares": np.float32([[1, 0], [0, 1], [0.5, 0.5]] * 2),
    },
    {"importance": np.float32([0.4, 1, 0.1, 0.25]), "number": np.arange(4)},
)


def test_opacity_by_hand():
    look = Look(base_opacity=0.2, importance_opacity=0.5, opacity=0.5)
    np.testing.assert_allclose(look.opacity_of(np.array([0, 0.5, 1])), [0.5 * 0.6, 0.5 * 0.8, 0.5])
    beyond = Look(importance_opacity=2.0)  # 1 - 2 + 2 importance, from 0
    np.testing.assert_allclose(beyond.opacity_of(np.array([0, 0.5, 0.75, 1])), [0, 0, 0.5, 1])


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2), st.floats(0, 1))
def test_opacity_stays_within_its_limits_and_rises_with_importance(opacity, base, strength, importance):
    look = Look(opacity=opacity, base_opacity=base, importance_opacity=strength)
    low, high = look.opacity_of(np.array([importance / 2, importance]))
    assert 0 <= low <= high + 1e-12
    assert high <= opacity + 1e-12


def test_colours_of_no_class_all_classes_and_one():
    look = Look(importance_opacity=1.0)
    first, second = np.array(group_colour(0)), np.array(group_colour(1))
    plain = Shape("x", LINES_OF_3, look=look, classes=("a", "b"), plain=(0.5, 0.25, 0)).rgba()
    np.testing.assert_allclose(plain[:, :3], np.tile([0.5, 0.25, 0], (6, 1)))
    np.testing.assert_allclose(plain[:, 3], [0.2, 0.4, 0.6, 1, 0, 0.5], atol=1e-7)
    mixed = Shape("x", LINES_OF_3, look=look, classes=("a", "b"), shown="all").rgba()
    np.testing.assert_allclose(mixed[:3, :3], [first, second, (first + second) / 2], atol=1e-7)
    np.testing.assert_allclose(mixed[:, 3], plain[:, 3])
    one = Shape("x", LINES_OF_3, look=look, classes=("a", "b"), shown=1).rgba()
    np.testing.assert_allclose(one[:, :3], np.tile(second, (6, 1)))
    np.testing.assert_allclose(one[:, 3], [0, 0.4, 0.3, 0, 0, 0.25], atol=1e-7)


def test_lines_without_classes_or_importance_are_plain_and_dense():
    lines = as_lines(PolylineSet(LINES_OF_3.points, LINES_OF_3.offsets))
    bare = Shape("x", lines, classes=("a", "b"), shown="all")
    np.testing.assert_allclose(bare.shares, 0.5)
    np.testing.assert_allclose(bare.rgba()[:, 3], 1)
    assert bare.strength.tolist() == [1, 1, 0, 1]  # the third has no point
    np.testing.assert_allclose(bare.t, [0, 0.5, 1, 0, 0, 1])


def test_the_budget_keeps_the_most_important_lines_last():
    shape = Shape("x", LINES_OF_3)
    kept = shape.within(2).lines
    assert kept.line_arrays["number"].tolist() == [0, 1]
    assert kept.offsets.tolist() == [0, 3, 4]
    np.testing.assert_array_equal(kept.points, LINES_OF_3.points[:4])
    assert kept.point_arrays["importance"].tolist() == pytest.approx([0.2, 0.4, 0.6, 1])
    assert shape.within(99).lines.line_arrays["number"].tolist() == [2, 3, 0, 1]
    assert Shape("x", LINES_OF_3, is_units=True).within(1).lines.offsets.tolist() == [0, 0, 2, 5, 6]
    assert shape.notes_within(2) == ["x: the 2 most important of 4 lines"]
    assert shape.notes_within(4) == Shape("x", LINES_OF_3, is_units=True).notes_within(1) == []
    hidden = Shape("x", LINES_OF_3, look=Look(importance_threshold=0.3)).above_threshold()
    assert hidden.lines.line_arrays["number"].tolist() == [0, 1]


def test_lines_become_segments_and_faint_ones_nothing():
    mesh = mesh_of(Shape("x", LINES_OF_3, look=Look(importance_opacity=1.0)))
    assert mesh.mode == LINES
    assert mesh.indices.reshape(-1, 2).tolist() == [[0, 1], [1, 2], [4, 5]]  # none from line to line
    faint = mesh_of(Shape("x", LINES_OF_3, look=Look(opacity=0.007, importance_opacity=1.0)))
    assert faint.indices.reshape(-1, 2).tolist() == [[1, 2]]  # 0.6 x 0.007 is a 255th, 0.4 is not


def test_units_become_spheres_of_their_importance():
    units = PolylineSet(np.float32([[0, 0, 0], [5, 0, 0]]), [0, 1, 2], {"importance": np.float32([1, 0.5])})
    mesh = mesh_of(Shape("units", units, is_units=True, look=Look(size=0.2)))
    assert mesh.mode == TRIANGLES
    first, second = mesh.points.reshape(2, -1, 3)
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 0.2, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(second - [5, 0, 0], axis=1), 0.1, rtol=1e-5)
    corners = mesh.points[mesh.indices].reshape(-1, 3, 3)
    centre = np.repeat([[0, 0, 0], [5, 0, 0]], len(corners) // 2, axis=0)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.sum(normals * (corners.mean(axis=1) - centre), axis=1) > 0).all()  # seen from outside


def test_a_whole_network_has_a_colour_per_point():
    network = sagging_network()
    shape = Shape("net", network.lines, classes=network.class_names, shown="all")
    rgba = shape.within(7).rgba()
    assert rgba.shape == (7 * 5, 4)
    assert ((rgba >= 0) & (rgba <= 1)).all()
