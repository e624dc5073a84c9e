"""The training loop: against steps by hand, deterministic, and what it leaves untouched."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from cnnvis.core.errors import CancelledError, DivergedError, InvalidInputError
from cnnvis.training import History, TrainOptions, accuracy, train


@pytest.fixture
def data():
    """Two classes that a line parts, 60 points in the plane."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(60, 2, generator=generator)
    return points, (points.sum(1) > 0).long()


def _net(seed=0, *, dropout=False):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        middle = nn.Dropout(0.5) if dropout else nn.BatchNorm1d(8)
        return nn.Sequential(nn.Linear(2, 8), middle, nn.ReLU(), nn.Linear(8, 2))


def _same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


# ------------------------------------------------------------------------------------------------ what it computes


def test_a_whole_batch_is_a_step_of_adam(data):
    module = nn.Linear(2, 2)
    twin = copy.deepcopy(module)
    history = train(module, data, TrainOptions(epochs=3, batch_size=60, learning_rate=0.01))
    optimiser, losses = torch.optim.Adam(twin.parameters(), lr=0.01), []
    for _ in range(3):
        optimiser.zero_grad()
        loss = cross_entropy(twin(data[0]), data[1])
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert history.loss == pytest.approx(losses, abs=1e-6)
    assert torch.allclose(module.weight, twin.weight, atol=1e-6)


def test_the_first_step_by_hand():
    # Logits (0, 0), one image (1, 2) of class 0: loss ln 2, gradient -x/2 and x/2; Adam's first step is lr * sign.
    module = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(module.weight)
    history = train(module, (torch.tensor([[1.0, 2.0]]), torch.tensor([0])), TrainOptions(epochs=1, learning_rate=0.1))
    assert history.loss == pytest.approx((0.693147,), abs=1e-6)
    assert history.accuracy == (1.0,)  # of equal logits the first counts
    assert torch.allclose(module.weight, torch.tensor([[0.1, 0.1], [-0.1, -0.1]]), atol=1e-6)


def test_loss_and_accuracy_are_means_over_images_whatever_the_last_batch():
    # With a tiny learning rate the epoch's mean over batches of 4, 4, 2 is the mean over all 10.
    inputs, labels = torch.arange(10.0)[:, None], torch.tensor([0, 1] * 5)
    module = nn.Linear(1, 2)
    expected, right = cross_entropy(module(inputs), labels).item(), accuracy(module, (inputs, labels))
    history = train(module, (inputs, labels), TrainOptions(epochs=1, batch_size=4, learning_rate=1e-9))
    assert history.loss == pytest.approx((expected,), abs=1e-5)
    assert history.accuracy == (right,)


def test_training_lowers_the_loss_and_parts_the_classes(data):
    module = _net()
    history = train(module, data, TrainOptions(epochs=60, batch_size=20, learning_rate=0.01))
    assert history.loss[-1] < 0.5 * history.loss[0]
    assert history.accuracy[-1] > history.accuracy[0]
    assert accuracy(module, data) > 0.9


def test_l1_takes_weights_that_nothing_speaks_for_to_exactly_0():
    # Inputs are 0, so only biases have gradients; 5 steps of 0.1 * 0.6 take 0.3 off each weight, at most all of it.
    module = nn.Linear(3, 2)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.5, -0.5, 0.2], [-0.1, 0.3001, 0.0]]))
        module.bias.copy_(torch.tensor([1.0, 1.0]))
    inputs, labels = torch.zeros(2, 3), torch.tensor([0, 1])  # biases balance: they stay
    train(module, (inputs, labels), TrainOptions(epochs=5, learning_rate=0.1, l1=0.6))
    assert torch.allclose(module.weight, torch.tensor([[0.2, -0.2, 0.0], [0.0, 0.0001, 0.0]]), atol=1e-6)
    assert (module.weight == 0).sum() == 3
    assert module.bias.tolist() == [1.0, 1.0]


def test_l1_leaves_biases_and_scales_alone(data):
    module = _net()
    train(module, data, TrainOptions(epochs=20, l1=100.0))
    assert all((parameter == 0).all() for parameter in module.parameters() if parameter.ndim > 1)
    assert (module[1].weight > 0.9).all()


# ------------------------------------------------------------------------------------------------ deterministic


@pytest.mark.parametrize("dropout", [False, True])
def test_the_same_seed_gives_the_same_weights(data, dropout):
    def trained(seed):
        module = _net(dropout=dropout)
        train(module, data, TrainOptions(epochs=2, batch_size=7, random_state=seed))
        return module

    torch.manual_seed(1)
    one = trained(5)
    torch.manual_seed(2)  # the global state has no say
    assert _same(one, trained(5))
    assert not _same(one, trained(6))


@pytest.mark.parametrize("fails", [False, True])
def test_random_state_flags_and_gradients_are_as_before(data, fails):
    module = _net(dropout=True).eval()
    module[3].train()
    module[0].bias.requires_grad_(False)
    before, state = module[0].bias.clone(), torch.get_rng_state()

    def progress(done, total):
        if fails:
            raise CancelledError("stop")

    try:
        train(module, data, TrainOptions(epochs=1), progress=progress)
    except CancelledError:
        assert fails
    assert torch.equal(torch.get_rng_state(), state)
    assert [part.training for part in module] == [False, False, False, True]
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(module[0].bias, before)
    assert not module[0].bias.requires_grad


# ------------------------------------------------------------------------------------------------ hooks


def test_the_hook_sees_the_module_before_and_after_each_epoch_and_may_evaluate(data):
    seen = []

    def on_epoch(epoch, module):
        seen.append((epoch, module[0].weight.detach().clone()))
        module.eval()

    module, plain = _net(), _net()
    first = module[0].weight.detach().clone()
    options = TrainOptions(epochs=3, batch_size=20)
    assert train(module, data, options, on_epoch=on_epoch) == train(plain, data, options)
    assert [epoch for epoch, _ in seen] == [0, 1, 2, 3]
    assert torch.equal(seen[0][1], first)
    assert torch.equal(seen[-1][1], module[0].weight)
    assert _same(module, plain)  # batch norm was in training mode again after the hook


def test_progress_counts_steps(data):
    calls = []
    train(_net(), data, TrainOptions(epochs=2, batch_size=25), progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 6) for done in range(1, 7)]


# ------------------------------------------------------------------------------------------------ bad input


def test_a_loss_that_is_nan_stops_and_names_the_step(data):
    inputs, labels = data[0].clone(), data[1]
    kept = []
    module = nn.Linear(2, 2)

    def on_epoch(epoch, module):
        kept.append(epoch)
        if epoch == 2:
            inputs[0] = torch.nan

    with pytest.raises(DivergedError, match=r"The loss became nan at step [789] \(epoch 3\)"):
        train(module, (inputs, labels), TrainOptions(epochs=5, batch_size=20), on_epoch=on_epoch)
    assert kept == [0, 1, 2]
    assert module.weight.isfinite().all()


def test_weights_that_explode_are_found(data):
    with pytest.raises(DivergedError, match=r"(nan|inf) at step \d+ \(epoch \d+\).*lower the learning rate"):
        train(_net(dropout=True), data, TrainOptions(epochs=50, learning_rate=1e30))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(5, dtype=torch.int64), r"60 inputs need as many labels.* got \(5,\) torch\.int64"),
        (torch.zeros(60), r"60 inputs need .* int64; got \(60,\) torch\.float32"),
        (torch.full((60,), 2), r"labels from 2 to 2; needed are logits"),
        (torch.full((60,), -1), r"labels from -1 to -1"),
    ],
)
def test_labels_that_do_not_fit_are_explained(data, labels, message):
    with pytest.raises(InvalidInputError, match=message):
        train(_net(), (data[0], labels))


def test_a_network_without_class_output_is_explained():
    with pytest.raises(InvalidInputError, match=r"Conv2d returns \(4, 2, 5, 5\) for labels"):
        train(nn.Conv2d(1, 2, 1), (torch.zeros(4, 1, 5, 5), torch.zeros(4, dtype=torch.int64)))


def test_no_images_and_nothing_to_train_are_explained(data):
    with pytest.raises(InvalidInputError, match="0 inputs"):
        train(_net(), (torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64)))
    with pytest.raises(InvalidInputError, match="No parameter of Sequential needs a gradient"):
        train(_net().requires_grad_(False), data)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"learning_rate": 0},
        {"learning_rate": float("nan")},
        {"l1": -0.1},
        {"l1": float("nan")},
    ],
)
def test_options_are_checked(options):
    with pytest.raises(InvalidInputError, match=f"{next(iter(options))} of TrainOptions"):
        TrainOptions(**options)


def test_a_history_has_both_values_of_every_epoch():
    with pytest.raises(InvalidInputError, match="2 losses but 1 accuracies"):
        History(loss=(1.0, 0.5), accuracy=(0.5,))


# ------------------------------------------------------------------------------------------------ accuracy


def test_accuracy_by_hand_whatever_the_batches():
    inputs = torch.tensor([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0], [0.0, 4.0]])
    labels = torch.tensor([0, 0, 0, 1])
    assert [accuracy(nn.Identity(), (inputs, labels), batch_size=size) for size in (1, 3, 9)] == [0.75] * 3


@pytest.mark.parametrize(("inputs", "labels"), [(0, 0), (3, 2)])
def test_accuracy_of_no_images_and_of_other_labels_is_explained(inputs, labels):
    with pytest.raises(InvalidInputError, match=f"{inputs} inputs need as many labels"):
        accuracy(nn.Identity(), (torch.zeros(inputs, 2), torch.zeros(labels, dtype=torch.int64)))


def test_accuracy_leaves_the_module_as_it_was(data):
    module = _net().train()
    before = copy.deepcopy(module)
    accuracy(module, data)
    assert module.training
    assert _same(module, before)
