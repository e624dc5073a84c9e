"""The maps of whole networks: values against hooks, data flow, links between the maps that are drawn."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.core import LayerRole
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import labelled_images, load


class Residual(nn.Module):
    """A stem, two branches that are added, pooling and scores."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.left = nn.Conv2d(4, 4, 3, padding=1)
        self.right = nn.Conv2d(4, 4, 1)
        self.pool = nn.MaxPool2d(2)
        self.scores = nn.Linear(4 * 16, 5)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = self.left(x) + self.right(x)
        return self.scores(self.pool(x).flatten(1))


EXAMPLE = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def residual():
    model = Residual().eval()
    return model, cnnvis.network_maps(model, EXAMPLE)


def test_values_are_what_the_layers_gave_for_the_first_image(residual):
    model, maps = residual
    with torch.no_grad():
        stem = torch.relu(model.stem(EXAMPLE[:1]))
        scores = model(EXAMPLE[:1])
    values = dict(zip(maps.layers, maps.values, strict=True))
    np.testing.assert_array_equal(values[maps.layers[0]], EXAMPLE[0])
    np.testing.assert_allclose(values["stem"], stem[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values["scores"][:, 0, 0], scores[0], rtol=1e-5, atol=1e-6)
    assert values["scores"].shape == (5, 1, 1)


def test_branches_are_of_one_depth_and_merge(residual):
    _, maps = residual
    place = {layer: number for number, layer in enumerate(maps.layers)}
    merge = next(layer for layer, role in zip(maps.layers, maps.roles, strict=True) if role is LayerRole.MERGE)
    depth = {layer: int(maps.depths[number]) for layer, number in place.items()}
    assert depth["stem"] == 1
    assert depth["left"] == depth["right"] == 2
    assert (depth[merge], depth["pool"], depth["scores"]) == (3, 4, 5)
    flow = {(maps.layers[one], maps.layers[other]) for one, other in maps.flow.tolist()}
    assert flow == {
        *((maps.layers[0], "stem"), ("stem", "left"), ("stem", "right"), ("left", merge), ("right", merge)),
        *((merge, "pool"), ("pool", "scores")),
    }


def test_links_start_in_the_last_maps_before_their_target(residual):
    model, maps = residual
    layer_of = maps.units.layer_of(maps.link_ends)
    joined = {(maps.layers[one], maps.layers[other]) for one, other in np.unique(layer_of, axis=0)}
    assert joined == {(maps.layers[0], "stem"), ("stem", "left"), ("stem", "right"), ("pool", "scores")}
    stem = (layer_of == [0, maps.layers.index("stem")]).all(axis=1)
    ends = maps.link_ends[stem] - [0, maps.units.offsets[maps.layers.index("stem")]]
    sums = model.stem.weight.detach().sum(dim=(2, 3)).numpy()
    norms = model.stem.weight.detach().flatten(2).norm(dim=2).numpy()
    expected = (norms / norms.max() * np.sign(sums))[ends[:, 1], ends[:, 0]]
    np.testing.assert_allclose(maps.link_weights[stem], expected, rtol=1e-6)


def test_of_a_perceptron_links_start_in_the_picture():
    network = load("mnist-mlp")
    image = labelled_images("mnist", "test").images[:1]
    maps = cnnvis.network_maps(network, image, top_k=300)
    assert maps.values[0].shape == (1, 28, 28)
    from_picture = maps.link_ends[maps.link_ends[:, 0] == 0]
    assert len(from_picture) == len(np.unique(from_picture[:, 1])) > 0, "one line for all pixels of the map"
    assert len(maps.link_ends) <= 300


def test_the_model_is_left_as_it_was(residual):
    model, _ = residual
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    cnnvis.network_maps(model, EXAMPLE[:1])
    assert model.training
    assert not model.stem._forward_hooks
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    model.eval()


def test_layers_are_chosen_and_limits_given(residual):
    model, maps = residual
    some = cnnvis.network_maps(model, EXAMPLE, ["stem", "scores"], limits=np.array([2.0, 4.0]))
    assert some.layers == ("stem", "scores")
    assert some.flow.tolist() == [[0, 1]]
    assert some.limits.tolist() == [2, 4]
    assert some.normalised()[0].max() == pytest.approx(maps.values[maps.layers.index("stem")].max() / 2)
    with pytest.raises(LayerNotFoundError, match="nothing"):
        cnnvis.network_maps(model, EXAMPLE, "nothing")


def test_where_no_link_can_be_followed_maps_are_shown_all_the_same():
    class Opaque(nn.Module):
        def forward(self, x):
            return torch.fft.fft2(x).abs().mean(dim=1, keepdim=True)

    model = Opaque()
    maps = cnnvis.network_maps(model, torch.randn(1, 2, 4, 4), "*")
    assert len(maps.link_ends) == 0
    assert maps.caption == ""


def test_tokens_and_volumes_are_shown_as_far_as_they_are_flat():
    tokens = cnnvis.network_maps(nn.Sequential(nn.Conv1d(2, 3, 3)), torch.randn(1, 2, 8))
    assert [stack.shape for stack in tokens.values] == [(2, 1, 8), (3, 1, 6)]
    volumes = cnnvis.network_maps(nn.Sequential(nn.Conv3d(1, 2, 3)), torch.randn(1, 1, 5, 6, 7))
    assert [stack.shape for stack in volumes.values] == [(1, 6, 7), (2, 4, 5)]


def test_a_model_without_layers_to_show_is_refused():
    with pytest.raises(InvalidInputError):
        cnnvis.network_maps(nn.Sequential(nn.Linear(3, 2)), None)


class Transform(nn.Module):
    """A layer of nobody's kind."""

    def forward(self, x):
        return torch.fft.fft2(x).real


class Parts(nn.Module):
    """A layer that gives no tensor for each image."""

    def forward(self, x):
        return {"sum": x.sum()}


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.odd, self.parts = nn.Conv2d(1, 3, 3), Transform(), Parts()
        self.up, self.last = nn.Upsample(scale_factor=2), nn.Conv2d(3, 2, 3)

    def forward(self, x):
        x = self.up(self.odd(self.conv(x)))
        return self.last(x) * self.parts(x)["sum"]


def test_layers_of_no_known_kind_are_shown_by_what_they_make_or_as_a_box():
    maps = cnnvis.network_maps(Odd(), torch.randn(1, 1, 6, 6))
    shapes = {layer: stack.shape for layer, stack in zip(maps.layers, maps.values, strict=True)}
    assert shapes["odd"] == (3, 4, 4)
    assert shapes["up"] == (3, 8, 8)
    assert np.isnan(maps.values[maps.layers.index("parts")]).all()
    item = cnnvis.Scene.of_tiles(maps)["network"]
    shown = item.shown()
    number = maps.layers.index("parts")
    assert len(np.unique(shown.pictures[number])) == 2
    assert shown.shapes[number][0] == 1
    assert {maps.layers[links.target] for links in maps.pixel_links} == {"conv", "last"}
