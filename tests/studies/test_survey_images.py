"""The images of a survey: what is surveyed, what chooses and tests, and what is looked at afterwards."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnvis
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import ImageSpec, Network, labelled_images, load
from cnnvis.models.datasets import images_named
from cnnvis.studies import survey_images as module
from cnnvis.studies.image_stream import ImageStream
from cnnvis.studies.survey_images import survey_images


@pytest.fixture
def network():
    torch.manual_seed(0)
    parts = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 4, 2))
    return Network(parts, name="small", image=ImageSpec((4, 4), colour="L"), class_names=("dark", "bright"))


@pytest.fixture
def folder(tmp_path):
    """Six pictures of each of two classes; one of them is none."""
    random = np.random.default_rng(0)
    for name, low in (("bright", 128), ("dark", 0)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(6):
            pixels = random.integers(low, low + 127, (4, 4)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    (tmp_path / "pictures" / "bright" / "2.png").write_text("no picture")
    return tmp_path / "pictures"


def names(files):
    return [f"{file.parent.name}/{file.stem}" for file in files]


def test_of_a_folder_with_classes_half_is_surveyed_and_half_tests(network, folder):
    given = survey_images(network, folder, merge=True)
    files, labels = given.surveyed
    assert names(files) == ["dark/0", "dark/2", "dark/4", "bright/0", "bright/2", "bright/4"]
    assert labels == [0, 0, 0, 1, 1, 1]
    assert given.choosing.labels.tolist() == [0, 0, 0, 1, 1]  # without the broken one
    assert [name[-10:-4] for name in given.testing.names[-3:]] == ["ight/1", "ight/3", "ight/5"]
    found = cnnvis.survey(network, given.surveyed)
    assert (found.n_images, found.n_skipped) == (5, 1)
    assert found.skipped[0].name.endswith("2.png")
    assert found.confusion.sum() == 5


def test_where_nothing_is_merged_all_is_surveyed(network, folder):
    given = survey_images(network, folder, merge=False)
    assert len(given.surveyed[0]) == 12
    assert (given.choosing, given.testing) == (None, None)


def test_pictures_without_classes_and_a_single_one(network, folder):
    flat = folder / "dark"
    assert survey_images(network, flat, merge=True).surveyed == flat
    single = survey_images(network, flat / "0.png", merge=True)
    assert (single.surveyed, single.testing) == ([flat / "0.png"], None)


def test_an_empty_folder_says_what_belongs_there(network, tmp_path):
    (tmp_path / ".hidden").write_text("nothing to see")
    with pytest.raises(InvalidInputError, match="is empty: put pictures there"):
        survey_images(network, tmp_path, merge=False)


def test_a_set_that_comes_along_brings_its_parts():
    given = survey_images(load("fashion-cnn"), None, merge=False)
    assert given.surveyed.names[0] == "fashion-mnist importance 0000"
    assert given.choosing is None
    assert given.testing.names[0] == "fashion-mnist test 0000"


def test_of_too_many_pictures_some_choose_and_it_is_said(network, folder, monkeypatch, caplog):
    monkeypatch.setattr(module, "MOST_HELD", 4 * 16 * 2)
    with caplog.at_level("INFO"):
        given = survey_images(network, folder, merge=True)
    assert len(given.surveyed[0]) == 6
    assert given.choosing.labels.tolist() == given.testing.labels.tolist() == [0, 1]
    assert "Merging looks at 2 of 6 pictures" in caplog.text


# ----------------------------------------------------------------------------------------- what is looked at later


def test_files_that_were_surveyed_are_looked_at_again(network, folder):
    found = cnnvis.survey(network, survey_images(network, folder, merge=False).surveyed)
    stream = ImageStream(found, network)
    assert len(stream) == 11
    for place, (image, label) in enumerate(zip(found.window_images, found.window_labels, strict=True)):
        answer = stream.at(place)
        assert found.image_names[int(image)].endswith(answer.name)
        assert answer.label == label
        np.testing.assert_allclose(answer.averages["0"], found["0"].window[place], rtol=1e-6)


def test_pictures_without_classes_have_no_label(network, folder):
    found = cnnvis.survey(network, folder / "dark")
    answer = ImageStream(found, network).at(3)
    assert (answer.name, answer.label) == ("3.png", None)
    assert answer.probabilities.sum() == pytest.approx(1)


def test_images_of_a_set_are_known_by_name():
    network, images = load("fashion-cnn"), labelled_images("fashion-mnist", "importance")
    found = cnnvis.survey(network, images, ["conv1"])
    stream = ImageStream(found)
    assert len(stream) == 1000
    np.testing.assert_allclose(stream.at(7).averages["conv1"], found["conv1"].window[7], rtol=1e-5)
    assert stream.at(7).name == "fashion-mnist importance 0007"
    assert stream.at(7).label == images.labels[7]


@pytest.mark.parametrize(
    "wanted",
    [["a.png"], ["mnist test 0001", "mnist importance 0001"], ["mnist test 9999"], ["fashion-mnist train 0000"], []],
)
def test_other_names_are_none_of_a_set(wanted):
    assert images_named(wanted) is None


def test_tensors_without_names_are_replaced_by_what_comes_along_or_it_is_said(network):
    images, labels = labelled_images("fashion-mnist", "importance").pair
    found = cnnvis.survey(load("fashion-cnn"), (images[:20], labels[:20]), ["conv1"])
    assert ImageStream(found).at(0).name == "fashion-mnist test 0000"
    stream = ImageStream(cnnvis.survey(network, torch.rand(5, 1, 4, 4)), network)
    assert len(stream) == 0
    with pytest.raises(InvalidInputError, match="had no names"):
        stream.at(0)


def test_of_tensors_ones_own_picture_can_be_looked_at(network, folder):
    stream = ImageStream(cnnvis.survey(network, torch.rand(5, 1, 4, 4)), network)
    assert stream.of_file(folder / "dark" / "0.png").name == "0.png"


def test_a_network_with_other_weights_is_refused():
    images = labelled_images("fashion-mnist", "importance")
    found = cnnvis.survey(load("fashion-cnn@3"), images, ["conv1"])
    with pytest.raises(InvalidInputError, match="The survey is of fashion-cnn@3"):
        ImageStream(found, load("fashion-cnn"))
    assert ImageStream(found, load("fashion-cnn@3")).at(0).name == "fashion-mnist importance 0000"
