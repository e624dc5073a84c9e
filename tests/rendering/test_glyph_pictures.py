"""Units, networks as whole pictures, and the key of their colours."""

from functools import partial

import numpy as np
import pytest
from network_shots import ROUNDING, flat_scene, lines_of, over, shots, units_at, width_at
from shots import shoot

from cnnvis.core import BundledNetwork, EdgeSet, Layout, PolylineSet, Provenance, Units
from cnnvis.core.palette import group_colour
from cnnvis.rendering import SceneRenderer, _vtk, render
from cnnvis.rendering.key import Key, KeyBox
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.style import THEMES, text_width
from cnnvis.scene import Scene

THREE = [[-3, 0, 0], [0, 0, 0], [3, 0, 0]]


def network(n_classes=3, model="toy"):
    """Two layers of four units and two, all linked, one class to each half of the links."""
    units = Units(("first", "second"), (4, 2))
    edges = EdgeSet(np.repeat(np.arange(4), 2), np.tile([4, 5], 4), np.linspace(0.2, 1, 8), units=units)
    y, x = np.divmod(np.arange(4), 2)
    positions = np.zeros((6, 3))
    positions[:4, :2] = np.stack([x, y], axis=1) - 0.5
    positions[4:] = [(-0.3, 0, 1), (0.3, 0, 1)]
    layout = Layout(positions, np.repeat([0, 1], (4, 2)), layers=units.layers)
    ends = np.stack([positions[edges.source], positions[edges.target]], axis=1)
    profiles = np.eye(n_classes)[np.arange(6) % n_classes]
    shares = profiles[np.stack([edges.source, edges.source], axis=1).ravel()]
    lines = PolylineSet(
        ends.reshape(-1, 3),
        np.arange(0, 17, 2),
        {"importance": np.repeat(edges.weight, 2), "t": np.tile([0.0, 1.0], 8), "class_shares": shares},
        {"importance": edges.weight},
    )
    names = tuple(f"no {index}" for index in range(n_classes))
    return BundledNetwork(
        edges, layout, lines, np.linspace(0.5, 3, 6), profiles, names, provenance=Provenance(model=model)
    )


# -- units -----------------------------------------------------------------------------------------


def test_balls_are_as_large_as_they_are_important_and_discs_are_not():
    units = units_at(THREE, importance=[0.25, 0.5, 1.0])
    scene = flat_scene(units=units, importance_opacity=0.0, size=1.0)
    balls, discs = shots(scene, [partial(setattr, scene["units"], "mode", "points")])
    unit = width_at(balls, 0, 0)[1]
    sizes = [[width_at(shot, *place)[0] for place in THREE] for shot in (balls, discs)]
    np.testing.assert_allclose(sizes[0], 2 * unit * np.array([0.25, 0.5, 1.0]), atol=2.5)
    assert len(set(sizes[1])) == 1
    assert sizes[1][0] < sizes[0][1]


def test_a_ball_is_round():
    shot = shoot(flat_scene(units=units_at(THREE), size=1.0), size=(480, 400))
    centre = np.array(shot.at(0, 0, 0))
    radius = width_at(shot, 0, 0)[1]
    for angle in np.radians([0, 45, 90, 200, 300]):
        way = np.array([np.sin(angle), np.cos(angle)])
        inside, outside = (np.round(centre + share * radius * way).astype(int) for share in (0.93, 1.07))
        assert shot.ink()[tuple(inside)]
        assert not shot.ink()[tuple(outside)]


def test_opacity_of_units_is_that_of_the_formula():
    shot = shoot(flat_scene(units=units_at(THREE, importance=[0.3, 0.6, 1.0]), size=1.0, importance_opacity=0.8))
    for place, importance in zip(THREE, (0.3, 0.6, 1.0), strict=True):
        np.testing.assert_allclose(shot.colour(*place), over(0.2 + 0.8 * importance), atol=ROUNDING)


def test_lines_end_inside_units_and_pass_before_them():
    lines = lines_of([[-4, 0, 0], [0, 0, 0]], [[2, -3, -2], [2, 3, -2]], class_shares=np.eye(3)[[1, 1, 2, 2]])
    units = units_at([[0, 0, 0], [2, 0, 0]], class_shares=np.eye(3)[[0, 0]])
    state = {"shown_class": "all", "size": 0.8}
    shot = shoot(flat_scene(lines, units, unit_state=state, shown_class="all", size=0.3))
    expected = [(-3, 0, 0, 1), (-0.3, 0, 0, 0), (0, 0, 0, 0), (2, 0, 0, 2)]
    for *place, index in expected:
        seen, colour = shot.colour(*place), 255 * np.array(group_colour(index))
        np.testing.assert_allclose(seen / max(seen.max(), 1), colour / colour.max(), atol=0.03)  # shaded


def test_only_units_above_the_threshold_are_drawn():
    scene = flat_scene(units=units_at(THREE, importance=[0.2, 0.5, 1.0]), importance_threshold=0.5, size=1.0)
    shot = shoot(scene)
    assert [bool(shot.colour(*place).max() < 200) for place in THREE] == [False, True, True]


# -- networks --------------------------------------------------------------------------------------


def lines_of_text(scene, size=(900, 600)):
    """Return the title and the notes of a picture of the scene."""
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    renderer.refresh(*size)
    items = list(scene)
    found = renderer._title(items), renderer._notes(items)
    renderer.close()
    return found


def test_a_network_says_what_is_drawn():
    scene = Scene.of_network(network(), importance_threshold=0.5)
    title, notes = lines_of_text(scene)
    assert title == ["toy · 2 layers"]
    assert notes == ["bundled: edges 8 of 8, weight kept 100.0 %", "drawn: 5 of 8 lines, importance 0.5 and above"]
    scene["bundle"].update({"blend": 0.0, "shown_class": "no 1", "importance_threshold": 0.0})
    assert lines_of_text(scene)[1][1:] == ["straight lines", "opacity: importance × share of class no 1"]
    scene["bundle"].blend = 0.25
    assert "25% bundled" in lines_of_text(scene)[1]
    scene["units"].importance_threshold = 0.9
    assert lines_of_text(scene)[1][-1] == "drawn: 1 of 6 units, importance 0.9 and above"


def test_several_networks_say_which_is_which():
    scene = Scene()
    for name in ("one", "two"):
        scene.add_bundle(network(), name=name)
        scene.add_glyphs(network(), name=f"units of {name}")
    assert [note.split(":")[0] for note in lines_of_text(scene)[1]] == ["one", "two"]


@pytest.mark.parametrize("size", [(1600, 1000), (640, 400), (400, 640), (320, 200)])
def test_all_of_a_network_is_in_the_picture_beside_its_key(size):
    scene = Scene.of_network(network(), shown_class="all")
    scene["layers"].visible = False
    pixels = render(scene, size=size).astype(int)
    scene["bundle"].legend = False
    bare = render(scene, size=size).astype(int)
    key = np.abs(pixels - bare).max(axis=2) > 60
    assert key.any() == (min(size) >= 13 * Pane.of(*size, THEMES["light"]).font)
    for index in range(3) if key.any() else ():
        colour = np.abs(pixels - 255 * np.array(group_colour(index))).max(axis=2) < 3
        assert (colour[:, int(0.85 * size[0]) :] if size[0] > size[1] else colour[int(0.85 * size[1]) :]).sum() > 20
    frame = bare.copy()
    frame[3:-3, 3:-3] = 255
    assert (frame == 255).all()


def test_names_of_layers_stand_below_them():
    drawn = network()
    labels = Scene.of_network(drawn)["layers"]
    assert labels.texts == ("first (4)", "second (2)")
    np.testing.assert_allclose(labels.data[:, [0, 2]], [[0, 0], [0, 1]])
    assert (labels.data[:, 1] > drawn.layout.slabs[:, 1, 1]).all()


def test_names_of_layers_grow_with_the_picture():
    scene = Scene(camera={"view": "front", "parallel": True})
    scene.add_labels([[0, 0, 0]], ["I"], size=None)
    scene.add_glyphs(units_at(THREE), opacity=0.0, legend=False)
    heights = [np.ptp(np.flatnonzero(render(scene, size=(2 * h, h)).min(axis=(1, 2)) < 128)) + 1 for h in (400, 1200)]
    fonts = [Pane.of(2 * h, h, THEMES["light"]).font for h in (400, 1200)]
    assert heights[1] / heights[0] == pytest.approx(fonts[1] / fonts[0], rel=0.2)


def test_a_name_at_the_border_is_moved_in_so_that_all_of_it_is_seen():
    def widths(x):
        scene = Scene(camera={"view": "front", "parallel": True})
        scene.add_labels([[x, 0, 0]], ["a long name"], size=None)
        scene.add_glyphs(units_at(np.array([[-2.0, 0, 0], [2, 0, 0]])), opacity=0.0, legend=False)
        image = render(scene, size=(600, 300))
        seen = np.flatnonzero(image.min(axis=(0, 2)) < 200)
        return np.ptp(seen), seen.min(), seen.max()

    middle, left, right = (widths(x) for x in (0, -2, 2))
    assert left[0] == pytest.approx(middle[0], abs=3)
    assert right[0] == pytest.approx(middle[0], abs=3)
    assert left[2] < middle[1]
    assert right[1] > middle[2]


# -- keys ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "n", "shown"), [((900, 600), 5, 5), ((900, 600), 1000, 21), ((400, 640), 1000, 50)])
def test_a_key_shows_as_many_classes_as_have_room(size, n, shown):
    names = tuple(f"class {index}" for index in range(n))
    pane = Pane.of(*size, THEMES["light"])
    box = KeyBox(Key("class", names, tuple(map(group_colour, range(n)))), pane, Margins(0, 0, 0, 0), 0.1)
    assert len(box.names) == pytest.approx(shown, abs=4 if n > 5 else 0)
    assert len(box.colours) == len(box.names) - (n > len(box.names))
    if n > 5:
        assert box.names[-1] == f"{n - len(box.colours)} more"
    assert max(box.margins.right, box.margins.bottom) < 0.35


@pytest.mark.parametrize("n", [2, 10, 40])
@pytest.mark.parametrize("size", [(258, 146), (258, 219), (319, 319), (638, 200), (640, 400)])
def test_a_key_is_whole_and_names_something_in_any_pane(size, n):
    pane = Pane.of(*size, THEMES["light"])
    names = tuple(str(index) for index in range(n))
    box = KeyBox(Key("class", names, tuple(map(group_colour, range(n)))), pane, Margins(0, 0, 0, 0), 0.45)
    assert len(box.colours) >= min(n, 4)
    for index, name in enumerate(box.names):
        left = pane.letter_x + index % box.columns * box.step if not box.upright else 1 - box.width
        assert (left + 1.3 * pane.letter_x) * pane.width + text_width(name, 0.9 * pane.font) <= pane.width


def test_the_key_of_one_ink_shows_the_opacity_of_importances():
    scene = Scene.of_network(network(), shown_class="none", importance_opacity=1.0, opacity=0.8)
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    renderer.refresh(900, 600)
    key = renderer._artists["bundle"].key
    renderer.close()
    assert key.names == ("1", "0.75", "0.5", "0.25")
    np.testing.assert_allclose(255 * np.array(key.colours), [over(0.8 * float(name)) for name in key.names])
