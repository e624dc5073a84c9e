import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from cnnvis.attribution._one_vs_rest import BalancedBatches, balanced_accuracy, losses, margins

LABELS = st.lists(st.integers(0, 3), min_size=2, max_size=40).filter(lambda labels: len(set(labels)) > 1)


@settings(max_examples=60)
@given(LABELS, st.integers(2, 20), st.integers(0, 2**31), st.integers(0, 300))
def test_half_of_a_batch_is_of_the_class_and_no_image_of_the_rest_is(labels, half, seed, number):
    labels = np.array(labels)
    label = int(labels[seed % labels.size])
    batch = BalancedBatches(labels, label, 2 * half, (seed,))[number]
    assert np.all(labels[batch[:half]] == label)
    assert np.all(labels[batch[half:]] != label)
    assert batch.shape == (2 * half,)


def test_batches_depend_on_seed_class_and_number_alone():
    labels = np.arange(50) % 3
    there = BalancedBatches(labels, 1, 8, (0,))
    in_order = [there[number] for number in range(300)]
    elsewhere = BalancedBatches(labels, 1, 8, (0,))
    np.testing.assert_array_equal(elsewhere[299], in_order[299])
    np.testing.assert_array_equal(elsewhere[3], in_order[3])
    assert any(np.any(in_order[0] != batch) for batch in in_order[1:])
    assert np.any(BalancedBatches(labels, 1, 8, (1,))[0] != in_order[0])


def test_every_image_is_drawn_equally_often():
    labels = np.array([0, 0, 0, 1, 2, 2, 2, 2])
    batches = BalancedBatches(labels, 0, 20, (0,))
    counts = np.bincount(np.concatenate([batches[number] for number in range(2000)]), minlength=8)
    np.testing.assert_allclose(counts[:3], 20000 / 3, rtol=0.05)
    np.testing.assert_allclose(counts[3:], 20000 / 5, rtol=0.05)


def test_margins_by_hand():
    logits = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 0.0, -1.0]]])
    classes = torch.tensor([2, 0])
    log_odds = [3 - np.log(np.exp(1) + np.exp(2)), 4 - np.log(1 + np.exp(-1))]
    np.testing.assert_allclose(margins(logits, classes, "log_odds"), [log_odds], rtol=1e-6)
    np.testing.assert_allclose(margins(logits, classes, "seed"), [[0.0, 5.0]])
    shared = margins(logits[:, :1], classes, "seed")
    np.testing.assert_allclose(shared, [[0.0, -4.0]])


@pytest.mark.parametrize("n_classes", [2, 5])
def test_the_log_odds_are_those_of_the_softmax(n_classes):
    logits = torch.randn(20, 1, n_classes, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    classes = torch.arange(n_classes)
    chance = logits[:, 0].softmax(1)
    torch.testing.assert_close(margins(logits, classes, "log_odds").sigmoid(), chance)
    one_hot = torch.tensor([1.0, 1.0, 0.0, 0.0], dtype=torch.double)[:, None].expand(4, n_classes)
    expected = torch.nn.functional.binary_cross_entropy(chance[:4], one_hot, reduction="none").mean(0)
    torch.testing.assert_close(losses(margins(logits[:4], classes, "log_odds")), expected)


def test_balanced_accuracy_is_scikit_learns():
    rng = np.random.default_rng(0)
    labels, margin = rng.integers(0, 3, 100), rng.normal(size=(100, 2))
    found = balanced_accuracy(margin, labels, np.array([0, 2]))
    expected = [balanced_accuracy_score(labels == label, margin[:, i] > 0) for i, label in enumerate((0, 2))]
    np.testing.assert_allclose(found, expected)
