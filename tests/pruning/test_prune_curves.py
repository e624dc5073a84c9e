"""Pruning curves of units and links on networks small enough to prune by hand."""

import numpy as np
import pruning_nets
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnvis.core import Importance
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError
from cnnvis.pruning import class_curves, curves_with_controls, evaluate, filter_table, prune_curve, prune_curves


def net():
    """Unit 0 knows class 0, unit 1 class 1, unit 2 is not used; the bias prefers class 1."""
    made = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        made[0].weight[:] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.1, 0.0]])
        made[0].bias.zero_()
        made[2].weight[:] = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
        made[2].bias[:] = torch.tensor([0.0, 0.1])
    return made


DATA = torch.eye(2), torch.tensor([0, 1])
SCORES = {"0": np.array([2.0, 3.0, 1.0])}
THIRDS = (0, 1 / 3, 2 / 3, 1)


def cross_entropy(*logits_and_labels):
    return np.mean([np.log(np.sum(np.exp(z))) - z[label] for z, label in logits_and_labels])


WHOLE = cross_entropy(([1, 0.1], 0), ([0, 1.1], 1))
WITHOUT_0 = cross_entropy(([0, 0.1], 0), ([0, 1.1], 1))
NOTHING = cross_entropy(([0, 0.1], 0), ([0, 0.1], 1))


def test_units_by_hand():
    curve = prune_curve(net(), DATA, SCORES, shares=THIRDS)
    np.testing.assert_array_equal(curve.accuracy, [1, 1, 0.5, 0.5])
    np.testing.assert_allclose(curve.loss, [WHOLE, WHOLE, WITHOUT_0, NOTHING], rtol=1e-6)
    # when all is called class 1: class 0 is missed but told from (0 + 1) / 2, class 1 is found but not told from
    np.testing.assert_allclose(curve.class_accuracy, [[1, 1], [1, 1], [0.5, 0.5], [0.5, 0.5]])
    assert (curve.order, curve.kind, curve.scope, curve.n_total) == ("scores", "units", "global", 3)


def test_the_reverse_by_hand():
    curve = prune_curve(net(), DATA, Importance(SCORES, method="taylor"), shares=THIRDS, reverse=True)
    np.testing.assert_array_equal(curve.accuracy, [1, 1, 0.5, 0.5])  # without unit 1, the bias still knows class 1
    np.testing.assert_allclose(curve.loss[1], cross_entropy(([1, 0.1], 0), ([0, 0.1], 1)), rtol=1e-6)
    assert curve.order == "taylor reversed"


def test_links_by_hand():
    model = net()
    curve = prune_curve(model, DATA, "weight", kind="links", shares=[0, 7 / 12, 8 / 12, 1])
    # 7 weights are zero, the eighth (0.1) leads nowhere; of those that are 1, in the end all are gone; biases stay
    np.testing.assert_array_equal(curve.accuracy, [1, 1, 1, 0.5])
    np.testing.assert_allclose(curve.loss, [WHOLE, WHOLE, WHOLE, NOTHING], rtol=1e-6)
    assert (curve.n_total, curve.kind) == (12, "links")


def test_links_are_ranked_by_given_scores():
    scores = {"0": np.full((3, 2), 2.0), "2": np.full((2, 3), 3.0)}
    scores["0"][0, 0] = 1  # the link from the first input to unit 0 goes first
    curve = prune_curve(net(), DATA, scores, kind="links", shares=[0, 1 / 12])
    np.testing.assert_allclose(curve.loss, [WHOLE, WITHOUT_0], rtol=1e-6)


def test_links_inherit_from_the_start_unit():
    order = Importance({"0": np.array([0.0, 1, 1])}, method="m")
    # of 6 links, all but the one from unit 1 score 0; by weight alone, that from unit 0 stays beside it
    options = {"kind": "links", "layers": "2"}
    np.testing.assert_allclose(prune_curve(net(), DATA, order, shares=[5 / 6], **options).loss, [WITHOUT_0], rtol=1e-6)
    np.testing.assert_allclose(prune_curve(net(), DATA, "weight", shares=[4 / 6], **options).loss, [WHOLE], rtol=1e-6)


def test_the_same_share_of_each_layer():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2), nn.ReLU(), nn.Linear(2, 2))
    with torch.no_grad():
        model[4].bias.zero_()
    scores = {"0": np.array([1.0, 2, 3, 4]), "2": np.array([1.0, 100])}
    curve = prune_curve(model, DATA, scores, scope="layer", shares=[0.5])
    inputs = torch.eye(2)
    with torch.no_grad():
        hidden = torch.relu(model[0](inputs)) * torch.tensor([0, 0, 1, 1.0])
        expected = model[4](torch.relu(model[2](hidden)) * torch.tensor([0, 1.0]))
    np.testing.assert_allclose(curve.loss, nn.functional.cross_entropy(expected, DATA[1]).item(), rtol=1e-6)


def test_inputs_and_classes_go_when_they_are_asked_for():
    model = net()
    assert prune_curve(model, DATA, "random").n_total == 3
    assert prune_curve(model, DATA, "random", include_inputs=True).n_total == 5
    assert prune_curve(model, DATA, "random", include_outputs=True).n_total == 5
    curve = prune_curve(model, DATA, "random", include_outputs=True, layers="2", shares=[1])
    np.testing.assert_allclose(curve.loss, np.log(2), rtol=1e-6)  # the classes themselves are 0


def test_orders_are_named_and_controls_stand_beside():
    seen = []
    found = curves_with_controls(
        net(), DATA, {"a": SCORES, "w": "weight"}, n_random=3, shares=[0, 1], progress=lambda *done: seen.append(done)
    )
    assert {name: len(runs) for name, runs in found.items()} == {
        "a": 1, "w": 1, "a reversed": 1, "w reversed": 1, "random": 3
    }  # fmt: skip
    assert seen == [(done, 14) for done in range(1, 15)]
    assert [run.options["random_state"] for run in found["random"]] == [0, 1, 2]


def test_random_orders_follow_the_seed():
    model, data = pruning_nets.make("vgg"), (pruning_nets.images(n=12), torch.arange(12) % 5)
    curves = [prune_curve(model, data, "random", random_state=seed).loss for seed in (3, 3, 4)]
    np.testing.assert_array_equal(curves[0], curves[1])
    assert np.any(curves[0] != curves[2])


@pytest.mark.parametrize("kind", ["units", "links"])
@pytest.mark.parametrize("family", pruning_nets.FAMILIES)
def test_every_family_starts_whole_and_ends_at_its_biases(family, kind):
    model, labels = pruning_nets.make(family), torch.arange(4)
    one, other = (
        prune_curve(model, (pruning_nets.images(seed), labels), "weight", kind=kind, shares=[0, 0.5, 1])
        for seed in (0, 1)
    )
    with torch.no_grad():
        whole = nn.functional.cross_entropy(model(pruning_nets.images(0)), labels).item()
    assert one.loss[0] == pytest.approx(whole, rel=1e-5)
    assert one.loss[0] != pytest.approx(other.loss[0], rel=1e-5)
    assert one.loss[2] == pytest.approx(other.loss[2], rel=1e-9)  # nothing of the image is left


@pytest.mark.parametrize("kind", ["units", "links"])
def test_the_network_comes_back_as_it_was(kind):
    model = pruning_nets.make("resnet").train()
    model.fc.requires_grad_(False)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state, parameters = torch.get_rng_state(), dict(model.named_parameters())

    def stop(done, total):
        raise CancelledError("enough")

    data = (pruning_nets.images(), torch.zeros(4, dtype=torch.long))
    with pytest.raises(CancelledError):
        prune_curve(model, data, "random", kind=kind, progress=stop)
    prune_curve(model, data, "random", kind=kind)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(part.training for part in model.modules())
    assert all(parameter is parameters[name] for name, parameter in model.named_parameters())
    assert [name for name, parameter in parameters.items() if not parameter.requires_grad] == ["fc.weight", "fc.bias"]
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_loader_gives_the_same_as_its_tensors():
    model, inputs, labels = pruning_nets.make("mobilenet"), pruning_nets.images(n=10), torch.arange(10) % 5
    loader = DataLoader(TensorDataset(inputs, labels), batch_size=3)
    one, two = (prune_curve(model, data, "weight", shares=[0, 0.4]) for data in ((inputs, labels), loader))
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-6)
    np.testing.assert_array_equal(one.class_accuracy, two.class_accuracy)


def test_outputs_that_are_no_numbers_do_not_stop_the_curve():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    with torch.no_grad():
        model[2].bias[0] = float("nan")
    curve = prune_curve(model, DATA, "random", shares=[0, 1])
    np.testing.assert_array_equal(curve.accuracy, [0, 0])
    assert np.isnan(curve.loss).all()
    np.testing.assert_array_equal(curve.class_accuracy, np.full((2, 2), 0.5))  # none is found, none is called
    with torch.no_grad():
        model[2].bias[0] = float("inf")
    assert not np.isfinite(prune_curve(model, DATA, "random", shares=[1]).loss).any()


def test_a_class_without_images_has_no_balanced_accuracy():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 4))
    curve = prune_curve(model, DATA, "random", shares=[0])
    assert np.isnan(curve.class_accuracy[0]).tolist() == [False, False, True, True]


PER_CLASS = {"0": np.array([[3.0, 1.0], [1.0, 3.0], [0.0, 0.0]])}


def test_curves_by_class_by_hand():
    scores = Importance({"0": PER_CLASS["0"].mean(1)}, method="batchnorm", per_class=PER_CLASS, class_names=("a", "b"))
    found = class_curves(net(), DATA, scores, shares=[0, 2 / 3])
    # for class 0, unit 1 goes first: both stay right; for class 1, unit 0 goes first: all is called class 1
    np.testing.assert_array_equal(found.by_class, [[1, 1], [1, 0.5]])
    assert np.isin(found.by_mean[1], [0.5, 1]).all()  # a tie between units 0 and 1
    assert (found.order, found.class_names) == ("batchnorm", ("a", "b"))
    with pytest.raises(InvalidInputError, match="no scores by class"):
        class_curves(net(), DATA, Importance(SCORES, method="weight"))
    more = Importance(SCORES, method="m", per_class={"0": np.ones((3, 5))})
    with pytest.raises(InvalidInputError, match="The importance has 5 classes, the network 2"):
        class_curves(net(), DATA, more)


def test_scores_of_some_classes_in_any_order_stay_with_their_classes():
    whole = Importance({"0": PER_CLASS["0"].mean(1)}, method="batchnorm", per_class=PER_CLASS)
    turned = Importance(whole.scores, "batchnorm", {"0": PER_CLASS["0"][:, ::-1]}, options={"classes": [1, 0]})
    one = Importance(whole.scores, "batchnorm", {"0": PER_CLASS["0"][:, 1:]}, options={"classes": [1]})
    expected = class_curves(net(), DATA, whole, shares=[0, 2 / 3])
    for scores in (turned, one):
        found = class_curves(net(), DATA, scores, shares=[0, 2 / 3])
        np.testing.assert_array_equal(found.by_class, expected.by_class[:, list(scores.classes)])
    np.testing.assert_array_equal(found.by_mean, found.by_class)  # the mean over a single class
    rows = filter_table(net(), DATA, whole, "0").rows
    assert filter_table(net(), DATA, turned, "0").rows == rows
    assert filter_table(net(), DATA, one, "0").rows == (rows[0], rows[2])


def test_table_of_single_filters_by_hand():
    scores = Importance({"0": np.array([1.0, 2.0, 0.0])}, method="batchnorm", per_class=PER_CLASS)
    table = filter_table(net(), DATA, scores, "0")
    assert table.layer == "0"
    assert [tuple(row) for row in table.rows] == [
        ("all classes", 2, 0, 2, 0, 1, 0),  # without unit 1, the bias still knows class 1
        ("class 0", 1, 0, 2, 0, 0, 1),
        ("class 1", 1, 0, 2, 0, 1, 0),
    ]
    with pytest.raises(LayerNotFoundError, match="No importance of layer '2'"):
        filter_table(net(), DATA, scores, "2")


def test_accuracy_with_units_off():
    assert evaluate(net(), DATA).accuracy == 1
    assert evaluate(net(), DATA, without={"0": [0]}).confusion.tolist() == [[0, 1, 0], [0, 1, 0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "weights"}, "kind must be units or links, got 'weights'"),
        ({"scope": "all"}, "scope must be global or layer"),
        ({"shares": [0.5, 0.1]}, "shares must be numbers that rise"),
        ({"shares": [0, 2]}, "shares must be numbers that rise"),
        ({"kind": "links", "include_inputs": True}, "Inputs and outputs are units"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InvalidInputError, match=message):
        prune_curve(net(), DATA, "random", **options)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ((torch.eye(2), torch.tensor([0, 2])), "There is no class 2: the network has 2"),
        ((torch.eye(2), torch.tensor([0, -1])), "from 0, got -1"),
        ((torch.eye(2), torch.tensor([0])), "1 labels for 2 images"),
        (torch.eye(2), "There are no labels"),
    ],
)
def test_data_is_checked(data, message):
    with pytest.raises(InvalidInputError, match=message):
        prune_curve(net(), data, "random")


@pytest.mark.parametrize(
    ("order", "options", "message"),
    [
        ({"1": np.ones(3)}, {}, "no importance of 0; score these layers too"),
        ({"0": np.ones(5)}, {}, "5 scores, but the layer has 3 channels"),
        ({"0": np.array([1, np.nan, 0])}, {}, "NaN or infinite"),
        ("taylor", {}, '"random" or "weight"; got \'taylor\''),
        ("weight", {"include_inputs": True}, "no importance of input"),
        ({"0": np.ones((3, 2))}, {"kind": "links"}, r"links of '2' need scores of shape \(2, 3\), got none"),
        ({"0": np.ones((3, 2)), "2": np.ones(3)}, {"kind": "links"}, r"got shape \(3,\)"),
        ({"0": np.ones((3, 2)), "2": np.full((2, 3), np.inf)}, {"kind": "links"}, "infinite"),
    ],
)
def test_orders_are_checked(order, options, message):
    with pytest.raises(InvalidInputError, match=message):
        prune_curve(net(), DATA, order, **options)


def test_layers_and_networks_that_do_not_fit():
    with pytest.raises(LayerNotFoundError, match="No units to prune in 'fc'"):
        prune_curve(net(), DATA, "random", layers="fc")
    with pytest.raises(InvalidInputError, match="one tensor of class scores"):
        prune_curve(nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)), (pruning_nets.images(), DATA[1][[0] * 4]),
                    "random")  # fmt: skip
    with pytest.raises(InvalidInputError, match="no hidden units"):
        prune_curve(nn.Linear(2, 2), DATA, "random")


def test_several_orders_on_the_same_images():
    found = prune_curves(net(), DATA, {"one": SCORES, "other": {"0": np.array([1.0, 2, 3])}}, shares=THIRDS)
    assert [curve.order for curve in found.values()] == ["one", "other"]
    np.testing.assert_array_equal(found["one"].loss, prune_curve(net(), DATA, SCORES, shares=THIRDS).loss)
    np.testing.assert_array_equal(found["other"].accuracy, [1, 0.5, 0.5, 0.5])
