"""Scenes side by side share what they are linked in, and nothing else."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import Ordering, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Camera, Scene, SceneGrid, Selection, TransferFunction


def scene(high=1.0, *, channels=3, order=None, view="front"):
    values = np.linspace(0, high, channels * 4).reshape(channels, 2, 2)
    built = Scene(camera=Camera(view=view))
    built.add_volume(values, order, transfer=TransferFunction(clip=(0, 100)))
    return built


def test_cameras_follow_each_other_both_ways_without_end():
    grid = SceneGrid([scene(view="side"), scene(), scene()], link=["camera"])
    cameras = [member.camera for member in grid]
    assert {camera.view for camera in cameras} == {"side"}  # all start as the first
    heard = []
    for camera in cameras:
        camera.events.connect(lambda info: heard.append(info.signal.name))
    cameras[1].azimuth = 30.0
    cameras[0].zoom = 2.0
    assert [camera.azimuth for camera in cameras] == [30, 30, 30]
    assert [camera.zoom for camera in cameras] == [2, 2, 2]
    assert sorted(heard) == ["azimuth"] * 3 + ["zoom"] * 3  # once for each camera


def test_several_fields_at_once_reach_all():
    grid = SceneGrid([scene(), scene()], link=["camera"])
    grid.scenes[1].camera.update({"view": "top", "elevation": 5.0, "parallel": True})
    assert grid.scenes[0].camera == grid.scenes[1].camera
    assert grid.scenes[0].camera.elevation == 5


def test_a_new_camera_is_followed_too():
    grid = SceneGrid([scene(), scene()], link=["camera"])
    grid.scenes[1].camera = Camera(view="back")
    assert grid.scenes[0].camera.view == "back"
    grid.scenes[1].camera.azimuth = 5.0
    grid.scenes[0].camera.zoom = 3.0
    assert grid.scenes[0].camera == grid.scenes[1].camera == Camera(view="back", azimuth=5, zoom=3)


def test_one_range_spans_all_volumes():
    grid = SceneGrid([scene(1), scene(5), scene(2)])
    assert {item.transfer.span for item in grid.volumes} == {(0, 5)}


def test_one_order_for_volumes_of_as_many_channels():
    order = Ordering([2, 0, 1], "x", groups=[0, 1, 1])
    grid = SceneGrid([scene(order=order), scene(), scene(channels=4)], link=["order"])
    first, second, third = (item.data for item in grid.volumes)
    assert second.channels.tolist() == first.channels.tolist() == [2, 0, 1]
    assert second.groups.tolist() == first.groups.tolist()
    assert second.method == "x"
    np.testing.assert_array_equal(second.values, first.values)
    assert third.channels.tolist() == [0, 1, 2, 3]


def test_one_selection_both_ways():
    first = scene()
    first.selection = Selection(classes={1})
    grid = SceneGrid([first, scene()], link=["selection"])
    assert grid.scenes[1].selection == Selection(classes={1})
    for number, member in enumerate(grid):
        member.selection = Selection(layers={str(number)})
        assert {other.selection for other in grid} == {Selection(layers={str(number)})}


def test_what_is_not_linked_stays_apart():
    grid = SceneGrid([scene(1), scene(5)], link=())
    grid.scenes[0].camera.zoom = 3.0
    grid.scenes[0].selection = Selection(classes={1})
    assert grid.scenes[1].camera.zoom == 1
    assert not grid.scenes[1].selection
    assert [item.transfer.span for item in grid.volumes] == [None, None]


def test_links_end_with_the_grid():
    scenes = [scene(), scene()]
    grid = SceneGrid(scenes)
    del grid
    gc.collect()
    scenes[0].camera.zoom = 3.0
    scenes[0].selection = Selection(classes={1})
    assert scenes[1].camera.zoom == 1
    assert not scenes[1].selection


@pytest.mark.parametrize(
    ("n", "size", "shape"),
    [
        (1, (10, 1000), (1, 1)),
        (2, (1600, 1000), (2, 1)),
        (2, (600, 600), (1, 2)),  # drawings of 600 x 300 / 1.4 high, beside each other 300 wide
        (2, (1000, 1000 / 1.4), (2, 1)),  # equally large: fewest rows
        (3, (1800, 500), (3, 1)),
        (3, (1600, 1000), (2, 2)),
        (3, (300, 900), (1, 3)),
        (4, (1600, 1000), (2, 2)),
        (4, (2000, 300), (4, 1)),
        (5, (1600, 1000), (3, 2)),
        (9, (900, 700), (3, 3)),
        (2, (0, 0), (2, 1)),
    ],
)
def test_panes_are_laid_out_so_that_drawings_are_large(n, size, shape):
    grid = SceneGrid([Scene() for _ in range(n)])
    assert grid.shape_in(*size) == shape
    assert SceneGrid(grid.scenes, columns=1).shape_in(*size) == (1, n)


@given(n=st.integers(1, 12), width=st.integers(16, 4000), height=st.integers(16, 4000))
def test_every_pane_has_a_place_and_no_row_is_empty(n, width, height):
    columns, rows = SceneGrid([Scene()] * n, link=()).shape_in(width, height)
    assert columns * (rows - 1) < n <= columns * rows


def test_grids_without_volumes_link_all_the_same():
    grid = SceneGrid([Scene(), Scene()], link=("camera", "range", "order", "selection"))
    assert grid.volumes == ()


def test_bad_grids_are_refused():
    with pytest.raises(InvalidInputError, match="at least one scene"):
        SceneGrid([])
    with pytest.raises(InvalidInputError, match=r"\['zoom'\]; allowed are camera, range, order, selection, look"):
        SceneGrid([Scene()], link=["zoom"])
    for columns in (0, -1):
        with pytest.raises(InvalidInputError, match=f"at least 1, got {columns}"):
            SceneGrid([Scene()], columns=columns)
    some = Volume(np.zeros((3, 2, 2)), channels=[4, 5, 6])
    partial = Scene()
    partial.add_volume(some)
    with pytest.raises(InvalidInputError, match="not a permutation"):
        SceneGrid([scene(), partial], link=["order"])


def test_state_is_that_of_its_scenes():
    grid = SceneGrid([scene(), scene()], link=["camera"], columns=1)
    assert grid.state() == {
        "link": ["camera"],
        "columns": 1,
        "size": None,
        "scenes": [member.state() for member in grid],
    }
