"""`cnnvis saliency`: from a test image to a picture and maps that load again."""

import numpy as np
import pytest
from PIL import Image

import cnnvis
from cnnvis.cli import main
from cnnvis.core.errors import CancelledError
from cnnvis.studies.saliency import SaliencyOptions, image_saliency


def test_a_test_image_is_explained_for_several_classes(tmp_path, capsys):
    command = ["saliency", "0", "--model", "fashion-cnn", "--class", "Ankle boot", "--class", "8", "--of", "margin"]
    assert main([*command, "--window", "7", "--stride", "7", "--baseline", "0", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "fashion-mnist test 0000: Ankle boot (100.0%)" in said
    assert "Bag (0.0%): Occlusion, window 7 × 7, covered by 0.0" in said
    names = {
        "saliency.png",
        *(f"{method}-{label}.safetensors" for method in ("grad_cam", "occlusion") for label in (8, 9)),
    }
    assert {path.name for path in tmp_path.iterdir()} == names
    found = cnnvis.load(tmp_path / "grad_cam-9.safetensors")
    network = cnnvis.models.load("fashion-cnn")
    assert found.provenance == network.provenance(("fashion-mnist test 0000",))
    assert found.values.max() > 0
    pixels = np.asarray(Image.open(tmp_path / "saliency.png"))
    assert np.ptp(pixels.astype(int), axis=2).max() > 100  # there is colour


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--baseline", "grey"], "--baseline is mean or a number"),
        (["--class", "Boot"], "Ankle boot"),
        (["--layer", "relu9"], "relu"),
        (["--window", "29"], "larger than the image"),
    ],
)
def test_what_is_wrong_is_one_line_and_nothing_is_written(tmp_path, capsys, options, message):
    out = tmp_path / "out"
    assert main(["saliency", "0", "--model", "fashion-cnn", "--out", str(out), "--quiet", *options]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()


def test_the_picture_of_a_photo_is_what_the_network_sees():
    network = cnnvis.models.load("efficientnet-lite0")
    found = image_saliency(network, "chelsea", SaliencyOptions(methods=("grad_cam",), targets=("tabby",)))
    assert found.picture.shape == (224, 224, 3)
    np.testing.assert_array_equal(found.picture, network.image.resize(cnnvis.models.read_image("chelsea")))
    assert len(found.predictions) == 1000
    assert (found.label, found.maps[0].class_name) == (None, "tabby")


def test_progress_goes_over_all_methods_and_stops():
    network = cnnvis.models.load("fashion-cnn")
    seen = []
    image_saliency(network, "0", progress=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        image_saliency(network, "0", progress=stop)
