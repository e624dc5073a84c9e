"""Mistakes with orders and maps end in a sentence."""

import numpy as np
import pytest

from cnnvis.core import FeatureMaps, Ordering
from cnnvis.core.errors import InvalidInputError

STACK = np.random.default_rng(0).normal(size=(6, 8, 8)).astype(np.float32)


def test_an_order_names_the_axis_it_needs():
    order = Ordering(np.arange(6)[::-1], "reverse")
    with pytest.raises(InvalidInputError, match=r"maps\.volume\(ordering\)"):
        order.apply(FeatureMaps(STACK[None], "a"))
    with pytest.raises(InvalidInputError, match="axis=1"):
        order.apply(STACK[None])
    np.testing.assert_array_equal(order.apply(STACK[None], axis=1), STACK[None, ::-1])


def test_swapped_arguments_are_told_in_one_line():
    with pytest.raises(InvalidInputError, match="the layer is a name, got ndarray"):
        FeatureMaps("a", STACK)
