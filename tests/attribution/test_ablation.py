import captum.attr
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnvis.attribution.ablation import by_ablation
from cnnvis.capture import switch_off
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def two_units():
    """Hidden units x_0 and x_1 behind a ReLU; class 0 sees the first, class 1 the second, class 2 the third, dead."""
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        model[0].bias[:] = torch.tensor([0.0, 0.0, -1.0])
        model[2].weight[:], model[2].bias[:] = torch.eye(3), 0.0
    return model


POINTS = torch.tensor([[2.0, 0.0], [2.0, 1.0], [0.0, 0.0]])
LABELS = torch.tensor([0, 1, 2])


def cross_entropy(scores, label):
    scores = np.array(scores, dtype=float)
    return np.log(np.exp(scores).sum()) - scores[label]


def test_by_hand():
    whole = [cross_entropy([2, 0, 0], 0), cross_entropy([2, 1, 0], 1), cross_entropy([0, 0, 0], 2)]
    first = [cross_entropy([0, 0, 0], 0), cross_entropy([0, 1, 0], 1), cross_entropy([0, 0, 0], 2)]
    second = [cross_entropy([2, 0, 0], 0), cross_entropy([2, 0, 0], 1), cross_entropy([0, 0, 0], 2)]
    changes = np.array([np.subtract(first, whole), np.subtract(second, whole), [0, 0, 0]])
    found = by_ablation(two_units(), (POINTS, LABELS))
    assert list(found) == ["0"]
    np.testing.assert_allclose(found.signed["0"], changes.mean(1), rtol=1e-6)
    np.testing.assert_allclose(found["0"], np.maximum(changes.mean(1), 0), rtol=1e-6)
    np.testing.assert_allclose(found.per_class["0"], np.maximum(changes, 0), rtol=1e-6, atol=1e-9)
    assert changes[0, 1] < 0  # class 1 does better without the first unit, and that is no importance
    assert found["0"][2] == 0  # dead


def test_to_the_mean():
    found = by_ablation(two_units(), (POINTS, LABELS), to="mean")
    off = [cross_entropy([4 / 3, 0, 0], 0), cross_entropy([4 / 3, 1, 0], 1), cross_entropy([4 / 3, 0, 0], 2)]
    whole = [cross_entropy([2, 0, 0], 0), cross_entropy([2, 1, 0], 1), cross_entropy([0, 0, 0], 2)]
    assert found.signed["0"][0] == pytest.approx(np.mean(off) - np.mean(whole), rel=1e-6)
    assert found["0"][2] == 0
    assert found.options["to"] == "mean"


class Small(nn.Module):
    """A stem, a residual convolution, and a dense head."""

    def __init__(self):
        super().__init__()
        self.stem, self.conv = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.bn, self.fc = nn.BatchNorm2d(4), nn.Linear(4, 3)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.bn(self.stem(x)))
        return self.fc(functional.relu(x + self.conv(x)).mean((2, 3)))


@pytest.fixture
def data():
    torch.manual_seed(1)
    return torch.rand(12, 1, 6, 6), torch.arange(12) % 3


@pytest.fixture
def small():
    torch.manual_seed(0)
    return Small()


def test_captum_ablates_the_same(data):
    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(80, 3)).eval()
    images, labels = data

    def loss(x):
        return functional.cross_entropy(model(x), labels, reduction="none")

    masks = torch.arange(5).view(1, 5, 1, 1).expand(1, 5, 4, 4)
    oracle = captum.attr.LayerFeatureAblation(loss, model[2]).attribute(images, layer_mask=masks)
    change = -oracle[:, :, 0, 0].detach().numpy().mean(0)
    found = by_ablation(model, data)
    np.testing.assert_allclose(found.signed["0"], change, atol=1e-6)


def test_pixels_of_a_perceptron_where_they_are_named(data):
    torch.manual_seed(2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).eval()
    images, labels = data
    oracle = captum.attr.FeatureAblation(lambda x: functional.cross_entropy(model(x), labels, reduction="none"))
    change = -oracle.attribute(images).mean(0).flatten().detach().numpy()
    found = by_ablation(model, data, layers=["0", "1"])
    assert list(found) == ["0", "1"]
    np.testing.assert_allclose(found.signed["0"], change, atol=1e-6)


def test_layers_of_a_stream_share_their_scores(small, data):
    found = by_ablation(small, data)
    assert list(found) == ["stem", "conv"]
    np.testing.assert_array_equal(found["stem"], found["conv"])
    small.eval()
    images, labels = data
    with torch.no_grad():
        whole = functional.cross_entropy(small(images), labels)
        for channel in range(4):
            with switch_off(small, {"conv": [channel]}, example=images):
                change = functional.cross_entropy(small(images), labels) - whole
            assert found.signed["conv"][channel] == pytest.approx(float(change), abs=1e-6)
    assert list(by_ablation(small, data, layers="conv")) == ["conv"]
    assert list(by_ablation(small, data, layers=["*", "fc"])) == ["stem", "conv", "fc"]


def batches_of(data, size):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=size)


@pytest.mark.parametrize("to", ["zero", "mean"])
def test_batches_change_nothing(small, data, to):
    whole = by_ablation(small, data, to=to)
    for batches in (batches_of(data, 5), iter(list(batches_of(data, 5)))):
        parts = by_ablation(small, batches, to=to)
        np.testing.assert_allclose(parts.signed["stem"], whole.signed["stem"], atol=1e-6)
        np.testing.assert_allclose(parts.per_class["stem"], whole.per_class["stem"], atol=1e-6)


def test_units_not_tried_have_the_mean_score_and_no_change(data):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 20), nn.ReLU(), nn.Linear(20, 3), nn.ReLU(), nn.Linear(3, 3))
    every = by_ablation(model, data)
    found = by_ablation(model, data, max_units=5, random_state=3)
    tried = found.options["tried"]["1"]
    others = np.setdiff1d(np.arange(20), tried)
    assert len(tried) == 5
    np.testing.assert_array_equal(found["1"][tried], every["1"][tried])
    np.testing.assert_array_equal(found.signed["1"][tried], every.signed["1"][tried])
    assert np.isnan(found.signed["1"][others]).all()
    np.testing.assert_allclose(found["1"][others], every["1"][tried].mean())
    np.testing.assert_allclose(found.per_class["1"][others], every.per_class["1"][tried].mean(0)[None].repeat(15, 0))
    assert found.options["tried"]["3"] == [0, 1, 2]
    again = by_ablation(model, data, max_units=5, random_state=3)
    np.testing.assert_array_equal(again["1"], found["1"])
    assert by_ablation(model, data, max_units=5, random_state=4).options["tried"]["1"] != tried


def test_classes_without_images_leave_out_scores_by_class(small, data):
    images, labels = data
    found = by_ablation(small, (images[labels < 2], labels[labels < 2]))
    assert found.per_class is None
    assert found["stem"].any()


def test_progress_counts_images_times_units(small, data):
    seen = []
    by_ablation(small, data, progress=lambda *done: seen.append(done))
    assert seen == [(12 * n, 48) for n in range(1, 5)]


def test_the_model_comes_back_as_it_was(small, data):
    before = {name: tensor.clone() for name, tensor in small.state_dict().items()}
    by_ablation(small, data)

    def stop(done, total):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        by_ablation(small, data, progress=stop)
    assert small.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in small.modules())
    assert all(torch.equal(before[name], tensor) for name, tensor in small.state_dict().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in small.parameters())


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda x, y: x, {}, InvalidInputError, "There are no labels"),
        (lambda x, y: (x, y + 1), {}, InvalidInputError, "no class 3: the network has 3"),
        (lambda x, y: (x, y - 1), {}, InvalidInputError, "from 0, got -1"),
        (lambda x, y: (x, y[1:]), {}, InvalidInputError, "11 labels for 12 images"),
        (lambda x, y: (x[:0], y[:0]), {}, InvalidInputError, "zero images"),
        (lambda x, y: None, {}, InvalidInputError, "no images"),
        (lambda x, y: (x / 0, y), {}, InvalidInputError, "With no unit off, the loss of 12 of 12 images is NaN"),
        (lambda x, y: (x, y), {"layers": "bn"}, LayerNotFoundError, "No units of 'bn'"),
        (lambda x, y: (x, y), {"layers": "f*"}, LayerNotFoundError, "No units of 'f.*Did you mean: fc"),
        (lambda x, y: (x, y), {"to": "one"}, InvalidInputError, "to must be one of zero, mean"),
        (lambda x, y: (x, y), {"max_units": 0}, InvalidInputError, "max_units must be at least 1"),
    ],
)
def test_bad_input(small, data, change, options, error, message):
    with pytest.raises(error, match=message):
        by_ablation(small, change(*data), **options)


def test_a_network_without_classes_and_one_without_hidden_layers(data):
    with pytest.raises(InvalidInputError, match=r"returns a tensor of shape \(12, 2, 4, 4\) for 12 images"):
        by_ablation(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 1)), data)
    with pytest.raises(LayerNotFoundError, match="no layers between"):
        by_ablation(nn.Sequential(nn.Flatten(), nn.Linear(36, 3)), data)
