"""The orientation marker: where it goes, and that its names can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QPointF
from qtpy.QtGui import QFont, QFontMetricsF
from scipy.spatial.transform import Rotation
from viewer_scenes import network_scene, random_network

from cnnvis.scene import SceneGrid
from cnnvis.viewer.orientation import FARTHEST, GAP, HEIGHT, LENGTH, WIDTH, empty_place, label_places

WHOLE = (0.0, 0.0, 1.0, 1.0)


def paper(height: int = 200, width: int = 300) -> np.ndarray:
    return np.full((height, width, 3), 255, np.uint8)


def scribble(picture: np.ndarray, rows: slice, columns: slice) -> None:
    part = picture[rows, columns]
    part[:] = np.random.default_rng(0).integers(0, 255, part.shape)


def test_the_upper_right_corner_is_taken_if_it_is_empty() -> None:
    assert empty_place(paper(), (60, 60), WHOLE) == (240, 0)


@pytest.mark.parametrize(
    ("rows", "columns", "place"),
    [
        (slice(0, 10), slice(0, 300), (240, 140)),  # a title over the whole width: lower right
        (slice(0, 200), slice(200, 300), (0, 140)),  # a legend at the right: lower left
        (slice(100, 200), slice(0, 300), (240, 0)),
    ],
)
def test_another_corner_is_taken_if_that_is_not(rows, columns, place) -> None:
    picture = paper()
    scribble(picture, rows, columns)
    assert empty_place(picture, (60, 60), WHOLE) == place


def test_it_moves_in_from_the_border_where_all_corners_are_taken() -> None:
    picture = paper()
    for rows in (slice(0, 10), slice(190, 200)):
        scribble(picture, rows, slice(0, 300))
    left, top = empty_place(picture, (60, 60), WHOLE)
    assert left == 240
    assert 10 <= top <= 14


def test_it_stays_where_it_is_while_that_is_empty_and_in_its_pane() -> None:
    picture = paper()
    assert empty_place(picture, (60, 60), WHOLE, here=(100, 50)) == (100, 50)
    scribble(picture, slice(60, 70), slice(110, 120))
    assert empty_place(picture, (60, 60), WHOLE, here=(100, 50)) == (240, 0)
    assert empty_place(paper(), (60, 60), (0.5, 0.0, 1.0, 0.5), here=(100, 50)) == (240, 100)


def test_a_full_picture_gives_the_emptiest_place() -> None:
    picture = paper()
    scribble(picture, slice(0, 200), slice(0, 300))
    picture[100:160, 20:80] = 255
    left, top = empty_place(picture, (60, 60), WHOLE)
    assert abs(left - 20) <= 2
    assert abs(top - 100) <= 2


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 120))
def test_a_place_is_found_in_any_picture(height, width, side) -> None:
    left, top = empty_place(paper(height, width), (side, side // 2), WHOLE)
    assert 0 <= left < width
    assert 0 <= top < height


@pytest.fixture
def metrics(qapp) -> QFontMetricsF:
    font = QFont()
    font.setPointSize(9)
    return QFontMetricsF(font)


def tip_of(way: np.ndarray) -> np.ndarray:
    return np.array([WIDTH / 2, HEIGHT / 2]) + LENGTH * np.array([way[0], -way[1]])


def test_names_stand_by_their_arrows_and_cover_nothing_whatever_way_they_are_seen_from(metrics) -> None:
    for ways in Rotation.random(300, random_state=0).as_matrix():
        places = label_places(ways, metrics)
        assert len(places) >= 2
        for axis, place in places.items():
            assert place.top() >= 0
            assert place.bottom() <= HEIGHT
            assert place.left() >= 0
            assert place.right() <= WIDTH
            assert not any(place.intersects(other) for name, other in places.items() if name != axis)
            for way in ways:
                line = np.linspace([WIDTH / 2, HEIGHT / 2], tip_of(way), 50)[:-3]
                assert not any(place.adjusted(1, 1, -1, -1).contains(QPointF(*point)) for point in line)
            nearest = np.clip(tip_of(ways[axis]), [place.left(), place.top()], [place.right(), place.bottom()])
            assert np.linalg.norm(nearest - tip_of(ways[axis])) <= FARTHEST + 2 * GAP


@pytest.mark.parametrize("axis", range(3))
def test_an_axis_that_is_seen_end_on_has_no_name(metrics, axis) -> None:
    ways = np.roll(np.eye(3), axis - 2, axis=0)
    assert ways[axis, 2] == 1
    assert set(label_places(ways, metrics)) == {0, 1, 2} - {axis}
    across = next(way for way in range(3) if ways[way, 0] == 1)
    assert label_places(ways, metrics)[across].left() == pytest.approx(WIDTH / 2 + LENGTH + GAP)


def test_in_a_picture_of_odd_height_it_stays_inside() -> None:
    picture = paper(201, 301)
    scribble(picture, slice(0, 50), slice(0, 301))
    assert empty_place(picture, (60, 40), WHOLE) == (241, 161)


@pytest.mark.qt
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_it_lies_on_empty_ground_in_the_window(driver, n, dark) -> None:
    scenes = [network_scene() for _ in range(n)]
    driver.workspace.show(scenes[0] if n == 1 else SceneGrid(scenes), [random_network()] * n)
    if dark:
        driver.window.toggle_theme()
    driver.window.resize(1280, 800)
    picture = driver.pixels()
    driver.window.canvas.place_marker()
    marker = driver.window.canvas.marker
    under = picture[marker.y() : marker.y() + HEIGHT, marker.x() : marker.x() + WIDTH]
    assert marker.isVisible()
    assert under.shape == (HEIGHT, WIDTH, 3)
    assert np.ptp(under.reshape(-1, 3), axis=0).max() < 20
    seen = driver.window.canvas.view.grab().toImage()
    assert seen.width() >= marker.x() + WIDTH
