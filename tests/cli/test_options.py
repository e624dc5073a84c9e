"""The options that all verbs share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.cli import run
from cnnvis.cli._options import (
    MAX_SIDE,
    METHODS,
    Device,
    Image,
    Layers,
    Model,
    Out,
    Quiet,
    Seed,
    Size,
    TargetClass,
    Weights,
    format_size,
    parse_size,
)

side = st.integers(1, MAX_SIDE)


def test_every_method_of_importance_is_in_the_help():
    from cnnvis.attribution import ImportanceMethod

    assert set(METHODS) == set(ImportanceMethod)


@given(side, side)
def test_size_survives_writing_and_reading(width, height):
    assert parse_size(format_size((width, height))) == (width, height)


@pytest.mark.parametrize(("text", "size"), [("320x200", (320, 200)), (" 8X9 ", (8, 9)), ("1600×1000", (1600, 1000))])
def test_size_as_people_write_it(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "320", "320x", "x200", "320x200x3", "-1x5", "3.5x2", "0x9", f"{MAX_SIDE + 1}x1"])
def test_wrong_size_is_refused(text):
    with pytest.raises(ValueError, match="pixels"):
        parse_size(text)


@pytest.fixture
def parsed():
    """Return a function that parses a command line with every shared option, and what it parsed last."""
    seen = {}

    def verb(
        model: Model = "efficientnet-lite0",
        *,
        layer: Layers = (),
        image: Image | None = None,
        target: TargetClass | None = None,
        seed: Seed = 0,
        weights: Weights = None,
        device: Device = "auto",
        out: Out = Path("out"),
        size: Size = (1600, 1000),
        quiet: Quiet = False,
    ) -> None:
        """Take every option."""
        seen.update(locals())
        del seen["seen"]

    return verb, seen


def test_defaults(parsed):
    verb, seen = parsed
    assert run(verb, []) == 0
    assert seen == {
        "model": "efficientnet-lite0",
        "layer": (),
        "image": None,
        "target": None,
        "seed": 0,
        "weights": None,
        "device": "auto",
        "out": Path("out"),
        "size": (1600, 1000),
        "quiet": False,
    }


def test_every_option_arrives(parsed):
    verb, seen = parsed
    line = (
        "--model m.py:make --layer a --layer b.* --image cat.png --class tabby --seed 3 --weights net.pt "
        "--device cpu --out results --size 320x200 --quiet"
    )
    assert run(verb, line.split()) == 0
    assert seen == {
        "model": "m.py:make",
        "layer": ("a", "b.*"),
        "image": "cat.png",
        "target": "tabby",
        "seed": 3,
        "weights": Path("net.pt"),
        "device": "cpu",
        "out": Path("results"),
        "size": (320, 200),
        "quiet": True,
    }


def test_model_may_be_given_by_position(parsed):
    verb, seen = parsed
    assert run(verb, ["net.pt2", "-q"]) == 0
    assert (seen["model"], seen["quiet"]) == ("net.pt2", True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--size 320", "WIDTHxHEIGHT"),
        ("--seed -1", ">= 0"),
        ("--seed one", "--seed"),
        ("--device tpu", '"auto", "cpu", "cuda"'),
        ("--layers a", "--layer"),
    ],
)
def test_wrong_value_is_a_usage_error_that_says_what_is_allowed(parsed, capsys, line, message):
    verb, seen = parsed
    assert run(verb, line.split()) == 2
    assert message in capsys.readouterr().err
    assert not seen


def test_help_shows_names_units_and_defaults(parsed, capsys):
    verb, _ = parsed
    assert run(verb, ["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for part in ("--class", "WxH", "1600x1000", "efficientnet-lite0", "every one", "choices: auto, cpu, cuda"):
        assert part in text
    assert "--empty-" not in text
    assert "--no-quiet" not in text
