"""A saliency map comes back from its file; what is no map is refused."""

import numpy as np
import pytest

from cnnvis.core import Provenance, SaliencyMap
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.io import load, save


def saliency(**changes):
    parts = {
        "values": np.arange(6.0).reshape(2, 3) - 2,
        "method": "occlusion",
        "target": 1,
        "probabilities": np.array([0.25, 0.75]),
        "class_names": ("cat", "dog"),
        "options": {"window": [1, 2], "stride": [1, 1], "baseline": "mean", "of": "logit"},
        "provenance": Provenance("a network", inputs=("a.png",)),
    }
    return SaliencyMap(**(parts | changes))


@pytest.mark.parametrize(
    "found",
    [saliency(), saliency(method="grad_cam", layer="conv", class_names=None, options={"layer_size": [1, 1]})],
    ids=lambda found: found.method,
)
def test_a_map_comes_back(tmp_path, found):
    back = load(save(found, tmp_path / "map.safetensors"))
    assert isinstance(back, SaliencyMap)
    for name in ("values", "probabilities"):
        np.testing.assert_array_equal(getattr(back, name), getattr(found, name))
    for name in ("method", "target", "class_names", "layer", "options", "provenance", "title", "quantity"):
        assert getattr(back, name) == getattr(found, name)


def test_what_it_is_called():
    assert (saliency().class_name, saliency().probability) == ("dog", 0.75)
    assert saliency(class_names=None).class_name == "class 1"
    assert saliency().title == "Occlusion, window 1 × 2, covered by the mean colour"
    found = saliency(method="grad_cam", layer="conv", options={"layer_size": [7, 6]})
    assert found.title == "Grad-CAM of conv, maps of 7 × 6"


def test_a_cut_file_is_named(tmp_path):
    path = save(saliency(), tmp_path / "map.safetensors")
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(FileFormatError, match=r"map\.safetensors"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": np.zeros((2, 3, 3))}, "values"),
        ({"values": np.zeros((0, 3))}, "no place"),
        ({"values": np.array([[np.nan]])}, "values"),
        ({"method": "lime"}, "grad_cam, occlusion"),
        ({"target": 2}, "no class 2, only 0 to 1"),
        ({"class_names": ("cat",)}, "1 class names for 2 classes"),
    ],
)
def test_what_is_no_map_is_refused(changes, message):
    with pytest.raises(InvalidInputError, match=message):
        saliency(**changes)
