"""`cnnvis info`: what a network is, layer by layer."""

import json

import pytest

from cnnvis.cli import main

LONG = "a_name_that_is_wider_than_any_terminal_" * 6
NET = f"""
from collections import OrderedDict
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.{LONG} = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = self.stem(x)
        x = x + self.{LONG}(x)
        return self.head(x.mean((2, 3)))
"""


@pytest.fixture
def net(tmp_path):
    (tmp_path / "net.py").write_text(NET)
    return f"{tmp_path}/net.py:Net"


def test_the_table_shows_every_layer_and_cuts_no_name(net, capsys):
    assert main(["info", net]) == 0
    lines = capsys.readouterr().out.splitlines()
    stem = next(line for line in lines if line.startswith("stem "))
    assert stem.split() == ["stem", "Conv2d", "8", "x", "224", "x", "224", "224", "yes", "yes"]  # 3*8*9 + 8 parameters
    assert any(line.startswith(f"{LONG} ") for line in lines)
    head = next(line for line in lines if line.startswith("head "))
    assert head.split() == ["head", "Linear", "2", "18", "yes"]
    assert any(line.split()[1:2] == ["add"] for line in lines)


def test_the_columns_are_aligned(net, capsys):
    main(["info", net])
    lines = capsys.readouterr().out.splitlines()
    title = next(line for line in lines if line.startswith("layer "))
    body = lines[lines.index(title) + 2 : -2]
    assert {line[title.index("type") - 1] for line in body} == {" "}
    assert all(line[title.index("type")] != " " for line in body)


def test_the_head_says_what_the_network_is(net, capsys):
    main(["info", net])
    out = capsys.readouterr().out
    assert "model:      net.py:Net (Net)" in out
    assert "weights:    random" in out
    assert "parameters: 314" in out
    assert "(assumed: the usual for ImageNet)" in out


def test_the_bundled_network_names_its_layers_and_classes(capsys):
    assert main(["info", "efficientnet-lite0"]) == 0
    out = capsys.readouterr().out
    assert "weights:    trained" in out
    assert "look at:    _conv_stem, _blocks.1._expand_conv" in out
    assert "classes:    1000" in out
    assert "(x - 127) / 128, x in 0..255" in out


def test_json_holds_the_same(net, capsys):
    assert main(["info", net, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["model"], data["class"], data["weights"], data["parameters"]) == ("net.py:Net", "Net", "random", 314)
    assert data["inputs"] == [[1, 3, 224, 224]]
    stem = next(layer for layer in data["layers"] if layer["name"] == "stem")
    assert stem == {
        "name": "stem",
        "type": "Conv2d",
        "role": "convolution",
        "shape": [8, 224, 224],
        "parameters": 224,
        "recordable": True,
        "has_maps": True,
    }
    assert next(layer for layer in data["layers"] if layer["name"] == "head")["has_maps"] is False


def test_weights_are_loaded_and_named(net, tmp_path, capsys):
    import torch

    from cnnvis.models import load

    torch.save(load(net).module.state_dict(), tmp_path / "best.pt")
    assert main(["info", net, "--weights", str(tmp_path / "best.pt")]) == 0
    assert "weights:    best.pt" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["efficientnet-lite9"], "Did you mean: efficientnet-lite0?"),
        (["nowhere.pt"], "There is no file nowhere.pt"),
        (["efficientnet-lite0", "--weights", "nowhere.pt"], "nowhere.pt is missing"),
    ],
)
def test_errors_are_one_line(arguments, message, capsys):
    assert main(["info", *arguments]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert message in captured.err


def test_without_a_model_it_is_wrong_usage(capsys):
    assert main(["info"]) == 2
    assert "--model" in capsys.readouterr().err.lower()


def test_the_first_line_of_the_help_is_the_one_in_the_list_of_verbs():
    from cnnvis.cli._app import VERBS
    from cnnvis.cli.info import info

    assert info.__doc__.splitlines()[0] == VERBS["info"]
