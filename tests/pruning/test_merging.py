"""Merged channels against what the network gave before."""

import copy
import json

import merge_nets
import numpy as np
import pruning_nets
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from cnnvis.capture import channel_spaces, read_moments
from cnnvis.core import Merge, MergeRule
from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.core.redundancy import ALONE
from cnnvis.models import ImageSpec, Network
from cnnvis.pruning import evaluate, find_redundant, load_pruned, merge_channels, merged_until, save_pruned
from cnnvis.pruning.cutting import follow
from cnnvis.pruning.merger import Merger


def merged_by_groups(model, inputs, labels, data=None, **options):
    """Return the network with the channels of each group merged; judged by its own logits, or by labelled data."""
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1])
    return merge_channels(model, found, inputs if data is None else data, example=inputs[:1], **options)


def pair_of(size, kept, merged):
    """Return groups of which one has two channels."""
    groups = np.arange(size)
    groups[merged] = kept
    return groups


def largest(one, two):
    return float((one - two).detach().abs().max())


# By hand


def test_by_hand():
    """2 -> 3 -> 2, where unit 2 is 2 * unit 0 + 1."""
    model = nn.Sequential(nn.Linear(2, 3, dtype=torch.float64), nn.Linear(3, 2, bias=False, dtype=torch.float64))
    model[0].weight.data = torch.tensor([[1.0, 2], [3, -1], [2, 4]]).double()
    model[0].bias.data = torch.tensor([0.5, 0, 2]).double()
    model[1].weight.data = torch.tensor([[1.0, 10, 100], [2, 20, 200]]).double()
    inputs = torch.randn(50, 2, generator=torch.Generator().manual_seed(0)).double()
    found = merged_by_groups(model, inputs, {"0": [0, 1, 0]}, rules="affine")
    smaller = found.network.module
    (merge,) = found.merges
    # which of the two goes is decided by what the layer behind weighs: unit 2, 100 times, is kept
    assert (merge.kept, merge.merged) == (2, 0)
    assert merge.scale + merge.shift == pytest.approx((0.5, -0.5))
    assert merge.explained == pytest.approx(1.0)
    assert torch.allclose(smaller[1].weight, torch.tensor([[10.0, 100.5], [20, 201]]).double())
    assert torch.allclose(smaller[1].bias, torch.tensor([-0.5, -1.0]).double())  # it had none
    assert torch.allclose(smaller(inputs), model(inputs))
    assert model[1].bias is None
    assert found.pruned.n_parameters == (9 + 6, 6 + 6)
    assert found.pruned.removed["0"].tolist() == [0]
    assert found.steps[1].share == pytest.approx(1 / 3)


def merged_in_place(layers, inputs, rule=MergeRule.AFFINE, scale=1.0, shift=0.0):
    """Return the outputs of the layers with channel 2 of the first merged into channel 0, and the border error."""
    network = nn.Sequential(*copy.deepcopy(layers))
    followed = follow(network, inputs[:1], "test")
    moments, _ = read_moments(network, inputs, [followed.spaces.of("0")])
    merge = Merge("0", 0, 2, (scale,), (shift,), 1.0, rule, 1, 0.0)
    (done,) = Merger(followed, moments).merge(network, [merge])
    weight = network[1].weight
    assert not (weight[2] if isinstance(network[1], nn.ConvTranspose2d) else weight[:, 2]).any()
    assert done._replace(border_error=0.0) == merge
    return network(inputs).detach(), done.border_error


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (-2.5, 0.0), (0.5, 3.0)], ids=["copy", "scaled", "shifted"])
def test_without_padding_outputs_are_equal_everywhere(scale, shift):
    layers, inputs = merge_nets.two_layers(0, scale=scale, shift=shift), merge_nets.pictures(4).double()
    found, error = merged_in_place(layers, inputs, scale=scale, shift=shift)
    assert largest(found, nn.Sequential(*layers)(inputs)) < 1e-5
    assert error < 1e-12


def test_with_padding_the_interior_is_equal_and_the_error_at_the_border_is_said():
    layers, inputs = merge_nets.two_layers(1, scale=2.0, shift=3.0), merge_nets.pictures(4).double()
    found, error = merged_in_place(layers, inputs, scale=2.0, shift=3.0)
    expected = nn.Sequential(*layers)(inputs)
    assert largest(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1]) < 1e-5
    assert error > 0.1
    assert largest(found, expected) == pytest.approx(error, rel=1e-9)
    # at the upper left corner, five of nine weights meet the padding
    missing = layers[1].weight[:, 2].flatten(1)[:, [0, 1, 2, 3, 6]].sum(dim=1)
    assert torch.allclose((found - expected)[0, :, 0, 0], 3.0 * missing)


def test_a_padded_copy_needs_no_bias_and_makes_no_error():
    layers, inputs = merge_nets.two_layers(1, scale=2.0), merge_nets.pictures(4).double()
    found, error = merged_in_place(layers, inputs, scale=2.0)
    assert error == 0.0
    assert largest(found, nn.Sequential(*layers)(inputs)) < 1e-12


@pytest.mark.parametrize("mode", ["reflect", "circular", "replicate"])
def test_padding_by_the_maps_own_values_makes_no_error(mode):
    layers, inputs = merge_nets.two_layers(1, scale=2.0, shift=3.0), merge_nets.pictures(4).double()
    layers[1].padding_mode = mode
    layers[1] = nn.Conv2d(3, 2, 3, padding=1, padding_mode=mode, dtype=torch.float64)
    found, error = merged_in_place(layers, inputs, scale=2.0, shift=3.0)
    assert error == 0.0
    assert largest(found, nn.Sequential(*layers)(inputs)) < 1e-12


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 1), (4, 2)])
def test_a_transposed_convolution_reads_what_others_do(kernel, stride):
    """A constant becomes one number per output only on the mean over the stride's places: the rest is said."""
    layers, inputs = merge_nets.two_layers(0, scale=2.0, shift=0.5), merge_nets.pictures(4).double()
    layers[1] = nn.ConvTranspose2d(3, 2, kernel, stride=stride, dtype=torch.float64)
    expected = nn.Sequential(*layers)(inputs)
    found, error = merged_in_place(layers, inputs, scale=2.0, shift=0.5)
    assert largest(found, expected) == pytest.approx(error, rel=1e-9)
    straight, error = merged_in_place(layers, inputs, scale=2.0, shift=0.0)
    halves = torch.full((1, 1, 10, 10), 0.5, dtype=torch.float64)
    constant = nn.functional.conv_transpose2d(halves, layers[1].weight[2:], stride=stride)
    assert error == 0.0
    assert largest(straight + constant, expected) < 1e-12


@pytest.mark.parametrize(("rule", "scale"), [(MergeRule.SUM, 1.0), (MergeRule.ZERO, 0.0)])
def test_the_other_rules(rule, scale):
    layers, inputs = merge_nets.two_layers(1, scale=2.0, shift=3.0), merge_nets.pictures(4).double()
    found, error = merged_in_place(layers, inputs, rule=rule, scale=2.0, shift=3.0)
    weight = layers[1].weight.detach().clone()
    weight[:, 0] += scale * weight[:, 2]
    weight[:, 2] = 0
    assert torch.allclose(found, nn.functional.conv2d(layers[0](inputs), weight, padding=1))
    assert error == 0.0


def test_jointly_all_channels_that_stay_take_a_part():
    """Channel 2 is half channel 0 less twice channel 1, and 3: no line in one of them says so."""
    layers, inputs = merge_nets.two_layers(1), merge_nets.pictures(200).double()
    layers[0].weight.data[2] = 0.5 * layers[0].weight.data[0] - 2 * layers[0].weight.data[1]
    layers[0].bias.data[2] = 0.5 * layers[0].bias.data[0] - 2 * layers[0].bias.data[1] + 3
    expected = nn.Sequential(*layers)(inputs)
    found, error = merged_in_place(layers, inputs, rule=MergeRule.JOINT)
    assert largest(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1]) < 1e-2  # a slight ridge
    assert largest(found, expected) == pytest.approx(error, abs=1e-2)
    line, _ = merged_in_place(layers, inputs, scale=0.5, shift=3.0)
    assert largest(line[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1]) > 1


def test_what_was_merged_jointly_can_be_handed_on():
    """In two steps or in one: what stays in the end takes the same parts."""
    model, inputs, labels = perceptron()
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.0)
    options = {"example": inputs[:1], "rules": "joint", "max_drop": None, "max_share": 0.3}
    one, three = (merge_channels(model, found, inputs, n_steps=n_steps, **options) for n_steps in (1, 3))
    assert len(one.merges) == len(three.merges) == 12
    assert {merge[:3] for merge in one.merges} == {merge[:3] for merge in three.merges}
    lost = float(one.steps[-1].loss)
    assert three.steps[-1].loss == pytest.approx(lost, rel=0.05)
    pairwise = merge_channels(model, found, inputs, **{**options, "rules": "affine"})
    assert lost < 0.5 * pairwise.steps[-1].loss


def test_constants_go_into_the_bias_alone():
    merge = Merge("a", ALONE, 1, (0.0,), (4.0,), 1.0, MergeRule.AFFINE, 1, 0.0)
    assert merge.taken_over == ((0.0,), (4.0,))
    for rule in (MergeRule.SUM, MergeRule.ZERO):
        assert merge._replace(rule=rule).taken_over == ((0.0,), (0.0,))
    layers, inputs = merge_nets.two_layers(0), merge_nets.pictures(20).double()
    layers[0].weight.data[1] = 0.0
    model = merge_nets.by_channel(layers)
    correlation = np.eye(3)
    correlation[1] = correlation[:, 1] = np.nan
    found = find_redundant(model, inputs, correlation={"0": correlation}, example=inputs[:1])
    merged = merge_channels(model, found, inputs, example=inputs[:1])
    assert [merge[1:3] for merge in merged.merges] == [(ALONE, 1)]
    assert largest(merged.network.module(inputs), model(inputs)) < 1e-12


# Families


@settings(max_examples=12)
@given(st.data())
def test_merging_an_exact_duplicate_never_changes_outputs(data):
    family = data.draw(st.sampled_from(sorted(set(pruning_nets.FAMILIES) - {"grouped"})))
    seed = data.draw(st.integers(0, 3))
    model, inputs = pruning_nets.make(family, seed).double(), pruning_nets.images(seed, n=6).double()
    space = data.draw(st.sampled_from(channel_spaces(model, inputs[:1]).hidden))
    kept, merged = data.draw(st.permutations(range(space.size)))[:2]
    merge_nets.plant(model, inputs[:1], space.name, kept, merged)
    expected = model(inputs).detach()
    found = merged_by_groups(model, inputs, {space.name: pair_of(space.size, kept, merged)})
    assert {channel for merge in found.merges for channel in merge[1:3]} <= {ALONE, kept, merged}
    assert found.merges[0].explained == pytest.approx(1.0)
    assert found.steps[-1].accuracy == 1.0
    smaller = found.network.module
    assert sum(p.numel() for p in smaller.parameters()) < sum(p.numel() for p in model.parameters())
    assert largest(smaller(inputs), expected) < 1e-6 * max(1.0, float(expected.abs().max()))


def test_groups_lose_one_channel_each_or_none():
    model, inputs = pruning_nets.make("grouped").double(), pruning_nets.images(n=6).double()
    for stretch in range(4):  # 8 channels of the stream, cut into 4 by the convolution behind
        merge_nets.plant(model, inputs[:1], "stem.0", 2 * stretch, 2 * stretch + 1)
    expected = model(inputs).detach()
    found = merged_by_groups(model, inputs, {"stem.0": np.arange(8) // 2})
    assert sorted(merge.merged // 2 for merge in found.merges) == [0, 1, 2, 3]
    assert {merge.step for merge in found.merges} == {1}
    assert largest(found.network.module(inputs), expected) < 1e-6
    four = found.network.module.four[0]
    assert (four.groups, four.in_channels) == (4, 4)
    for labels in (
        [0, 0, 1, 1, 2, 2, 3, 4],  # three groups cannot go without the fourth
        [0, 1, 0, 1, 2, 3, 2, 3],  # nor can a channel move into another group
    ):
        assert not merged_by_groups(model, inputs, {"stem.0": labels}).merges


def test_many_duplicates_of_one_channel_all_go_into_the_one_that_stays():
    model, inputs = pruning_nets.make("resnet").double(), pruning_nets.images(n=6).double()
    for merged in (1, 2, 5):
        merge_nets.plant(model, inputs[:1], "stem", 4, merged)
    expected = model(inputs).detach()
    found = merged_by_groups(model, inputs, {"stem": [0, 1, 1, 2, 1, 1, 3, 4]})
    assert len({merge.kept for merge in found.merges}) == 1
    assert {merge.merged for merge in found.merges} | {found.merges[0].kept} == {1, 2, 4, 5}
    assert largest(found.network.module(inputs), expected) < 1e-6
    assert {merge.layer for merge in found.merges} == {"stem"}


# Rules, steps, and when to stop


def labelled(model, inputs):
    with torch.no_grad():
        return inputs, model(inputs).argmax(dim=1)


def perceptron():
    """Return a network of 40 hidden units that all matter, inputs, and groups of a whole layer each."""
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 10))
    for tensor in model.parameters():
        tensor.data.normal_(generator=generator)
    return model, torch.randn(60, 8, generator=generator), {"0": np.zeros(24), "2": np.zeros(16)}


def test_of_each_step_the_rule_with_the_least_loss_is_kept():
    model, inputs, labels = perceptron()
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.0)
    merged = merge_channels(model, found, labelled(model, inputs), example=inputs[:1], max_drop=None, n_steps=5)
    assert merged.has_labels
    sizes = np.diff([step.n_merged for step in merged.steps])
    assert sizes.size == 5
    assert sizes.sum() == len(merged.merges)
    assert np.ptp(sizes) <= 1
    for step in merged.steps[1:]:
        assert set(step.losses) == {"affine", "sum", "zero", "joint"}
        assert step.loss == step.losses[step.rule] == min(step.losses.values())
    by_step = {merge.step: merge.rule for merge in merged.merges}
    assert [by_step[number] for number in range(1, 6)] == [step.rule for step in merged.steps[1:]]
    measured = evaluate(merged.network, labelled(model, inputs))
    assert merged.steps[-1].accuracy == measured.accuracy
    assert merged.steps[-1].loss == pytest.approx(measured.loss, rel=1e-5)
    assert merged.pruned.largest_difference < 1e-5


def test_no_channel_takes_over_and_goes():
    model, inputs = pruning_nets.make("mobilenet"), pruning_nets.images(n=10)
    labels = {space.name: np.zeros(space.size) for space in channel_spaces(model, inputs[:1]).hidden}
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.1)
    merged = merge_channels(model, found, inputs, example=inputs[:1], max_drop=None)
    gone = {(merge.layer, merge.merged) for merge in merged.merges}
    assert len(gone) == len(merged.merges)
    assert not gone & {(merge.layer, merge.kept) for merge in merged.merges}
    assert all(merge.explained >= 0.1 for merge in merged.merges)


def test_merging_ends_before_too_much_is_lost():
    model, inputs, labels = perceptron()
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.0)
    whole = merge_channels(model, found, inputs, example=inputs[:1], max_drop=None, n_steps=10)
    lost = [1 - step.accuracy for step in whole.steps]
    assert max(lost) > 0.1
    allowed = sorted(lost)[5]
    stopped = merge_channels(model, found, inputs, example=inputs[:1], max_drop=allowed, n_steps=10)
    first = next(number for number, drop in enumerate(lost) if drop > allowed)
    assert stopped.too_costly.n_merged == whole.steps[first].n_merged
    assert [step.n_merged for step in stopped.steps] == [step.n_merged for step in whole.steps[:first]]
    assert len(stopped.merges) == stopped.steps[-1].n_merged
    assert whole.too_costly is None
    assert stopped.merges == whole.merges[: len(stopped.merges)]
    limited = merge_channels(model, found, inputs, example=inputs[:1], max_drop=None, max_share=0.25)
    assert len(limited.merges) == 10


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_a_merging_ended_early_is_that_of_the_same_limit(share):
    model, inputs, labels = perceptron()
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.0)
    whole = merge_channels(model, found, inputs, example=inputs[:1], max_drop=None, n_steps=6)
    max_drop = share * max(1 - step.accuracy for step in whole.steps)
    expected = merge_channels(model, found, inputs, example=inputs[:1], max_drop=max_drop, n_steps=6)
    ended = merged_until(model, whole, max_drop=max_drop, example=inputs[:1])
    for name in ("merges", "steps", "too_costly", "has_labels"):
        assert getattr(ended, name) == getattr(expected, name), name
    for name in ("n_parameters", "multiply_adds", "largest_difference", "options", "left_whole"):
        assert getattr(ended.pruned, name) == getattr(expected.pruned, name), name
    assert torch.equal(ended.network.module(inputs), expected.network.module(inputs))


def test_without_labels_the_distance_of_the_logits_chooses():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    merged = merged_by_groups(model, inputs, {"0": [0, 1, 0]})
    assert not merged.has_labels
    assert merged.steps[0].loss == 0.0
    assert merged.steps[0].accuracy == 1.0
    assert merged.steps[1].rule is MergeRule.AFFINE
    expected = model(inputs).detach()
    zeroed = copy.deepcopy(model)
    zeroed[2].weight.data[:, merged.merges[0].merged] = 0
    distance = float((zeroed(inputs) - expected).detach().square().mean())
    assert merged.steps[1].losses["zero"] == pytest.approx(distance, rel=1e-4)


def test_the_model_is_left_alone_and_the_same_again_is_the_same():
    model, inputs = pruning_nets.make("resnet").train(), pruning_nets.images(n=10)
    before = copy.deepcopy(model.state_dict())
    labels = {"blocks.0.conv1": np.zeros(8)}
    found = find_redundant(model, inputs, labels=labels, example=inputs[:1], explained=0.1)
    one, two = (merge_channels(model, found, inputs, example=inputs[:1], max_drop=None) for _ in range(2))
    assert one.merges == two.merges
    assert [step.loss for step in one.steps] == [step.loss for step in two.steps]
    assert model.training
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not any(part._forward_hooks for part in model.modules())


def test_progress_counts_networks_judged_and_may_cancel():
    model, inputs = pruning_nets.make("vgg"), pruning_nets.images(n=4)
    told = []
    merged_by_groups(
        model, inputs, {"classifier.0": np.zeros(20)}, max_drop=None, n_steps=2, progress=lambda *now: told.append(now)
    )
    assert told == [(done, told[0][1]) for done in range(1, told[0][1] + 1)]

    def cancel(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        merged_by_groups(model, inputs, {"classifier.0": np.zeros(20)}, progress=cancel)


# Files


def test_a_merged_network_is_written_and_opens_without_cnnvis(tmp_path):
    model = Network(pruning_nets.make("resnet"), image=ImageSpec((16, 16), mean=0.5, std=0.5))
    inputs = pruning_nets.images(n=20)
    labels = {"blocks.0.conv1": np.zeros(8), "blocks.1.conv1": np.zeros(12)}
    found = find_redundant(model, inputs, labels=labels, explained=0.1)
    merged = merge_channels(model, found, inputs, max_drop=None, rules="affine")
    files = save_pruned(merged.pruned, tmp_path)
    program = torch.export.load(files[0]).module()
    expected = merged.network.module(inputs)
    assert largest(program(inputs), expected) < 1e-5
    rebuilt = load_pruned(tmp_path, architecture=model)  # with the biases that the merges brought
    assert type(rebuilt.module) is pruning_nets.Resnet
    assert "blocks.1.conv2.bias" in rebuilt.module.state_dict()
    assert torch.equal(rebuilt.module(inputs), expected)
    about = json.loads(files[2].read_text())
    assert about["options"]["method"] == "merging"
    assert len(about["options"]["merges"]) == len(merged.merges)
    assert merged.network.name == "Resnet merged"


# Bad input


def test_where_nothing_is_redundant_nothing_is_merged():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    found = find_redundant(model, inputs, labels={"0": [0, 1, 0]}, example=inputs[:1])
    for merged in (
        merged_by_groups(model, inputs, {"0": [0, 0, 1]}),
        merge_channels(model, found, inputs, example=inputs[:1], max_share=0.01),
    ):
        assert not merged.merges
        assert [step.n_merged for step in merged.steps] == [0]
        assert torch.equal(merged.network.module(inputs), model(inputs))


def test_the_redundancy_of_another_network_is_refused():
    model, inputs = merge_nets.shifted_twins(), merge_nets.pictures()
    found = find_redundant(model, inputs, labels={"0": [0, 1, 0]}, example=inputs[:1])
    wider = merge_nets.by_channel([nn.Conv2d(1, 5, 3), nn.ReLU(), nn.Conv2d(5, 2, 3)])
    with pytest.raises(InvalidInputError, match="another network: here it has 5 channels in 1 values"):
        merge_channels(wider, found, inputs, example=inputs[:1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": ("affine", "mean")}, "Unknown rule 'mean'"),
        ({"rules": ()}, "at least one rule"),
        ({"max_drop": -0.1}, "max_drop must be"),
        ({"max_share": 0}, "max_share must be"),
        ({"n_steps": 0}, "n_steps must be"),
    ],
)
def test_bad_options_are_refused_in_a_sentence(options, message):
    with pytest.raises(InvalidInputError, match=message):
        merged_by_groups(merge_nets.shifted_twins(), merge_nets.pictures(), {"0": [0, 1, 0]}, **options)


def test_labels_that_are_no_classes_are_refused():
    inputs = merge_nets.pictures()
    with pytest.raises(InvalidInputError, match="no class 9"):
        merged_by_groups(merge_nets.shifted_twins(), inputs, {"0": [0, 1, 0]}, data=(inputs, np.full(64, 9)))
    with pytest.raises(InvalidInputError, match="63 labels for 64 images"):
        merged_by_groups(merge_nets.shifted_twins(), inputs, {"0": [0, 1, 0]}, data=(inputs, np.zeros(63, dtype=int)))
