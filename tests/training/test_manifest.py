"""The manifest of a folder of files, and the split of images into parts."""

import hashlib
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.training import split_by_class, update_manifest

FACTS = {"description": "a file", "origin": "here", "licence": "MIT"}


def _files(folder):
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]


# ------------------------------------------------------------------------------------------------ manifest


def test_a_file_is_entered_with_hash_and_size(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert update_manifest(tmp_path, [{"name": "a", "epoch": 3, **FACTS}]) == tmp_path / "manifest.json"
    assert _files(tmp_path) == [
        {"name": "a", "epoch": 3, **FACTS, "sha256": hashlib.sha256(b"abc").hexdigest(), "bytes": 3}
    ]


def test_a_file_is_entered_anew_and_the_others_stay(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("in/b", "a"):
        (tmp_path / name).write_bytes(b"old")
        update_manifest(tmp_path, [{"name": name, **FACTS}])
    (tmp_path / "a").write_bytes(b"newer")
    update_manifest(tmp_path, [{"name": "a", **FACTS, "licence": "CC0"}])
    assert [(entry["name"], entry["licence"], entry["bytes"]) for entry in _files(tmp_path)] == [
        ("a", "CC0", 5),
        ("in/b", "MIT", 3),
    ]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"name": "a", **FACTS, "licence": ""}, "entry 'a' lacks licence"),
        ({"name": "a"}, "lacks description, origin, licence"),
        ({"name": "b", **FACTS}, "entry 'b' names a file that is not in"),
    ],
)
def test_an_entry_that_lacks_something_changes_nothing(tmp_path, entry, message):
    (tmp_path / "a").touch()
    with pytest.raises(InvalidInputError, match=message):
        update_manifest(tmp_path, [entry])
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_damaged_manifest_is_not_overwritten(tmp_path, content):
    (tmp_path / "a").touch()
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(FileFormatError, match=r"manifest\.json is no manifest"):
        update_manifest(tmp_path, [{"name": "a", **FACTS}])
    assert (tmp_path / "manifest.json").read_text() == content


# ------------------------------------------------------------------------------------------------ split


@given(st.lists(st.integers(0, 3), min_size=1, max_size=80), st.integers(0, 5))
def test_parts_are_disjoint_whole_and_even(labels, seed):
    size = min(Counter(labels).values()) // 2
    parts = split_by_class(labels, {"one": size, "two": size}, rest="rest", random_state=seed)
    assert list(parts) == ["one", "two", "rest"]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(labels)))
    for part in ("one", "two"):
        assert Counter(np.array(labels)[parts[part]].tolist()) == Counter(dict.fromkeys(set(labels), size))


def test_classes_are_mixed_within_a_part():
    labels = np.repeat([0, 1], [900, 100])
    parts = split_by_class(labels, {"test": 50}, rest="train")
    half = labels[parts["test"]][:50]
    assert 10 < half.sum() < 40
    assert 20 < labels[parts["train"]][:450].sum() < 30 + 450 * 0.1


def test_the_seed_decides():
    one, same, other = (
        split_by_class([0] * 50, {"a": 5}, rest="b", random_state=seed)["a"].tolist() for seed in (0, 0, 1)
    )
    assert one == same != other


def test_a_class_with_too_few_images_is_named():
    with pytest.raises(InvalidInputError, match="Class 1 has 2 images; 3 are needed"):
        split_by_class([0, 0, 0, 1, 1], {"a": 2, "b": 1}, rest="c")
