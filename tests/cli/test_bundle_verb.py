"""`cnnvis bundle` and the pipelines that run it: options, errors, what is left."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import cnnvis
from cnnvis.cli import main, run
from cnnvis.cli._drawing import DEFAULTS, DrawingFlags
from cnnvis.cli.bundle import parse_layers
from cnnvis.studies import DrawingOptions, NetworkLook, NetworkSettings

PIPELINES = Path(__file__).parents[2] / "pipelines"

OF_NN_VIS = ("layer-distance", "layer-width", "sampling-rate", "prune-percentage", "node-bandwidth-reduction")
OF_NN_VIS += ("edge-bandwidth-reduction", "edge-importance-type", "smoothing-iterations")


def test_flags_have_the_defaults_of_the_study():
    assert DEFAULTS.chosen() == NetworkSettings(DrawingOptions(), NetworkLook())


def test_defaults_in_the_help_are_those_of_the_study():
    options = DrawingOptions().as_parameters()
    hints = get_type_hints(DrawingFlags, include_extras=True)
    shown = {name: get_args(hint)[-1].show_default for name, hint in hints.items() if get_args(hint)[1:]}
    unset = [name for name, value in vars(DEFAULTS).items() if value is None]
    assert len(unset) == 9
    for name in set(unset) - {"layer_distance", "iterations"}:  # these are explained in words
        default = options[name]
        assert shown[name] == (default if isinstance(default, str) else f"{default:g}"), name


def test_every_flag_reaches_the_options():
    flags = DrawingFlags(
        top_k=7,
        prune_percentage=0.25,
        per_gap=True,
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
    found = flags.chosen(random_state=5).options.as_parameters()
    assert found.pop("max_iterations") == 3
    assert found.pop("random_state") == 5
    assert found.pop("fold") == ["features.*"]
    elsewhere = ("iterations", "fold", "settings")
    assert found == {name: value for name, value in vars(flags).items() if name not in elsewhere}


def test_flags_come_before_files_of_settings_also_where_they_say_the_default(tmp_path):
    path = tmp_path / "processing.json"
    path.write_text('{"layer_width": 0.5, "sampling_rate": 10, "smoothing": false, "edge_importance_type": 3}')
    options = DrawingFlags(settings=(path,), layer_width=1.0, hubs=6).chosen(random_state=2).options
    assert (options.layer_width, options.bundling.hubs, options.bundling.random_state) == (1.0, 6, 2)
    bundling = options.bundling
    assert (bundling.sampling_rate, bundling.smoothing_iterations, bundling.edge_importance_type) == (10, 0, "end")


def test_a_file_of_settings_reaches_the_picture(tmp_path):
    """Without lines, only units and names are left to draw."""
    path, out = tmp_path / "rendering.json", tmp_path / "out"
    path.write_text('{"edge_render_mode": 0, "node_object_radius": 0.03}')
    quick = ["--iterations", "1", "--frames", "0", "--size", "320x200", "--out", str(out), "-q"]
    assert main(["bundle", "--random", "5,4,3", "--settings", str(path), *quick]) == 0
    scene = cnnvis.load(out / "scene.json")
    assert not scene["bundle"].visible
    assert scene["units"].size == 0.03


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
        (["--settings", "gone.json"], 1, "gone.json"),
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
