"""Which importance a study goes by: what comes along, a file, a method."""

import numpy as np
import pytest
import torch

from cnnvis import importance, load, save
from cnnvis.core.errors import CnnvisError, InvalidInputError
from cnnvis.models import data_path
from cnnvis.models import load as load_network
from cnnvis.studies.unit_scores import score_units, shipped_importance


@pytest.fixture
def network():
    return load_network("mnist-mlp")


def test_the_scores_that_come_along_are_those_of_these_very_weights(network):
    found = score_units(network)
    assert "data/importance" in found.origin
    assert found.importance.method == "batchnorm"
    assert {layer: len(found.importance[layer]) for layer in found.importance} == {
        "flatten": 784,
        "fc1": 81,
        "fc2": 49,
        "fc3": 10,
    }
    assert found.importance.class_names == network.class_names
    assert found.importance.options["model_sha256"] == network.sha256


def test_of_other_weights_they_are_not_taken(network):
    with torch.no_grad():
        network.module.fc1.weight[0, 0] += 1
    assert shipped_importance(network) is None
    found = score_units(network)
    assert found.origin == "weight"
    np.testing.assert_array_equal(found.importance["fc1"], importance(network, None, "weight")["fc1"])


def test_a_method_is_scored_on_the_images_for_it(network, tmp_path):
    found = score_units(network, "activation")
    assert found.origin == "activation, scored on 1,000 images"
    path = save(found.importance, tmp_path / "a.safetensors")
    again = score_units(network, path)
    assert again.origin == "activation, from a.safetensors"
    np.testing.assert_array_equal(again.importance["fc2"], found.importance["fc2"])


@pytest.mark.parametrize(("wanted", "origin"), [(None, "batchnorm, from data/importance"), ("weight", "weight")])
def test_images_that_no_method_scores_are_not_passed_over_in_silence(network, wanted, origin, caplog):
    assert score_units(network, wanted, data="fashion-mnist").origin == origin
    (record,) = caplog.records
    assert f"The images of fashion-mnist are not used: importance is {origin}." in record.getMessage()
    caplog.clear()
    score_units(network, wanted)
    assert not caplog.records


def test_some_classes_are_scored_as_among_all(network):
    every, some = score_units(network), score_units(network, classes=(7, 1))
    assert some.origin == f"{every.origin}, for 7, 1"
    assert some.importance.class_names == ("1", "7")
    for layer, values in some.importance.per_class.items():
        np.testing.assert_array_equal(values, every.importance.per_class[layer][:, [1, 7]])
    with pytest.raises(InvalidInputError, match="has no classes"):
        score_units(network, "weight", classes=(1,))


@pytest.mark.slow
def test_scores_that_come_along_are_what_the_method_gives(network):
    """In double precision; what sums in another order differs by far less than a unit's place in the ranking."""
    shipped = load(data_path("importance/mnist-mlp.safetensors"))
    again = score_units(network, "batchnorm").importance
    for layer in shipped:
        np.testing.assert_allclose(again.per_class[layer], shipped.per_class[layer], atol=1e-4)


def test_bad_input(network, tmp_path):
    with pytest.raises(InvalidInputError, match="gradient"):
        score_units(network, "gradeint")
    with pytest.raises(CnnvisError, match=r"none\.safetensors"):
        score_units(network, tmp_path / "none.safetensors")
    path = data_path("networks/mnist-mlp.safetensors")  # a checkpoint
    with pytest.raises(CnnvisError, match="mnist-mlp"):
        score_units(network, path)
