"""From a picture to a network's input, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Fit, ImageSpec, imagenet_spec

PIXEL = np.array([[[255, 127, 0]]], dtype=np.uint8)


def test_scaling_by_hand():
    spec = ImageSpec((1, 1), max_value=255, mean=(127,), std=(128,))
    np.testing.assert_array_equal(spec.apply(PIXEL).ravel(), np.float32([1, 0, -127 / 128]))


def test_mean_and_standard_deviation_are_per_channel():
    spec = ImageSpec((1, 1), mean=(0.5, 0.25, 0), std=(0.5, 1, 2))
    np.testing.assert_allclose(spec.apply(PIXEL).ravel(), [1, 127 / 255 - 0.25, 0], rtol=1e-6)


def test_bgr_turns_the_channels_round():
    assert ImageSpec((1, 1), max_value=255, colour="BGR").apply(PIXEL).ravel().tolist() == [0, 127, 255]


def test_grey_is_one_channel():
    assert ImageSpec((1, 1), max_value=255, colour="L").apply(PIXEL).tolist() == [[[151.0]]]  # 0.299 R + 0.587 G


def test_crop_keeps_the_middle():
    image = np.zeros((4, 8, 3), np.uint8)
    image[:, 2:6] = 255
    assert (ImageSpec((4, 4), interpolation="nearest").resize(image) == 255).all()


def test_crop_fraction_keeps_that_part_of_the_sides():
    image = np.zeros((8, 8, 3), np.uint8)
    image[1:7, 1:7] = 255
    assert (ImageSpec((6, 6), crop=0.75, interpolation="nearest").resize(image) == 255).all()


def test_stretch_keeps_everything():
    image = np.zeros((2, 8, 3), np.uint8)
    image[:, :4] = 255
    resized = ImageSpec((2, 2), fit="stretch", interpolation="nearest").resize(image)
    assert resized[:, 0].min() == 255
    assert resized[:, 1].max() == 0


def test_crop_keeps_the_proportions_of_a_size_that_is_not_square():
    image = np.zeros((10, 10, 3), np.uint8)
    image[3:7] = 255  # the middle 4 rows of 10: 10 columns x 4 rows
    assert (ImageSpec((2, 5), interpolation="nearest").resize(image) == 255).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 9), st.integers(1, 9), st.floats(0.01, 1))
def test_any_picture_fits_any_size(height, width, rows, columns, crop):
    spec = ImageSpec((rows, columns), crop=crop)
    assert spec.apply(np.full((height, width, 3), 255, np.uint8)).tolist() == np.ones((3, rows, columns)).tolist()


def test_the_description_says_everything():
    spec = ImageSpec((224, 192), crop=0.875, max_value=255, mean=(127,), std=(128,))
    line = "192 x 224 RGB, centre crop of 0.875 of the sides, bicubic, (x - 127) / 128, x in 0..255"
    assert spec.describe() == line


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (imagenet_spec(), "(x - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), x in 0..1"),
        (imagenet_spec(assumed=True), "(assumed: the usual for ImageNet)"),
        (ImageSpec((28, 28), colour="L", fit=Fit.STRETCH), "28 x 28 grey, whole image stretched, bicubic, x in 0..1"),
        (ImageSpec((28, 28), colour="BGR", interpolation="bilinear"), "BGR, centre crop, bilinear"),
    ],
)
def test_descriptions_name_what_differs(spec, part):
    assert part in spec.describe()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": (0, 4)}, "size"),
        ({"size": (4,)}, "size"),
        ({"fit": "pad"}, "crop or stretch, got 'pad'"),
        ({"crop": 0}, r"crop of an ImageSpec must lie in \(0, 1\]"),
        ({"crop": 1.5}, "crop"),
        ({"interpolation": "cubic"}, "interpolation of an ImageSpec must be .*bicubic.* got 'cubic'"),
        ({"colour": "HSV"}, "colour of an ImageSpec must be RGB, BGR, L; got 'HSV'"),
        ({"mean": (1, 2)}, "mean of an ImageSpec needs 1 or 3"),
        ({"mean": (np.nan,)}, "finite"),
        ({"std": (0,)}, "positive"),
        ({"max_value": 0}, "positive"),
    ],
)
def test_bad_specs_are_refused(options, message):
    with pytest.raises(InvalidInputError, match=message):
        ImageSpec(**{"size": (4, 4), **options})
