"""The maps of a network: parts that fit, numbering, shares."""

import numpy as np
import pytest

from cnnvis.core import LayerRole, NetworkMaps
from cnnvis.core.errors import InvalidInputError


def parts(**changes):
    values = (np.full((1, 2, 3), -2.0), np.array([[[1.0, np.nan]], [[4.0, np.inf]]]), np.zeros((3, 1, 1)))
    return {
        "layers": ("input", "conv", "fc"),
        "roles": ("input", "convolution", "dense"),
        "values": values,
        "depths": [0, 1, 2],
        "flow": [[0, 1], [1, 2]],
    } | changes


def test_values_are_shares_of_the_largest_of_their_layer():
    maps = NetworkMaps(**parts())
    np.testing.assert_array_equal(maps.limits, [2, 4, 0])
    first, second, third = maps.normalised()
    np.testing.assert_array_equal(first, np.full((1, 2, 3), -1))
    np.testing.assert_array_equal(second, [[[0.25, np.nan]], [[1, np.inf]]])
    assert not third.any(), "a layer of nothing but zeros stays that"
    np.testing.assert_array_equal(NetworkMaps(**parts(limits=[4, 4, 1])).normalised()[0], np.full((1, 2, 3), -0.5))


def test_maps_are_numbered_through():
    maps = NetworkMaps(**parts())
    assert maps.units.parts == (("input", 1), ("conv", 2), ("fc", 3))
    assert maps.roles[2] is LayerRole.DENSE
    assert not maps.values[0].flags.writeable


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"layers": ()}, "a layer at least"),
        ({"roles": ("input", "dense")}, "got 3 layers, 2 roles"),
        ({"values": (np.zeros((1, 2)), np.zeros((2, 1, 1)), np.zeros((3, 1, 1)))}, "maps of 'input'"),
        ({"values": (np.zeros((0, 2, 2)), np.zeros((2, 1, 1)), np.zeros((3, 1, 1)))}, "'input' has no values"),
        ({"depths": [0, 1]}, "depths"),
        ({"flow": [[0, 3]]}, "flow holds numbers from 0 to 2, got 0 to 3"),
        ({"link_ends": [[0, 6]], "link_weights": [1.0]}, "link_ends holds numbers from 0 to 5"),
        ({"link_ends": [[0, 1]], "link_weights": []}, "link_weights"),
        ({"link_ends": [[0, 1]], "link_weights": [np.nan]}, "link_weights"),
    ],
)
def test_parts_that_do_not_fit_are_named(changes, words):
    with pytest.raises(InvalidInputError, match=words):
        NetworkMaps(**parts(**changes))
