"""What is selected stands out, the rest fades, hidden layers are gone: measured on pixels, without building anew."""

from functools import partial

import numpy as np
import pytest
from network_shots import INK, ROUNDING, flat_scene, lines_of, over, shots, units_at
from shots import shoot

from cnnvis.core import PolylineSet, Volume
from cnnvis.core.palette import group_colour
from cnnvis.rendering import OffscreenWindow, export_gltf, export_html, render
from cnnvis.rendering.scene_shapes import network_frames, shapes_of
from cnnvis.rendering.shapes import CONTEXT, FAINTER
from cnnvis.scene import Scene, SceneGrid, Selection

PAPER = np.ones(3)
KNOWN = {"layers": ("a", "b"), "layer_sizes": (2, 2)}


def linked(places, importance, ends, **arrays):
    """Return one line through each of the lists of points, from unit to unit."""
    lines = lines_of(*places, importance=importance, **arrays)
    source, target = np.array(ends).T
    return PolylineSet(
        lines.points, lines.offsets, lines.point_arrays, {**lines.line_arrays, "source": source, "target": target}
    )


def across(y, z=0.0):
    return [[-4, y, z], [4, y, z]]


def two_lines(importance=0.5, **state):
    """Return a scene of a line from a #0 to b #0 at y = -2, and of one from a #1 to b #1 at y = 2."""
    lines = linked([across(-2), across(2)], importance, [(0, 2), (1, 3)])
    return flat_scene(lines, **(KNOWN | state))


def faded(alpha, ink=INK, paper=PAPER):
    return over(FAINTER * alpha, CONTEXT * np.asarray(ink) + (1 - CONTEXT) * np.asarray(paper), paper)


def select(scene, **selection):
    return partial(setattr, scene, "selection", Selection(**selection))


def test_links_of_a_unit_stand_out_and_the_others_fade():
    scene = two_lines()
    plain, chosen, back = shots(scene, [select(scene, units={("a", 1)}), select(scene)])
    for shot in (plain, back):
        for y in (-2, 2):
            np.testing.assert_allclose(shot.colour(0, y, 0), over(0.5), atol=ROUNDING)
    np.testing.assert_allclose(chosen.colour(0, -2, 0), faded(0.5), atol=ROUNDING)
    np.testing.assert_allclose(chosen.colour(0, 2, 0), over(np.sqrt(0.5)), atol=ROUNDING)


@pytest.mark.parametrize("importance", [0.5, 0.004])
def test_a_selected_link_is_drawn_in_full_however_important_it_is(importance):
    scene = two_lines(importance=importance, importance_threshold=0.1)
    scene.selection = Selection.of_path([("a", 1), ("b", 1)])
    shot = shoot(scene)
    np.testing.assert_allclose(shot.colour(0, 2, 0), over(1.0), atol=ROUNDING)
    np.testing.assert_allclose(shot.colour(0, -2, 0), faded(importance if importance > 0.1 else 0.0), atol=ROUNDING)


def test_fading_goes_towards_a_dark_background():
    scene = two_lines(importance=1.0)
    scene.background = "dark"
    scene.selection = Selection(units={("a", 0)})
    shot = shoot(scene)
    paper, ink = shot.pixels[-1, 0] / 255, np.array([0.93, 0.93, 0.95])
    np.testing.assert_allclose(shot.colour(0, 2, 0), faded(1.0, ink, paper), atol=ROUNDING)
    np.testing.assert_allclose(shot.colour(0, -2, 0), 255 * ink, atol=ROUNDING)


def test_however_many_lines_fade_they_stay_pale():
    n = 100
    lines = linked([across(0)] * n + [across(3)], 1.0, [(0, 2)] * n + [(1, 3)])
    scene = flat_scene(lines, **KNOWN)
    scene.selection = Selection(units={("a", 1)})
    np.testing.assert_allclose(shoot(scene).colour(0, 0, 0), 255 * (CONTEXT * INK + (1 - CONTEXT)), atol=ROUNDING)


@pytest.mark.parametrize("view", ["front", "back"])
def test_nothing_faded_is_drawn_over_what_is_chosen(view):
    lines = linked([across(0, -1), [[0, -4, 1], [0, 4, 1]]], 1.0, [(0, 2), (1, 3)])
    for unit in (0, 1):
        scene = flat_scene(lines, view=view, **KNOWN)
        scene.selection = Selection(units={("a", unit)})
        np.testing.assert_allclose(shoot(scene).colour(0, 0, 0), over(1.0), atol=ROUNDING)


def test_of_a_class_its_lines_and_units_stand_out():
    shares = np.repeat(np.eye(2), 2, axis=0)
    lines = linked([across(-2), across(2)], 1.0, [(0, 2), (1, 3)], class_shares=shares)
    scene = flat_scene(lines, class_names=("cat", "dog"), shown_class="all")
    scene.selection = Selection(classes={1})
    shot = shoot(scene)
    np.testing.assert_allclose(shot.colour(0, -2, 0), faded(1.0, group_colour(0)), atol=ROUNDING)
    np.testing.assert_allclose(shot.colour(0, 2, 0), over(1.0, group_colour(1)), atol=ROUNDING)


def test_a_selected_unit_is_seen_however_small_it_is():
    units = units_at([[-2, 0, 0], [2, 0, 0], [0, 3, 0], [0, -3, 0]], importance=[0.02, 0.02, 1, 1])
    scene = flat_scene(units=units, size=0.5, **KNOWN)
    plain, marked = shots(scene, [select(scene, units={("a", 1)})])
    assert plain.colour(2, 0, 0).min() > 200
    np.testing.assert_allclose(marked.colour(2, 0, 0), over(1.0), atol=ROUNDING)
    assert marked.colour(-2, 0, 0).min() > 245
    np.testing.assert_allclose(marked.colour(0, 3, 0), faded(1.0), atol=ROUNDING)


@pytest.mark.parametrize(("layer", "gone"), [("a", True), ("b", True), ("c", False)])
def test_hidden_layers_take_their_lines_along(layer, gone):
    lines = linked([across(-2), across(2)], 1.0, [(0, 1), (2, 2)])
    units = units_at([[-4, -2, 0], [4, -2, 0], [0, 2, 0]])
    known = {"layers": ("a", "b", "c"), "layer_sizes": (1, 1, 1), "hidden_layers": (layer,)}
    shot = shoot(flat_scene(lines, units, unit_state=known, **known))
    seen = [bool(shot.colour(x, y, 0).max() < 128) for x, y in ((0, -2), (-4, -2), (4, -2), (-2, 2))]
    assert seen == [not gone, layer != "a", layer != "b", layer != "c"]


def test_neither_selection_nor_hidden_layers_build_anything():
    scene = two_lines()
    with OffscreenWindow(scene, (240, 200)) as window:
        assert window.draw()[100:].min() < 150
        scene.selection = Selection(units={("a", 0)})
        scene["bundle"].hidden_layers = ("b",)
        scene["bundle"].blend = 0.5
        pixels = window.draw()
        assert window.panes[0].drawn._network.builds == 1
    assert pixels[100:].min() == 255  # below title and notes


def test_stances_follow_new_data():
    scene = two_lines()
    scene.selection = Selection(units={("a", 0)})
    other = linked([across(-2), across(2)], 0.5, [(1, 3), (0, 2)])
    before, after = shots(scene, [partial(setattr, scene["bundle"], "data", other)])
    assert before.colour(0, -2, 0).max() < 100 < before.colour(0, 2, 0).min()
    assert after.colour(0, 2, 0).max() < 100 < after.colour(0, -2, 0).min()


def test_while_the_camera_moves_what_is_selected_is_drawn_first(monkeypatch):
    monkeypatch.setattr("cnnvis.rendering.network_actor.FIRST", 1)
    scene = flat_scene(linked([across(-2), across(2)], [1.0, 0.5], [(0, 2), (1, 3)]), **KNOWN)
    scene.selection = Selection(units={("b", 1)})
    with OffscreenWindow(scene, (240, 200)) as window:
        window.panes[0].drawn.interactive(True)
        network = window.panes[0].drawn._network
        assert network.pieces == 0
        window.draw()
        assert network.pieces == 1
        drawn = network._data.GetLines()
        assert drawn.GetNumberOfCells() == 1
        first = drawn.GetConnectivityArray().GetValue(0)
        assert network.geometry.bundled[first, 1] == 2


def test_beside_a_volume_too():
    scene = two_lines(importance=1.0)
    scene.add_volume(Volume(np.zeros((2, 2, 2), np.float32)), axes=False, legend=False, origin=(0, 0, 5))
    scene.selection = Selection(units={("a", 0)})
    shot = shoot(scene)
    assert shot.colour(-3, -2, 0).max() < 60
    np.testing.assert_allclose(shot.colour(-3, 2, 0), faded(1.0), atol=6)


def test_panes_share_a_selection_and_pictures_name_it():
    grid = SceneGrid([two_lines(importance=1.0), two_lines(importance=1.0)])
    before = render(grid, size=(240, 120)).astype(int)
    grid.scenes[1].selection = Selection(units={("a", 0)})
    after = render(grid, size=(240, 120)).astype(int)
    halves = [np.abs(after - before)[40:, half].max() for half in (slice(0, 120), slice(120, 240))]
    assert min(halves) > 100
    title = np.abs(after - before)[:14, :120].max(axis=2)
    assert (title > 100).sum() > 50


def test_notes_count_without_hidden_layers():
    scene = two_lines()
    scene["bundle"].hidden_layers = ("a",)
    with OffscreenWindow(scene, (240, 200)) as window:
        window.draw()
        drawn = window.panes[0].drawn
        assert drawn._notes([scene["bundle"]]) == ["drawn: 0 of 2 lines, importance 0.01 and above, without a"]
        scene.selection = Selection(units={("a", 1)})
        assert drawn._title([]) == ["selected: a #1"]
        scene.title = "net"
        assert drawn._title([]) == ["net · selected: a #1"]


# -- exports ---------------------------------------------------------------------------------------


def test_gltf_has_the_colours_of_the_still():
    scene = two_lines(importance=[0.5, 0.004], importance_threshold=0.1, opacity=0.8, base_opacity=0.1)
    for selection in ({"units": {("a", 0)}}, {"units": {("a", 1)}}, {"links": {(("a", 1), ("b", 1))}}, {}):
        scene.selection = Selection(**selection)
        (shape,) = shapes_of(scene)
        shape = shape.above_threshold()
        rgba = shape.rgba()[::2]
        shot = shoot(scene)
        assert len(shape.lines) == 1 + bool("links" in selection)
        for (*rgb, alpha), place in zip(rgba, shape.lines.points[::2], strict=True):
            np.testing.assert_allclose(shot.colour(0, place[1], 0), over(alpha, rgb), atol=ROUNDING)


def test_in_gltf_the_budget_goes_to_what_is_selected():
    scene = two_lines(importance=[1.0, 0.5])
    assert shapes_of(scene)[0].within(1).lines.points[0, 1] == -2
    scene.selection = Selection(units={("a", 1)})
    assert shapes_of(scene)[0].within(1).lines.points[0, 1] == 2


def test_exports_leave_hidden_layers_out_and_pages_know_no_selection(tmp_path):
    units = units_at([[-4, -2, 0], [-4, 2, 0], [4, -2, 0], [4, 2, 0]], importance=[1, 0.01, 1, 1])
    lines = linked([across(-2), across(2)], 1.0, [(0, 2), (1, 2)])
    scene = flat_scene(lines, units, unit_state=KNOWN, **KNOWN)
    pages = [export_html(scene, tmp_path / "a.html").read_text()]
    scene.selection = Selection(units={("a", 1)})
    pages.append(export_html(scene, tmp_path / "b.html").read_text())
    assert pages[0] == pages[1]
    assert export_gltf(scene, tmp_path / "a.glb").stat().st_size > 0
    for name in ("bundle", "units"):
        scene[name].hidden_layers = ("b",)
    for shapes in (shapes_of(scene), network_frames(scene)[0]):
        assert [len(shape.lines) for shape in shapes] == [0, 2]


def test_an_empty_scene_can_have_a_selection():
    scene = Scene(selection=Selection(units={("a", 0)}))
    assert render(scene, size=(60, 50)).shape == (50, 60, 3)


# -- volumes ---------------------------------------------------------------------------------------


def outlined(selection, **fields):
    """Return a stack of 8 transparent channels, seen from the side where z runs to the right, and what is inked."""
    scene = Scene(camera={"view": "side", "parallel": True}, title="x", selection=selection)
    volume = Volume(np.zeros((8, 4, 4), np.float32), layer="conv", spacing=(1, 1, 1), **fields)
    scene.add_volume(volume, axes=False, legend=False, opacity=0.0)
    shot = shoot(scene, (400, 240))
    row = round(shot.at(0, 1.5, 0)[0])
    inked = np.flatnonzero(shot.ink()[row])
    runs = np.split(inked, np.flatnonzero(np.diff(inked) > 1) + 1)
    z = [round(shot.at(0, 1.5, z)[1]) for z in np.arange(-0.5, 8)]
    return sorted(np.abs(np.array(z) - run.mean()).argmin() for run in runs if run.size)


@pytest.mark.parametrize(
    ("selection", "borders"),
    [
        ({}, []),
        ({"units": {("conv", 2)}}, [2, 3]),
        ({"units": {("conv", 2), ("conv", 3), ("conv", 6), ("other", 0)}}, [2, 4, 6, 7]),
        ({"layers": {"conv"}}, [0, 8]),
        ({"units": {("other", 2)}}, []),
    ],
)
def test_selected_channels_are_outlined(selection, borders):
    assert outlined(Selection(**selection)) == borders


def test_outlines_follow_the_order():
    channels = np.array([7, 6, 5, 4, 3, 2, 1, 0])
    assert outlined(Selection(units={("conv", 2)}), channels=channels) == [5, 6]
