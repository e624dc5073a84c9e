"""Handing arrays to VTK, and writing the files of the demo."""

import numpy as np
import pytest

from cnnvis.core import Volume
from cnnvis.geometry import from_pyvista, to_pyvista
from cnnvis.io import load, save

pytestmark = pytest.mark.bench


def relu_maps(shape):
    """Maps of float32 with about half zeros, as after a ReLU: they compress as real ones do."""
    return np.maximum(np.random.default_rng(0).standard_normal(shape, dtype=np.float32), 0)


def test_100_megabytes_to_pyvista(benchmark):
    volume = Volume(relu_maps((32, 884, 884)), layer="features.0", groups=np.zeros(32))
    assert volume.values.nbytes > 100e6
    grid = benchmark(to_pyvista, volume)
    assert np.shares_memory(grid.point_data["activation"], volume.values)
    assert benchmark.stats.stats.median < 0.010


def test_100_megabytes_from_pyvista(benchmark):
    grid = to_pyvista(Volume(relu_maps((32, 884, 884))))
    benchmark(from_pyvista, grid)


@pytest.mark.parametrize("channels", [32, 96])
def test_write_vti(benchmark, channels, tmp_path):
    volume = Volume(relu_maps((channels, 112, 112)), layer="features.0")
    benchmark(save, volume, tmp_path / "x.vti")
    assert benchmark.stats.stats.median < 0.3


def test_read_vti(benchmark, tmp_path):
    path = save(Volume(relu_maps((96, 112, 112))), tmp_path / "x.vti")
    benchmark(load, path)
