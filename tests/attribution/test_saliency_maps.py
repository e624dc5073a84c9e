"""Grad-CAM and occlusion: by hand, against Captum, on networks of all kinds, and what they refuse."""

import captum.attr
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import cnnvis
from cnnvis.attribution import saliency_maps
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError, NoSpatialMapsError
from cnnvis.models import Network


class Scores(nn.Module):
    """Class 0: what is in the upper left quarter of a 4 x 4 image; class 1: what is in the lower right one."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.conv.weight)

    def forward(self, x):
        maps = self.conv(x)
        return torch.stack([maps[:, 0, :2, :2].sum((1, 2)), maps[:, 0, 2:, 2:].sum((1, 2))], 1)


def small_network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(45, 3),
    )


def image(channels=3, side=8, seed=1):
    return torch.randn(1, channels, side, side, generator=torch.Generator().manual_seed(seed))


# -- Grad-CAM ------------------------------------------------------------------------------------------


def test_grad_cam_by_hand():
    pixels = torch.arange(16.0).reshape(1, 1, 4, 4)
    found = cnnvis.grad_cam(Scores(), pixels, 1, layer="conv")
    # d score / d map is 1 in four of sixteen places: the weight is a quarter.
    np.testing.assert_allclose(found.values, pixels[0, 0].numpy() / 4)
    assert (found.method, found.target, found.layer, found.class_name) == ("grad_cam", 1, "conv", "class 1")
    np.testing.assert_allclose(found.probabilities, torch.softmax(torch.tensor([10.0, 50.0]).double(), 0))
    assert found.options["layer_size"] == [4, 4]


def test_what_speaks_against_the_class_is_zero():
    found = cnnvis.grad_cam(Scores(), -torch.arange(16.0).reshape(1, 1, 4, 4), 1)
    assert found.values.max() == 0


@pytest.mark.parametrize("target", [0, 2])
def test_grad_cam_is_that_of_captum(target):
    network, pixels = small_network(), image()
    oracle = captum.attr.LayerGradCam(network, network[3]).attribute(pixels, target=target, relu_attributions=True)
    oracle = captum.attr.LayerAttribution.interpolate(oracle, (8, 8), interpolate_mode="bilinear")
    found = cnnvis.grad_cam(network, pixels, target)
    assert found.layer == "3"  # the last with maps, behind its activation
    assert found.values.max() > 0
    np.testing.assert_allclose(found.values, oracle[0, 0].detach(), rtol=1e-5, atol=1e-7)


def test_the_layer_is_the_last_with_maps_of_its_own():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 3, 1),
        nn.Flatten(),
    )  # fmt: skip
    assert cnnvis.grad_cam(network, image()).layer == "1"


@settings(max_examples=15)
@given(side=st.integers(4, 12), scale=st.floats(0.5, 4), seed=st.integers(0, 99))
def test_grad_cam_scales_with_the_score_and_is_never_negative(side, scale, seed):
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3, bias=False)
    )
    pixels = image(side=side, seed=seed)
    before = cnnvis.grad_cam(network, pixels, 1).values
    with torch.no_grad():
        network[-1].weight *= scale
    after = cnnvis.grad_cam(network, pixels, 1).values
    assert before.shape == (side, side)
    assert before.min() >= 0
    np.testing.assert_allclose(after, scale * before, rtol=1e-4, atol=1e-6)


# -- occlusion -----------------------------------------------------------------------------------------


def test_occlusion_by_hand():
    pixels = torch.ones(1, 1, 4, 4)
    found = cnnvis.occlusion(Scores(), pixels, 0, window=2, stride=2, baseline=0)
    expected = np.zeros((4, 4))
    expected[:2, :2] = 4
    np.testing.assert_array_equal(found.values, expected)
    # Covered by 2 the score rises, so the fall is negative.
    assert cnnvis.occlusion(Scores(), pixels, 0, window=2, stride=2, baseline=2).values[0, 0] == -4
    # A plain image is not changed by its own mean.
    np.testing.assert_array_equal(cnnvis.occlusion(Scores(), pixels, 0, window=2).values, 0)


def test_a_pixel_has_the_mean_of_the_windows_that_cover_it():
    found = cnnvis.occlusion(Scores(), torch.ones(1, 1, 4, 4), 0, window=(2, 4), stride=(1, 4), baseline=0)
    # Windows over rows 0-1, 1-2, 2-3 let the score fall by 4, 2, 0.
    np.testing.assert_array_equal(found.values, np.repeat([[4.0], [3.0], [1.0], [0.0]], 4, axis=1))


@pytest.mark.parametrize(("window", "stride"), [((2, 2), (2, 2)), ((4, 2), (2, 1)), ((8, 8), (1, 1))])
def test_occlusion_is_that_of_captum(window, stride):
    network, pixels = small_network(), image()
    oracle = captum.attr.Occlusion(network).attribute(
        pixels, (3, *window), strides=(3, *stride), target=2, baselines=0.5, perturbations_per_eval=8
    )
    found = cnnvis.occlusion(network, pixels, 2, window=window, stride=stride, baseline=0.5)
    np.testing.assert_allclose(found.values, oracle[0, 0].detach(), rtol=1e-4, atol=1e-6)


@settings(max_examples=25)
@given(side=st.integers(3, 9), window=st.integers(1, 9), stride=st.integers(1, 9))
def test_every_pixel_is_covered_and_all_windows_lie_inside(side, window, stride):
    window = min(window, side)
    stride = min(stride, window)
    found = cnnvis.occlusion(
        nn.Sequential(nn.Flatten(), nn.Linear(side * side, 2)), image(1, side), 0, window=window, stride=stride
    )
    assert np.isfinite(found.values).all()
    assert found.values.shape == (side, side)


def test_the_margin_does_not_see_what_is_added_to_all_scores():
    class Shifted(Scores):
        def forward(self, x):
            return super().forward(x) + 10 * x.sum((1, 2, 3))[:, None]

    for find in (cnnvis.grad_cam, cnnvis.occlusion):
        margins = [find(model(), image(1, 4), 1, of="margin").values for model in (Scores, Shifted)]
        logits = [find(model(), image(1, 4), 1).values for model in (Scores, Shifted)]
        np.testing.assert_allclose(*margins, atol=1e-4)
        assert find is cnnvis.grad_cam or np.abs(logits[0] - logits[1]).max() > 1


def test_several_classes_cost_no_further_windows():
    counted = []
    maps = saliency_maps(small_network(), image(), (0, 1, None), "occlusion", progress=lambda *n: counted.append(n))
    assert counted[-1] == (64, 64)  # 1 x 1 windows: an eighth of 8 pixels
    assert [found.target for found in maps[:2]] == [0, 1]
    for found in maps:
        alone = cnnvis.occlusion(small_network(), image(), found.target)
        np.testing.assert_array_equal(found.values, alone.values)


# -- any network, left as it was -----------------------------------------------------------------------


class TwoInputs(nn.Module):
    """An image and a number per class; changes its input in place, has dropout and a batch norm, takes keywords."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5)

    def forward(self, x, *, prior):
        x = self.drop(self.norm(self.conv(x.mul_(2))).relu_())
        return x.mean((2, 3))[:, :3] + prior


@pytest.mark.parametrize("find", [cnnvis.grad_cam, cnnvis.occlusion])
def test_any_module_comes_back_as_it_was(find):
    model = TwoInputs().double().train()
    model.conv.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    inputs = {"x": image(), "prior": torch.zeros(1, 3)}
    kept, state = inputs["x"].clone(), torch.get_rng_state()
    first, second = (find(model, inputs, 1).values for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert torch.equal(inputs["x"], kept)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.training
    assert not model.conv.weight.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_network_names_its_classes_and_reads_pictures():
    network = cnnvis.models.load("fashion-cnn")
    found = cnnvis.grad_cam(network, "coffee", "Bag")
    assert (found.class_name, found.values.shape, found.provenance.inputs) == ("Bag", (28, 28), ("coffee",))
    assert found.provenance.model == "fashion-cnn"
    answered = cnnvis.occlusion(network, window=14)  # the example; the likeliest class
    assert answered.target == answered.probabilities.argmax()
    assert answered.class_names == network.class_names


# -- bad input -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": torch.zeros(2, 3, 8, 8)}, r"one image at a time, got 2"),
        ({"image": torch.zeros(1, 8, 8)}, r"\(1, channels, height, width\).*\(1, 8, 8\)"),
        ({"image": torch.zeros(1, 1, 8, 8)}, r"does not take an image of shape \(1, 1, 8, 8\)"),
        ({"target": 3}, "no class 3"),
        ({"target": "cat"}, "names no classes"),
        ({"of": "loss"}, "logit, margin"),
        ({"image": torch.full((1, 3, 8, 8), torch.nan)}, "NaN"),
        ({"model": nn.Conv2d(3, 4, 3)}, "class scores"),
    ],
)
@pytest.mark.parametrize("find", [cnnvis.grad_cam, cnnvis.occlusion])
def test_both_refuse(find, arguments, message):
    arguments = {"model": small_network(), "image": image(), **arguments}
    with pytest.raises(InvalidInputError, match=message):
        find(**arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 9}, r"window \(9, 9\) is larger than the image \(8, 8\)"),
        ({"window": 0}, "window is a number of pixels"),
        ({"window": (2, 2, 2)}, "window is a number of pixels"),
        ({"window": 2, "stride": 3}, r"stride \(3, 3\) is larger than the window"),
        ({"baseline": "grey"}, "baseline is a finite number"),
        ({"baseline": float("nan")}, "baseline is a finite number"),
    ],
)
def test_occlusion_refuses(options, message):
    with pytest.raises(InvalidInputError, match=message):
        cnnvis.occlusion(small_network(), image(), 0, **options)


def test_grad_cam_needs_maps():
    dense = nn.Sequential(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(NoSpatialMapsError, match=r"No convolution.*cnnvis\.occlusion"):
        cnnvis.grad_cam(dense, image())
    with pytest.raises(NoSpatialMapsError, match="Layer '5'"):
        cnnvis.grad_cam(small_network(), image(), layer="5")
    with pytest.raises(LayerNotFoundError, match="conv9"):
        cnnvis.grad_cam(small_network(), image(), layer="conv9")


def test_an_unknown_method_is_refused():
    with pytest.raises(InvalidInputError, match="grad_cam, occlusion"):
        saliency_maps(small_network(), image(), (0,), "lime")


def test_who_raises_in_progress_stops_it():
    def stop(done, total):
        raise CancelledError("enough")

    network = small_network().train()
    with pytest.raises(CancelledError):
        cnnvis.occlusion(network, image(), 0, progress=stop)
    assert network.training


def test_an_image_file_needs_a_network():
    with pytest.raises(InvalidInputError, match="how image files are preprocessed"):
        cnnvis.grad_cam(small_network(), "chelsea")
    with pytest.raises(InvalidInputError, match="example"):
        cnnvis.occlusion(small_network())
    bare = Network(small_network(), example=image())
    assert cnnvis.grad_cam(bare).values.shape == (8, 8)
