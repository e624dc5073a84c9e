"""The files in data/: known origin, unchanged, small."""

import hashlib
import json

import pytest

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import data_path, imagenet_classes

FOLDER = data_path("manifest.json").parent
LARGE = {"networks/vgg16-fashion-0.5.safetensors": 8_000_000}
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))


def test_the_manifest_lists_every_file_and_no_other():
    present = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()} - {"manifest.json"}
    assert present == {entry["name"] for entry in MANIFEST["files"]}


@pytest.mark.parametrize("entry", MANIFEST["files"], ids=lambda entry: entry["name"])
def test_each_file_is_the_one_in_the_manifest_and_small(entry):
    content = data_path(entry["name"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    assert len(content) == entry["bytes"] < LARGE.get(entry["name"], 5_000_000)
    assert entry["origin"]
    assert entry["licence"]
    assert entry["description"]


def test_class_names_are_a_thousand_different_ones():
    names = imagenet_classes()
    assert len(names) == len(set(names)) == 1000
    assert all(name == name.strip() != "" for name in names)


@pytest.mark.parametrize(
    ("index", "name"), [(0, "tench"), (281, "tabby"), (282, "tiger cat"), (285, "Egyptian cat"), (967, "espresso")]
)
def test_class_names_stand_at_their_index(index, name):
    assert imagenet_classes()[index] == name


def test_an_unknown_data_file_lists_near_matches():
    with pytest.raises(InvalidInputError, match=r"'imagenet_classes\.csv'.*imagenet_classes\.txt"):
        data_path("imagenet_classes.csv")
