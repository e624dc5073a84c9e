"""Changes of a volume's look repaint what is on the graphics card, and pixels follow them as numpy says."""

import numpy as np
import pytest
from network_shots import lines_of
from shots import plain_scene

from cnnvis.core import Volume
from cnnvis.rendering import OffscreenWindow
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.volume_cast import ABSORPTION_DEPTH, MAX_OPACITY
from cnnvis.scene import Scene, TransferFunction, VolumeItem

SIZE = (160, 120)
BLACK = {"colour_map": "gray_r", "span": (0, 1)}
CURVE = ((0.0, 0.0), (0.3, 0.04), (0.3, 0.1), (0.8, 0.02), (1.0, 0.2))


class Live:
    """A window that stays open while its scene changes."""

    def __init__(self, scene):
        self.scene = scene
        self.item = next(item for item in scene if isinstance(item, VolumeItem))
        self.window = OffscreenWindow(scene, SIZE)
        self.drawn = self.window.panes[0].drawn
        self.artist = self.drawn._artists[self.item.name]

    def pixels(self):
        return self.window.draw().astype(int)

    def colour(self, *point):
        pixels = self.pixels()
        projection = Projection.of(self.drawn.renderer, SIZE[0] / SIZE[1])
        x, y = projection(np.array([point], float))[0]
        return pixels[round((0.5 - y) * SIZE[1] - 0.5), round((x + projection.aspect / 2) * SIZE[1] - 0.5)]


@pytest.fixture
def live(request):
    """Return a function that opens a window on a scene, closed after the test."""

    def opened(scene):
        shown = Live(scene)
        request.addfinalizer(shown.window.close)
        shown.pixels()
        return shown

    return opened


def fresh(scene):
    """Return the picture of a window that has seen nothing else of the scene."""
    with OffscreenWindow(scene, SIZE) as window:
        return window.draw().astype(int)


def random_scene(**state):
    values = np.random.default_rng(0).uniform(-1, 0.7, (7, 8, 9)).astype(np.float32)
    groups = [0, 0, 1, 1, 1, 2, 2]
    fields = {"weights": np.linspace(0, 1, 7), "groups": groups, "view": "three_quarter", "interpolation": "linear"}
    return plain_scene(values, **(fields | state))


# -- nothing is built ------------------------------------------------------------------------------

CHANGES = {
    "opacity point": {"transfer": TransferFunction(opacity=CURVE)},
    "weight curve": {"drive": "importance", "transfer": TransferFunction(weight=((0, 1), (1, 0.1)))},
    "colours": {"transfer": TransferFunction(colour_map="magma")},
    "span": {"transfer": TransferFunction(span=(-0.3, 0.2))},
    "clip": {"transfer": TransferFunction(clip=(20, 70))},
    "centre": {"transfer": TransferFunction(centre=0.1, colour_map="RdBu_r")},
    "logarithm": {"transfer": TransferFunction(normalisation="log")},
    "cube root": {"transfer": TransferFunction(normalisation="cbrt", centre=0, colour_map="RdBu_r")},
    "importance": {"drive": "importance"},
    "groups": {"drive": "group", "shown_groups": (1,)},
    "context": {"drive": "group", "shown_groups": (1,), "context": 0.5},
    "opacity": {"opacity": 0.4},
    "density": {"density": 3.0},
    "clip box": {"clip_box": {"channel": (2, 4), "row": (0, 5)}},
    "voxels": {"interpolation": "nearest"},
    "shade": {"shade": True},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("mode", ["raycast", "mip"])
def test_a_change_of_look_builds_nothing_and_shows_what_a_new_window_shows(live, mode, change):
    shown = live(random_scene(mode=mode))
    before = shown.pixels()
    shown.item.update(CHANGES[change])
    after = shown.pixels()
    assert shown.artist.builds == 1
    np.testing.assert_array_equal(after, fresh(shown.scene))
    seldom = {("mip", "density"), ("mip", "shade")}  # neither absorbs nor has surfaces
    assert (np.abs(after - before).max() > 8) == ((mode, change) not in seldom)


@pytest.mark.parametrize("change", ["opacity point", "colours", "importance", "groups", "opacity", "clip box"])
@pytest.mark.parametrize("mode", ["isosurface", "slices"])
def test_surfaces_and_planes_stay_too(live, mode, change):
    shown = live(random_scene(mode=mode, isovalues=(-0.4, 0.3)))
    shown.item.update(CHANGES[change])
    np.testing.assert_array_equal(shown.pixels(), fresh(shown.scene))
    assert shown.artist.builds == 1


@pytest.mark.parametrize("change", ["data", "origin", "surfaces"])
def test_other_data_are_built(live, change):
    shown = live(random_scene())
    if change == "data":
        shown.item.data = Volume(-shown.item.data.values)
    elif change == "origin":
        shown.item.origin = (3.0, 0.0, 0.0)
    else:
        shown.item.mode = "isosurface"
    np.testing.assert_array_equal(shown.pixels(), fresh(shown.scene))
    assert shown.artist.builds == 2


def test_what_was_hidden_comes_back_unbuilt(live):
    shown = live(random_scene())
    before = shown.pixels()
    shown.item.visible = False
    assert (shown.pixels() != 255).sum() < (before != 255).sum() / 4  # the title is left
    shown.item.visible = True
    np.testing.assert_array_equal(shown.pixels(), before)
    assert shown.artist.builds == 1


# -- pixels follow the curve -----------------------------------------------------------------------


def absorbed(strength, depth, shape, density=1.0):
    """Return the opacity of a homogeneous stack by hand, as Beer and Lambert say."""
    return 1 - (1 - MAX_OPACITY * strength) ** (density * depth / (ABSORPTION_DEPTH * np.mean(shape)))


@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_opacity_of_a_homogeneous_stack_follows_the_curve(live, interpolation):
    shape = (40, 24, 24)
    sides = np.array(shape) - (interpolation == "linear")
    scene = plain_scene(np.full(shape, 0.5), transfer=TransferFunction(**BLACK), interpolation=interpolation)
    shown = live(scene)
    for position, strength in [(0.0, 0.0), (0.2, 0.08 / 3), (0.55, 0.06), (0.8, 0.02), (0.95, 0.155)]:
        span = (0.5 - position, 1.5 - position)  # puts the value 0.5 there
        shown.item.transfer = TransferFunction(opacity=CURVE, colour_map="gray_r", span=span)
        grey = 1 - shown.item.transfer.colours([position])[0, 0]
        expected = grey * absorbed(strength, sides[0], sides)
        assert 1 - shown.colour(12, 12, 0)[0] / 255 == pytest.approx(expected, abs=0.015)
    assert shown.artist.builds == 1


@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_importance_multiplies_the_curve_before_it_absorbs(live, interpolation):
    shape = (40, 24, 24)
    sides = np.array(shape) - (interpolation == "linear")
    weights = np.repeat([0.5, 1.0], 20)
    flat = {"opacity": ((0, 0.1), (1, 0.1)), **BLACK}
    shown = live(plain_scene(np.ones(shape), weights=weights, drive="importance", interpolation=interpolation))
    for factors in [(0.5, 1.0), (0.2, 1.0), (0.0, 0.6)]:
        shown.item.transfer = TransferFunction(weight=((0.5, factors[0]), (1, factors[1])), **flat)
        passed = [1 - absorbed(0.1 * factor, sides[0] / 2, sides) for factor in factors]
        assert 1 - shown.colour(12, 12, 0)[0] / 255 == pytest.approx(1 - np.prod(passed), abs=0.015)
    assert shown.artist.builds == 1


def test_factors_rise_evenly_from_one_channel_to_the_next(live):
    transfer = TransferFunction(opacity=((0, 0.1), (1, 0.1)), **BLACK)
    state = {"weights": [0.0, 1.0], "drive": "importance", "spacing": (1, 1, 24), "interpolation": "linear"}
    shown = live(plain_scene(np.ones((2, 25, 25)), transfer=transfer, **state))
    steps = (np.arange(1000) + 0.5) / 1000
    expected = 1 - np.prod((1 - MAX_OPACITY * 0.1 * steps) ** (1 / 1000 / ABSORPTION_DEPTH))  # through a cube
    assert 1 - shown.colour(12, 12, 0)[0] / 255 == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize("normalisation", ["linear", "cbrt"])
def test_magnitudes_are_distances_from_the_centre(live, normalisation):
    values = np.array([[[0.3, 0.9, -0.3], [0.0, 0.5, 1.3], [-0.7, 0.4, 0.1]]])
    transfer = TransferFunction(centre=0.3, span=(-0.7, 1.3), normalisation=normalisation, colour_map="RdBu_r")
    shown = live(plain_scene(values, mode="mip", transfer=transfer.model_copy(update={"opacity": ((0, 1), (1, 1))})))
    magnitude = TransferFunction(normalisation=normalisation, span=(0, 1))
    expected = 255 * magnitude.apply(np.abs(values[0] - 0.3), (0.0, 1.0))[..., :3]
    for row, column in np.ndindex(3, 3):
        np.testing.assert_allclose(shown.colour(column, row, 0), expected[row, column], atol=4)


@pytest.mark.parametrize("normalisation", ["linear", "log", "cbrt"])
@pytest.mark.parametrize("scale", [(np.float32, 1.0), (np.float64, 1e-40), (np.float64, 1e35), (np.float32, 1e-39)])
@pytest.mark.parametrize("centre", [None, 0.0])
def test_colours_are_those_of_numpy_on_any_scale(live, normalisation, scale, centre):
    dtype, factor = scale
    values = (np.linspace(-1, 2, 9).reshape(1, 3, 3) * factor).astype(dtype)
    transfer = TransferFunction(
        normalisation=normalisation, span=(-factor, 2 * factor), centre=centre, opacity=((0, 1), (1, 1))
    )
    shown = live(plain_scene(Volume(values, layer="conv"), transfer=transfer, density=100))
    expected = 255 * transfer.apply(values[0], transfer.span_of(values))[..., :3]
    for row, column in np.ndindex(3, 3):
        np.testing.assert_allclose(shown.colour(column, row, 0), expected[row, column], atol=4)


def test_factors_are_exact_in_stacks_of_many_channels(live):
    n = 300
    weights = np.zeros(n)
    weights[[5, 137, 299]] = 1
    transfer = TransferFunction(opacity=((0, 1), (1, 1)), **BLACK)
    look = {"drive": "importance", "transfer": transfer, "density": 200, "clip_box": {"channel": (130, 145)}}
    scene = plain_scene(np.ones((n, 2, 2)), weights=weights, spacing=(200, 200, 1), view="side", **look)
    scene.camera.zoom = 8
    shown = live(scene)
    greys = np.array([shown.colour(100, 100, channel)[0] for channel in range(131, 145)])
    assert (np.flatnonzero(greys < 128) + 131).tolist() == [137]
    assert (greys[np.arange(131, 145) != 137] == 255).all()


def test_missing_voxels_are_seen_through(live):
    values = np.ones((4, 6, 6))
    values[:, 2:4, 2:4] = np.nan
    transfer = TransferFunction(opacity=((0, 1), (1, 1)), **BLACK)
    shown = live(plain_scene(values, transfer=transfer, density=50))
    assert shown.colour(2.5, 2.5, 0).min() > 200  # between the magenta points
    assert shown.colour(0.5, 0.5, 0).max() < 20


# -- while the camera moves ------------------------------------------------------------------------


def blob(n=48):
    """A bright ball in faint surroundings."""
    axis = np.linspace(-1, 1, n)
    return np.exp(-4 * sum(np.square(part) for part in np.meshgrid(axis, axis, axis, indexing="ij"))).astype(np.float32)


@pytest.mark.parametrize("mode", ["raycast", "mip", "isosurface", "slices"])
def test_moving_shows_about_the_same_and_rest_the_very_same(live, mode):
    shown = live(plain_scene(blob(), mode=mode, view="three_quarter", interpolation="linear"))
    before = shown.pixels()
    shown.drawn.interactive(True)
    moving = shown.pixels()
    assert shown.artist.effort < np.inf
    assert np.abs(moving - before).mean() < 6
    shown.drawn.interactive(False)
    np.testing.assert_array_equal(shown.pixels(), before)
    assert shown.artist.builds == 1


def test_less_is_drawn_of_what_takes_too_long(live, monkeypatch):
    shown = live(plain_scene(blob(), interpolation="linear"))
    shown.drawn.interactive(True)
    shown.pixels()
    start = shown.artist.effort
    monkeypatch.setattr("cnnvis.rendering.frame_pace.FRAME_TIME", 1e-6)
    shown.pixels()
    coarse = shown.artist.effort
    monkeypatch.setattr("cnnvis.rendering.frame_pace.FRAME_TIME", 1e6)
    for _ in range(8):
        shown.pixels()
    assert shown.artist.effort > start > coarse
    shown.item.data = Volume(2 * shown.item.data.values)
    shown.pixels()
    assert shown.artist._figure._coarseness > 1  # new data are not drawn in full
    monkeypatch.undo()
    shown.drawn.interactive(False)
    assert shown.artist._figure._coarseness == 1


def test_an_item_added_on_the_way_is_coarse_as_well(live):
    shown = live(plain_scene(blob(), interpolation="linear"))
    shown.drawn.interactive(True)
    item = shown.scene.add_volume(blob(8), name="other")
    assert shown.drawn._artists[item.name].effort == shown.artist.effort < np.inf


def test_volumes_beside_lines_are_peeled_at_rest_only(live):
    scene = plain_scene(blob(16))
    scene.add_bundle(lines_of([(0, 0, 0), (15, 15, 15)]), legend=False, size=0.5)
    shown = live(scene)
    renderer = shown.drawn.renderer
    assert renderer.GetUseDepthPeeling()
    assert renderer.GetUseDepthPeelingForVolumes()
    before = shown.pixels()
    shown.drawn.interactive(True)
    shown.window.window.Render()  # without a refresh, as a window does while the camera is dragged
    assert not renderer.GetUseDepthPeeling()
    assert not renderer.GetUseDepthPeelingForVolumes()
    assert np.abs(shown.pixels() - before).mean() < 6
    shown.drawn.interactive(False)
    np.testing.assert_array_equal(shown.pixels(), before)


def test_the_status_says_what_draws_and_how_long(live):
    scene = Scene.of(np.ones((3, 4, 4)))
    shown = Live(scene)
    assert shown.drawn.mapper == ""
    assert shown.drawn.frame_time == 0
    shown.pixels()
    assert shown.drawn.mapper.startswith("GPU ray cast on ")
    assert 0 < shown.drawn.frame_time < 60
    scene["volume"].mode = "slices"
    shown.pixels()
    assert shown.drawn.mapper.startswith("polygons on ")
    shown.window.close()
