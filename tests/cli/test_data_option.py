"""`--data`: images to score importance on, and others to test on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import cnnvis.models
from cnnvis.cli._data import labelled
from cnnvis.core.errors import InvalidInputError, MissingFileError
from cnnvis.models import ImageSpec, Network

CLASSES = ("Shirt", "Bag")


def network(*, size=(4, 4), names=CLASSES):
    spec = ImageSpec(size, colour="L")
    return Network(nn.Sequential(nn.Flatten(), nn.Linear(size[0] * size[1], 2)), "net", image=spec, class_names=names)


@pytest.fixture
def shipped(monkeypatch):
    """Two images per part, of other greys."""

    def parts(name, part):
        grey = {"importance": 0.25, "test": 0.75}[part]
        images = torch.full((2, 1, 4, 4), grey)
        return SimpleNamespace(images=images, labels=torch.tensor([0, 1]), class_names=CLASSES, names=("a", "b"))

    monkeypatch.setattr(cnnvis.models, "labelled_images", parts, raising=False)


def test_a_shipped_set_brings_its_own_parts(shipped):
    importance, testing = labelled(network(), "fashion-mnist")
    assert importance[0].unique().tolist() == [0.25]
    assert testing[0].unique().tolist() == [0.75]
    assert testing[1].tolist() == [0, 1]


def test_images_or_classes_of_another_network_are_refused(shipped):
    with pytest.raises(InvalidInputError, match=r"net takes inputs of shape \(1, 5, 5\), the images of mnist"):
        labelled(network(size=(5, 5)), "mnist")
    with pytest.raises(InvalidInputError, match=r"classes of mnist \(Shirt, Bag \.\.\.\) are not those of net \(Cat"):
        labelled(network(names=("Cat", "Dog")), "mnist")
    assert labelled(network(names=None), "mnist").testing[1].tolist() == [0, 1]


def folder(path, **greys):
    for name, values in greys.items():
        (path / name).mkdir()
        for number, value in enumerate(values):
            Image.fromarray(np.full((4, 4), value, np.uint8)).save(path / name / f"{number}.png")
    return path


def test_a_folder_is_divided_class_by_class_and_no_image_is_in_both_parts(tmp_path):
    importance, testing = labelled(network(), str(folder(tmp_path, Shirt=[10, 20, 30], Bag=[40, 50])))
    greys = [(part[0][:, 0, 0, 0] * 255).round().int().tolist() for part in (importance, testing)]
    assert greys == [[10, 30, 40], [20, 50]]
    assert [part[1].tolist() for part in (importance, testing)] == [[0, 0, 1], [0, 1]]


def test_a_class_with_one_picture_cannot_be_divided(tmp_path):
    with pytest.raises(InvalidInputError, match=r"single picture in .*: Bag\."):
        labelled(network(), str(folder(tmp_path, Shirt=[1, 2], Bag=[3])))


def test_neither_set_nor_folder():
    with pytest.raises(MissingFileError, match="Did you mean: mnist, fashion-mnist"):
        labelled(network(), "mnistt")
