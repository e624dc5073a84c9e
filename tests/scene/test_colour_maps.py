"""Colour maps are checked where they are named."""

import pytest

from cnnvis.scene import TransferFunction


def test_colour_maps_are_checked_where_they_are_named():
    with pytest.raises(ValueError, match="viridis"):
        TransferFunction(colour_map="virids")
