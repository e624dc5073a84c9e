"""What the transfer function says is what the pixels of a ray cast do."""

import numpy as np
import pytest
from shots import centre, plain_scene, shoot

from cnnvis.core import Volume
from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.rendering.volume_cast import ABSORPTION_DEPTH, MAX_OPACITY
from cnnvis.scene import Scene, TransferFunction

BLACK = {"colour_map": "gray_r", "span": (0, 1)}  # values of 1 are black, so that darkness is opacity
FLAT = ((0.0, 0.0), (0.02, 1.0), (1.0, 1.0))


def block(shape=(10, 10, 10), *, at=(0, 0, 0), size=3, value=1.0, into=None):
    values = np.zeros(shape, np.float32) if into is None else into
    values[tuple(slice(start, start + size) for start in at)] = value
    return values


# -- opacity ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "density"), [(0.02, 1.0), (0.05, 1.0), (0.15, 1.0), (0.05, 0.4), (0.02, 5.0)])
@pytest.mark.parametrize("shape", [(48, 24, 24), (24, 48, 48)])
def test_a_homogeneous_stack_absorbs_as_beer_and_lambert_say(f, density, shape):
    scene = plain_scene(np.ones(shape), transfer=TransferFunction(opacity=((0, f), (1, f)), **BLACK), density=density)
    shot = shoot(scene)
    unit = ABSORPTION_DEPTH * np.mean(shape)
    expected = 1 - (1 - MAX_OPACITY * f) ** (density * shape[0] / unit)
    measured = 1 - shot.colour(shape[2] / 2, shape[1] / 2, 0).mean() / 255
    assert measured == pytest.approx(expected, abs=0.02)


def test_opacity_of_an_item_multiplies():
    transfer = TransferFunction(opacity=((0, 0.1), (1, 0.1)), **BLACK)
    whole, half = (
        shoot(plain_scene(np.ones((20, 20, 20)), transfer=transfer, opacity=opacity)).colour(10, 10, 0)[0]
        for opacity in (1.0, 0.5)
    )
    thinner = TransferFunction(opacity=((0, 0.05), (1, 0.05)), **BLACK)
    assert half == shoot(plain_scene(np.ones((20, 20, 20)), transfer=thinner)).colour(10, 10, 0)[0]
    assert whole < half


def test_moving_a_point_of_the_curve_changes_only_the_values_it_stands_for():
    values = np.full((4, 12, 12), 0.25)
    values[:, :, 6:] = 0.75
    curves = [((0, 0.1), (0.5, 0.1), (0.75, height), (1, 0.1)) for height in (0.1, 0.6)]
    before, after = (
        shoot(plain_scene(values, transfer=TransferFunction(opacity=curve, span=(0, 1)))).pixels.astype(int)
        for curve in curves
    )
    changed = np.abs(before - after).max(axis=2) > 0
    middle = before.shape[1] // 2
    assert changed[:, middle + 2 :].sum() > 1000
    assert not changed[:, : middle - 2].any()  # smoothing of edges reaches a pixel over the border


def test_a_zero_opacity_everywhere_shows_nothing():
    scene = plain_scene(np.ones((4, 4, 4)), transfer=TransferFunction(opacity=((0, 0), (1, 0)), **BLACK))
    assert not shoot(scene).stack_ink(scene["conv"]).any()


# -- orientation -----------------------------------------------------------------------------------

CORNERS = {  # view: where channel 0, row 0, column 0 is seen, as (lower half, right half)
    "front": (False, False),  # upright, left is left
    "back": (False, True),  # mirrored
    "side": (False, False),  # rows down, channels to the right
    "top": (True, False),  # columns to the right, channels upwards
    "isometric": (True, False),
    "three_quarter": (False, False),
}


@pytest.mark.parametrize("view", ["front", "back", "side", "top"])
def test_views_show_the_first_voxel_where_they_say(view):
    scene = plain_scene(block(), view=view, transfer=TransferFunction(opacity=FLAT, **BLACK))
    shot = shoot(scene)
    row, column = centre(shot.stack_ink(scene["conv"]))
    middle_row, middle_column = shot.at(4.5, 4.5, 4.5)
    assert (row > middle_row, column > middle_column) == CORNERS[view]
    assert abs(row - middle_row) > 20
    assert abs(column - middle_column) > 20


def test_the_three_quarter_view_has_channels_to_the_right_and_shows_the_front():
    scene = plain_scene(np.zeros((10, 10, 10)), view="three_quarter", parallel=False)
    shot = shoot(scene)
    first, last_channel, last_row, last_column = (shot.at(*p) for p in [(0, 0, 0), (0, 0, 9), (0, 9, 0), (9, 0, 0)])
    assert last_channel[1] > first[1]
    assert last_row[0] > first[0]
    assert last_column[1] > first[1]


@pytest.mark.parametrize(("view", "value"), [("front", 1.0), ("back", 0.5)])
def test_the_nearer_channels_hide_the_farther(view, value):
    values = block(at=(0, 0, 0), value=1.0)
    block(at=(7, 0, 0), value=0.5, into=values)
    transfer = TransferFunction(opacity=FLAT, span=(0, 1))
    shot = shoot(plain_scene(values, view=view, transfer=transfer, density=50))
    expected = np.round(255 * transfer.colours([value])[0])
    np.testing.assert_allclose(shot.colour(1, 1, 0), expected, atol=6)


# -- second array ----------------------------------------------------------------------------------


def test_a_channel_without_weight_cannot_be_seen():
    values = block(at=(0, 0, 0), size=2)
    block(at=(4, 6, 6), size=2, into=values)
    weights = np.ones(10)
    weights[:2] = 0
    transfer = TransferFunction(opacity=FLAT, **BLACK)
    scene = plain_scene(values, weights=weights, drive="importance", transfer=transfer)
    shot = shoot(scene)
    assert shot.colour(0.5, 0.5, 0).tolist() == [255, 255, 255]
    assert shot.colour(6.5, 6.5, 0).mean() < 60
    scene["conv"].drive = "none"
    assert shoot(scene).colour(0.5, 0.5, 0).mean() < 60


def test_groups_that_are_not_chosen_stay_as_context():
    values = block(at=(0, 0, 0), size=2)
    block(at=(4, 6, 6), size=2, into=values)
    scene = plain_scene(
        values,
        groups=[0] * 3 + [1] * 7,
        drive="group",
        shown_groups=(1,),
        context=0.0,
        transfer=TransferFunction(opacity=FLAT, **BLACK),
    )
    first, second = ((0.5, 0.5, 0), (6.5, 6.5, 0))
    shot = shoot(scene)
    assert shot.colour(*first).tolist() == [255, 255, 255]
    assert shot.colour(*second).mean() < 60
    scene["conv"].context = 0.2
    assert 60 < shoot(scene).colour(*first).mean() < 250
    scene["conv"].shown_groups = (0,)
    assert shoot(scene).colour(*first).mean() < 60


# -- several volumes -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(("view", "seen"), [("front", 0), ("back", 1)])
@pytest.mark.parametrize("gap", [0.0, 10.0])
def test_the_nearer_stack_hides_the_other_whichever_was_added_first(order, view, seen, gap):
    transfers = [TransferFunction(colour_map=name, opacity=FLAT, span=(0, 1)) for name in ("Reds", "Blues")]
    scene = Scene(camera={"view": view, "parallel": True})
    for index in order:
        scene.add_volume(
            Volume(np.ones((6, 8, 8), np.float32)),
            name=str(index),
            transfer=transfers[index],
            origin=(0, 0, index * (6 + gap)),
            density=20,
            axes=False,
            legend=False,
        )
    expected = np.round(255 * transfers[seen].colours([1.0])[0])
    np.testing.assert_allclose(shoot(scene).colour(4, 4, 0), expected, atol=8)


# -- odd data --------------------------------------------------------------------------------------


def test_missing_voxels_are_magenta_points():
    values = np.full((6, 6, 6), 0.5)
    values[2, 3, 4] = np.nan
    values[3, 1, 1] = np.inf
    scene = plain_scene(values, transfer=TransferFunction(opacity=((0, 0), (1, 0)), span=(0, 1)))
    shot = shoot(scene)
    for column, row, channel in ((4, 3, 2), (1, 1, 3)):
        assert np.abs(shot.colour(column, row, channel) - [255, 0, 255]).max() < 40
    assert shot.stack_ink(scene["conv"]).sum() < 60


ODD = {
    "nothing but NaN": np.full((5, 5, 5), np.nan),
    "constant": np.full((5, 5, 5), 3.0),
    "constant zero": np.zeros((5, 5, 5)),
    "constant and huge": np.full((5, 5, 5), 1e30),
    "one channel": np.arange(25.0).reshape(1, 5, 5),
    "one pixel a channel": np.arange(5.0).reshape(5, 1, 1),
    "one row": np.arange(25.0).reshape(5, 1, 5),
    "one voxel": np.ones((1, 1, 1)),
    "subnormal": np.arange(125.0).reshape(5, 5, 5) * 1e-41,
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("mode", ["raycast", "mip", "slices"])
def test_no_data_give_a_blank_picture(name, mode):
    scene = plain_scene(ODD[name], mode=mode, view="three_quarter")
    shot = shoot(scene, (160, 160))
    assert shot.stack_ink(scene["conv"]).sum() > 40


@pytest.mark.parametrize("name", ["one channel", "one pixel a channel", "one row", "one voxel"])
@pytest.mark.parametrize("interpolation", ["nearest", "linear"])
def test_thin_stacks_fill_their_outline(name, interpolation):
    transfer = TransferFunction(opacity=((0, 1), (1, 1)))
    scene = plain_scene(ODD[name], transfer=transfer, density=20, interpolation=interpolation)
    shot = shoot(scene)
    item = scene["conv"]
    ink = shot.stack_ink(item)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    height, width = item.data.shape[1:]
    # Blended voxels end at their middles, unless one stands alone on an axis.
    low_x, low_y = (-0.5 if interpolation == "nearest" or side == 1 else 0 for side in (width, height))
    top, left = shot.at(low_x, low_y, 0)
    bottom, right = shot.at(width - 1 - low_x, height - 1 - low_y, 0)
    np.testing.assert_allclose([rows[0], rows[-1], columns[0], columns[-1]], [top, bottom, left, right], atol=2)


def test_longer_stacks_than_a_texture_are_thinned_and_say_so():
    values = np.zeros((2100, 2, 2), np.float32)
    values[1000:] = 1
    scene = plain_scene(values, view="side", spacing=(300, 300, 1), transfer=TransferFunction(opacity=FLAT, **BLACK))
    shot = shoot(scene)
    assert shot.colour(150, 150, 500).tolist() == [255, 255, 255]
    assert shot.colour(150, 150, 1500).mean() < 100
    artist = VolumeArtist(scene["conv"], None)
    assert artist.notes() == ["drawn every 2 x 1 x 1 (channel x row x column)"]
    scene["conv"].mode = "slices"
    assert not any("drawn every" in note for note in artist.notes())


def test_slices_of_long_stacks_show_the_plane_asked_for():
    values = np.zeros((2100, 3, 3))
    values[2000] = 1.0
    transfer = TransferFunction(span=(0, 1))
    colours = {
        plane: shoot(plain_scene(values, mode="slices", slices={"channel": plane}, transfer=transfer)).colour(1, 1, 0)
        for plane in (1999, 2000, 2001)
    }
    for plane, value in {1999: 0.0, 2000: 1.0, 2001: 0.0}.items():
        np.testing.assert_allclose(colours[plane], 255 * transfer.colours([value])[0], atol=1)
