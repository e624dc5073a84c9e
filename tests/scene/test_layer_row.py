"""Several layers in one scene: equally large, in a row, never inside each other."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.layer_row import GAP, scene_of_layers

SHAPES = st.lists(st.tuples(*[st.integers(1, 6)] * 3), min_size=1, max_size=4)


def box(item):
    size = np.maximum(np.array(item.data.shape[::-1]) - 1, 1) * item.data.spacing
    return np.array(item.origin), np.array(item.origin) + size


def test_a_small_layer_is_scaled_to_the_large_one_and_stands_behind_it():
    large = Volume(np.zeros((3, 5, 9)), layer="a", spacing=(1, 1, 2))  # 8 x 4 x 4
    small = Volume(np.zeros((2, 3, 2)), layer="b", spacing=(1, 1, 5))  # 1 x 2 x 5, times 4
    scene = scene_of_layers([large, small], drive="none", shade=True)
    first, second = scene.items
    np.testing.assert_allclose(box(first), [[-4, -2, 0], [4, 2, 4]])
    front = 4 + GAP * 8
    np.testing.assert_allclose(box(second), [[-2, -4, front], [2, 4, front + 20]])
    assert (first.name, second.name, second.shade) == ("a", "b", True)


def test_one_layer_stays_as_it_is():
    volume = Volume(np.zeros((3, 5, 9)), layer="a", spacing=(0.5, 1, 2))
    (item,) = scene_of_layers([volume])
    assert (item.origin, item.data.spacing) == ((0, 0, 0), volume.spacing)


@given(SHAPES)
def test_no_two_layers_touch(shapes):
    boxes = [box(item) for item in scene_of_layers([Volume(np.zeros(shape)) for shape in shapes])]
    for (_, end), (start, _) in pairwise(boxes):
        assert start[2] > end[2]
    sides = [(end - start)[:2].max() for start, end in boxes]
    np.testing.assert_allclose(sides, sides[0])


def test_nothing_makes_no_scene():
    with pytest.raises(InvalidInputError, match="at least one volume"):
        scene_of_layers([])
