import copy
import logging

import numpy as np
import pytest
import torch
from batchnorm_nets import blobs, opened, perceptron, pictures, residual, task_of
from torch import nn

from cnnvis.attribution import _scale_groups
from cnnvis.attribution._one_vs_rest import BalancedBatches
from cnnvis.attribution._scale_training import EPSILON, ScaleState, _adam
from cnnvis.attribution.batchnorm import batchnorm_variants, by_batchnorm
from cnnvis.attribution.batchnorm_options import VARIANTS, BatchNormOptions
from cnnvis.core.errors import DivergedError

QUICK = {"steps": 20, "batch_size": 16, "learning_rate": 0.01}


class ByHand:
    """One hidden layer in numpy: the loss of one class in gamma and beta of inputs and hidden units."""

    def __init__(self, model, images, labels, label, options):
        self.images, self.labels, self.label, self.options = images, labels, label, options
        first, _, last = model
        parts = (first.weight, first.bias, last.weight, last.bias)
        self.w1, self.b1, self.w2, self.b2 = (part.detach().numpy() for part in parts)
        self.sizes = (self.w1.shape[1], self.w1.shape[0])

    def loss(self, values, rows):
        n_in, n_hidden = self.sizes
        gamma1, gamma2 = values[:n_in], values[n_in : n_in + n_hidden]
        beta1, beta2 = values[n_in + n_hidden : 2 * n_in + n_hidden], values[2 * n_in + n_hidden :]
        x = self.norm(self.images[rows]) * gamma1 + beta1
        h = self.norm(np.maximum(x @ self.w1.T + self.b1, 0)) * gamma2 + beta2
        z = h @ self.w2.T + self.b2
        others = np.delete(z, self.label, axis=1)
        if self.options["head"] == "seed":
            margin = z[:, self.label] - others.sum(1)
        else:
            margin = z[:, self.label] - np.log(np.exp(others).sum(1))
        sign = np.where(self.labels[rows] == self.label, 1, -1)
        gammas = values[: n_in + n_hidden]
        penalty = self.options["l1"] * np.abs(gammas).sum() + self.options["l2"] * (gammas**2).sum()
        return np.log1p(np.exp(-sign * margin)).mean() + penalty

    @staticmethod
    def norm(values):
        return (values - values.mean(0)) / np.sqrt(values.var(0) + EPSILON)

    def gradient(self, values, rows):
        """Return central differences of the loss."""
        found = np.zeros_like(values)
        for place in range(values.size):
            step = np.zeros_like(values)
            step[place] = 1e-6
            found[place] = (self.loss(values + step, rows) - self.loss(values - step, rows)) / 2e-6
        return found

    def train(self, values, rate):
        first, second = np.zeros_like(values), np.zeros_like(values)
        batches = BalancedBatches(self.labels, self.label, 16, (0, 0))
        for step in range(1, self.options["steps"] + 1):
            gradient = self.gradient(values, batches[step - 1])
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            values = values - rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        return values


@pytest.mark.parametrize(
    "options",
    [
        {"beta": True, "l1": 0.01, "l2": 0.0, "head": "log_odds"},
        {"beta": True, "l1": 0.0, "l2": 0.02, "head": "seed"},
    ],
)
def test_steps_by_hand(options):
    images, labels = blobs()
    model = perceptron((5, 6, 3)).double()
    options = {**options, "steps": 4, "batch_size": 16, "learning_rate": 0.02}
    hand = ByHand(model, images.double().numpy(), labels.numpy(), 1, options)
    values = hand.train(np.r_[np.ones(11), np.zeros(11)], 0.02)
    found = by_batchnorm(model, (images, labels), classes=[1], **options)
    assert list(found) == ["input", "0"]
    for layer, gamma in (("input", values[:5]), ("0", values[5:11])):
        np.testing.assert_allclose(found.per_class[layer][:, 0], np.abs(gamma) / np.abs(gamma).max(), atol=1e-6)
        np.testing.assert_allclose(found.signed[layer], gamma / np.abs(gamma).max(), atol=1e-6)
        np.testing.assert_allclose(found.options["report"]["gamma"][layer]["range"], np.ptp(gamma), atol=1e-6)


def test_the_optimiser_is_torchs_adam_until_a_scale_reaches_zero():
    """The other variable, without data, walks to 0 by the penalty alone, and stays."""
    torch.manual_seed(0)
    slopes = torch.randn(30, 1, 3, dtype=torch.double)
    theirs = torch.ones(1, 3, dtype=torch.double, requires_grad=True)
    adam = torch.optim.Adam([theirs], lr=0.01)
    state = ScaleState(0, torch.ones(1, 3).double(), torch.zeros(1, 3).double(), torch.zeros(1, 3).double())
    for slope in slopes:
        adam.zero_grad()
        (slope * theirs + 0.3 * theirs.abs()).sum().backward()
        adam.step()
        state = _adam(state, slope, torch.full((3,), 0.3).double(), 0.01)
    assert theirs.min() > 0
    torch.testing.assert_close(state.values, theirs.detach(), rtol=1e-6, atol=1e-6)
    for _ in range(400):
        state = _adam(state, torch.zeros(1, 3).double(), torch.full((3,), 0.3).double(), 0.01)
    assert state.values.abs().max() == 0


@pytest.mark.parametrize(("make", "data"), [(perceptron, blobs), (residual, pictures)])
def test_identity_leaves_the_outputs_as_they_were(make, data):
    model, data = make(), data()
    task = task_of(model, data, init="identity", beta=True, batch_size=16)
    with task.network.opened():
        before, training, moments = opened(task, [0, 2])
        margins = training.judge(training.start(moments), moments)
        np.testing.assert_allclose(margins, before.margins(np.array([0, 2])), atol=1e-5)


def test_identity_starts_where_the_network_was_and_one_does_not():
    data = blobs()
    report = {
        init: by_batchnorm(trained(data), data, init=init, beta=True, **QUICK).options["report"]["balanced_accuracy"]
        for init in ("identity", "one")
    }
    assert report["identity"]["before"] == report["one"]["before"]
    assert np.mean(report["identity"]["before"]) > 0.9
    np.testing.assert_allclose(report["identity"]["inserted"], report["identity"]["before"], atol=0.05)
    assert np.mean(report["one"]["inserted"]) < np.mean(report["one"]["before"]) - 0.1


def trained(data, steps=60):
    model = perceptron()
    adam = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(steps):
        adam.zero_grad()
        nn.functional.cross_entropy(model(data[0]), data[1]).backward()
        adam.step()
    return model


@pytest.mark.parametrize("init", ["one", "zero", "identity"])
@pytest.mark.parametrize(("make", "data"), [(perceptron, blobs), (residual, pictures)])
def test_all_classes_at_once_equal_one_by_one(make, data, init, monkeypatch):
    model, data = make(), data()
    options = {**QUICK, "steps": 120, "init": init, "beta": init == "identity", "l1": 0.0 if init == "zero" else 0.01}
    at_once = by_batchnorm(model, data, **options)
    monkeypatch.setattr(_scale_groups, "GROUP_BYTES", 1)
    one_by_one = by_batchnorm(model, data, **options)
    assert any(np.ptp(scores) > 0.1 for scores in at_once.scores.values())
    for layer in at_once:
        np.testing.assert_allclose(at_once.per_class[layer], one_by_one.per_class[layer], atol=1e-4)


def test_a_class_alone_has_the_scales_it_has_among_others():
    model, data = perceptron(), blobs()
    both, alone = (by_batchnorm(model, data, classes=classes, **QUICK) for classes in ([0, 2], [2]))
    for layer in alone:
        column = both.per_class[layer][:, 1]
        np.testing.assert_allclose(column / column.max(), alone.per_class[layer][:, 0], atol=1e-4)


def test_planted_units_win():
    """Classes 0 and 1 show in two pixels each, read by a unit each; class 0 has a logit of its own pair alone."""
    rng = np.random.default_rng(0)
    labels = np.arange(240) % 3
    images = rng.uniform(0, 1, (240, 7))
    for label in range(2):
        images[labels == label, 2 * label : 2 * label + 2] += 1
    model = nn.Sequential(nn.Linear(7, 7), nn.ReLU(), nn.Linear(7, 3))
    with torch.no_grad():
        model[0].weight[:], model[0].bias[:] = torch.eye(7), 0
        model[2].weight[:], model[2].bias[:] = 0.05 * torch.randn(3, 7, generator=torch.Generator().manual_seed(0)), 0
        model[2].weight[0, :2] = 3
    data = torch.tensor(images, dtype=torch.float32), torch.tensor(labels)
    found = by_batchnorm(model, data, classes=[0], steps=300, batch_size=32, learning_rate=0.01)
    for layer in ("input", "0"):
        assert set(np.argsort(found[layer])[-2:]) == {0, 1}
        assert found[layer][2:].max() < 0.2 * found[layer][:2].min()
        assert found.options["report"]["gamma"][layer]["share_near_zero"] > 0.5
    assert found.options["report"]["balanced_accuracy"]["after"][0] > 0.9


def test_a_constant_unit_scores_nothing_and_a_dead_layer_is_all_zeros():
    """Without a penalty nothing else would move their scales from 1."""
    model, data = perceptron((5, 6, 4, 4, 3)), blobs()
    data[0][:, 3] = 7.5
    with torch.no_grad():
        model[0].bias[2], model[0].weight[2] = -1, 0
        model[4].bias[:], model[4].weight[:] = -1, 0
    found = by_batchnorm(model, data, l1=0.0, **QUICK)
    assert found["input"][3] == 0
    assert np.all(np.delete(found["input"], 3) > 0)
    assert found["0"][2] == 0
    assert np.array_equal(found.per_class["4"], np.zeros((4, 3)))
    assert found["2"].max() > 0


def test_a_residual_network_has_scores_for_every_place_its_channels_are_read():
    found = by_batchnorm(residual(), pictures(), **QUICK)
    sizes = {"x": 2, "stem": 4, "conv1": 6, "depthwise": 6, "conv2": 4, "conv3": 4}
    assert {layer: found[layer].size for layer in found} == sizes
    for scores in found.per_class.values():
        assert scores.max() == 1
        assert scores.shape[1] == 3


def test_the_layer_of_the_classes_is_one_hot_where_it_is_named():
    model, data = perceptron(), blobs()
    found = by_batchnorm(model, data, layers=["0", "4"], classes=[2, 0], **QUICK)
    assert list(found) == ["0", "4"]
    np.testing.assert_array_equal(found.per_class["4"], [[0, 1], [0, 0], [1, 0]])
    assert found.class_names == ("2", "0")
    assert list(by_batchnorm(model, data, layers="*", inputs=False, **QUICK)) == ["0", "2"]


def test_the_score_is_the_mean_over_classes_of_what_the_largest_scale_makes_one():
    found = by_batchnorm(perceptron(), blobs(), **QUICK)
    for layer, scores in found.per_class.items():
        assert scores.max() == 1
        np.testing.assert_allclose(found[layer], scores.mean(axis=1))
        assert np.all(np.abs(found.signed[layer]) <= found[layer] + 1e-12)


def test_steps_that_hardly_move_the_scales_are_warned_of(caplog):
    with caplog.at_level(logging.WARNING, "cnnvis"):
        by_batchnorm(perceptron(), blobs(), steps=3, batch_size=16)
    assert "hardly" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "cnnvis"):
        by_batchnorm(perceptron(), blobs(), steps=100, batch_size=16, learning_rate=0.02)
    assert not caplog.text


def test_a_loader_and_a_network_without_gradients_or_in_inference_mode_give_the_same():
    model, (images, labels) = perceptron(), blobs()
    plain = by_batchnorm(model, (images, labels), **QUICK)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), batch_size=7)
    with torch.inference_mode():
        inside = by_batchnorm(model, loader, **QUICK)
    for layer in plain:
        np.testing.assert_array_equal(plain.per_class[layer], inside.per_class[layer])


@pytest.mark.parametrize("fails", [False, True])
def test_the_network_comes_back_as_it_was(fails):
    model, (images, labels) = residual(), pictures()
    model.conv1.weight.requires_grad_(False)
    model.fc.weight.grad = torch.ones_like(model.fc.weight)
    if fails:
        images[:] = torch.nan
    state = copy.deepcopy(model.state_dict())
    flags = [parameter.requires_grad for parameter in model.parameters()]
    random_state = torch.get_rng_state()
    try:
        by_batchnorm(model, (images, labels), **QUICK)
    except DivergedError:
        assert fails
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert all(module.training for module in model.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert torch.equal(model.fc.weight.grad, torch.ones_like(model.fc.weight))
    assert model.stem.weight.grad is None
    assert torch.equal(torch.get_rng_state(), random_state)


def test_progress_counts_steps_of_all_classes():
    told = []
    by_batchnorm(perceptron(), blobs(), progress=lambda *done: told.append(done), **QUICK)
    assert told == [(3 * step, 60) for step in range(1, 21)]


def test_variants_of_the_seed():
    assert set(VARIANTS) >= {
        f"{beta}_gamma{init}_{penalty}"
        for beta in ("nobeta", "beta")
        for init in ("one", "zero")
        for penalty in ("l1", "l2")
    }
    told = []
    names = ["nobeta_gammaone_l1", "beta_gammazero_l2"]
    found = batchnorm_variants(perceptron(), blobs(), names=names, progress=lambda *done: told.append(done), **QUICK)
    assert list(found) == names
    assert found["beta_gammazero_l2"].options["l2"] == 0.01
    assert found["beta_gammazero_l2"].options["beta"]
    assert told[-1] == (120, 120)
    plain = by_batchnorm(perceptron(), blobs(), **QUICK)
    np.testing.assert_array_equal(found["nobeta_gammaone_l1"]["0"], plain["0"])
    assert all(BatchNormOptions(**variant) for variant in VARIANTS.values())
