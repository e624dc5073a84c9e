"""What is translucent is blended in order where an order is known: the same pictures as by peeling, in one pass."""

import numpy as np
import pytest
from network_shots import lines_of
from shots import Shot, plain_scene

from cnnvis.core import Volume
from cnnvis.rendering import OffscreenWindow
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.blending import Blending, Translucent, apart
from cnnvis.rendering.depth_order import far_to_near
from cnnvis.rendering.screen_box import Projection
from cnnvis.scene import Scene, SceneGrid, TransferFunction

SIZE = (200, 160)


def box(x, y=0.0, z=0.0, side=1.0):
    low = np.array([x, y, z], float)
    return np.array([low, low + side])


def camera_at(*position, parallel=False):
    camera = vtk.vtkCamera()
    camera.SetPosition(*position)
    camera.SetFocalPoint(0, 0, 0)
    camera.SetParallelProjection(parallel)
    return camera


def blending(lines, stacks, camera, **state):
    state = {"surfaces": [], "crossing": False} | state
    return Translucent(network=lines, cast=stacks, **state).blending(camera)


# -- which order -----------------------------------------------------------------------------------


def test_boxes_that_only_touch_are_apart():
    assert apart([box(0), box(1), box(0, 1)])
    assert not apart([box(0), box(5), box(0.9, 0.9, 0.9)])
    assert apart([box(0)])
    assert apart([])


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (box(0, z=2), Blending.AFTER_VOLUMES),  # nearer to the viewer
        (box(0, z=-2), Blending.BEFORE_VOLUMES),
        (box(0, z=0.5), Blending.PEELED),
        (None, Blending.BEFORE_VOLUMES),
    ],
)
def test_what_is_nearer_comes_last(parallel, lines, found):
    assert blending(lines, [box(0)], camera_at(0, 0, 10, parallel=parallel)) is found


def test_a_viewer_between_the_two_sees_only_one_of_them():
    assert blending(box(0, z=-3), [box(0, z=2)], camera_at(0, 0, 0.5)) is Blending.BEFORE_VOLUMES


def test_lines_between_two_stacks_are_peeled_and_seen_from_the_side_they_are_not():
    stacks = [box(0, z=-3), box(0, z=3)]
    assert blending(box(0), stacks, camera_at(0, 0, 20)) is Blending.PEELED
    assert blending(box(0), stacks, camera_at(20, 0, 0.5)) is Blending.AFTER_VOLUMES
    assert Translucent(box(0), [], stacks, crossing=False).may_be_peeled


def test_what_has_no_order_is_peeled():
    assert blending(None, [], camera_at(0, 0, 9), crossing=True) is Blending.PEELED
    assert blending(None, [], camera_at(0, 0, 9), surfaces=[box(0), box(0.5)]) is Blending.PEELED
    assert blending(None, [], camera_at(0, 0, 9), surfaces=[box(0), box(1)]) is Blending.BEFORE_VOLUMES


def test_the_farthest_comes_first_and_equals_stay():
    assert far_to_near(np.array([1.0, 3.0, 2.0, 3.0])).tolist() == [1, 3, 2, 0]
    assert far_to_near(np.zeros(3)).tolist() == [0, 1, 2]
    assert far_to_near(np.zeros(0)).tolist() == []


# -- pictures --------------------------------------------------------------------------------------

OPAQUE = TransferFunction(span=(0, 2), colour_map="Reds", opacity=((0, 1), (1, 1)))


def beside(z, **state):
    """Return a red block with a black cross of lines before or behind it."""
    scene = plain_scene(np.ones((8, 8, 8), np.float32), transfer=OPAQUE, density=3.0, view="front", **state)
    cross = [[(0, 0, z), (7, 7, z)], [(7, 0, z), (0, 7, z)]]
    scene.add_bundle(lines_of(*cross), legend=False, size=0.4, importance_opacity=0.0, depth_opacity=0.0)
    return scene


def drawn(scene, *, peeled=False, monkeypatch=None):
    if peeled:
        monkeypatch.setattr(Translucent, "blending", lambda self, camera: Blending.PEELED)
    with OffscreenWindow(scene, SIZE) as window:
        pixels = window.draw().astype(int)
        found = window.panes[0].drawn.renderer
        return pixels, bool(found.GetUseDepthPeeling()), found.GetPass() is not None


@pytest.mark.parametrize(("z", "before"), [(-4.0, True), (12.0, False)])
def test_lines_before_and_behind_a_stack(monkeypatch, z, before):
    with OffscreenWindow(beside(z), SIZE) as window:
        pixels, renderer = window.draw().astype(int), window.panes[0].drawn.renderer
        peeled, passes = bool(renderer.GetUseDepthPeeling()), renderer.GetPass() is not None
        middle = Shot(pixels, Projection.of(renderer, SIZE[0] / SIZE[1])).colour(3.5, 3.5, z)
    assert (peeled, passes) == (False, before)
    assert middle[1] < 130  # not paper
    assert (middle[0] < 90) == before  # black, or red
    exact, peeled, _ = drawn(beside(z), peeled=True, monkeypatch=monkeypatch)
    assert peeled
    assert np.abs(exact - pixels).mean() < 1.0


def test_the_order_follows_the_camera():
    scene = beside(-4.0)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        renderer, found = window.panes[0].drawn.renderer, []
        for azimuth in (0.0, 180.0, 0.0):
            scene.camera.azimuth = azimuth
            window.panes[0].drawn.follow_camera()
            window.window.Render()  # without a refresh, as while the camera is dragged
            found.append((renderer.GetPass() is not None, bool(renderer.GetUseDepthPeeling())))
            last = window.draw()
        assert found == [(True, False), (False, False), (True, False)]
    np.testing.assert_array_equal(last, drawn(beside(-4.0))[0])


def test_lines_in_a_stack_are_peeled_at_rest_only():
    scene = beside(3.5)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        renderer = window.panes[0].drawn.renderer
        assert renderer.GetUseDepthPeeling()
        window.panes[0].drawn.interactive(True)
        window.draw()
        assert not renderer.GetUseDepthPeeling()


def test_lines_beside_what_is_solid_are_not_peeled():
    scene = beside(-4.0, mode="slices")
    _, peeled, passes = drawn(scene)
    assert not peeled
    assert not passes


def test_panes_are_drawn_as_alone():
    """Passes of their own keep to the part of the window that they belong to."""
    with OffscreenWindow(SceneGrid([beside(12.0), beside(-4.0)]), (400, 160)) as window:
        both = window.draw()
    np.testing.assert_array_equal(both[:, :200], drawn(beside(12.0))[0])
    np.testing.assert_array_equal(both[:, 200:], drawn(beside(-4.0))[0])


def shells(**state):
    axis = np.linspace(-1, 1, 24)
    far = np.sqrt(sum(np.square(part) for part in np.meshgrid(axis, axis, axis, indexing="ij")))
    ball = np.maximum(0, 1 - far).astype(np.float32)
    ball[:, :, :12] *= 0.6  # one side differs, so that the view matters
    state = {"isovalues": (0.15, 0.3, 0.45), "opacity": 0.6} | state
    return plain_scene(ball, mode="isosurface", view="three_quarter", **state)


@pytest.mark.parametrize("azimuth", [20.0, 200.0])
def test_translucent_surfaces_are_the_same_as_peeled(monkeypatch, azimuth):
    scene = shells()
    scene.camera.azimuth = azimuth
    pixels, peeled, _ = drawn(scene)
    assert not peeled
    exact, peeled, _ = drawn(scene, peeled=True, monkeypatch=monkeypatch)
    assert peeled
    seen = (exact < 250).any(axis=2)
    assert seen.mean() > 0.1
    assert np.abs(exact - pixels)[seen].mean() < 2.5


def test_translucent_surfaces_are_sorted_whenever_the_camera_turns():
    scene = shells()
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        scene.camera.azimuth += 170.0
        turned = window.draw()
    np.testing.assert_array_equal(turned, drawn(scene)[0])


def test_many_layers_are_all_seen():
    """Peeling ends after six of them."""
    values = np.zeros((40, 12, 12), np.float32)
    values[2::4] = 1.0  # ten slabs, twenty surfaces
    state = {"mode": "isosurface", "isovalues": (0.5,), "view": "front"}
    pixels, _, _ = drawn(plain_scene(values, opacity=0.05, **state))
    one = np.zeros((40, 12, 12), np.float32)
    one[2] = 1.0
    single, _, _ = drawn(plain_scene(one, opacity=0.05, **state))
    at = SIZE[1] // 2, SIZE[0] // 2
    paper = 255.0
    share = (paper - single[at]) / paper
    assert (paper - pixels[at]).max() > 3 * 255 * share.max()


def test_an_item_of_its_own_opacity_is_peeled():
    scene = Scene()
    scene.add_volume(Volume(np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)), mode="slices", opacity=0.5)
    _, peeled, _ = drawn(scene)
    assert peeled
