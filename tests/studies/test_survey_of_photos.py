"""The second network: EfficientNet-Lite0 over photos without classes, depthwise layers and residual sums in it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage

import cnnvis
from cnnvis.models import load
from cnnvis.pruning import find_redundant
from cnnvis.studies import ChannelSurvey, channel_survey

PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "motorcycle_left.png")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    there = Path(skimage.__file__).parent / "data"
    for name in PHOTOS:
        if (there / name).exists():
            shutil.copy(there / name, folder)
    (folder / "notes.txt").write_text("no picture")
    assert len(list(folder.iterdir())) >= 5
    return folder


@pytest.fixture(scope="module")
def network():
    return load("efficientnet-lite0")


@pytest.fixture(scope="module")
def found(network, photos):
    return cnnvis.survey(network, photos)


def test_every_convolution_is_surveyed(found, network, photos):
    n_photos = len(list(photos.iterdir())) - 1
    assert (found.n_images, found.n_skipped, found.confusion) == (n_photos, 1, None)
    assert len(found) == 50  # 49 convolutions and the scores
    for layer in found.values():
        assert np.isfinite(layer.mean).all()
        assert layer.window.shape == (n_photos, layer.n_channels)
    recording = cnnvis.record(network, network.preprocess(photos / "chelsea.png"), [found[next(iter(found))].value])
    (maps,) = recording.maps.values()
    place = [name.endswith("chelsea.png") for name in found.image_names.values()].index(True)
    first = found[next(iter(found))]
    np.testing.assert_allclose(first.window[place], maps.activations[0].mean((1, 2)), rtol=1e-4, atol=1e-5)


def test_depthwise_layers_are_merged_together_with_those_they_belong_to_or_refused_by_name(found, network, photos):
    images = [network.preprocess(photos / "chelsea.png")]
    correlation = {name: layer.correlation for name, layer in list(found.items())[:4]}
    redundancy = find_redundant(network, images, correlation=correlation)
    spaces = {layer for pair in redundancy.pairs for layer in [pair.layer]} | set(redundancy.left_whole)
    assert spaces
    assert all(reason for reason in redundancy.left_whole.values())


def test_the_page_has_the_photos_and_no_classes(photos, tmp_path):
    study = ChannelSurvey(model="efficientnet-lite0", data=photos, layers=("_conv_stem", "_blocks.0*"))
    result = channel_survey.run(study, tmp_path / "out")
    assert result.merging is None
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "notes.txt" in page
    assert "no labels" in page
    assert "chelsea.png" in (tmp_path / "out" / "views.html").read_text(encoding="utf-8")
