"""A volume can be put into any order from any other."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from object_samples import assert_same_volume, volumes

from cnnvis.core import Ordering, Volume
from cnnvis.core.axes import from_points, image_dimensions, stack_spacing, to_points
from cnnvis.core.errors import InvalidInputError


@given(volumes(), st.data())
def test_reordering_shows_the_channels_of_the_order_whatever_was_shown_before(volume, data):
    n = volume.shape[0]
    permutation = np.array(data.draw(st.permutations(range(n))))
    groups = np.array(data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)))
    shown = volume.reordered(Ordering(permutation, "new", groups=groups))
    assert shown.method == "new"
    np.testing.assert_array_equal(shown.channels, permutation)
    np.testing.assert_array_equal(shown.groups, groups[permutation])
    for position, channel in enumerate(permutation):
        before = int(np.flatnonzero(volume.channels == channel)[0])
        np.testing.assert_array_equal(shown.values[position], volume.values[before])
        if volume.weights is not None:
            assert shown.weights[position] == volume.weights[before]


@given(volumes(), volumes())
def test_in_order_of_another_volume(volume, other):
    if volume.shape[0] != other.shape[0]:
        with pytest.raises(InvalidInputError, match="channels"):
            volume.in_order_of(other)
        return
    shown = volume.in_order_of(other)
    np.testing.assert_array_equal(shown.channels, other.channels)
    assert shown.method == other.method
    if other.groups is None:
        assert shown.groups is None
    else:
        np.testing.assert_array_equal(shown.groups, other.groups)
    back = shown.reordered(Ordering(volume.channels, volume.method, groups=_by_channel(volume)))
    assert_same_volume(back, volume)


def _by_channel(volume):
    return None if volume.groups is None else volume.groups[volume.inverse]


def test_some_channels_of_a_layer_have_no_order_of_the_whole():
    some = Volume(np.zeros((2, 3, 3)), layer="conv", channels=[4, 9])
    with pytest.raises(InvalidInputError, match=r"'conv'.*not a permutation"):
        some.reordered(Ordering([0, 1], "x"))
    with pytest.raises(InvalidInputError, match="order has 3 channels, layer 'conv' 2"):
        some.reordered(Ordering([0, 1, 2], "x"))


@pytest.mark.parametrize(
    ("shape", "depth"),
    [
        ((112, 112, 112), 112),  # a cube
        ((32, 112, 112), 112),  # never flatter than a cube
        ((512, 7, 7), 28),  # never longer than four sides
        ((96, 24, 24), 48),  # four times the channels: twice the depth
        ((16, 4, 8), 8 * np.sqrt(2)),  # the larger side counts
    ],
)
def test_depth_of_a_stack(shape, depth):
    x, y, z = stack_spacing(shape)
    assert (x, y) == (1, 1)
    assert z * (shape[0] - 1) == pytest.approx(depth)


@given(st.tuples(*[st.integers(1, 3000)] * 3))
def test_spacing_is_always_usable(shape):
    spacing = stack_spacing(shape)
    assert all(np.isfinite(spacing))
    assert min(spacing) > 0


def test_a_stack_is_its_own_point_data():
    stack = np.arange(24.0).reshape(2, 3, 4)
    points = to_points(stack)
    assert np.shares_memory(points, stack)
    assert image_dimensions(stack.shape) == (4, 3, 2)
    assert points[1] == stack[0, 0, 1]  # x, the column, runs fastest
    back = from_points(points, (4, 3, 2))
    assert np.shares_memory(back, stack)
    np.testing.assert_array_equal(back, stack)
