"""Getting a network and a photo in."""

import numpy as np
import pytest
from PIL import Image

from cnnvis.models import Network, load

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def network():
    return load("efficientnet-lite0")


def test_load_the_bundled_network(benchmark):
    assert benchmark(load, "efficientnet-lite0").weights == "trained"


def test_hash_of_18_mb_of_weights(benchmark, network):
    # A new Network each time: the hash is kept once it is computed.
    assert benchmark(lambda: Network(network.module, example=network.example).sha256) == network.sha256


def test_preprocess_a_photo_of_12_megapixels(benchmark, network, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((4000, 3000)).save(tmp_path / "photo.jpg")
    assert benchmark(network.preprocess, tmp_path / "photo.jpg").shape == (1, 3, 224, 224)
