"""`cnnvis view`: what the window opens with, and what is said where it cannot."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cnnvis.cli import main

NETWORK = """
import torch
import cnnvis


def build():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 6, 3))
    return cnnvis.models.Network(net, image=cnnvis.models.ImageSpec((24, 24)))
"""


@pytest.fixture
def network(tmp_path, monkeypatch) -> str:
    """Write a factory and weights.safetensors beside it, all zero; settings are those of nobody."""
    monkeypatch.setenv("CNNVIS_SETTINGS", str(tmp_path / "settings"))
    (tmp_path / "net.py").write_text(NETWORK)
    shapes = {"0.weight": (4, 3, 3, 3), "0.bias": (4,), "2.weight": (6, 4, 3, 3), "2.bias": (6,)}
    save_file({name: torch.zeros(shape) for name, shape in shapes.items()}, tmp_path / "weights.safetensors")
    return f"{tmp_path / 'net.py'}:build"


@pytest.fixture
def seen(monkeypatch) -> list:
    """Replace `files.open_model` by one that opens the same, here and now, and collects what is shown."""
    from cnnvis.studies.showing import ModelView, show_model
    from cnnvis.viewer.files import Files

    shown = []

    def open_model(files, model, image=None, **view) -> None:
        shown.append(show_model(model, ModelView(image=image, **view)))
        files.workspace.show(shown[-1].target, shown[-1].networks)

    monkeypatch.setattr(Files, "open_model", open_model)
    return shown


@pytest.mark.qt
def test_a_model_with_an_image_is_painted(network, sample_image, tmp_path, capsys):
    target = tmp_path / "window.png"
    line = ["--model", network, "--image", str(sample_image), "--layer", "0", "--screenshot", str(target)]
    assert main(["view", *line]) == 0, capsys.readouterr().err
    picture = np.asarray(Image.open(target).convert("RGB")).astype(int)
    assert picture.shape == (800, 1280, 3)
    assert np.ptp(picture[150:550, 300:800], axis=2).max() > 60, "the colours of the maps are in it"


@pytest.mark.qt
def test_layers_and_weights_are_those_asked_for(network, sample_image, tmp_path, seen):
    line = ["--image", str(sample_image), "--layer", "0", "--layer", "2", "--screenshot", str(tmp_path / "window.png")]
    assert main(["view", "--model", network, *line]) == 0
    assert main(["view", "--model", network, *line, "--weights", str(tmp_path / "weights.safetensors")]) == 0
    volumes = [[item.data for item in shown.target if item.kind == "volume"] for shown in seen]
    assert [[volume.layer for volume in each] for each in volumes] == [["0", "2"]] * 2
    assert [[bool(np.any(volume.values)) for volume in each] for each in volumes] == [[True] * 2, [False] * 2]


@pytest.mark.qt
def test_without_an_image_the_whole_network_is_drawn(network, tmp_path, seen):
    assert main(["view", "--model", network, "--screenshot", str(tmp_path / "window.png")]) == 0
    (bundled,) = seen[0].networks
    assert bundled.edges.units.sizes == (3, 4, 6)


@pytest.mark.qt
def test_what_goes_wrong_before_the_picture_is_said_and_1(network, tmp_path, capsys):
    line = ["--model", f"{network}er", "--screenshot", str(tmp_path / "window.png")]
    assert main(["view", *line]) == 1
    assert "builder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.json --model mnist-mlp --image b.png", "files and --model"),
        ("a.json --example mnist", "files and --example"),
        ("--model mnist-mlp --example mnist", "--example and --model"),
        ("--example mnis", "Did you mean: mnist?"),
        ("--image chelsea", "go with --model"),
        ("a.json --weights w.pt", "go with --model"),
        ("--model mnist-mlp --layer fc1", "name one with --image"),
    ],
)
def test_what_cannot_be_shown_is_said_before_a_window_opens(line, message, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cnnvis.viewer.app", None)  # to import it would be an error of another kind
    assert main(["view", *line.split()]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from cnnvis.cli import main; main(['view', '--help']); "
        "print('LOADED', *(n for n in ('numpy', 'torch', 'vtkmodules', 'qtpy', 'cnnvis.viewer') if n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "LOADED"
    assert "--model" in done.stdout


@pytest.mark.qt
def test_the_network_of_a_survey_is_named_with_its_weights(network, tmp_path, monkeypatch):
    import cnnvis
    from cnnvis.models import load
    from cnnvis.viewer.workspace import Workspace

    weights = tmp_path / "weights.safetensors"
    survey = cnnvis.survey(load(network, weights=weights), torch.rand(3, 3, 24, 24))
    file = cnnvis.save(survey, tmp_path / "survey.safetensors")
    shown = []
    show = Workspace.show_survey
    monkeypatch.setattr(Workspace, "show_survey", lambda *given: (shown.append(given[2]), show(*given)))
    line = ["view", str(file), "--model", network, "--weights", str(weights)]
    assert main([*line, "--screenshot", str(tmp_path / "window.png")]) == 0
    assert shown == [(network, str(weights))]


@pytest.mark.qt
def test_the_maps_of_a_whole_network_are_painted_as_tiles(network, sample_image, tmp_path, seen, capsys):
    line = ["--model", network, "--image", str(sample_image), "--tiles", "--screenshot", str(tmp_path / "window.png")]
    assert main(["view", *line]) == 0, capsys.readouterr().err
    (item,) = seen[0].target
    assert (item.kind, item.data.provenance.inputs) == ("tiles", (sample_image.name,))
    assert main(["view", "--tiles"]) == 1
    assert "go with --model" in capsys.readouterr().err
