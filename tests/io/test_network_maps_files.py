"""The maps of a network come back from their file, and a damaged one is named."""

import numpy as np
import pytest
from io_samples import small_network_maps

import cnnvis
from cnnvis.core import NetworkMaps
from cnnvis.core.errors import FileFormatError
from cnnvis.io import load, save
from cnnvis.io.network_maps_safetensors import ARRAYS, PIXEL_ARRAYS, PIXEL_FACTS
from cnnvis.io.showing import scene_of
from cnnvis.scene import TilesItem


def test_the_maps_of_a_network_come_back(tmp_path):
    maps = small_network_maps()
    back = load(save(maps, tmp_path / "maps.safetensors"))
    assert isinstance(back, NetworkMaps)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(maps, name))
    for stack, other in zip(back.values, maps.values, strict=True):
        np.testing.assert_array_equal(stack, other)
    for name in ("layers", "roles", "caption", "quantity", "provenance"):
        assert getattr(back, name) == getattr(maps, name)


def test_links_between_pixels_come_back(tmp_path):
    network = cnnvis.models.load("fashion-cnn")
    maps = cnnvis.network_maps(network, n_entries=50)
    back = load(save(maps, tmp_path / "maps.safetensors"))
    assert len(back.pixel_links) == len(maps.pixel_links) == 7
    for one, other in zip(back.pixel_links, maps.pixel_links, strict=True):
        for name in (*PIXEL_ARRAYS, *PIXEL_FACTS):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_damaged_file_is_named(tmp_path):
    path = save(small_network_maps(), tmp_path / "maps.safetensors")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileFormatError, match=r"maps\.safetensors"):
        load(path)


def test_they_are_shown_as_tiles():
    (item,) = scene_of(small_network_maps())
    assert isinstance(item, TilesItem)
