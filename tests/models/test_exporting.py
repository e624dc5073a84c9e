"""Networks written as programs that say what they take."""

import json

import pytest
import torch
from torch import nn

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.models import ImageSpec, Network, load, save_exported
from cnnvis.models.exporting import RECORD

SPEC = ImageSpec((8, 8), fit="stretch", crop=0.5, max_value=255, mean=3, std=2, colour="L")


def network(**options):
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)).eval()
    return Network(module, name="tiny", weights="trained", **({"image": SPEC} | options))


def test_all_that_is_known_comes_back(tmp_path):
    found = load(save_exported(network(class_names=("a", "b", "c")), tmp_path / "net.pt2"))
    assert (found.name, found.weights, found.class_names, found.image) == ("tiny", "trained", ("a", "b", "c"), SPEC)
    assert found.example[0].shape == (1, 1, 8, 8)


def test_several_inputs_without_preprocessing(tmp_path):
    class Sum(nn.Module):
        def forward(self, one, two):
            return one + two

    made = Network(Sum(), example=(torch.ones(1, 2), torch.ones(1, 2)))
    found = load(save_exported(made, tmp_path / "sum.pt2"))
    assert found.image is None
    assert found.class_names is None
    assert found.module(torch.ones(5, 2), torch.ones(5, 2)).tolist() == [[2, 2]] * 5


WRONG_IMAGE = json.dumps({"name": "n", "weights": "", "class_names": None, "image": {"size": 1}})


@pytest.mark.parametrize("text", ["{", "[]", '{"name": 3}', WRONG_IMAGE])
def test_a_description_of_somebody_else_is_refused(tmp_path, text):
    program = torch.export.export(network().module, network().example)
    torch.export.save(program, tmp_path / "net.pt2", extra_files={RECORD: text})
    with pytest.raises(FileFormatError, match=r"description in .*net\.pt2"):
        load(tmp_path / "net.pt2")


def test_refusals(tmp_path):
    with pytest.raises(InvalidInputError, match=r"is a \.pt2 file, got .*net\.pt"):
        save_exported(network(), tmp_path / "net.pt")

    class One(nn.Module):
        def forward(self, x):
            return x.view(2, 64)  # the number of images is fixed

    with pytest.raises(InvalidInputError, match="cannot be exported for any number of images"):
        save_exported(Network(One(), image=SPEC), tmp_path / "net.pt2")
