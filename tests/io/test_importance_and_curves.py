"""Importance and pruning curves, in tables and tensors."""

import json

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from cnnvis.core import Importance, PruneCurve
from cnnvis.core.errors import FileFormatError, InvalidInputError, OutputError
from cnnvis.io import load, save

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
SCORES = st.floats(0, allow_infinity=False, allow_nan=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
OPTIONS = st.dictionaries(WORDS, JSON, max_size=3)


@st.composite
def importances(draw):
    layers = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
    sizes = {layer: draw(st.integers(1, 4)) for layer in layers}
    some = st.lists(st.sampled_from(layers), unique=True)
    names = draw(st.none() | st.lists(WORDS, min_size=1, max_size=3))
    n_classes = len(names) if names else draw(st.integers(1, 3))
    by_class = draw(st.booleans())
    with_classes = layers[:1] + [layer for layer in draw(some) if layer != layers[0]]
    return Importance(
        scores={layer: draw(hnp.arrays(float, size, elements=SCORES)) for layer, size in sizes.items()},
        method=draw(WORDS),
        per_class={layer: draw(hnp.arrays(float, (sizes[layer], n_classes), elements=SCORES)) for layer in with_classes}
        if by_class
        else None,
        signed={layer: draw(hnp.arrays(float, sizes[layer])) for layer in draw(some)},  # NaN and infinity included
        options=draw(OPTIONS),
        class_names=names,
    )


def assert_same_arrays(got, want):
    assert (got is None) == (want is None)
    assert set(got or ()) == set(want or ())
    for name, array in (want or {}).items():
        np.testing.assert_array_equal(got[name], array)


def assert_same_importance(got, want):
    assert list(got) == list(want)
    for part in ("scores", "per_class", "signed"):
        assert_same_arrays(getattr(got, part), getattr(want, part))
    assert (got.method, got.class_names, dict(got.options)) == (want.method, want.class_names, dict(want.options))


@pytest.mark.parametrize("suffix", [".csv", ".safetensors"])
@given(importance=importances())
@settings(max_examples=60)
def test_importance_survives_its_file(tmp_path_factory, suffix, importance):
    back = load(save(importance, tmp_path_factory.mktemp("imp") / f"x{suffix}"))
    assert_same_importance(back, importance)


TWO = Importance(
    {"conv": [0.5, 0.25], "fc": [1.0]},
    "gradient",
    per_class={"conv": [[1, 0], [0, 2]]},
    signed={"fc": [-1.0]},
    options={"reduce": "mean_first", "images": np.int64(40), "pair": (1, 2)},
    class_names=("Shirt", "Ankle boot"),
)


def test_the_table_of_importance_by_hand(tmp_path):
    path = save(TWO, tmp_path / "x.csv")
    assert path.read_text().splitlines() == [
        "method,layer,channel,score,signed,class.Shirt,class.Ankle boot,options",
        'gradient,conv,0,0.5,,1.0,0.0,"{""reduce"": ""mean_first"", ""images"": 40, ""pair"": [1, 2]}"',
        "gradient,conv,1,0.25,,0.0,2.0,",
        "gradient,fc,0,1.0,-1.0,,,",
    ]
    back = load(path)
    assert back.options["pair"] == [1, 2]  # JSON has no tuples
    assert list(back.per_class) == ["conv"]


def test_rows_may_stand_in_any_order(tmp_path):
    path = save(TWO, tmp_path / "x.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *rows[::-1]]) + "\n")
    back = load(path)
    assert list(back) == ["fc", "conv"]
    assert_same_arrays(back.scores, TWO.scores)
    assert back.options["reduce"] == "mean_first"


def test_classes_without_names_are_numbered(tmp_path):
    path = save(Importance({"a": [1.0]}, "x", per_class={"a": [[2, 3]]}), tmp_path / "x.csv")
    assert path.read_text().startswith("method,layer,channel,score,class[0],class[1],options\n")
    assert load(path).class_names is None


def test_tensors_of_importance_are_open_to_any_reader(tmp_path):
    tensors = load_file(save(TWO, tmp_path / "x.safetensors"))
    assert sorted(tensors) == ["per_class/conv", "scores/conv", "scores/fc", "signed/fc"]


@pytest.mark.parametrize(
    ("importance", "message"),
    [
        (Importance({}, "x"), "at least one layer"),
        (Importance({"a": []}, "x"), "a channel in each"),
        (Importance({"a": [1], "b": [1]}, "x", per_class={"a": [[1]], "b": [[1, 2]]}), r"got \[1, 2\]"),
        (Importance({"a": [1]}, "x", options={"how": print}), "option 'how' cannot be written as JSON"),
    ],
)
def test_what_a_table_of_importance_cannot_hold(importance, message, tmp_path):
    with pytest.raises(InvalidInputError, match=message):
        save(importance, tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []


HEAD = "method,layer,channel,score,options\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "no rows"),
        ("method,layer,channel,score\nx,a,0,1\n", "last column is not 'options'"),
        (HEAD + "x,a,0,1,\ny,b,0,1,\n", "several methods, x, y"),
        (HEAD + "x,a,0,1,\nx,a,0,1,\n", "channel 0 of layer 'a' occurs twice"),
        (HEAD + "x,a,0,1,\nx,a,2,1,\n", "not its channels 0 to 1"),
        (HEAD + "x,a,0,high,\n", "could not convert"),
        (HEAD + "x,a,0,-1,\n", "must not be negative"),
        (HEAD + "x,a,0,1,{\n", "not a table of importance"),
        (HEAD + "x,a,0,0.5", "row 2 has 4 cells, the header 5; it may be cut off"),
    ],
)
def test_a_bad_table_of_importance_is_explained(text, message, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(FileFormatError, match=message) as caught:
        load(tmp_path / "x.csv")
    assert "x.csv" in str(caught.value)


def test_damaged_tensors_of_importance_are_an_error(tmp_path):
    path = save(TWO, tmp_path / "x.safetensors")
    whole = path.read_bytes()
    for part in (b"", whole[:100], whole[:-1]):
        path.write_bytes(part)
        with pytest.raises(FileFormatError, match=r"x\.safetensors is not .* damaged"):
            load(path)
    save_file({"a": np.zeros(1)}, path, metadata={"format": "cnnvis-importance", "version": "99"})
    with pytest.raises(FileFormatError, match="version 99"):
        load(path)
    facts = {"layers": {"scores": ["a"], "per_class": [], "signed": []}}
    metadata = {"format": "cnnvis-importance", "version": "1", "importance": json.dumps(facts)}
    save_file({"weight": np.zeros(1)}, path, metadata=metadata)
    with pytest.raises(FileFormatError, match=r"x\.safetensors is a damaged importance file: .*scores/a"):
        load(path)


@st.composite
def curves(draw):
    shares = sorted(draw(st.lists(st.floats(0, 1), min_size=1, max_size=4)))
    numbers = hnp.arrays(float, len(shares))
    return PruneCurve(
        shares=shares,
        accuracy=draw(numbers),
        loss=draw(numbers),  # NaN and infinity included
        class_accuracy=draw(hnp.arrays(float, (len(shares), draw(st.integers(0, 3))))),
        order=draw(WORDS),
        kind=draw(st.sampled_from(["units", "links"])),
        scope=draw(st.sampled_from(["global", "layer"])),
        n_total=draw(st.integers(0, 10**6)),
        options=draw(OPTIONS),
    )


def assert_same_curve(got, want):
    for part in ("shares", "accuracy", "loss", "class_accuracy"):
        np.testing.assert_array_equal(getattr(got, part), getattr(want, part))
    for part in ("order", "kind", "scope", "n_total"):
        assert getattr(got, part) == getattr(want, part)
    assert dict(got.options) == dict(want.options)


@given(st.dictionaries(WORDS, curves() | st.lists(curves(), min_size=2, max_size=3), min_size=1, max_size=3))
@settings(max_examples=60)
def test_curves_survive_their_table(tmp_path_factory, by_name):
    back = load(save(by_name, tmp_path_factory.mktemp("csv") / "curves.csv"))
    assert list(back) == list(by_name)
    for name, want in by_name.items():
        got = [back[name]] if isinstance(want, PruneCurve) else back[name]
        for one, other in zip(got, [want] if isinstance(want, PruneCurve) else want, strict=True):
            assert_same_curve(one, other)


CURVE = PruneCurve([0, 0.5], [0.9, 0.8], [0.1, np.inf], [[1, np.nan], [0.5, np.nan]], "gradient",
                   n_total=80, options={"seed": 3})  # fmt: skip


def test_the_table_of_a_curve_by_hand(tmp_path):
    path = save(CURVE, tmp_path / "x.csv")
    assert path.read_text().splitlines() == [
        "name,run,order,kind,scope,n_total,share,accuracy,loss,class[0],class[1],options",
        'gradient,0,gradient,units,global,80,0.0,0.9,0.1,1.0,nan,"{""seed"": 3}"',
        "gradient,0,gradient,units,global,80,0.5,0.8,inf,0.5,nan,",
    ]
    assert_same_curve(load(path)["gradient"], CURVE)


HEAD = "name,run,order,kind,scope,n_total,share,accuracy,loss,options\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "no rows"),
        (HEAD + "a,0,x,units,global,1,0,1,1,\na,0,y,units,global,1,1,1,1,\n", "run 0 of 'a' has rows of several"),
        (HEAD + "a,0,x,units,global,1,0.5,1,1,\na,0,x,units,global,1,0,1,1,\n", "must rise"),
        (HEAD + "a,first,x,units,global,1,0,1,1,\n", "invalid literal"),
        (HEAD + "a,0,x,units,global,1,0,1", "cut off"),
    ],
)
def test_a_bad_table_of_curves_is_explained(text, message, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(FileFormatError, match=message) as caught:
        load(tmp_path / "x.csv")
    assert "x.csv" in str(caught.value)


@pytest.mark.parametrize("obj", [{"a": []}, {"a": CURVE, "b": 1}, {"a": "text"}, [CURVE]])
def test_what_is_no_curve_is_no_table(obj, tmp_path):
    with pytest.raises(InvalidInputError, match="holds one of these"):
        save(obj, tmp_path / "x.csv")


@pytest.mark.parametrize(("name", "obj"), [("x.csv", TWO), ("x.safetensors", TWO), ("x.csv", CURVE)])
def test_a_failed_write_leaves_the_old_result(name, obj, tmp_path, full_disk):
    path = tmp_path / name
    path.write_text("old")
    with full_disk(40), pytest.raises(OutputError, match="untouched"):
        save(obj, path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [(name, "old")]
