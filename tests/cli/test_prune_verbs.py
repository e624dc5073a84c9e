"""`cnnvis prune` and `cnnvis prune-curve`."""

import json

import numpy as np
import pytest
from PIL import Image

from cnnvis.cli import main
from cnnvis.io import load
from cnnvis.models import load as load_network
from cnnvis.models.folders import labelled_parts
from cnnvis.pruning import prune_curve

NET = """
import torch
from torch import nn
from cnnvis.models import ImageSpec, Network

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2))

def make():
    torch.manual_seed(0)
    return Network(Net(), name="net", image=ImageSpec((16, 16)), class_names=("dark", "light"))
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a network and pictures of two classes."""
    (tmp_path / "net.py").write_text(NET)
    generator = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 128)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(4):
            values = generator.integers(low, low + 128, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / "pictures" / name / f"{index}.png")
    return tmp_path


def options(folder, out):
    return ["--model", f"{folder}/net.py:make", "--data", str(folder / "pictures"), "--out", str(folder / out)]


def test_prune_writes_a_network_and_says_what_it_costs(folder, capsys):
    assert main(["prune", *options(folder, "out"), "--method", "weight", "--keep", "0.5"]) == 0
    out = capsys.readouterr().out
    assert "net by weight: 50% of the units kept (global)." in out
    assert "On 4 images that importance was not scored on" in out
    names = ("whole", "units off", "smaller", "file")
    rows = {name: line.split()[-4:] for line in out.splitlines() for name in names if line.startswith(name)}
    assert rows["units off"] == [*rows["smaller"][:2], *rows["whole"][2:]]
    assert rows["file"] == rows["smaller"]
    assert (rows["whole"][2], rows["smaller"][2]) == ("242", "122")
    assert "Removed: 0 4." in out
    network = load_network(folder / "out" / "network.pt2")
    assert (network.name, network.class_names, network.n_parameters) == ("net pruned", ("dark", "light"), 122)
    assert json.loads((folder / "out" / "description.json").read_text())["options"]["keep"] == 0.5
    assert main(["info", str(folder / "out" / "network.pt2")]) == 0


def test_prune_curve_writes_a_table_and_charts(folder, capsys):
    arguments = ["--method", "weight", "--method", "activation", "--points", "3", "--random", "2", "--kind", "links"]
    assert main(["prune-curve", *options(folder, "curve"), *arguments]) == 0
    out = capsys.readouterr().out
    assert "40 links (global)" in out
    curves = load(folder / "curve" / "curves.csv")
    assert set(curves) == {"weight", "activation", "weight reversed", "activation reversed", "random"}
    assert len(curves["random"]) == 2
    assert curves["weight"].shares.tolist() == [0, 0.5, 1]
    assert curves["weight"].options["images"] == 4
    for name in ("accuracy.png", "loss.png"):
        with Image.open(folder / "curve" / name) as picture:
            assert picture.width > 400


def test_weight_of_links_is_the_weight_itself(folder):
    arguments = ["--method", "weight", "--points", "9", "--random", "0", "--kind", "links", "--quiet"]
    assert main(["prune-curve", *options(folder, "curve"), *arguments]) == 0
    network = load_network(f"{folder}/net.py:make")
    testing = labelled_parts(network, folder / "pictures")[1]
    data = testing.images, testing.labels
    expected = prune_curve(network, data, "weight", kind="links", shares=np.linspace(0, 1, 9))
    found = load(folder / "curve" / "curves.csv")["weight"]
    np.testing.assert_allclose(found.loss, expected.loss)


def test_quiet_says_nothing(folder, capsys):
    assert main(["prune", *options(folder, "out"), "--method", "activation", "--quiet"]) == 0
    assert main(["prune-curve", *options(folder, "curve"), "--method", "activation", "--points", "2", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["prune", "--keep", "0"], 2, "keep"),
        (["prune", "--keep", "1.5"], 2, "keep"),
        (["prune", "--method", "tailor"], 1, "Unknown importance method 'tailor'"),
        (["prune", "--layer", "conv"], 1, "No units to prune in 'conv'"),
        (["prune-curve", "--kind", "weights"], 2, "kind"),
        (["prune-curve", "--points", "1"], 2, "points"),
        (["prune-curve", "--kind", "links", "--include-inputs"], 1, "Inputs and outputs are units"),
    ],
)
def test_wrong_usage_is_one_line(folder, capsys, arguments, code, message):
    verb, *rest = arguments
    method = [] if "--method" in rest else ["--method", "weight"]
    assert main([verb, *options(folder, "out"), *rest, *method]) == code
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert message in error
    assert not (folder / "out").exists()


def test_a_network_without_a_shipped_data_set_asks_for_a_folder(folder, capsys):
    assert main(["prune", "--model", f"{folder}/net.py:make", "--method", "weight"]) == 1
    assert "name a folder of labelled images" in capsys.readouterr().err


@pytest.mark.slow  # 2,000 training steps
def test_batchnorm_scores_inputs_and_classes_too(folder):
    ends = ["--include-inputs", "--include-outputs"]
    arguments = ["--method", "batchnorm", "--points", "3", "--random", "1", "--quiet"]
    assert main(["prune-curve", *options(folder, "ends"), *arguments, *ends]) == 0
    assert load(folder / "ends" / "curves.csv")["batchnorm"].n_total == 3 + 8 + 2
