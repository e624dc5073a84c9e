"""Image files given to record are preprocessed by the network they are for."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import ImageSpec, Network


@pytest.fixture
def network():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    return Network(module, name="tiny", image=ImageSpec((16, 16), mean=0.5, std=0.5, max_value=1))


def test_a_sample_name_is_the_same_as_its_tensor(network):
    by_name = cnnvis.record(network, "chelsea", "0")
    by_tensor = cnnvis.record(network, network.preprocess("chelsea"), "0")
    np.testing.assert_array_equal(by_name["0"].activations, by_tensor["0"].activations)
    assert by_name.inputs == ("chelsea",)


def test_several_files_keep_their_order_and_names(network):
    both = cnnvis.record(network, ["chelsea", "coffee"], "0")
    coffee = cnnvis.record(network, "coffee", "0")
    # A convolution may round differently for one image than for two: it picks its algorithm by size and threads.
    np.testing.assert_allclose(both["0"].activations[1:], coffee["0"].activations, atol=1e-6)
    assert both.inputs == ("chelsea", "coffee")


def test_one_name_may_be_a_plain_string(network):
    assert cnnvis.record(network, network.preprocess("chelsea"), "0", names="my cat").inputs == ("my cat",)


def test_a_bare_module_cannot_read_files(network):
    with pytest.raises(InvalidInputError, match=r"preprocessed.*models\.load"):
        cnnvis.record(network.module, "chelsea", "0")


def test_importance_takes_files_too(network):
    scores = cnnvis.importance(network, ["chelsea", "coffee"], "activation", layers="0")["0"]
    maps = cnnvis.record(network, ["chelsea", "coffee"], "0")["0"].activations
    np.testing.assert_allclose(scores, np.abs(maps).mean(axis=(0, 2, 3)), rtol=1e-5)
