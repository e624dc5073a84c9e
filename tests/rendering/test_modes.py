"""Maximum projection, surfaces, slices and the clip box, against what numpy says they must show."""

import numpy as np
import pytest
from shots import plain_scene, shoot

from cnnvis.rendering import SceneRenderer, _vtk
from cnnvis.scene import TransferFunction

RNG = np.random.default_rng(0)
ROUNDING = 3


def over_white(transfer, positions):
    """Return the colours of positions under the opacity curve, on white, 0 to 255."""
    alpha = transfer.opacity_at(positions)[..., None]
    return 255 * (transfer.colours(positions) * alpha + 1 - alpha)


def voxels(shot, shape):
    """Return the colour in the middle of each (row, column), (H, W, 3), of a front view."""
    return np.array([[shot.colour(column, row, 0) for column in range(shape[2])] for row in range(shape[1])])


def notes(scene):
    """Return the lines that a picture of the scene carries below its title."""
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    renderer.refresh(400, 400)
    found = renderer._notes([scene["conv"]])
    renderer.close()
    return found


# -- maximum projection ----------------------------------------------------------------------------

INNER = np.s_[1:-1, 1:-1]  # the outermost voxels are drawn half


@pytest.mark.parametrize("opacity", [((0, 0), (1, 1)), ((0, 0.2), (0.5, 0.3), (1, 0.9))])
def test_maximum_projection_is_that_of_numpy(opacity):
    values = RNG.random((7, 8, 8))
    transfer = TransferFunction(span=(0, 1), opacity=opacity)
    shot = shoot(plain_scene(values, mode="mip", transfer=transfer))
    expected = over_white(transfer, values.max(axis=0))
    np.testing.assert_allclose(voxels(shot, values.shape)[INNER], expected[INNER], atol=ROUNDING)


def test_maximum_projection_of_signed_data_shows_magnitudes():
    values = RNG.uniform(-1, 0.6, (7, 8, 8))
    scene = plain_scene(values, mode="mip", transfer=TransferFunction(centre=0, span=(-1, 1), colour_map="RdBu_r"))
    expected = over_white(TransferFunction(), np.abs(values).max(axis=0))
    np.testing.assert_allclose(voxels(shoot(scene), values.shape)[INNER], expected[INNER], atol=ROUNDING)


def test_opacity_of_a_projection_fades_it_without_changing_its_colours():
    values = np.full((3, 4, 4), 0.5)
    transfer = TransferFunction(span=(0, 1), opacity=((0, 1), (1, 1)))
    full, half = (
        shoot(plain_scene(values, mode="mip", transfer=transfer, opacity=opacity)).colour(2, 2, 0)
        for opacity in (1, 0.5)
    )
    np.testing.assert_allclose(full, 255 * transfer.colours([0.5])[0], atol=ROUNDING)
    np.testing.assert_allclose(half, (full + 255) / 2, atol=ROUNDING)


# -- surfaces --------------------------------------------------------------------------------------


def ball(n=25):
    """Distance from the middle: surfaces are spheres."""
    axis = np.arange(n) - n // 2
    return np.sqrt(sum(np.square(part) for part in np.meshgrid(axis, axis, axis, indexing="ij")))


@pytest.mark.parametrize("radius", [4.0, 9.0])
@pytest.mark.parametrize("normalisation", ["linear", "cbrt"])
def test_a_surface_stands_where_its_value_is(radius, normalisation):
    transfer = TransferFunction(span=(0, 8), normalisation=normalisation)  # 9 lies beyond the range of the colours
    scene = plain_scene(ball(), mode="isosurface", isovalues=(radius,), transfer=transfer)
    shot = shoot(scene)
    ink = shot.stack_ink(scene["conv"])
    per_unit = shot.at(12, 13, 12)[0] - shot.at(12, 12, 12)[0]
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    for found in (rows, columns):
        assert (found[-1] - found[0] + 1) / 2 / per_unit == pytest.approx(radius, abs=1.5 / per_unit)
    assert notes(scene) == [f"surfaces at {radius:g}"]


def test_default_surfaces_lie_in_the_range_and_missing_ones_are_said():
    scene = plain_scene(ball(), mode="isosurface", transfer=TransferFunction(span=(0, 10)))
    assert notes(scene) == ["surfaces at 5"]
    signed = plain_scene(ball() - 8, mode="isosurface", transfer=TransferFunction(span=(-8, 8), centre=0))
    assert notes(signed) == ["surfaces at \N{MINUS SIGN}4, 4"]
    scene["conv"].isovalues = (99.0,)
    assert notes(scene) == ["no surface at 99"]


def test_weights_fade_surfaces():
    values = ball(9)
    weights = np.ones(9)
    weights[:4] = 0
    shown = plain_scene(values, mode="isosurface", isovalues=(3.0,), weights=weights, view="side")
    shown["conv"].drive = "importance"
    shot = shoot(shown)
    assert shot.colour(4, 4, 2).mean() > 250  # channels to the left of the middle
    assert shot.colour(4, 4, 6).mean() < 230


# -- slices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "view", "point"),
    [
        ("channel", "front", lambda i, j: (j, i, 2)),
        ("row", "top", lambda i, j: (j, 2, i)),
        ("column", "side", lambda i, j: (2, j, i)),
    ],
)
def test_slices_show_the_exact_colours_of_their_plane(axis, view, point):
    values = RNG.uniform(-1, 1, (5, 6, 7))
    values[2, 2, 2] = np.nan
    transfer = TransferFunction.preset(values=values)
    scene = plain_scene(values, mode="slices", slices={axis: 2}, transfer=transfer, view=view)
    shot = shoot(scene)
    plane = np.take(values, 2, axis=("channel", "row", "column").index(axis))
    colours = np.round(255 * transfer.colours(transfer.normalise(plane, transfer.span_of(values))))
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            np.testing.assert_array_equal(shot.colour(*point(i, j)), colours[i, j])


def test_slices_say_which_planes_they_are():
    scene = plain_scene(np.zeros((5, 6, 7)), mode="slices", weights=np.ones(5), drive="importance")
    assert notes(scene) == ["slices: channel #2, row 3, column 3"]
    scene["conv"].slices = {"channel": 99, "row": -4}
    assert notes(scene) == ["slices: channel #4, row 0"]
    scene["conv"].slices = {"column": 1}
    assert notes(scene) == ["slices: column 1"]
    reordered = plain_scene(np.zeros((3, 4, 4)), channels=[2, 0, 1], mode="slices", slices={"channel": 0})
    assert notes(reordered) == ["slices: channel #2"]


def test_notes_name_what_drives_the_picture():
    scene = plain_scene(np.ones((3, 4, 4)), weights=np.ones(3), groups=[0, 0, 1], drive="importance")
    assert notes(scene) == ["opacity \N{MULTIPLICATION SIGN} channel importance"]
    scene["conv"].mode = "mip"
    assert notes(scene) == ["maximum projection", "value \N{MULTIPLICATION SIGN} channel importance"]
    scene["conv"].update({"mode": "raycast", "drive": "group", "shown_groups": (0, 1)})
    assert notes(scene) == ["opacity by group, shown: 0, 1"]
    values = np.ones((3, 4, 4), np.float32)
    values[0, 0, :3] = np.nan
    assert notes(plain_scene(values)) == ["3 values NaN or infinite (magenta)"]


# -- clip box --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["raycast", "mip", "isosurface", "slices"])
def test_outside_the_clip_box_nothing_is_drawn(mode):
    values = np.broadcast_to(np.linspace(0, 1, 12)[:, None, None], (12, 12, 12)).copy()  # rises with the channels
    values[0, 11, 11] = np.nan
    scene = plain_scene(values, mode=mode, transfer=TransferFunction(span=(0, 1), opacity=((0, 1), (1, 1))))
    item = scene["conv"]
    whole = shoot(scene).stack_ink(item)
    item.clip_box = {"column": (3, 6)}
    shot = shoot(scene)
    part = shot.stack_ink(item)
    left, right = shot.at(2.5, 0, 0)[1], shot.at(6.5, 0, 0)[1]
    columns = np.flatnonzero(part.any(axis=0))
    assert columns[0] == pytest.approx(left, abs=2)
    assert columns[-1] == pytest.approx(right, abs=2)
    assert part.sum() < 0.5 * whole.sum()
    item.clip_box = {"column": (6, 3)}  # the same interval
    np.testing.assert_array_equal(shoot(scene).stack_ink(item), part)


@pytest.mark.parametrize(("interval", "value"), [((0, 3), 0.0), ((4, 7), 1.0)])
def test_clipping_channels_shows_what_lies_behind(interval, value):
    values = np.zeros((8, 6, 6))
    values[4:] = 1
    transfer = TransferFunction(span=(0, 1), opacity=((0, 1), (1, 1)))
    scene = plain_scene(values, transfer=transfer, clip_box={"channel": interval}, density=20)
    np.testing.assert_allclose(shoot(scene).colour(3, 3, 0), 255 * transfer.colours([value])[0], atol=ROUNDING)


@pytest.mark.parametrize(
    ("values", "isovalues", "transfer", "solid"),
    [
        (ball() - 8, (-4.0, 4.0), TransferFunction(span=(-8, 8), centre=0), True),  # equally strong: none is faint
        (12 - ball(), (3.0, 8.0), TransferFunction(span=(0, 12)), False),  # the stronger one lies inside
    ],
)
def test_of_nested_surfaces_only_the_weaker_are_translucent(values, isovalues, transfer, solid):
    scene = plain_scene(values, mode="isosurface", isovalues=isovalues, transfer=transfer)
    edge = (12 + 7, 12, 12)  # on the outer surface, beside the inner one
    light = shoot(scene).colour(*edge)
    scene.background = "dark"
    assert (np.abs(light - shoot(scene).colour(*edge)).max() < 3) == solid
