"""Which images a study of gradients looks at, and what cannot be looked at: said before anything is written."""

import pytest
from gradient_samples import COLOURS, asked, by_colour, write, write_networks, write_pictures

from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, MissingFileError
from cnnvis.models import load as load_network
from cnnvis.studies import gradient_classes
from cnnvis.studies.gradient_cases import choose
from cnnvis.studies.gradient_results import LabelledCases, PhotoCases


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    return write_networks(tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp("data"))


def test_given_targets_are_those_of_every_photo(networks, folder):
    network = load_network(f"{networks}:colours")
    photos = tuple(folder / name / f"{name}-b.png" for name in ("red", "blue"))
    chosen = choose(network, PhotoCases(photos, targets=("blue", 1)))
    assert [case.target.name for case in chosen.cases] == ["blue", "green", "blue", "green"]


@pytest.mark.parametrize(
    ("name", "cases", "changes", "error", "message"),
    [
        ("colours", {"reference": "purple"}, {}, InvalidInputError, "no class 'purple'.*red"),
        ("colours", {"reference": None}, {}, InvalidInputError, "Name the class whose neuron is under inspection"),
        ("colours", {"similar": "red"}, {}, InvalidInputError, "three classes, got red, red, blue"),
        ("colours", {"data": "mnits"}, {}, MissingFileError, "mnist"),
        ("colours", {"data": "mnist"}, {}, InvalidInputError, "takes inputs of shape"),
        ("colours", {}, {"layers": ("nowhere",)}, LayerNotFoundError, "'nowhere'"),
        ("colours", {}, {"layers": ("1",)}, InvalidInputError, "no filters"),
        ("colours", {}, {"of": "slope"}, InvalidInputError, "slope"),
        ("colours", {}, {"inputs": 3}, InvalidInputError, "have 3, from 0, got 3"),
        ("maps", {}, {}, InvalidInputError, "returns a tensor of shape.*class scores"),
        ("broken", {}, {}, InvalidInputError, "NaN or infinite"),
    ],
)
def test_bad_input_is_explained_before_anything_is_written(
    name, cases, changes, error, message, networks, folder, tmp_path
):
    out = tmp_path / "out"
    with pytest.raises(error, match=message):
        gradient_classes.run([asked(networks, name, by_colour(folder, **cases), **changes)], out)
    assert not out.exists()


def test_a_class_without_images_is_an_error(networks, folder, tmp_path):
    for name in ("red", "green"):
        for letter in "ab":
            write(tmp_path / name, letter, COLOURS[name], 1)
    network = load_network(f"{networks}:colours")
    with pytest.raises(InvalidInputError, match="no images of class blue"):
        choose(network, by_colour(tmp_path))
    with pytest.raises(InvalidInputError, match="too few classes"):
        choose(network, LabelledCases(tmp_path, reference="red"))


def test_without_a_class_that_is_known_by_default_one_must_be_named(networks, folder):
    network = load_network(f"{networks}:colours")
    with pytest.raises(InvalidInputError, match="such as by --class: red, green, blue"):
        choose(network, LabelledCases(folder))


def test_without_data_a_network_gets_the_images_of_its_own_classes():
    chosen = choose(load_network("mnist-mlp"), LabelledCases(reference="3"))
    assert chosen.cases[0].image.startswith("mnist test")
    assert {case.truth for case in chosen.cases} <= set("0123456789")
    assert chosen.cases[0].truth == "3"


@pytest.mark.parametrize(
    ("cases", "error", "message"),
    [
        (PhotoCases(()), InvalidInputError, "no photo"),
        (PhotoCases(("no-such-photo.jpg",)), InvalidInputError, "no-such-photo.jpg"),
        (PhotoCases(targets=("purple",)), InvalidInputError, "purple"),
        (PhotoCases(targets=(3,)), InvalidInputError, "3"),
    ],
)
def test_photos_and_targets_that_are_not_there(cases, error, message, networks):
    with pytest.raises(error, match=message):
        choose(load_network(f"{networks}:colours"), cases)


def test_nothing_to_do_is_an_error(tmp_path):
    with pytest.raises(InvalidInputError, match="one study at least"):
        gradient_classes.run([], tmp_path)
