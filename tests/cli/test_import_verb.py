"""`cnnvis import`: what it writes every other command opens, and what it leaves out it says."""

import json

import numpy as np
import pytest
import torch
from tensorflow_writer import write_checkpoint
from unity_writer import SMALL, write_first_version, write_run

from cnnvis.cli import main
from cnnvis.io import load as load_result
from cnnvis.models import load

FACTORY = """
import torch
from torch import nn
from cnnvis.models import ImageSpec, Network

def build():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    return Network(net, image=ImageSpec((4, 4), colour="L"), class_names=("a", "b", "c"))
"""
NAMES = {"conv/kernel": "0.weight", "conv/bias": "0.bias", "fc/kernel": "3.weight", "fc/bias": "3.bias"}


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A folder with one source of each kind, where the commands run."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    shapes = {"conv/kernel": (3, 3, 1, 2), "conv/bias": (2,), "fc/kernel": (8, 3), "fc/bias": (3,)}
    for epoch in (0, 5):
        tensors = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        write_checkpoint(tmp_path / "run" / f"model-{epoch}", tensors | {"global_step": np.int64(epoch)})
    (tmp_path / "net.py").write_text(FACTORY)
    (tmp_path / "map.json").write_text(json.dumps(NAMES))
    write_run(tmp_path / "unity", SMALL, side=8)
    write_first_version(tmp_path / "5")
    parts = np.empty(2, object)
    parts[0], parts[1] = [np.full((2, 3), 0.5), list(np.eye(3))], [np.full((2, 3), 0.25)]
    np.savez(tmp_path / "net.imp.npz", parts)
    return tmp_path


def test_a_checkpoint_becomes_a_program_that_load_opens(sources, capsys):
    line = "import run --structure net.py:build --names map.json --epoch 0 --out out/net.pt2"
    assert main(line.split()) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        "net.py:build, 47 parameters, weights model-0 of 0, 5.",
        "Left out: 1 kept by the optimizer: global_step.",
        "out/net.pt2",
    ]
    network = load("out/net.pt2")
    assert (network.class_names, network.weights) == (("a", "b", "c"), "model-0")
    assert network.image.size == (4, 4)
    from cnnvis.models import import_network

    same = import_network("run", structure="net.py:build", names="map.json", epoch=0).network
    x = torch.rand(3, 1, 4, 4)
    torch.testing.assert_close(network.module(x), same.module(x))
    assert main(["info", "out/net.pt2"]) == 0


@pytest.mark.parametrize("source", ["unity", "unity/model_structure.json", "5", "5/epoch1.json"])
def test_a_folder_of_the_unity_visualizer(source, sources, capsys):
    assert main(["import", source, "--out", "net.pt2"]) == 0
    assert "Left out: Biases and batch norms are not in the visualizer's files" in capsys.readouterr().out
    network, direct = load("net.pt2"), load(source)
    x = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(network.module(x), direct.module(x))
    assert network.weights == "epoch 1"


def test_stored_activations_become_a_recording(sources, capsys):
    assert main(["import", "unity", "--epoch", "0", "--out", "rec.safetensors"]) == 0
    assert capsys.readouterr().out == "rec.safetensors\n"
    recording = load_result("rec.safetensors")
    assert recording["conv0_relu"].activations.shape == (3, 2, 8, 8)
    assert main(["convert", "rec.safetensors", "maps.vti", "--layer", "maxpool0", "--quiet"]) == 0


@pytest.mark.parametrize("target", ["net.safetensors", "net.vtm", "scene.json"])
def test_a_network_of_nn_vis(target, sources, capsys):
    assert main(["import", "net.imp.npz", "--out", target]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert load_result(target) is not None


def test_without_structure_it_lists_what_there_is(sources, capsys):
    assert main(["import", "run"]) == 1
    printed = capsys.readouterr()
    assert "  conv/kernel  3x3x1x2" in printed.out.splitlines()
    assert "--structure file.py:factory --names MAP.json" in printed.err
    assert printed.err.count("\n") == 1
    assert main(["import", "run", "--structure", "net.py:build"]) == 1
    assert "  3.weight  3x8" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("none", 1, "no format that can be imported"),
        ("run --structure net.py:build --names none.json", 1, "no map of names none.json"),
        ("run --structure net.py:build --names map.json --epoch 3", 1, "no epoch 3. It has 0, 5"),
        ("unity --epoch 3", 1, "no epoch 3. It has 0, 1"),
        ("unity --names map.json", 1, "leave --structure and --names out"),
        ("unity --out net.txt", 1, "written as a .pt2 file"),
        ("net.imp.npz --out net.txt", 1, "No format has the suffix '.txt'"),
        ("none.npz --out net.vtm", 1, "no file none.npz"),
        ("run --epoch x", 2, "--epoch"),
        ("unity --out map.json/net.pt2", 1, "cannot be used"),
    ],
)
def test_what_is_refused_says_why_and_writes_nothing(line, code, message, sources, capsys):
    before = sorted(sources.rglob("*"))
    assert main(["import", *line.split()]) == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert sorted(sources.rglob("*")) == before
