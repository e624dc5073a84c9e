"""Saliency laid over a picture: what is 0 leaves it grey, ends have their colour, classes of a method share a scale."""

import numpy as np
import pytest

from cnnvis.core import SaliencyMap
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import laid_over, saliency_figure, saliency_scale, to_rgb
from cnnvis.report.figure_saliency import LARGEST, enlarged
from cnnvis.report.parts import HEADER_HEIGHT, TITLE_HEIGHT
from cnnvis.report.style import MARGIN, WIDTH

GREY = np.full((8, 8, 3), 100, np.uint8)


def saliency(values, method="grad_cam", target=0):
    return SaliencyMap(values=values, method=method, target=target, probabilities=[0.75, 0.25], class_names=("a", "b"))


def corner(value=1.0):
    values = np.zeros((8, 8))
    values[:4, :4] = value
    return values


def test_only_where_values_are_is_there_colour():
    scale = saliency_scale([saliency(corner())])
    seen = laid_over(GREY, corner(), scale, opacity=1.0)
    np.testing.assert_array_equal(seen[:4, :4], np.broadcast_to(scale.rgb(np.array(1.0)), (4, 4, 3)))
    np.testing.assert_array_equal(seen[4:], GREY[4:])
    half = laid_over(GREY, corner(), scale, opacity=0.5)
    np.testing.assert_allclose(half[0, 0], (seen[0, 0].astype(float) + 100) / 2, atol=1)
    np.testing.assert_array_equal(laid_over(GREY, corner(), scale, opacity=0.0), GREY)


def test_a_colour_picture_becomes_grey():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    assert laid_over(red, np.zeros((8, 8)), saliency_scale([saliency(corner())]))[0, 0].tolist() == [60, 60, 60]


def test_occlusion_diverges_around_zero():
    scale = saliency_scale([saliency(corner(-2.0), "occlusion"), saliency(corner(1.0), "occlusion")])
    assert (scale.low, scale.high, scale.signed) == (-2, 2, True)
    blue, red = (laid_over(GREY, corner(value), scale)[0, 0].astype(int) for value in (-2.0, 2.0))
    assert blue[2] > blue[0] + 40
    assert red[0] > red[2] + 40


def test_a_map_of_zeros_has_a_scale():
    scale = saliency_scale([saliency(np.zeros((8, 8)))])
    assert scale.low < scale.high
    np.testing.assert_array_equal(laid_over(GREY, np.zeros((8, 8)), scale), GREY)


def test_classes_stand_side_by_side_under_one_scale_and_methods_below_each_other():
    maps = [saliency(corner(2.0)), saliency(corner(1.0), target=1), saliency(corner(), "occlusion")]
    pixels = to_rgb(saliency_figure(maps, GREY, title="a.png"))
    assert pixels.shape[1] == WIDTH
    side = enlarged(GREY, LARGEST).shape[0]
    pitch = LARGEST + 20
    row = HEADER_HEIGHT + TITLE_HEIGHT + side // 4
    picture, first, second = (pixels[row, MARGIN + n * pitch + side // 4].astype(int) for n in range(3))
    assert picture.tolist() == [100, 100, 100]
    assert np.ptp(first) > np.ptp(second) > 20  # half as large: less colour
    assert to_rgb(saliency_figure(maps[:1], GREY)).shape[0] < pixels.shape[0] - side


def test_small_pictures_keep_square_pixels():
    picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    larger = enlarged(picture, 10)
    np.testing.assert_array_equal(larger, np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1))
    assert enlarged(np.zeros((200, 100, 3), np.uint8), 50).shape == (50, 25, 3)


def test_nothing_and_another_size_are_refused():
    with pytest.raises(InvalidInputError, match="at least one"):
        saliency_figure([], GREY)
    with pytest.raises(InvalidInputError, match="picture"):
        saliency_figure([saliency(corner())], GREY[:4])
