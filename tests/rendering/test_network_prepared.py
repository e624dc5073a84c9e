"""Networks that were built beforehand look like those that are built when they are drawn."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from network_shots import flat_scene, lines_of, units_at

from cnnvis.rendering import OffscreenWindow, network_actor, network_prepared, render, scene_renderer
from cnnvis.rendering.network_prepared import OUTWARDS, PlacedData, prepared_network

SIZE = (200, 150)


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Let every network be one that takes long."""
    monkeypatch.setattr(scene_renderer, "LARGE", 0)


@pytest.fixture
def scene():
    lines = lines_of([[-3, 0, 0], [0, 2, 0], [3, 0, 0]], [[-3, -1, 0], [0, 1, 0], [3, -2, 0]], importance=[1.0, 0.6])
    found = flat_scene(lines, size=0.3)
    found.add_glyphs(units_at([[-3, 0, 0], [3, 0, 0]], importance=[0.4, 1.0]), name="units", size=0.5)
    found["units"].origin = (0.0, 0.5, 0.0)
    return found


@contextmanager
def nothing_is_built():
    def built(*_):
        raise AssertionError("This was made beforehand.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_actor, "network_geometry", built)
        patch.setattr(PlacedData, "of", built)
        yield


def test_what_was_prepared_is_drawn_to_the_same_pixels_and_not_built_again(scene):
    expected = render(scene, size=SIZE)
    with OffscreenWindow(scene, SIZE) as window:
        drawn = window.panes[0].drawn
        drawn.take(prepared_network(drawn.unprepared()))
        assert drawn.unprepared() == ()
        with nothing_is_built():
            np.testing.assert_array_equal(window.draw(), expected)
        assert drawn.unprepared() == ()
    assert (expected != expected[0, 0]).any(axis=2).sum() > 500


def test_other_data_in_a_picture_that_is_there_already(scene):
    with OffscreenWindow(scene, SIZE) as window:
        before, drawn = window.draw(), window.panes[0].drawn
        scene["bundle"].data = lines_of([[-3, -2, 0], [3, 2, 0]], importance=[1.0])
        assert [len(data) for data, _ in drawn.unprepared()] == [1, 2]
        drawn.take(prepared_network(drawn.unprepared()))
        with nothing_is_built():
            after = window.draw()
    assert (after != before).any()
    np.testing.assert_array_equal(after, render(scene, size=SIZE))


@pytest.mark.parametrize("change", ["data", "origin", "visible", "added"])
def test_what_was_prepared_for_something_else_is_dropped(scene, change):
    with OffscreenWindow(scene, SIZE) as window:
        drawn = window.panes[0].drawn
        old = prepared_network(drawn.unprepared())
        if change == "data":
            scene["bundle"].data = lines_of([[-3, -2, 0], [3, 2, 0]], importance=[1.0])
        elif change == "origin":
            scene["bundle"].origin = (0.0, -1.0, 0.0)
        elif change == "visible":
            scene["units"].visible = False
        else:
            scene.add_glyphs(units_at([[0, 0, 0]], importance=[1.0]), name="more", size=0.5)
        drawn.take(old)
        assert drawn.unprepared() != ()
        picture = window.draw()
        assert drawn.unprepared() == ()
    np.testing.assert_array_equal(picture, render(scene, size=SIZE))


def test_what_became_stale_between_taking_and_drawing_is_dropped(scene):
    with OffscreenWindow(scene, SIZE) as window:
        drawn = window.panes[0].drawn
        drawn.take(prepared_network(drawn.unprepared()))
        scene["bundle"].data = lines_of([[-3, -2, 0], [3, 2, 0]], importance=[1.0])
        assert drawn.unprepared() != ()
        np.testing.assert_array_equal(window.draw(), render(scene, size=SIZE))


def test_looks_need_nothing_prepared(scene):
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        scene["bundle"].size, scene["bundle"].blend, scene["units"].opacity = 0.1, 0.5, 0.5
        assert window.panes[0].drawn.unprepared() == ()


def test_a_small_network_is_built_when_it_is_drawn(scene, monkeypatch):
    monkeypatch.setattr(scene_renderer, "LARGE", 9)  # 6 points of lines, 2 units
    with OffscreenWindow(scene, SIZE) as window:
        assert window.panes[0].drawn.unprepared() == ()
        scene["units"].data = units_at([[-3, 0, 0], [3, 0, 0], [0, 0, 0]], importance=[0.4, 1.0, 1.0])
        assert len(window.panes[0].drawn.unprepared()) == 2


@given(arrays(np.float32, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(-9, 9, width=16)))
def test_outermost_points_reach_as_far_as_any(points):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_prepared, "CHUNK", 7)
        placed = PlacedData.of(units_at(points), (1.0, 2.0, 3.0))
    moved = points + np.float32([1, 2, 3])
    assert {tuple(each) for each in placed.outermost} <= {tuple(each) for each in moved.astype(float)}
    reached = (placed.outermost * OUTWARDS).sum(axis=1)
    np.testing.assert_allclose(reached, (moved @ OUTWARDS.T).max(axis=0), rtol=1e-6, atol=1e-6)


def test_nothing_has_no_outermost_points():
    placed = PlacedData.of(units_at(np.zeros((0, 3))), (1.0, 2.0, 3.0))
    np.testing.assert_array_equal(placed.outermost, np.zeros((26, 3)))
