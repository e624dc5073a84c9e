"""`cnnvis bundle` and the pipelines that run it: options, errors, what is left."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from cnnvis.cli import main, run
from cnnvis.cli._drawing import DEFAULTS, DrawingFlags
from cnnvis.cli.bundle import parse_layers
from cnnvis.studies.bundle_results import DrawingOptions

PIPELINES = Path(__file__).parents[2] / "pipelines"

OF_NN_VIS = ("layer-distance", "layer-width", "sampling-rate", "prune-percentage", "node-bandwidth-reduction")
OF_NN_VIS += ("edge-bandwidth-reduction", "edge-importance-type", "smoothing-iterations")


def test_flags_have_the_defaults_of_the_study():
    assert DEFAULTS.options() == DrawingOptions()


def test_every_flag_reaches_the_options():
    flags = DrawingFlags(
        top_k=7,
        prune_percentage=0.25,
        fold=("features.*",),
        arrangement="circle",
        layer_distance=0.3,
        layer_width=0.7,
        move_units=True,
        node_bandwidth_reduction=0.8,
        bandwidth=0.4,
        edge_bandwidth_reduction=0.6,
        sampling_rate=9,
        iterations=3,
        smoothing_iterations=2,
        edge_importance_type="start",
        class_separation=0.5,
        hubs=2,
        tolerance=0.01,
        mode="noise",
    )
    found = flags.options(random_state=5).as_parameters()
    assert found.pop("max_iterations") == 3
    assert found.pop("random_state") == 5
    assert found.pop("fold") == ["features.*"]
    assert found == {name: value for name, value in vars(flags).items() if name not in ("iterations", "fold")}


def test_help_has_the_parameters_of_nn_vis_with_their_ranges(capsys):
    assert main(["bundle", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for name in OF_NN_VIS:
        assert f"--{name}" in shown, name
    assert "2 to 200" in shown
    assert "Default 0.5" in shown or "default: 0.5" in shown


@pytest.mark.parametrize("text", ["", "5", "5,", "5,0", "5,-1", "a,b", "5;4", "5,1.5"])
def test_wrong_layers_are_refused(text):
    with pytest.raises(ValueError, match="100,40,20,10"):
        parse_layers(text)


def test_layers_as_people_write_them():
    assert parse_layers(" 784,81,49,10 ") == (784, 81, 49, 10)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--class-separation", "2"], 2, "class-separation"),
        (["--layer-width", "0"], 2, "layer-width"),
        (["--random", "5"], 2, "100,40,20,10"),
        (["--random", "5,4", "--model", "mnist-mlp"], 1, "--model"),
        (["--importance", "gradeint"], 1, "gradient"),
        (["--class", "eleven"], 1, "eleven"),
    ],
)
def test_wrong_options_are_one_line_and_leave_nothing(arguments, code, said, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["bundle", *arguments, "--quiet", "--out", str(out)]) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not list(tmp_path.glob("out/*"))


def test_the_pipeline_of_random_networks_takes_layers(tmp_path, capsys):
    random_network = runpy.run_path(str(PIPELINES / "random_network.py"))["random_network"]
    quick = ["--iterations", "1", "--frames", "0", "--size", "320x200", "--out", str(tmp_path)]
    assert run(random_network, ["--layers", "5,4,3", *quick]) == 0
    assert "random network 5-4-3: edges 32 of 32" in capsys.readouterr().out
    assert (tmp_path / "index.html").is_file()
    assert run(random_network, ["--layers", "5", *quick]) == 2
