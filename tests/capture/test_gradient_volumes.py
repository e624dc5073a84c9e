import numpy as np
import pytest
import torch
from capture_nets import IMAGES, Residual
from torch import nn

import cnnvis
from cnnvis.capture import GradientCheck, gradient_volume, record
from cnnvis.core import Ordering, Recording
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, NoSpatialMapsError
from cnnvis.geometry import to_pyvista

CHECK = GradientCheck(2.5e-8, 3e-10, 40, 2, 1e-5)


def recorded(*, per_image=False, layers="conv1"):
    return record(Residual(), torch.rand(IMAGES), layers, target=[1, 2], per_image=per_image, names=["a", "b"])


def test_input_channels_of_a_filter():
    recording = recorded()
    gradient = recording.weight_gradients["conv1"]
    assert gradient.shape == (4, 3, 3, 3)
    mean = gradient_volume(recording, "conv1")
    np.testing.assert_allclose(mean.values, gradient.mean(1), rtol=1e-6)
    assert (mean.quantity, mean.layer) == ("weight gradient", "conv1")
    norm = gradient_volume(recording, "conv1", inputs="norm")
    np.testing.assert_allclose(norm.values, (gradient**2).sum(1) ** 0.5, rtol=1e-6)
    assert norm.quantity == "norm of weight gradient"
    np.testing.assert_array_equal(gradient_volume(recording, "conv1", inputs=2).values, gradient[:, 2])
    blocks = gradient_volume(recording, "conv1", inputs="blocks").values
    assert blocks.shape == (4, 3, 11)
    for channel in range(3):
        np.testing.assert_array_equal(blocks[:, :, 4 * channel : 4 * channel + 3], gradient[:, channel])
    assert not blocks[:, :, [3, 7]].any()


def test_single_images():
    recording = recorded(per_image=True)
    gradients = recording.weight_gradients["conv1"]
    second = gradient_volume(recording, "conv1", image=1, inputs=0)
    np.testing.assert_array_equal(second.values, gradients[1, :, 0])
    assert second.provenance.inputs == ("b",)
    np.testing.assert_allclose(gradient_volume(recording, "conv1", inputs=0).values, gradients[:, :, 0].mean(0))
    with pytest.raises(InvalidInputError, match="holds 2 images, got image 2"):
        gradient_volume(recording, "conv1", image=2)
    with pytest.raises(InvalidInputError, match="per_image=True"):
        gradient_volume(recorded(), "conv1", image=0)


def test_ordered_like_any_volume():
    recording, ordering = recorded(), Ordering(np.array([2, 0, 3, 1]), "test")
    volume = gradient_volume(recording, "conv1", ordering, inputs=0)
    np.testing.assert_array_equal(volume.values, recording.weight_gradients["conv1"][[2, 0, 3, 1], 0])
    assert volume.channels.tolist() == [2, 0, 3, 1]


@pytest.mark.parametrize("groups", [1, 2])
def test_transposed_convolutions_have_their_filters_first(groups):
    model = nn.Sequential(nn.ConvTranspose2d(4, 4, 3, groups=groups), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    recording = record(model, torch.rand(2, 4, 5, 5), "0", target=3)
    gradient = recording.weight_gradients["0"]
    assert gradient.shape == (4, 4 // groups, 3, 3)
    volume = gradient_volume(recording, "0", inputs="norm")
    assert not volume.values[:3].any()  # class 3 is the last channel alone
    inputs = gradient[:, 3] if groups == 1 else gradient[2:, 1]
    np.testing.assert_allclose(volume.values[3], (inputs**2).sum(0) ** 0.5, rtol=1e-6)


def test_files_keep_what_was_differentiated_and_checked(tmp_path):
    network = cnnvis.models.Network(Residual(), example=torch.rand(1, 3, 8, 8), class_names=tuple("abcde"))
    recording = record(network, torch.rand(IMAGES), "conv1", target="c", of="margin")
    volume = gradient_volume(recording, "conv1", inputs=1, check=CHECK)
    notes = {
        "gradient of": "margin",
        "target": "c (2)",
        "input channels": "number 1 of 3",
        "gradient check": CHECK.caption,
    }
    assert dict(volume.provenance.notes) == notes
    shown = to_pyvista(volume).GetFieldData().GetAbstractArray("notes")
    assert shown.GetValue(3) == f"gradient check: {CHECK.caption}"
    back = cnnvis.load(cnnvis.save(volume, tmp_path / "x.vti"))
    np.testing.assert_array_equal(back.values, volume.values)
    assert (back.quantity, back.provenance) == (volume.quantity, volume.provenance)
    assert dict(back.provenance.notes) == notes


def test_bad_input():
    recording = recorded(layers=["conv1", "fc"])
    with pytest.raises(LayerNotFoundError, match="Did you mean: conv1"):
        gradient_volume(recording, "conv")
    with pytest.raises(LayerNotFoundError, match="target="):
        gradient_volume(Recording({}), "conv")
    with pytest.raises(NoSpatialMapsError, match="2-D convolution"):
        gradient_volume(recording, "fc")
    for inputs in (3, -1, "sum"):
        with pytest.raises(InvalidInputError, match=r"the filters of 'conv1' have 3, from 0, got"):
            gradient_volume(recording, "conv1", inputs=inputs)
