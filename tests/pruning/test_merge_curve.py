"""Curves of merging, and batch norms taken anew."""

import copy

import merge_nets
import numpy as np
import pruning_nets
import pytest
import torch
from torch import nn

from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.models import ImageSpec, Network
from cnnvis.pruning import evaluate, find_redundant, merge_channels, merge_curve, recalibrated


@pytest.fixture(scope="module")
def case():
    """A network, what was merged in it by some pictures, and others with labels that it gets right."""
    model = Network(pruning_nets.make("resnet"), image=ImageSpec((16, 16), mean=0.5, std=0.5))
    choosing, testing = pruning_nets.images(1, n=30), pruning_nets.images(2, n=50)
    with torch.no_grad():
        answers = model.module(testing).argmax(dim=1)
    labels = {"blocks.0.conv1": np.zeros(8), "blocks.1.conv1": np.zeros(12), "blocks.2.conv1": np.zeros(12)}
    found = find_redundant(model, choosing, labels=labels, explained=0.02)
    return model, merge_channels(model, found, choosing, max_drop=None, n_steps=4), (testing, answers)


@pytest.fixture(scope="module")
def curves(case):
    model, merged, testing = case
    return merge_curve(model, merged, testing, n_random=2, random_state=5, recalibrate_on=testing[0])


def test_the_curve_begins_with_the_whole_network_and_ends_with_the_smaller_one(case, curves):
    _, merged, testing = case
    (curve,) = curves["merged"]
    assert curve.accuracy[0] == 1.0
    assert curve.shares.tolist() == [step.share for step in merged.steps]
    smaller = evaluate(merged.network, testing)
    assert curve.accuracy[-1] == smaller.accuracy
    assert curve.loss[-1] == pytest.approx(smaller.loss, rel=1e-5)
    assert curve.n_total == 8 + 8 + 12 + 12 + 12
    assert curve.options["images"] == 50


def test_removed_is_the_network_with_the_same_channels_off(case, curves):
    model, merged, testing = case
    off = evaluate(model, testing, without=merged.pruned.removed)
    assert curves["removed"][0].loss[-1] == pytest.approx(off.loss, rel=1e-5)


def test_random_curves_differ_by_their_seed_alone(case, curves):
    model, merged, testing = case
    assert [curve.options["random_state"] for curve in curves["random"]] == [5, 6]
    one, two = curves["random"]
    assert np.array_equal(one.shares, two.shares)
    assert np.array_equal(one.shares, curves["merged"][0].shares)
    assert not np.array_equal(one.loss, two.loss)
    again = merge_curve(model, merged, testing, n_random=1, random_state=6)
    assert np.array_equal(again["random"][0].loss, two.loss)
    assert set(again) == {"merged", "removed", "random"}


def test_at_random_as_many_channels_go_of_each_layer_and_group():
    from cnnvis.pruning.cutting import follow
    from cnnvis.pruning.merge_curve import _random

    model, inputs = pruning_nets.make("grouped"), pruning_nets.images(n=6)
    for stretch in range(4):
        merge_nets.plant(model, inputs[:1], "stem.0", 2 * stretch, 2 * stretch + 1)
    found = find_redundant(model, inputs, labels={"stem.0": np.arange(8) // 2}, example=inputs[:1])
    merged = merge_channels(model, found, inputs, example=inputs[:1])
    drawn = [_random(follow(model, inputs[:1], "test"), merged.merges, seed) for seed in range(6)]
    assert all(sorted(merge.merged // 2 for merge in part) == [0, 1, 2, 3] for part in drawn)
    assert len({tuple(merge.merged for merge in part) for part in drawn}) > 1


def test_recalibrated_curves_are_entries_of_their_own(case, curves):
    _, merged, testing = case
    assert set(curves) == {
        f"{name}{kind}" for name in ("merged", "removed", "random") for kind in ("", ", recalibrated")
    }
    assert len(curves["random, recalibrated"]) == 2
    smaller = evaluate(recalibrated(merged.network, testing[0]), testing)
    assert curves["merged, recalibrated"][0].loss[-1] == pytest.approx(smaller.loss, rel=1e-4)
    assert curves["merged, recalibrated"][0].loss[-1] != curves["merged"][0].loss[-1]


def test_the_model_is_left_alone(case):
    model, merged, testing = case
    before = copy.deepcopy(model.module.state_dict())
    merge_curve(model, merged, testing, n_random=1, recalibrate_on=testing[0])
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.module.state_dict().items())


def test_progress_counts_points_and_may_cancel(case):
    model, merged, testing = case
    told = []
    merge_curve(model, merged, testing, n_random=1, progress=lambda *now: told.append(now))
    assert told == [(done, 12) for done in range(1, 13)]  # 4 steps of 3 runs

    def cancel(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        merge_curve(model, merged, testing, progress=cancel)


def test_bad_input_is_refused_in_a_sentence(case):
    model, merged, testing = case
    with pytest.raises(InvalidInputError, match="no labels"):
        merge_curve(model, merged, testing[0])
    plain = merge_nets.shifted_twins()
    inputs = merge_nets.pictures()
    labels = np.zeros(64, dtype=int)
    found = find_redundant(plain, inputs, labels={"0": [0, 1, 0]}, example=inputs[:1])
    other = merge_channels(plain, found, inputs, example=inputs[:1])
    with pytest.raises(InvalidInputError, match="no batch norm"):
        merge_curve(plain, other, (inputs, labels), example=inputs[:1], recalibrate_on=inputs)
    plain[2].weight.data *= 100
    wrong = merge_channels(plain, found, inputs, example=inputs[:1], rules="zero", max_drop=0)
    assert not wrong.merges
    assert wrong.too_costly.n_merged == 1
    assert len(wrong.steps) == 1
    assert torch.equal(wrong.network.module(inputs), plain(inputs))
    with pytest.raises(InvalidInputError, match="Nothing was merged"):
        merge_curve(plain, wrong, (inputs, labels), example=inputs[:1])


# Recalibration


def test_statistics_are_those_of_what_the_norm_receives():
    """x has mean 3 and population variance 2 in one channel: 64 values, unbiased 128 / 63."""
    norm = nn.BatchNorm2d(1)
    values = 3 + torch.tensor([-(2**0.5), 2**0.5]).repeat(32).view(16, 1, 2, 2)
    model = nn.Sequential(norm, nn.Flatten(), nn.Linear(4, 2)).eval()
    found = recalibrated(model, values)
    assert found[0].running_mean.item() == pytest.approx(3.0)
    assert found[0].running_var.item() == pytest.approx(128 / 63)
    assert (norm.running_mean.item(), norm.running_var.item()) == (0.0, 1.0)
    assert found[0].momentum == 0.1
    assert not found.training
    assert not found[0].training
    assert torch.equal(found[2].weight, model[2].weight)


def test_what_recalibration_cannot_do_is_said():
    with pytest.raises(InvalidInputError, match="nothing to recalibrate"):
        recalibrated(merge_nets.shifted_twins(), merge_nets.pictures())
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    with pytest.raises(InvalidInputError, match="more than 1 value per channel"):
        recalibrated(model, torch.zeros(1, 2))
    frozen = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False))
    with pytest.raises(InvalidInputError, match="nothing to recalibrate"):
        recalibrated(frozen, torch.zeros(4, 2))


def test_a_network_stays_a_network_in_the_mode_it_had(case):
    model, _, testing = case
    found = recalibrated(model, testing)
    assert isinstance(found, Network)
    assert found.image == model.image
    assert recalibrated(pruning_nets.make("resnet").train(), testing).training
