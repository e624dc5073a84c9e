import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from cnnvis.attribution import importance, randomisation_check, shuffled
from cnnvis.attribution.randomisation import RandomisationCheck
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network


def tiny(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(6, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Flatten(),
                         nn.Linear(12 * 4, 5))  # fmt: skip


IMAGES = torch.rand((4, 6, 8, 8), generator=torch.Generator().manual_seed(0)) + torch.arange(6.0)[:, None, None]


def test_a_shuffle_keeps_the_values_and_not_the_places():
    net = tiny()
    other = shuffled(net, random_state=3)
    for (name, before), (_, after) in zip(net.named_parameters(), other.named_parameters(), strict=True):
        assert before.shape == after.shape
        assert torch.equal(before.flatten().sort().values, after.flatten().sort().values)
        assert name.startswith("2.") or not torch.equal(before, after)  # a new norm is all 1 and 0
    assert all(torch.equal(a, b) for a, b in zip(net.buffers(), other.buffers(), strict=True))


def test_shuffled_norms_by_hand():
    net = nn.Sequential(nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        net[0].weight[:] = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    order = np.random.default_rng(5).permutation(4)
    values = np.array([1.0, 2.0, 4.0, 8.0])[order].reshape(2, 2)
    np.testing.assert_array_equal(importance(shuffled(net, random_state=5), method="weight")["0"], values.sum(axis=1))


def test_the_correlations_are_those_of_the_shuffled_networks():
    net = tiny()
    check = randomisation_check(net, None, "weight", n_shuffles=2, random_state=7)
    for number in range(2):
        other = importance(shuffled(net, random_state=(7, number)), method="weight")
        for layer, scores in importance(net, method="weight").scores.items():
            assert check.correlations[layer][number] == pytest.approx(spearmanr(scores, other[layer]).statistic)
    assert check.method == "weight"


def test_a_method_that_ignores_the_weights_is_caught():
    # Before any weight, activation shows the data alone.
    check = randomisation_check(tiny(), IMAGES, "activation", layers=["0", "1"])
    assert check.mean["0"] == pytest.approx(1)
    assert check.unmoved == ("0",)
    assert abs(check.mean["1"]) < 0.8


def test_on_average_nothing_is_left_of_weight_norms():
    check = randomisation_check(nn.Sequential(nn.Linear(30, 100)), None, "weight", n_shuffles=30)
    assert abs(check.mean["0"]) < 4 / (99 * 30) ** 0.5  # four standard deviations of the mean by chance
    assert check.unmoved == ()


def test_equal_scores_have_no_correlation():
    net = nn.Sequential(nn.Linear(2, 3))
    nn.init.ones_(net[0].weight)
    check = randomisation_check(net, None, "weight")
    assert np.isnan(check.mean["0"])
    assert check.unmoved == ()


def test_same_seed_same_result_and_the_model_stays_as_it_was():
    net = tiny().train()
    net[1].weight.requires_grad_(False)
    net[5].weight.grad = torch.ones_like(net[5].weight)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    found = [randomisation_check(net, IMAGES, "activation", random_state=seed).correlations["1"] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert net.training
    assert not net[1].weight.requires_grad
    assert torch.equal(net[5].weight.grad, torch.ones_like(net[5].weight))


def test_a_network_stays_a_network():
    network = Network(tiny(), "net", example=IMAGES[:1])
    other = shuffled(network)
    assert isinstance(other, Network)
    assert other.module is not network.module
    assert other.name == "net"
    assert list(randomisation_check(network, IMAGES, "weight").mean) == ["1", "5"]


def test_tied_weights_stay_tied():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    net[1].weight = net[0].weight
    other = shuffled(net)
    assert other[1].weight is other[0].weight
    assert other[0].weight is not net[0].weight


def test_progress_and_refusals():
    seen = []
    randomisation_check(tiny(), None, "weight", n_shuffles=2, progress=lambda *done: seen.append(done))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(InvalidInputError, match="n_shuffles must be at least 1, got 0"):
        randomisation_check(tiny(), None, "weight", n_shuffles=0)
    with pytest.raises(InvalidInputError, match="Unknown importance method"):
        randomisation_check(tiny(), None, "wieght")
    with pytest.raises(InvalidInputError, match="correlations in 'a' has shape"):
        RandomisationCheck("x", {"a": 1.0})
