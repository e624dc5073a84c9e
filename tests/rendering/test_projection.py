"""Maximum projection finds the peaks of a ray, not only its largest sample."""

import numpy as np
import pytest
from shots import plain_scene, shoot

from cnnvis.rendering import volume_cast
from cnnvis.scene import TransferFunction

BLACK = TransferFunction(colour_map="gray_r", span=(0, 1))  # values of 1 are black


def darkness(values, **state):
    state = {"mode": "mip", "interpolation": "linear", "transfer": BLACK, "view": "three_quarter"} | state
    return 255 - shoot(plain_scene(values.astype(np.float32), **state)).pixels.astype(int)[..., 0]


@pytest.mark.parametrize("camera", [(20.0, 30.0), (33.0, 11.0), (-50.0, 47.0)])
def test_a_single_voxel_has_its_full_value(camera):
    values = np.zeros((9, 9, 9))
    values[4, 4, 4] = 1.0
    azimuth, elevation = camera
    scene = plain_scene(values.astype(np.float32), mode="mip", interpolation="linear", transfer=BLACK)
    scene.camera.update({"azimuth": azimuth, "elevation": elevation})
    assert shoot(scene).pixels.min() <= 30  # the nearest ray passes a part of a pixel beside its middle


def test_little_is_missed_between_samples(monkeypatch):
    values = np.random.default_rng(0).random((12, 16, 16)) * 0.9
    found = darkness(values)
    monkeypatch.setattr(volume_cast, "MIP_STEPS_PER_VOXEL", 30.0)
    best = darkness(values)
    inside = best > 10
    missed = (best - found)[inside]
    assert missed.mean() < 3.5  # 3 samples for each voxel, without going on to the peak, miss 6
    assert np.percentile(missed, 99) < 40


@pytest.mark.parametrize("view", ["front", "back"])
def test_the_first_channel_is_seen_in_full_from_both_sides(view):
    values = np.zeros((6, 12, 12))
    values[0] = 1.0
    assert darkness(values, view=view)[90:110, 110:130].min() >= 252


def test_the_end_of_a_clip_box_hides_what_is_beyond():
    values = np.zeros((6, 12, 12))
    values[0] = 1.0
    found = [darkness(values, view=view, clip_box={"channel": (2, 5)}) for view in ("front", "back")]
    assert max(each[90:110, 110:130].max() for each in found) == 0


def test_where_nothing_is_larger_the_ray_ends():
    """With a value above all others right in front nothing changes, whatever stands behind it."""
    values = np.random.default_rng(1).random((8, 10, 10)) * 0.5
    values[0] = 1.0
    other = values.copy()
    other[1:] = 1.0 - other[1:]
    np.testing.assert_array_equal(darkness(values, view="front"), darkness(other, view="front"))
