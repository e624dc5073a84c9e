"""What is under a pixel: scenes whose hits are known by construction, seen from several sides, and pixels as oracle."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from network_samples import sagging_network
from network_shots import flat_scene, lines_of, units_at

from cnnvis.core import PolylineSet, Volume
from cnnvis.core.palette import group_colour
from cnnvis.rendering import LineHit, MatrixHit, OffscreenWindow, Picker, UnitHit, VolumeHit, picking
from cnnvis.rendering.screen_box import Projection
from cnnvis.scene import ClipBox, Scene, SceneGrid, Selection, Slices

SIZE = (240, 200)
KNOWN = {"layers": ("a", "b"), "layer_sizes": (2, 2)}
LINK = {"source": np.array([0, 1]), "target": np.array([2, 3])}


class Pane:
    """A drawn pane to point at, by scene points or by pixels."""

    def __init__(self, window, index=0):
        self.window = window
        self.drawn = window.panes[index].drawn
        self.picker = Picker(self.drawn)

    def pixel(self, *point):
        """Return the pixel of the window at a scene point, from its lower left corner."""
        (width, height), (left, bottom) = self.drawn.renderer.GetSize(), self.drawn.renderer.GetOrigin()
        x, y = Projection.of(self.drawn.renderer, width / height)(np.array([point], float))[0]
        return left + (x + width / height / 2) * height - 0.5, bottom + (y + 0.5) * height - 0.5

    def at(self, *point):
        return self.picker.at(*(round(at) for at in self.pixel(*point)))


@contextmanager
def pointing(scene, size=SIZE, index=0):
    with OffscreenWindow(scene, size) as window:
        window.draw()
        yield Pane(window, index)


def linked(*places, importance=1.0, **arrays):
    """Return one line through each of the two lists of points, from a #0 to b #0 and from a #1 to b #1."""
    lines = lines_of(*places, importance=importance, **arrays)
    return PolylineSet(lines.points, lines.offsets, lines.point_arrays, LINK | {"weight": np.array([0.5, 0.25])})


ACROSS, DOWN = [[-4, 0, -1], [4, 0, -1]], [[0, -4, 1], [0, 4, 1]]


# -- lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("view", "nearest"), [("front", 0), ("back", 1)])
def test_where_lines_cross_the_front_one_is_hit(view, nearest):
    with pointing(flat_scene(linked(ACROSS, DOWN), view=view, **KNOWN)) as pane:
        assert [pane.at(*place).line for place in ((0, 0, 0), (3, 0, 0), (0, 3, 0))] == [nearest, 0, 1]
        assert pane.at(3, 3, 0) is None


def test_what_is_known_of_a_line():
    shares = np.repeat([[0.25, 0.75], [1, 0]], 2, axis=0)
    lines = linked(ACROSS, DOWN, importance=[0.5, 1.0], class_shares=shares)
    with pointing(flat_scene(lines, class_names=("cat", "dog"), **KNOWN)) as pane:
        hit = pane.at(-2, 0, -1)
    assert isinstance(hit, LineHit)
    assert (hit.item, hit.kind, hit.line) == ("bundle", "bundle", 0)
    assert (hit.source, hit.target) == (("a", 0), ("b", 0))
    assert (hit.weight, hit.importance, hit.rank, hit.n_lines) == (0.5, 0.5, 2, 2)
    assert hit.shares == pytest.approx((0.25, 0.75))
    assert hit.t == pytest.approx(0.25, abs=0.01)
    assert hit.place == pytest.approx((-2, 0, -1), abs=0.1)
    assert hit.text == "a #0 → b #0 · weight 0.5 · importance 0.5 · rank 2 of 2 · class dog (75%)"
    assert hit.selection == Selection.of_path([("a", 0), ("b", 0)])


def test_lines_of_unknown_units_are_hit_too():
    with pointing(flat_scene(lines_of(ACROSS))) as pane:
        hit = pane.at(0, 0, -1)
    assert (hit.source, hit.weight) == (None, None)
    assert hit.text == "line 0 · importance 1 · rank 1 of 1"
    assert not hit.selection


@pytest.mark.parametrize("parallel", [True, False])
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_place_on_a_line_that_leads_away_is_not_foreshortened(parallel, t):
    lines = lines_of([[-2, 0, -20], [6, 3, 20]])
    scene = flat_scene(lines, size=0.3)
    scene.camera.update({"parallel": parallel})
    with pointing(scene, (480, 400)) as pane:
        place = (1 - t) * np.array([-2, 0, -20]) + t * np.array([6, 3, 20])
        hit = pane.at(*place)
    assert hit.t == pytest.approx(t, abs=0.02)
    assert hit.place == pytest.approx(place, abs=1.0)


@pytest.mark.parametrize(("blend", "y"), [(0.0, 0), (0.5, 1), (1.0, 2)])
def test_lines_are_hit_where_they_are_drawn(blend, y):
    sagging = lines_of([[-4, 0, 0], [-2, 2, 0], [0, 2, 0], [2, 2, 0], [4, 0, 0]], t=np.linspace(0, 1, 5))
    with pointing(flat_scene(sagging, blend=blend, size=0.2)) as pane:
        assert [pane.at(0, at, 0) is not None for at in (0, 1, 2)] == [y == at for at in (0, 1, 2)]


def test_origin_and_zoom_and_rotation_count():
    scene = flat_scene(linked(ACROSS, DOWN), size=0.3, origin=(5, 6, 7), **KNOWN)
    scene.camera.update({"azimuth": 37, "elevation": 21, "zoom": 1.4, "parallel": False})
    with pointing(scene) as pane:
        assert [pane.at(5 + x, 6 + y, 7 + z).line for x, y, z in ((2, 0, -1), (0, 2, 1))] == [0, 1]
        pane.drawn.scene.camera.azimuth = 200
        assert not pane.picker.stale, "nothing has been drawn yet"
        pane.drawn.follow_camera()
        assert pane.picker.stale
        assert [pane.at(5 + x, 6 + y, 7 + z).line for x, y, z in ((2, 0, -1), (0, 2, 1))] == [0, 1]


def test_close_by_lines_that_leave_the_pane_are_hit():
    scene = flat_scene(lines_of([[-400, -1, 0], [300, 1, 0]], [[0, -4, 0], [0, 4, 0]]), size=0.2)
    scene.camera.update({"view": "custom", "position": (0, 0, -8), "focal_point": (0, 0, 0), "view_up": (0, -1, 0)})
    with pointing(scene) as pane:
        assert pane.at(-1, -1 + 399 / 350, 0).line == 0


@pytest.mark.parametrize(
    "state",
    [
        {"importance_opacity": 1.0},
        {"importance_threshold": 0.5},
        {"opacity": 0.0},
        {"visible": False},
        {"shown_class": 1},
        {"hidden_layers": ("b",)},
        {"size": 0.0},
    ],
)
def test_what_is_not_seen_is_not_hit(state):
    importance = 0.01 if "importance_opacity" in state else 0.4
    lines = linked(ACROSS, DOWN, importance=importance, class_shares=np.tile([1.0, 0.0], (4, 1)))
    shown = {"importance_threshold": 0.0, "class_names": ("cat", "dog")}
    with pointing(flat_scene(lines, **(shown | KNOWN))) as pane:
        assert (pane.at(2, 0, -1) is None) == ("importance_opacity" in state)
        pane.drawn.scene["bundle"].update(state)
        pane.window.draw()
        assert pane.at(2, 0, -1) is None


def test_a_faint_line_before_a_strong_one_is_looked_through():
    for importance, hit in (([0.05, 1.0], 1), ([0.6, 1.0], 0)):
        with pointing(flat_scene(linked(ACROSS, DOWN, importance=importance), size=1.0, mode="lines")) as pane:
            assert pane.at(0, 0, 0).line == hit


def test_a_line_is_hit_from_a_few_pixels_beside_it_but_one_under_the_pixel_first():
    lines = lines_of([[-4, 0, 0], [4, 0, 0]], [[-4, 1, -1], [4, 1, -1]])
    with pointing(flat_scene(lines, size=0.01), (400, 400)) as pane:
        x, y = pane.pixel(0, 0, 0)
        assert pane.picker.at(round(x), round(y) + 2).line == 0
        assert pane.picker.at(round(x), round(y) + 6) is None


def test_of_what_is_selected_the_faded_rest_can_still_be_hit():
    lines = linked([[-4, 0, -1], [4, 0, -1]], [[0, -4, 1], [0, 4, 1]])
    with pointing(flat_scene(lines, **KNOWN)) as pane:
        assert pane.at(0, 0, 0).line == 0
        pane.drawn.scene.selection = Selection(units={("a", 1)})
        pane.window.draw()
        assert pane.at(0, 0, 0).line == 1  # drawn over what has faded
        assert pane.at(3, 0, 0).line == 0


def test_marked_lines_are_hit_below_the_threshold():
    scene = flat_scene(linked(ACROSS, DOWN, importance=0.005), **KNOWN)
    scene.selection = Selection.of_path([("a", 0), ("b", 0)])
    with pointing(scene) as pane:
        assert pane.at(3, 0, -1).line == 0
        assert pane.at(0, 3, 1) is None


@given(st.integers(0, 2**32 - 1))
@example(1964215)  # a line that turns back sharply, and is narrow there
@settings(max_examples=10)
def test_what_is_hit_has_the_colour_of_the_pixel(seed):
    """Opaque lines, each of another class, seen from anywhere: the picture itself says which one is in front."""
    rng = np.random.default_rng(seed)
    n = 7
    places = rng.uniform(-3, 3, (n, 4, 3))
    look = {"size": 1.0, "mode": "lines", "shown_class": "all", "class_names": tuple("abcdefg")}
    scene = flat_scene(lines_of(*places, class_shares=np.repeat(np.eye(n), 4, axis=0)), **look)
    scene.camera.update({"azimuth": rng.uniform(0, 360), "elevation": rng.uniform(-60, 60), "parallel": seed % 2 == 0})
    with pointing(scene) as pane:
        pixels = pane.window.draw().astype(int)
        palette = np.round(255 * np.array([group_colour(index) for index in range(n)]))
        line = np.where(np.abs(pixels[:, :, None] - palette).max(axis=-1) <= 1, np.arange(n), -1).max(axis=-1)
        around = np.stack([np.roll(line, step, axis) for axis in (0, 1) for step in (-1, 1)])
        inner = np.argwhere((line >= 0) & (around == line).all(axis=0))  # not at the smoothed rims
        inner = inner[:: max(len(inner) // 100, 1)]
        hits = [pane.picker.at(column, SIZE[1] - 1 - row) for row, column in inner]
    assert len(hits) > 20
    assert (
        np.mean([hit is not None and hit.line == line[tuple(at)] for hit, at in zip(hits, inner, strict=True)]) > 0.96
    )


# -- units -----------------------------------------------------------------------------------------


def test_what_is_known_of_a_unit():
    units = units_at([[-2, 0, 0], [2, 0, 0], [0, 3, 0], [0, -3, 0]], [1, 0.5, 1, 1], class_shares=np.eye(4))
    with pointing(flat_scene(units=units, class_names=("cat", "dog", "eel", "fly"), **KNOWN)) as pane:
        hit = pane.at(2, 0, 0)
        assert pane.at(0, 0, 0) is None
    assert isinstance(hit, UnitHit)
    assert (hit.unit, hit.number, hit.importance) == (("a", 1), 1, 0.5)
    assert hit.text == "a #1 · importance 0.5 · class dog (100%)"
    assert hit.selection == Selection(units={("a", 1)})


@pytest.mark.parametrize(
    ("selection", "part"),
    [
        ({"units": {("a", 0), ("b", 1)}}, {"units": {("a", 0)}}),
        ({"units": {("a", 0)}, "layers": {"a"}}, {"units": {("a", 0)}}),
        ({"layers": {"a", "b"}, "classes": {1}}, {"layers": {"a"}}),
        ({"layers": {"b"}, "classes": {0, 1}}, {"classes": {1}}),
        ({"units": {("b", 1)}, "classes": {0}}, {}),
    ],
)
def test_what_of_a_selection_a_unit_stands_out_by(selection, part):
    units = units_at([[0, 0, 0]], class_shares=np.array([[0.25, 0.75]]))
    with pointing(flat_scene(units=units, class_names=("cat", "dog"), **KNOWN)) as pane:
        assert pane.at(0, 0, 0).part_of(Selection(**selection)) == Selection(**part)


def test_units_go_by_their_number():
    units = units_at([[-2, 0, 0], [2, 0, 0]], unit=np.array([3, 1]))
    with pointing(flat_scene(units=units, **KNOWN)) as pane:
        assert [pane.at(x, 0, 0).unit for x in (-2, 2)] == [("b", 1), ("a", 1)]
    with pointing(flat_scene(units=units)) as pane:
        assert pane.at(2, 0, 0).text == "unit 1 · importance 1"


@pytest.mark.parametrize("view", ["front", "back"])
def test_a_unit_stands_before_the_lines_that_end_in_it(view):
    lines = lines_of([[0, 0, 0], [3, 0, 0]], [[0, 0, 0], [0, 0, -1]])
    with pointing(flat_scene(lines, units_at([[0, 0, 0]]), view=view, size=0.1, unit_state={"size": 0.6})) as pane:
        assert pane.at(0.2, 0, 0).kind == "glyphs"
        assert pane.at(2, 0, 0).kind == "bundle"


def test_the_middle_of_a_unit_is_the_unit_though_a_line_from_before_it_ends_there():
    """The piece that ends in the ball is drawn over it, since its middle is nearer; at the ball it is inside."""
    coming = lines_of([[3, 0, -4], [0, 0, 0]])
    scene = flat_scene(coming, units_at([[0, 0, 0]], 0.5), size=0.2, unit_state={"size": 1.0})
    with pointing(scene) as pane:
        assert pane.at(0.1, 0, 0).kind == "glyphs"
        assert pane.at(-0.4, 0, 0).kind == "glyphs"
        assert pane.at(1.2, 0, 0).kind == "bundle"


@pytest.mark.parametrize(("z", "kind"), [(-2, "bundle"), (0.5, "glyphs")])
def test_a_faint_unit_goes_before_a_line_behind_it_but_not_before_one_in_front(z, kind):
    passing = lines_of([[-3, 0, z], [3, 0, z]])
    with pointing(flat_scene(passing, units_at([[0, 0, 0]], 0.3), size=0.2, unit_state={"size": 1.0})) as pane:
        assert pane.at(0, 0, 0).kind == kind
        assert pane.at(2, 0, 0).kind == "bundle"


@pytest.mark.parametrize("azimuth", [0, 70])
def test_units_inside_a_rectangle(azimuth):
    places = np.array([[-3, -3, 0], [-3, 3, 1], [3, -3, 2], [3, 3, 3]])
    scene = flat_scene(units=units_at(places, [1, 1, 1, 0.001]), **KNOWN)
    scene.camera.update({"azimuth": azimuth})
    with pointing(scene) as pane:
        at = np.array([pane.pixel(*place) for place in places])
        assert pane.picker.inside((0, 0, *SIZE)) == {("a", 0), ("a", 1), ("b", 0)}  # the fourth cannot be seen
        for wanted in ([0], [1], [0, 1], [0, 2]):
            low, high = at[wanted].min(axis=0) - 4, at[wanted].max(axis=0) + 4
            inside = [n for n in range(3) if ((at[n] >= low) & (at[n] <= high)).all()]
            units = {[("a", 0), ("a", 1), ("b", 0)][n] for n in inside}
            assert set(wanted) <= set(inside)
            assert pane.picker.inside((*high, *low)) == units  # corners in any order
        assert pane.picker.inside((0, 0, 1, 1)) == frozenset()


def test_units_of_hidden_layers_are_neither_hit_nor_inside():
    scene = flat_scene(units=units_at([[-2, 0, 0], [2, 0, 0], [0, 3, 0], [0, -3, 0]]), **KNOWN)
    scene["units"].hidden_layers = ("a",)
    with pointing(scene) as pane:
        assert pane.at(2, 0, 0) is None
        assert pane.picker.inside((0, 0, *SIZE)) == {("b", 0), ("b", 1)}


# -- panes, scenes, caching ------------------------------------------------------------------------


def test_in_the_second_pane_of_a_grid_pixels_are_those_of_the_window():
    scenes = [flat_scene(linked(ACROSS, DOWN), **KNOWN) for _ in range(4)]
    scenes[3]["bundle"].data = linked(DOWN, ACROSS)
    for index in (1, 2, 3):
        with pointing(SceneGrid(scenes, columns=2), (400, 320), index) as pane:
            assert pane.at(3, 0, 0).line == int(index == 3)
            assert pane.at(3, 3, 0) is None


def test_lines_are_projected_once_for_each_picture(monkeypatch):
    made, screen = [], picking.NetworkScreen
    monkeypatch.setattr(picking, "NetworkScreen", lambda *args: made.append(0) or screen(*args))
    with pointing(flat_scene(linked(ACROSS, DOWN), **KNOWN)) as pane:
        for _ in range(5):
            pane.at(0, 0, 0)
            pane.window.draw()
        pane.picker.inside((0, 0, 5, 5))
        assert len(made) == 1
        changes = [
            lambda scene: scene.camera.update({"azimuth": 20}),
            lambda scene: scene["bundle"].update({"blend": 0.5}),
            lambda scene: scene["bundle"].update({"size": 0.3}),
            lambda scene: scene["bundle"].update({"hidden_layers": ("a",)}),
            lambda scene: setattr(scene, "selection", Selection(units={("b", 0)})),
            lambda scene: setattr(scene["bundle"], "data", linked(DOWN, ACROSS)),
        ]
        for count, change in enumerate(changes, 2):
            change(pane.drawn.scene)
            pane.window.draw()
            pane.at(0, 0, 0)
            assert len(made) == count


def test_a_scene_with_nothing_in_it():
    with pointing(Scene()) as pane:
        assert pane.picker.at(10, 10) is None
        assert pane.picker.inside((0, 0, *SIZE)) == frozenset()


def test_every_link_of_a_network_is_found_at_its_middle():
    network = sagging_network((4, 3, 2), classes=0)
    scene = Scene.of_network(network, size=0.004, importance_opacity=0.0, mode="lines", importance_threshold=0.0)
    with pointing(scene, (900, 700)) as pane:
        found = set()
        for line in range(len(network.lines)):
            middle = network.lines.points[5 * line + 2]
            hit = pane.at(*middle)
            found.add(hit.line if isinstance(hit, LineHit) else -1)
            if isinstance(hit, LineHit):
                units = network.edges.units
                assert units.id(*hit.source) == network.edges.source[hit.line]
                assert units.id(*hit.target) == network.edges.target[hit.line]
                assert np.abs(np.array(hit.place) - network.lines.points[5 * hit.line + 2]).max() < 0.1
    assert len(found - {-1}) >= 0.7 * len(network.lines)  # some middles coincide on the pane


# -- volumes ---------------------------------------------------------------------------------------


def stack(bright, shape=(6, 8, 10), **fields):
    """Return a stack of zeros with ones at some (channel, row, column)."""
    values = np.zeros(shape, np.float32)
    for place in bright:
        values[place] = 1.0
    return Volume(values, layer="conv", **fields)


def volume_scene(volume, *, view="front", **state):
    scene = Scene(camera={"view": view, "parallel": True})
    scene.add_volume(volume, **({"axes": False, "legend": False} | state))
    return scene


def test_what_is_known_of_a_voxel():
    channels, groups, weights = np.array([3, 1, 0, 2, 5, 4]), np.array([0, 0, 1, 1, 2, -1]), np.arange(6) / 5
    volume = stack([(2, 3, 4)], channels=channels, groups=groups, weights=weights)
    with pointing(volume_scene(volume)) as pane:
        hit = pane.at(4, 3, 2)
        assert pane.at(7, 6, 2) is None, "nothing opaque"
        assert pane.at(30, 3, 2) is None, "beside the stack"
    assert isinstance(hit, VolumeHit)
    assert (hit.layer, hit.channel, hit.position, hit.row, hit.column) == ("conv", 0, 2, 3, 4)
    assert (hit.value, hit.importance, hit.group, hit.quantity) == (1.0, 0.4, 1, "activation")
    assert hit.text == "conv channel #0 (position 2) · row 3, column 4 · activation 1 · importance 0.4 · group 1"
    assert hit.selection == Selection(units={("conv", 0)})


@pytest.mark.parametrize("mode", ["raycast", "mip", "isosurface"])
@pytest.mark.parametrize(("view", "position"), [("front", 1), ("back", 4)])
def test_the_voxel_in_front_is_hit(mode, view, position):
    volume = stack([(1, 3, 4), (4, 3, 4)])
    with pointing(volume_scene(volume, view=view, mode=mode, density=4)) as pane:
        hit = pane.at(4, 3, 2.5)
    assert (hit.row, hit.column) == (3, 4)
    assert hit.position in ((1, 4) if mode == "mip" else (position,))


def test_of_a_projection_the_largest_value_is_hit():
    volume = stack([(1, 3, 4), (4, 3, 4)])
    values = volume.values.copy()
    values[4, 3, 4] = 2.0
    with pointing(volume_scene(Volume(values, layer="conv"), mode="mip")) as pane:
        assert (pane.at(4, 3, 2).position, pane.at(4, 3, 2).value) == (4, 2.0)
    weights = np.array([1, 1, 1, 1, 0.1, 1])
    with pointing(volume_scene(Volume(values, weights=weights), mode="mip", drive="importance")) as pane:
        assert pane.at(4, 3, 2).position == 1


@pytest.mark.parametrize("azimuth", [0, 40, 130, 250])
def test_a_voxel_is_hit_from_all_sides(azimuth):
    scene = volume_scene(stack([(2, 3, 4)]), density=5, origin=(3, 4, 5))
    scene.camera.update({"azimuth": azimuth, "elevation": 15, "parallel": azimuth < 100})
    with pointing(scene) as pane:
        hit = pane.at(7, 7, 5 + 2 * scene["conv"].data.spacing[2])
    assert (hit.position, hit.row, hit.column) == (2, 3, 4)


@pytest.mark.parametrize(
    ("change", "position"),
    [
        ({"clip_box": ClipBox(channel=(2, 5))}, 4),
        ({"clip_box": ClipBox(row=(4, 7))}, None),
        ({"visible": False}, None),
        ({"opacity": 0.001}, None),
        ({"drive": "group", "shown_groups": (1,), "context": 0.0}, 4),
    ],
)
def test_what_is_clipped_or_transparent_is_not_hit(change, position):
    volume = stack([(1, 3, 4), (4, 3, 4)], groups=np.array([0, 0, 0, 1, 1, 1]))
    with pointing(volume_scene(volume, density=4, **change)) as pane:
        hit = pane.at(4, 3, 2.5)
    assert (hit and hit.position) == position


def test_haze_before_a_voxel_is_looked_through():
    values = np.full((6, 8, 10), 0.02, np.float32)
    values[4, 3, 4] = 1.0
    with pointing(volume_scene(Volume(values, layer="conv"), density=2)) as pane:
        assert pane.at(4, 3, 2).position == 4
    values[1, 3, 4] = np.nan
    with pointing(volume_scene(Volume(values, layer="conv"), density=2)) as pane:
        assert pane.at(4, 3, 2).position == 4


@pytest.mark.parametrize(
    ("slices", "voxel"),
    [
        (Slices(channel=2), (2, 3, 4)),
        (Slices(row=3), None),  # seen from its edge
        (Slices(channel=5, column=None), (5, 3, 4)),
        (Slices(channel=99), (5, 3, 4)),
    ],
)
def test_planes_are_hit_where_they_are(slices, voxel):
    volume = stack([(2, 3, 4)])
    with pointing(volume_scene(volume, mode="slices", slices=slices)) as pane:
        hit = pane.at(4, 3, 2)
        assert (hit and (hit.position, hit.row, hit.column)) == voxel


def test_missing_values_are_named():
    values = np.full((2, 4, 4), np.nan, np.float32)
    with pointing(volume_scene(Volume(values), mode="slices", slices=Slices(channel=1))) as pane:
        assert pane.at(2, 1, 1).text == "volume channel #1 · row 1, column 2 · activation missing"


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_a_hit_voxel_lies_where_the_pixel_is(seed):
    rng = np.random.default_rng(seed)
    values = rng.random((4, 5, 6)).astype(np.float32)
    scene = volume_scene(Volume(values, layer="conv"), density=3, mode=str(rng.choice(["raycast", "mip", "slices"])))
    scene.camera.update({"azimuth": rng.uniform(0, 360), "elevation": rng.uniform(-80, 80), "parallel": seed % 2 == 0})
    with pointing(scene) as pane:
        spacing = scene["conv"].data.spacing
        for x, y in rng.integers(20, (220, 180), (20, 2)):
            hit = pane.picker.at(int(x), int(y))
            if hit is None:
                continue
            np.testing.assert_allclose(pane.pixel(*hit.place), (x, y), atol=0.01)
            middle = np.array([hit.column, hit.row, hit.position]) * spacing
            assert (np.abs(middle - hit.place) <= np.array(spacing) / 2 + 1e-6).all()
            assert hit.value == values[hit.position, hit.row, hit.column]


def test_lines_and_volumes_of_one_scene_are_hit_by_depth():
    scene = volume_scene(stack([(2, 3, 4)]), density=8)
    scene.add_bundle(lines_of([[0, 3, -2], [9, 3, -2]]), legend=False, size=0.2)
    with pointing(scene) as pane:
        assert pane.at(4, 3, -2).kind == "bundle"
        scene["bundle"].origin = (0, 0, 20)
        pane.window.draw()
        assert pane.at(4, 3, 2).kind == "volume"
        assert pane.at(8, 3, 18).kind == "bundle"


# -- matrices --------------------------------------------------------------------------------------


def test_cells():
    scene = Scene()
    scene.add_matrix(
        np.arange(6.0).reshape(2, 3),
        rows=("conv1", "conv2"),
        row_name="layer",
        column_name="k",
        n_cells=5,
        quantity="f",
    )
    with pointing(scene) as pane:
        hit = pane.at(1.5, 0.5, 0)
        assert pane.at(2.5, 1.5, 0) is None, "the sixth cell does not exist"
        assert pane.at(-0.5, 0.5, 0) is None
    assert isinstance(hit, MatrixHit)
    assert (hit.row, hit.column, hit.value) == (0, 1, 1.0)
    assert hit.text == "layer conv1 · k 1 · f 1"


def test_bars():
    scene = Scene()
    item = scene.add_matrix(np.array([[1.0, 4.0], [2.0, -1.0]]), style="bars", height=5.0)
    with pointing(scene) as pane:
        found = {(hit.row, hit.column) for x, y in np.ndindex(24, 20) if (hit := pane.picker.at(10 * x, 10 * y))}
        assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}
        top = pane.at(1.5, 0.0, 1.5)  # of the highest bar: first row farthest
        assert (top.row, top.column, top.value) == (0, 1, 4.0)
        item.opacity = 0.0
        pane.window.draw()
        assert pane.at(1.5, 0.0, 1.5) is None
