"""Importance by batch norm on the networks that come with cnnvis."""

import numpy as np
import pytest
import torch

from cnnvis.attribution import _scale_groups, importance
from cnnvis.models import labelled_images, load


def data_of(name, count=None):
    part = labelled_images(name, "importance")
    return part.images[:count], part.labels[:count]


def test_convolutions_with_classes_by_name():
    network = load("fashion-cnn")
    images, labels = data_of("fashion-mnist", 200)
    found = importance(network, (images, labels), "batchnorm", classes=["Shirt", 9], steps=3, batch_size=8)
    assert found.class_names == ("Shirt", "Ankle boot")
    assert found.options["classes"] == [6, 9]
    assert all(scores.shape == (found[layer].size, 2) for layer, scores in found.per_class.items())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_steps_of_all_classes_at_once_equal_one_by_one(monkeypatch):
    """And the scales get somewhere: they spread, most of the pixels' go, and each class is told from the rest."""
    network, data = load("mnist-mlp"), data_of("mnist")
    at_once = importance(network, data, "batchnorm", classes=[1, 4, 6])
    monkeypatch.setattr(_scale_groups, "GROUP_BYTES", 1)
    one_by_one = importance(network, data, "batchnorm", classes=[1, 4, 6])
    for layer in at_once:
        np.testing.assert_allclose(at_once.per_class[layer], one_by_one.per_class[layer], atol=1e-4)
    report = at_once.options["report"]
    assert min(report["gamma_range"]) > 0.5
    assert report["gamma"]["flatten"]["share_near_zero"] > 0.5
    accuracy = report["balanced_accuracy"]
    assert all(np.array(accuracy["inserted"]) < np.array(accuracy["before"]) - 0.1)
    assert all(np.array(accuracy["after"]) > np.array(accuracy["before"]) - 0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_efficientnet_has_scores_in_every_layer():
    network = load("efficientnet-lite0")
    options = {"classes": [281, 7], "steps": 2, "batch_size": 4, "double": False}
    images = torch.rand(8, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([281, 281, 7, 7, 7, 3, 3, 3])
    found = importance(network, (images, labels), "batchnorm", **options)
    assert len(found.scores) > 48
    assert all(scores.shape[1] == 2 for scores in found.per_class.values())
    assert min(found.options["report"]["gamma_range"]) > 0
