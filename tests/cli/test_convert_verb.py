"""`cnnvis convert`: what goes in, what comes out, what is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
from network_samples import assert_same, sagging_network

from cnnvis.cli import main
from cnnvis.core import FeatureMaps, Ordering, Recording, Volume
from cnnvis.io import load, save

VALUES = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
"""Two images of one layer."""


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder with one file of each kind, where the commands run."""
    monkeypatch.chdir(tmp_path)
    save(VALUES[0], "image.npy")
    save(VALUES, "images.npy")
    save(Volume(VALUES[0], layer="conv"), "one.vti")
    save({"a": VALUES[0], "b": VALUES[1]}, "two.vtm")
    conv, fc = FeatureMaps(VALUES, "conv"), FeatureMaps(np.zeros((2, 10)), "fc")
    save(Recording({"conv": conv, "fc": fc}), "rec.safetensors")
    save({"pca": Ordering([1, 0], "pca"), "leaf": Ordering([0, 1], "leaf")}, "orders.csv")
    save(sagging_network(), "net.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("image.npy out.vti", 0),
        ("images.npy out.vti --index 1", 1),
        ("one.vti out.npy", 0),
        ("two.vtm out.vti --layer b", 1),
        ("rec.safetensors out.vti --layer conv", 0),
        ("rec.safetensors out.vti --layer conv --index -1", 1),
    ],
)
def test_one_volume(line, image, sources, capsys):
    assert main(["convert", *line.split()]) == 0
    target = line.split()[1]
    got = load(target)
    np.testing.assert_array_equal(getattr(got, "values", got), VALUES[image])
    assert capsys.readouterr().out == f"{target}\n"


def test_bytes_and_back(sources):
    assert main(["convert", "one.vti", "x.hd", "--quiet"]) == 0
    assert main(["convert", "x.vox", "y.vti"]) == 0
    np.testing.assert_allclose(load("y.vti").values, VALUES[0], atol=1 / 500)


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("rec.safetensors out.vtm", ["conv"]),
        ("rec.safetensors out.pvd --layer conv", [0, 1]),
        ("images.npy out.pvd", [0, 1]),
        ("two.vtm out.pvd", ["a", "b"]),
        ("two.vtm out.vtm --layer a", ["a"]),
        ("orders.csv out.csv --layer leaf", ["leaf"]),
        ("net.safetensors out.vtm", ["lines", "units"]),
    ],
)
def test_sets_keep_their_names(line, names, sources):
    assert main(["convert", *line.split()]) == 0
    assert list(load(line.split()[1])) == names


def test_lines_or_units_of_a_network(sources):
    assert main(["convert", "net.safetensors", "lines.vtp", "--layer", "lines"]) == 0
    assert_same(load("lines.vtp"), sagging_network().lines)
    assert main(["convert", "net.safetensors", "units.vtp", "--layer", "units"]) == 0
    assert_same(load("units.vtp"), sagging_network().points)
    assert main(["convert", "net.safetensors", "copy.safetensors"]) == 0
    assert_same(load("copy.safetensors"), sagging_network())
    assert main(["convert", "net.safetensors", "scene.json"]) == 0
    assert_same(load("scene.json")["bundle"].data, sagging_network().lines)


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("two.vtm out.vti", 1, "choose one with --layer: a, b"),
        ("two.vtm out.vti --layer c", 1, "no 'c'"),
        ("rec.safetensors out.vti --layer fc", 1, "a volume needs maps"),
        ("images.npy out.vti --index 2", 1, "holds 2 images, got image 2"),
        ("net.safetensors out.vtp", 1, "choose one with --layer: lines, units"),
        ("none.vti out.npy", 1, "no file none.vti"),
        ("one.vti out.xyz", 1, "No format has the suffix '.xyz'"),
        ("one.vti image.npy/out.npy", 1, "cannot be used"),
        ("one.vti", 2, "--help"),
    ],
)
def test_what_is_refused_says_why_in_one_line(line, code, message, sources, capsys):
    before = sorted(sources.iterdir())
    assert main(["convert", *line.split()]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(sources.iterdir()) == before


def test_the_help_needs_no_vtk():
    import subprocess

    code = (
        "import sys; from cnnvis.cli import main; main(['convert', '--help']); "
        "sys.exit(any(name in sys.modules for name in ('vtkmodules', 'numpy', 'torch')))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=Path.cwd(), check=False).returncode == 0
    )
