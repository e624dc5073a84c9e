"""A window that events from elsewhere turn: what they do to the scene's camera, and to the picture."""

import numpy as np
import pytest

from cnnvis.core import Volume
from cnnvis.rendering import render
from cnnvis.rendering.turned_window import MIN_PIXELS, TurnedWindow
from cnnvis.scene import Scene, SceneGrid, View

SIZE = (200, 120)


def scene():
    return Scene.of(Volume(np.random.default_rng(0).random((5, 8, 8)), layer="conv"))


def event(kind, x=0, y=0, **more):
    keys = {
        "w": SIZE[0],
        "h": SIZE[1],
        "ctrlKey": 0,
        "shiftKey": 0,
        "altKey": 0,
        "keySym": "",
        "keyCode": 0,
        "repeat": 0,
    }
    return {"type": kind, "x": x, "y": y} | keys | more


@pytest.fixture
def windows():
    made = []
    yield lambda target: made.append(TurnedWindow(target, SIZE)) or made[-1]
    for window in made:
        window.close()


def drag(window, start, end):
    for kind, at in (("MouseMove", start), ("LeftButtonPress", start), ("MouseMove", end)):
        window.handle(event(kind, *at))


def test_at_rest_it_draws_what_render_draws(windows):
    shown = scene()
    np.testing.assert_array_equal(windows(shown).draw(), render(shown, size=SIZE))


def test_dragging_turns_the_camera_of_the_scene_and_letting_go_draws_in_full(windows):
    shown = scene()
    window = windows(shown)
    before = window.draw()
    window.handle(event("MouseMove", 20, 20))
    assert shown.camera.view is not View.CUSTOM  # no button, no turn
    drag(window, (100, 60), (140, 70))
    assert window.in_hand
    assert shown.camera.view is View.CUSTOM
    turned = shown.camera.position
    assert np.abs(window.draw().astype(int) - before).mean() > 1
    window.handle(event("LeftButtonRelease", 140, 70))
    assert not window.in_hand
    np.testing.assert_allclose(shown.camera.position, turned)
    np.testing.assert_array_equal(window.draw(), render(shown, size=SIZE))


def test_the_wheel_brings_the_scene_nearer_and_back(windows):
    shown = scene()
    window = windows(shown)
    window.draw()
    distances = []
    for spin in (-1.0, -1.0, 1.0):
        window.handle(event("MouseWheel", 100, 60, spinY=spin))
        distances.append(np.linalg.norm(np.subtract(shown.camera.position, shown.camera.focal_point)))
    assert distances[1] < distances[0] == pytest.approx(distances[2])


def test_one_pane_of_a_linked_grid_turns_all_and_of_others_only_itself(windows):
    for link, turned in (((), [False, True]), (("camera",), [True, True])):
        grid = SceneGrid([scene(), scene()], link=link)
        window = windows(grid)
        window.draw()
        drag(window, (150, 60), (170, 70))
        assert [shown.camera.view is View.CUSTOM for shown in grid] == turned
        window.draw()


def test_sizes_are_brought_within_limits(windows):
    window = windows(scene())
    window.resize(320, 100)
    assert window.draw().shape == (100, 320, 3)
    window.resize(1, -5)
    assert window.draw().shape == (MIN_PIXELS, MIN_PIXELS, 3)
