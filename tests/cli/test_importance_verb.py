"""`cnnvis importance`: scores as files, pictures and a summary."""

import numpy as np
import pytest
from PIL import Image

from cnnvis.cli import main
from cnnvis.io import load

NET = """
import torch
from torch import nn
from cnnvis.models import ImageSpec, Network

def net():
    torch.manual_seed(0)
    convolutions = nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 8, 3), nn.ReLU()
    module = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(128, 3))
    spec = ImageSpec((8, 8), colour="L")
    return Network(module, image=spec, class_names=("cat", "dog", "owl"), default_layers=("0",))
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """The options that name a small network and three classes of four noisy pictures."""
    folder = tmp_path_factory.mktemp("importance")
    (folder / "net.py").write_text(NET)
    rng = np.random.default_rng(0)
    for name in ("cat", "dog", "owl"):
        (folder / "data" / name).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(rng.integers(0, 256, (8, 8), dtype=np.uint8)).save(folder / "data" / name / f"{number}.png")
    return ["--model", f"{folder}/net.py:net", "--data", f"{folder}/data"]


def test_every_method_leaves_its_scores_and_the_pictures_compare_them(given, tmp_path, capsys):
    methods = ["--method", "gradient", "--method", "weight", "--layer", "0", "--layer", "2"]
    assert main(["importance", *given, *methods, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    names = ["agreement.png", "bars_0.png", "bars_2.png", "classes_gradient_0.png", "classes_gradient_2.png",
             "gradient.csv", "gradient.safetensors", "grid.png", "weight.csv", "weight.safetensors"]  # fmt: skip
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    table, tensors = load(tmp_path / "gradient.csv"), load(tmp_path / "gradient.safetensors")
    assert list(table) == ["0", "2"]
    assert table.class_names == ("cat", "dog", "owl")
    for layer in table:
        np.testing.assert_array_equal(table[layer], tensors[layer])
        np.testing.assert_array_equal(table.per_class[layer], tensors.per_class[layer])
    best = int(np.argmax(table["2"]))
    lines = shown.out.splitlines()
    first = next(line for line in lines if line.startswith("  2 "))
    assert first.split()[:3] == ["2", str(best), f"({table['2'][best]:.3g})"]
    assert any(line.endswith("weight, gradient") for line in lines)
    assert all(f"  {tmp_path / name}" in lines for name in names)
    assert "importance by gradient: 6 of 6 (image)" in shown.err  # half of the pictures: the others are for testing


def test_a_class_is_shown_and_named(given, tmp_path, capsys):
    assert main(["importance", *given, "--method", "taylor", "--class", "Owl", "--out", str(tmp_path), "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert not list(tmp_path.glob("classes_*"))
    assert main(["importance", *given, "--method", "taylor", "--class", "2", "--out", str(tmp_path)]) == 0
    found = load(tmp_path / "taylor.csv")
    best = int(np.argmax(found.per_class["0"][:, 2]))
    out = capsys.readouterr().out
    assert "taylor, most important first, class owl" in out
    assert f"  0  {best} (" in out


@pytest.mark.parametrize("wanted", ["owl", "2"])
def test_batchnorm_trains_one_class_and_says_what_came_of_it(given, wanted, tmp_path, capsys):
    arguments = ["--method", "batchnorm", "--steps", "2", "--class", wanted, "--out", str(tmp_path)]
    assert main(["importance", *given, *arguments]) == 0
    out = capsys.readouterr().out
    assert "batchnorm, most important first, class owl" in out
    found = load(tmp_path / "batchnorm.safetensors")
    assert (found.class_names, found.classes) == (("owl",), (2,))
    report = found.options["report"]
    (before,), (after,) = report["balanced_accuracy"]["before"], report["balanced_accuracy"]["after"]
    assert f"  balanced accuracy by class: {before:.1%} -> {after:.1%}" in out.splitlines()
    gone = {layer: scales["share_near_zero"] for layer, scales in report["gamma"].items()}
    assert f"  scales below 0.02: 0 {gone['0']:.0%}" in out.splitlines()


def test_batchnorm_takes_its_steps_and_one_class(given, tmp_path, capsys):
    options = ["--method", "batchnorm", "--steps", "3", "--class", "dog", "--out", str(tmp_path)]
    assert main(["importance", *given, *options]) == 0
    found = load(tmp_path / "batchnorm.csv")
    assert found.class_names == ("dog",)
    assert found.options["steps"] == 3
    assert (tmp_path / "batchnorm_state.safetensors").is_file()
    assert "3 of 3 (step)" in capsys.readouterr().err


def test_weights_need_no_data(given, tmp_path, capsys):
    assert main(["importance", *given[:2], "--method", "weight", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    assert list(load(tmp_path / "weight.csv")) == ["0"]  # the network's own choice of layers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--class", "dgo"], "no class 'dgo'. Did you mean: dog?"),
        (["--method", "weight", "--class", "dog"], "Importance by 'weight' has no classes"),
        (["--method", "wieght"], "Did you mean: weight"),
        (["--layer", "7"], "'7'"),
        (["--data", "mnist"], "takes inputs of shape (1, 8, 8), the images of mnist have (1, 28, 28)"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(given, options, message, tmp_path, capsys):
    arguments = [*given, *(["--method", "gradient"] if "--method" not in options else []), *options]
    if "--data" in options:
        arguments = [*given[:2], "--method", "gradient", *options]
    assert main(["importance", *arguments, "--out", str(tmp_path / "out"), "-q"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert not (tmp_path / "out").exists()


def test_no_steps_is_wrong_usage(given, capsys):
    assert main(["importance", *given, "--steps", "0"]) == 2
    assert "steps" in capsys.readouterr().err
