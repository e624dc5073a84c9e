"""Labelled images by name or from a folder: some to score importance on, and others to test on."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis.core.errors import InvalidInputError, MissingFileError
from cnnvis.models import ImageSpec, Network, labelled_images
from cnnvis.models.folders import labelled_parts

CLASSES = ("Shirt", "Bag")


def network(*, size=(4, 4), names=CLASSES):
    spec = ImageSpec(size, colour="L")
    return Network(nn.Sequential(nn.Flatten(), nn.Linear(size[0] * size[1], 2)), "net", image=spec, class_names=names)


def small(names=None, *, size=(28, 28)):
    return network(size=size, names=names)


def test_a_shipped_set_brings_its_own_parts():
    importance, testing = (part.pair for part in labelled_parts(small(), "fashion-mnist"))
    assert importance[0].shape == (1000, 1, 28, 28)
    assert testing[0].shape[1:] == (1, 28, 28)
    assert testing[1].dtype == torch.int64
    wanted = labelled_images("fashion-mnist", "importance"), labelled_images("fashion-mnist", "test")
    for part, want in zip((importance, testing), wanted, strict=True):
        assert torch.equal(part[0], want.images)
        assert torch.equal(part[1], want.labels)


def test_images_or_classes_of_another_network_are_refused():
    with pytest.raises(InvalidInputError, match=r"net takes inputs of shape \(1, 5, 5\), the images of mnist"):
        labelled_parts(small(size=(5, 5)), "mnist")
    with pytest.raises(InvalidInputError, match=r"classes of mnist \(0, 1, 2 \.\.\.\) are not those of net \(Cat"):
        labelled_parts(small(("Cat", "Dog")), "mnist")


def folder(path, **greys):
    for name, values in greys.items():
        (path / name).mkdir()
        for number, value in enumerate(values):
            Image.fromarray(np.full((4, 4), value, np.uint8)).save(path / name / f"{number}.png")
    return path


def test_a_folder_is_divided_class_by_class_and_no_image_is_in_both_parts(tmp_path):
    data = str(folder(tmp_path, Shirt=[10, 20, 30], Bag=[40, 50]))
    importance, testing = (part.pair for part in labelled_parts(network(), data))
    greys = [(part[0][:, 0, 0, 0] * 255).round().int().tolist() for part in (importance, testing)]
    assert greys == [[10, 30, 40], [20, 50]]
    assert [part[1].tolist() for part in (importance, testing)] == [[0, 0, 1], [0, 1]]
    parts = labelled_parts(network(), tmp_path)
    assert [name.rsplit("/", 2)[1:] for name in parts.testing.names] == [["Shirt", "1.png"], ["Bag", "1.png"]]
    assert parts.testing.class_names == CLASSES


def test_classes_of_a_network_without_names_are_called_as_the_folders(tmp_path):
    parts = labelled_parts(network(names=None), folder(tmp_path, **{"0": [1, 2], "2": [3, 4]}))
    assert parts.importance.class_names == ("0", "1", "2")
    assert parts.importance.labels.tolist() == [0, 2]


def test_a_class_with_one_picture_cannot_be_divided(tmp_path):
    with pytest.raises(InvalidInputError, match=r"single picture in .*: Bag\."):
        labelled_parts(network(), str(folder(tmp_path, Shirt=[1, 2], Bag=[3])))


def test_neither_set_nor_folder():
    with pytest.raises(MissingFileError, match="Did you mean: mnist, fashion-mnist"):
        labelled_parts(network(), "mnistt")
