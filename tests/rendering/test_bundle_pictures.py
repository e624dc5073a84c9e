"""Bundled lines, against the formula of their opacity, and against what stands before and behind them."""

from functools import partial

import numpy as np
import pytest
from network_shots import INK, PLAIN, ROUNDING, flat_scene, lines_of, over, shots, units_at, width_at
from shots import SIZE, shoot

from cnnvis.core import BundledNetwork, Volume
from cnnvis.core.errors import InvalidInputError, RenderingError
from cnnvis.core.palette import group_colour
from cnnvis.layout import place, random_network, straight_lines
from cnnvis.rendering import OffscreenWindow
from cnnvis.scene import BundleMode, Scene, TransferFunction

LEVEL = [[-4, 0, 0], [4, 0, 0]]
STEEP = [[0, -4, 0], [0, 4, 0]]


def across(y, z=0.0):
    return [[-4, y, z], [4, y, z]]


# -- opacity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importance", "state", "alpha"),
    [
        (1.0, {}, 1.0),
        (0.5, {}, 0.5),
        (0.5, {"importance_opacity": 0.4}, 0.8),  # 1 - 0.4 + 0.4 * 0.5
        (0.5, {"importance_opacity": 1.5}, 0.25),
        (0.5, {"base_opacity": 0.2}, 0.6),  # 0.5 * 0.8 + 0.2
        (0.5, {"opacity": 0.5}, 0.25),
        (0.5, {"opacity": 0.5, "base_opacity": 0.2}, 0.3),
        (0.3, {"importance_opacity": 1.6}, 0.0),  # below nothing is nothing
    ],
)
def test_opacity_is_that_of_the_formula(importance, state, alpha):
    shot = shoot(flat_scene(lines_of(LEVEL, importance=importance), **state))
    np.testing.assert_allclose(shot.colour(0, 0, 0), over(alpha), atol=ROUNDING)


@pytest.mark.parametrize(("view", "nearest"), [("front", -1), ("back", 1)])
def test_what_is_far_fades(view, nearest):
    lines = lines_of(across(-2, -1), across(0, 0), across(2, 1), importance=1.0)
    shot = shoot(flat_scene(lines, view=view, depth_opacity=0.6))
    for y, z in ((-2, -1), (0, 0), (2, 1)):
        nearness = 0.5 + 0.5 * z * nearest
        np.testing.assert_allclose(shot.colour(0, y, z), over(1 - 0.6 + 0.6 * nearness), atol=ROUNDING)


def test_the_exponent_fades_the_rim_of_a_tube():
    shot = shoot(flat_scene(lines_of(LEVEL), size=1.0, depth_exponent=2.0), size=(480, 400))
    radius = 1.0 + 0.5 / width_at(shot, 0, 0)[1]  # half a pixel is added to soften the rim
    for share in (0.0, 0.5, 0.7):
        row, column = shot.at(0, share * radius, 0)
        reached = (round(row) - shot.at(0, 0, 0)[0]) / (shot.at(0, radius, 0)[0] - shot.at(0, 0, 0)[0])
        facing = np.sqrt(1 - reached**2)
        expected = over(facing**2, INK * (0.6 + 0.4 * facing))
        np.testing.assert_allclose(shot.pixels[round(row), round(column)], expected, atol=5)


def test_the_threshold_hides_whole_lines():
    lines = lines_of(across(-2), across(0), across(2), importance=[0.2, 0.5, 1.0])
    scene = flat_scene(lines, importance_opacity=0.0)
    item = scene["bundle"]
    hidden = shots(scene, [partial(setattr, item, "importance_threshold", value) for value in (0.3, 0.5, 0.51, 1.0)])
    seen = [[bool(shot.colour(0, y, 0).max() < 100) for y in (-2, 0, 2)] for shot in hidden]
    assert seen == [[True] * 3, [False, True, True], [False, True, True], [False, False, True], [False, False, True]]


def test_where_two_lines_cross_the_picture_is_darker():
    lines = lines_of(across(0, -1), [[0, -4, 1], [0, 4, 1]], importance=0.4)
    shot = shoot(flat_scene(lines))
    np.testing.assert_allclose(shot.colour(2, 0, 0), over(0.4), atol=ROUNDING)
    np.testing.assert_allclose(shot.colour(0, 0, 0), over(1 - 0.6**2), atol=ROUNDING)


def test_many_faint_lines_add_up_to_their_colour():
    n, alpha = 200, 0.006
    shares = np.tile(np.eye(3)[0], (2 * n, 1))
    lines = lines_of(*[LEVEL] * n, importance=alpha, class_shares=shares)
    shot = shoot(flat_scene(lines, size=1.0, mode="lines", shown_class="all", importance_threshold=0.0))
    row, left = (round(at) for at in shot.at(-3, 0, 0))
    right = round(shot.at(3, 0, 0)[1])
    mean = shot.pixels[row, left:right].mean(axis=0)
    np.testing.assert_allclose(mean, over(1 - (1 - alpha) ** n, group_colour(0)), atol=12)


def faint_rows(scene, changes=()):
    """Return for each shot the rows of pixels in which something is drawn."""
    found = [255 - shot.pixels[:, 80:160].astype(float).mean(axis=(1, 2)) for shot in shots(scene, changes)]
    return [np.flatnonzero((ink > 2) & (ink >= np.roll(ink, 1)) & (ink > np.roll(ink, -1))) for ink in found]


def faint_lines(alpha):
    lines = lines_of(*[across(y) for y in np.linspace(-3, 3, 25)], importance=alpha)
    return flat_scene(lines, mode="lines", importance_threshold=0.0)


@pytest.mark.parametrize("alpha", [0.003, 0.006, 0.015, 0.03])
def test_of_lines_too_faint_for_a_screen_only_so_many_are_drawn(alpha):
    """Each with an opacity of 0.03, as network.geom.glsl has it."""
    (rows,) = faint_rows(faint_lines(alpha))
    assert len(rows) == pytest.approx(25 * alpha / 0.03, abs=1)


def test_the_lines_that_are_drawn_stay_the_same_while_the_camera_turns():
    scene = faint_lines(0.01)
    first, second = faint_rows(scene, [partial(setattr, scene.camera, "azimuth", 3.0)])
    np.testing.assert_allclose(first, second, atol=1)


def test_a_line_thinner_than_a_pixel_is_as_wide_but_fainter():
    wide, thin = (shoot(flat_scene(lines_of(LEVEL, [[0, 3, 0], [0, 4, 0]]), size=size)) for size in (0.1, 0.01))
    unit = width_at(wide, 0, 0)[1]
    ink = [255 - shot.pixels[40:120, 100].astype(float).mean(axis=-1) for shot in (wide, thin)]
    assert width_at(thin, -1, 0)[0] >= 1
    assert 0.01 * unit < 0.75  # pixels
    expected = 0.01 * unit / 0.75  # of the opacity of a line of that radius
    assert ink[1].max() / ink[0].max() == pytest.approx(expected, abs=0.12)


# -- classes ---------------------------------------------------------------------------------------


def test_colours_of_classes():
    shares = np.repeat([[1, 0, 0], [0.5, 0.5, 0], [0, 0.2, 0.8]], 2, axis=0)
    lines = lines_of(across(-2), across(0), across(2), importance=1.0, class_shares=shares)
    scene = flat_scene(lines, class_names=("cat", "dog", "eel"))
    item = scene["bundle"]
    wanted = ["all", "dog", 2, "none"]
    _, mixed, dog, eel, none = shots(scene, [partial(setattr, item, "shown_class", name) for name in wanted])
    palette = np.array([group_colour(index) for index in range(3)])
    for index, y in enumerate((-2, 0, 2)):
        share = shares[2 * index]
        counted = [(1, 0, 0), (0.5, 0.5, 0), (0, 1 / 65, 64 / 65)][index]  # cubes of the shares, as parts of their sum
        np.testing.assert_allclose(mixed.colour(0, y, 0), 255 * np.array(counted) @ palette, atol=ROUNDING)
        np.testing.assert_allclose(dog.colour(0, y, 0), over(share[1], palette[1]), atol=ROUNDING)
        np.testing.assert_allclose(eel.colour(0, y, 0), over(share[2], palette[2]), atol=ROUNDING)
        np.testing.assert_allclose(none.colour(0, y, 0), over(1.0), atol=ROUNDING)


def test_ink_is_light_on_a_dark_background():
    scene = flat_scene(lines_of(LEVEL))
    scene.background = "dark"
    assert shoot(scene).colour(0, 0, 0).min() > 200


# -- straight and bundled --------------------------------------------------------------------------


def test_blending_moves_lines_from_straight_to_bundled():
    sagging = lines_of([[-4, 0, 0], [-2, 2, 0], [0, 2, 0], [2, 2, 0], [4, 0, 0]], t=np.linspace(0, 1, 5))
    scene = flat_scene(sagging, blend=0.0)
    found = shots(scene, [partial(setattr, scene["bundle"], "blend", value) for value in (0.5, 1.0)])
    for shot, y in zip(found, (0, 1, 2), strict=True):
        dark = [bool(shot.colour(0, at, 0).max() < 100) for at in (0, 1, 2)]
        assert dark == [at == y for at in (0, 1, 2)]


# -- modes -----------------------------------------------------------------------------------------


def test_tubes_are_as_thick_as_they_are_important_and_lines_are_not():
    lines = lines_of(across(-2), across(2), importance=[1.0, 0.5])
    scene = flat_scene(lines, importance_opacity=0.0, size=0.8)
    tubes, thin = shots(scene, [partial(setattr, scene["bundle"], "mode", "lines")])
    column = round(tubes.at(0, 0, 0)[1])
    rows = [slice(round(tubes.at(0, low, 0)[0]), round(tubes.at(0, low + 2.9, 0)[0])) for low in (-3, 0.1)]
    unit = width_at(tubes, 0, 0)[1]
    widths = [[shot.ink()[row, column].sum() for row in rows] for shot in (tubes, thin)]
    np.testing.assert_allclose(widths[0], [2 * 0.8 * unit, 0.8 * unit], atol=2.5)
    assert widths[1][0] == pytest.approx(widths[1][1], abs=1)
    assert widths[1][0] < widths[0][1] / 2


def test_balls_stand_apart_in_the_middle_of_pieces_and_splats_overlap():
    pieces = lines_of([[x, 0, 0] for x in (-4, 0, 4)])
    scene = flat_scene(pieces, mode="points", size=0.7)
    balls, splats = shots(scene, [partial(setattr, scene["bundle"], "mode", "ellipsoids")])
    for x, seen in ((-2, True), (0, False), (2, True), (-3.8, False)):
        assert bool(balls.colour(x, 0, 0).max() < 100) is seen
    assert all(splats.colour(x, 0, 0).max() < 130 for x in (-3.8, -2, 0, 2))


@pytest.mark.parametrize("mode", list(BundleMode))
def test_every_mode_draws_a_line_seen_end_on(mode):
    line = lines_of([[0, 0, -4], [0, 0, 0], [0, 0, 4]], [[3, 0, 0], [3.1, 0, 0]])
    shot = shoot(flat_scene(line, mode=mode))
    assert np.isfinite(shot.pixels).all()
    if mode in ("points", "ellipsoids"):  # of these, what is seen end-on is round
        assert shot.colour(0, 0, 0).max() < 130


# -- before and behind -----------------------------------------------------------------------------


def three_lines(order):
    shares = np.eye(3)[[0, 1, 2]]
    places = [across(0, -1), [[-1, -4, 0], [-1, 4, 0]], [[-4, -1, 1], [4, 1, 1]]]
    return lines_of(*(places[i] for i in order), class_shares=np.repeat(shares[list(order)], 2, axis=0))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_near_lines_lie_over_far_ones_whatever_their_order(order):
    scene = flat_scene(three_lines(order), shown_class="all")
    front, back = shots(scene, [partial(setattr, scene.camera, "view", "back")])
    at = (-1, 0, 0)
    np.testing.assert_allclose(front.colour(*at), 255 * np.array(group_colour(0)), atol=ROUNDING)
    np.testing.assert_allclose(back.colour(-1, -0.25, 0), 255 * np.array(group_colour(2)), atol=ROUNDING)


def test_bundles_are_blended_with_each_other():
    scene = Scene(camera={"view": "front", "parallel": True})
    for name, z in (("near", -1), ("far", 1)):
        place = across(0, z) if name == "near" else [[0, -4, z], [0, 4, z]]
        shares = np.tile(np.eye(2)[int(name == "far")], (2, 1))
        scene.add_bundle(lines_of(place, class_shares=shares), name=name, shown_class="all", **PLAIN)
    np.testing.assert_allclose(shoot(scene).colour(0, 0, 0), 255 * np.array(group_colour(0)), atol=ROUNDING)
    scene.camera.view = "back"
    np.testing.assert_allclose(shoot(scene).colour(0, 0, 0), 255 * np.array(group_colour(1)), atol=ROUNDING)


def test_a_line_before_a_volume_is_seen_and_one_behind_it_is_not():
    scene = Scene(camera={"view": "front", "parallel": True})
    opaque = TransferFunction(span=(0, 1), opacity=((0, 1), (1, 1)))
    scene.add_volume(Volume(np.ones((8, 8, 8), np.float32)), axes=False, legend=False, transfer=opaque)
    lines = lines_of([[-4, 2, -6], [12, 2, -6]], [[-4, 6, 14], [12, 6, 14]], class_shares=np.eye(2)[[0, 0, 1, 1]])
    scene.add_bundle(lines, shown_class="all", **PLAIN)
    front, back = shots(scene, [partial(setattr, scene.camera, "view", "back")])
    yellow = front.colour(3.5, 4, 0)
    for shot, seen in ((front, 0), (back, 1)):
        for index, y in enumerate((2, 6)):
            expected = 255 * np.array(group_colour(index)) if index == seen else yellow
            np.testing.assert_allclose(shot.colour(3.5, y, 3.5), expected, atol=8)
            np.testing.assert_allclose(shot.colour(-2, y, 3.5), 255 * np.array(group_colour(index)), atol=8)


def test_beside_a_volume_the_most_important_lines_are_drawn_and_that_is_said(monkeypatch):
    monkeypatch.setattr("cnnvis.rendering.network_actor.MAX_PEELED", 1)
    scene = flat_scene(lines_of(across(-2), across(2), importance=[0.5, 1.0]), importance_opacity=0.0)
    scene.add_volume(np.zeros((2, 2, 2)), axes=False, legend=False, visible=False)
    with OffscreenWindow(scene, (240, 200)) as window:
        renderer = window.panes[0][0]
        window.draw()
        assert (renderer._network.pieces, renderer._notes(list(scene))) == (2, [])
        scene["volume"].visible = True
        window.draw()
        assert renderer._network.pieces == 1
        assert "drawn: the most important 50.0% of the lines, the others cost too much" in renderer._notes(list(scene))


# -- what a change costs ---------------------------------------------------------------------------

CHANGES = {
    "size": 0.9,
    "base_opacity": 0.5,
    "importance_opacity": 0.3,
    "depth_opacity": 0.9,
    "depth_exponent": 4.0,
    "importance_threshold": 0.7,
    "blend": 0.3,
    "mode": "lines",
    "shown_class": "all",
    "opacity": 0.4,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_slider_changes_pixels_and_builds_nothing(name):
    bent = [[-4, 0, 0], [0, 3, 0], [4, 0, 1]]
    shares = np.tile(np.eye(2)[0], (6, 1))
    lines = lines_of(bent, [*across(-2), [5, -2, 0]], importance=[0.6, 0.8], class_shares=shares)
    scene = flat_scene(lines, depth_opacity=0.1, size=0.6)
    with OffscreenWindow(scene, (240, 200)) as window:
        before = window.draw()
        network = window.panes[0][0]._network
        data = network._actor.GetMapper().GetInput()
        points = data.GetPoints().GetMTime()
        arrays = [data.GetPointData().GetArray(i).GetMTime() for i in range(4)]
        setattr(scene["bundle"], name, CHANGES[name])
        after = window.draw()
        assert network.builds == 1
        assert data.GetPoints().GetMTime() == points
        assert [data.GetPointData().GetArray(i).GetMTime() for i in range(4)] == arrays
        assert (np.abs(after.astype(int) - before).max(axis=2) > 20).sum() > 50


def test_a_slider_leaves_the_order_of_lines_as_it_is():
    scene = flat_scene(three_lines((0, 1, 2)))
    with OffscreenWindow(scene, (240, 200)) as window:
        window.draw()
        data = window.panes[0][0]._network._actor.GetMapper().GetInput()
        modified = data.GetMTime()
        scene["bundle"].importance_opacity = 0.3
        window.draw()
        assert data.GetMTime() == modified
        scene.camera.azimuth = 90.0
        window.draw()
        assert data.GetMTime() > modified


def test_other_lines_take_the_place_of_those_shown():
    scene = flat_scene(lines_of(across(-2)))
    scene.set_frames("iteration", ["0", "1"], {"bundle": [scene["bundle"].data, lines_of(across(2))]})
    first, second = shots(scene, [partial(setattr, scene, "frame", 1)])
    np.testing.assert_array_equal(first.pixels[60:], second.pixels[60:])  # alike, each in the middle of its picture
    scene["bundle"].data = lines_of(across(-2), [[0, -4, 0], [0, 4, 0]])
    assert shoot(scene).colour(0, 3, 0).max() < 100
    scene["bundle"].visible = False
    assert shoot(scene).ink()[60:].sum() == 0


# -- while the camera moves ------------------------------------------------------------------------


def test_while_the_camera_moves_the_most_important_lines_are_drawn(monkeypatch):
    monkeypatch.setattr("cnnvis.rendering.network_actor.FIRST", 2)
    lines = lines_of(across(-2), across(0), across(2), importance=[0.5, 1.0, 0.7])
    scene = flat_scene(lines, importance_opacity=0.0)
    with OffscreenWindow(scene, (240, 200)) as window:
        full = window.draw()
        renderer = window.panes[0][0]
        renderer.interactive(True)
        coarse = window.draw()
        assert renderer._network.pieces == 2
        renderer.interactive(False)
        np.testing.assert_array_equal(window.draw(), full)
    shot = shoot(scene)
    seen = [bool(coarse[tuple(np.round(shot.at(0, y, 0)).astype(int))].max() < 100) for y in (-2, 0, 2)]
    assert seen == [False, True, True]


@pytest.mark.parametrize(("time", "counts"), [(1e-9, [40, 10, 2, 2]), (1e9, [40, 40, 80, 80])])
def test_what_is_drawn_in_motion_follows_the_time_of_a_frame(monkeypatch, time, counts):
    monkeypatch.setattr("cnnvis.rendering.network_actor.FIRST", 40)
    monkeypatch.setattr("cnnvis.rendering.frame_pace.FRAME_TIME", time)
    scene = flat_scene(lines_of(*[across(y) for y in np.linspace(-2, 2, 100)]))
    with OffscreenWindow(scene, (240, 200)) as window:
        window.panes[0][0].interactive(True)
        drawn = []
        for _ in range(4):
            window.draw()
            drawn.append(window.panes[0][0]._network.pieces)
    assert drawn == counts


@pytest.mark.parametrize("arrangement", ["line", "raster"])
def test_a_network_is_not_seen_edge_on(arrangement):
    """Layers that are lines lie in a plane, of which a camera from the side would see a stroke."""
    edges, _ = random_network([12, 8, 6])
    layout = place(edges, arrangement=arrangement)
    scene = Scene.of_network(BundledNetwork(edges, layout, straight_lines(edges, layout)), legend=False, caption="")
    scene.title = ""
    names, scene["layers"].visible = scene["layers"].data, False
    shot = shoot(scene)
    rows, columns = np.nonzero(shot.ink())
    assert np.ptp(rows) > 0.5 * SIZE[1]
    assert np.ptp(columns) > 0.5 * SIZE[0]
    assert [shot.at(*name)[0] > shot.at(*layout.positions[5])[0] for name in names] == [True] * 3  # below the network


# -- bad input -------------------------------------------------------------------------------------


def test_no_lines_is_an_empty_picture():
    scene = flat_scene(lines_of(), units_at(np.zeros((0, 3))))
    assert shoot(scene).ink()[60:].sum() == 0


def test_too_many_items_are_refused():
    scene = Scene()
    for _ in range(17):
        scene.add_bundle(lines_of(LEVEL))
    with pytest.raises(InvalidInputError, match="at most 16 bundles and sets of units, got 17"):
        shoot(scene)


def test_a_shader_that_does_not_compile_is_an_error(capfd):
    with OffscreenWindow(flat_scene(lines_of(LEVEL)), (64, 64)) as window:
        shaders = window.panes[0][0]._network._actor.GetShaderProperty()
        shaders.SetFragmentShaderCode(shaders.GetFragmentShaderCode().replace("void main", "int = 1; void main"))
        with pytest.raises(RenderingError, match="does not take a shader"):
            window.draw()
