"""A training under way: taken up again after an interruption, images shifted, the learning rate's cycle."""

import pytest
import torch
from torch import nn

from cnnvis.core.errors import CancelledError, FileFormatError, InvalidInputError
from cnnvis.training import TrainOptions, train
from cnnvis.training.run import SHIFT, TrainingRun

OPTIONS = TrainOptions(epochs=4, batch_size=8, learning_rate=0.05, optimiser="sgd", one_cycle=True, augment=True)


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(20, 1, 6, 6, generator=generator), torch.arange(20) % 2


def _net():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(48, 2)
        )


def _state(module):
    return list(module.state_dict().values())


def test_an_interrupted_training_ends_with_the_same_weights(data, tmp_path):
    whole, parts, path = _net(), _net(), tmp_path / "run.checkpoint"
    expected = train(whole, data, OPTIONS)

    def stop(step, _total):
        if step == 8:  # in the middle of the third epoch
            raise CancelledError

    with pytest.raises(CancelledError):
        train(parts, data, OPTIONS, checkpoint=path, progress=stop)
    seen = []
    again = _net()
    history = train(again, data, OPTIONS, checkpoint=path, on_epoch=lambda epoch, _: seen.append(epoch))
    assert seen == [3, 4]
    assert history == expected
    assert all(torch.equal(one, other) for one, other in zip(_state(whole), _state(again), strict=True))


def test_a_checkpoint_of_another_training_is_refused(data, tmp_path):
    path = tmp_path / "run.checkpoint"
    train(_net(), data, OPTIONS, checkpoint=path)
    with pytest.raises(FileFormatError, match="other options"):
        train(_net(), data, TrainOptions(epochs=1), checkpoint=path)
    path.write_bytes(b"no checkpoint")
    with pytest.raises(FileFormatError, match="begin anew"):
        train(_net(), data, OPTIONS, checkpoint=path)


def test_augmented_images_are_shifted_and_every_other_one_mirrored():
    module = nn.Linear(1, 1)
    run = TrainingRun(module, list(module.parameters()), 400, OPTIONS)
    images = torch.zeros(400, 1, 9, 9)
    images[:, 0, 4, 3] = 1  # one bright pixel, left of the middle
    moved = run.augmented(images)
    assert moved.shape == images.shape
    assert (moved.sum(dim=(1, 2, 3)) == 1).all()
    rows, columns = (moved[:, 0] == 1).nonzero()[:, 1:].T
    assert set(rows.tolist()) == set(range(4 - SHIFT, 4 + SHIFT + 1))
    assert set(columns.tolist()) == set(range(3 - SHIFT, 5 + SHIFT + 1))  # 3 as it is, 5 mirrored
    assert 0.4 < (columns.double().mean() - 3) / 2 < 0.6


def test_without_augmentation_images_stay(data):
    module = nn.Linear(1, 1)
    run = TrainingRun(module, list(module.parameters()), 20, TrainOptions())
    assert run.augmented(data[0]) is data[0]


def test_the_learning_rate_rises_and_falls():
    module = nn.Linear(1, 1)
    run = TrainingRun(module, list(module.parameters()), 80, OPTIONS)
    rates = []
    for _ in range(run.n_steps):
        rates.append(run.optimiser.param_groups[0]["lr"])
        run.optimiser.step()
        run.count_step()
    assert rates[0] == pytest.approx(0.05 / 25)
    assert max(rates) == pytest.approx(0.05, rel=0.01)
    assert rates[-1] < 1e-4
    assert 0.2 < rates.index(max(rates)) / len(rates) < 0.4


def test_a_step_of_sgd_by_hand():
    # Logits (0, 0), one image (1, 2) of class 0: gradient -x/2 and x/2; Nesterov's first step is 1.9 of it.
    module = nn.Linear(2, 2, bias=False)
    nn.init.zeros_(module.weight)
    options = TrainOptions(epochs=1, learning_rate=0.1, optimiser="sgd")
    train(module, (torch.tensor([[1.0, 2.0]]), torch.tensor([0])), options)
    assert torch.allclose(module.weight, 0.19 * torch.tensor([[0.5, 1.0], [-0.5, -1.0]]))


def test_unknown_options_are_named():
    with pytest.raises(InvalidInputError, match="lion"):
        TrainOptions(optimiser="lion")
    with pytest.raises(InvalidInputError, match="weight_decay"):
        TrainOptions(weight_decay=-1)
