import numpy as np
import pytest
from report_samples import pixels, step_maps, texts, words

from cnnvis.core import Ordering, Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import filter_images, filter_tiles, filters_and_maps
from cnnvis.report.figure_filters import MAX_HEIGHT
from cnnvis.report.parts import HEADER_HEIGHT, TITLE_HEIGHT
from cnnvis.report.style import MARGIN, WIDTH
from cnnvis.report.tiles import fit_grid

RNG = np.random.default_rng(0)


def test_colour_filters_are_scaled_around_middle_grey():
    weights = np.zeros((2, 3, 2, 2))
    weights[0, 0, 0, 0] = 0.5
    weights[0, 1, 0, 1] = -0.5
    weights[0, 2, 1, 0] = 0.25
    images = filter_images(weights)
    assert images.shape == (2, 2, 2, 3)
    assert images[0].tolist() == [[[255, 128, 128], [128, 0, 128]], [[128, 128, 191], [128, 128, 128]]]
    assert (images[1] == 128).all()


def test_grey_filters_have_equal_parts():
    images = filter_images(np.array([[[[1.0, -1.0]]]]))
    assert images.tolist() == [[[[255, 255, 255], [0, 0, 0]]]]


def test_other_filters_show_their_norm():
    weights = np.zeros((1, 2, 1, 3))
    weights[0, :, 0, 0] = [3, 4]
    weights[0, 0, 0, 1] = -2.5
    assert filter_images(weights)[0, 0, :, 0].tolist() == [255, 128, 0]


def test_missing_weights_are_magenta_and_spoil_no_other_pixel():
    weights = np.ones((1, 3, 1, 2))
    weights[0, 1, 0, 0] = np.nan
    assert filter_images(weights)[0, 0].tolist() == [[255, 0, 255], [255, 255, 255]]


@pytest.mark.parametrize("shape", [(4, 3, 3), (0, 3, 3, 3), (4, 3, 0, 3)])
def test_weights_of_another_shape_are_refused(shape):
    with pytest.raises(InvalidInputError, match="channels, inputs, rows, columns"):
        filter_images(np.zeros(shape))


def test_tiles_follow_the_order():
    weights = RNG.normal(size=(6, 3, 3, 3))
    order = Ordering([5, 3, 1, 0, 2, 4], "kmeans", groups=[0, 1, 0, 1, 2, 0])
    figure = filter_tiles(weights, order, layer="stem", provenance=Provenance(model="tiny-net"))
    picture, images = pixels(figure), filter_images(weights)
    grid = fit_grid(6, (3, 3), width=WIDTH - 2 * MARGIN, height=MAX_HEIGHT)
    side = grid.tile[0] // 3
    for position, channel in enumerate(order.permutation):
        x, y = grid.corner(position)
        x, y = x + MARGIN, y + HEADER_HEIGHT + TITLE_HEIGHT
        shown = picture[y + side // 2 : y + 3 * side : side, x + side // 2 : x + 3 * side : side]
        np.testing.assert_array_equal(shown, images[channel])
    said = words(figure)
    for part in ("stem: 6 RGB filters of 3 × 3", "tiny-net", "kmeans", "middle grey is 0"):
        assert part in said


def test_pairs_put_the_filter_left_of_its_own_map():
    weights = RNG.normal(size=(4, 1, 2, 2))
    order = Ordering([2, 0, 3, 1], "pca")
    volume = Volume(step_maps(4), "stem").reordered(order)
    figure = filters_and_maps(weights, volume, clip=(0, 100))
    picture, images = pixels(figure), filter_images(weights)
    grid = fit_grid(4, (20, 40), width=WIDTH - 2 * MARGIN, height=MAX_HEIGHT)
    half = grid.tile[1] // 2
    maps = []
    for position, channel in enumerate(order.permutation):
        x, y = grid.corner(position)
        x, y = x + MARGIN, y + HEADER_HEIGHT + TITLE_HEIGHT
        assert picture[y + 10, x + 10].tolist() == images[channel, 0, 0].tolist()
        assert picture[y + grid.tile[0] - 10, x + half - 20].tolist() == images[channel, 1, 1].tolist()
        maps.append(picture[y + 10, x + half + 20, 1])
    # Green rises along viridis, and with it the channel's number.
    assert np.argsort(maps).tolist() == np.argsort(order.permutation).tolist()
    labels = [text for text, _, _ in texts(figure) if text.isdigit()]
    assert labels[:4] == ["2", "0", "3", "1"]


def test_filters_and_maps_of_different_layers_are_refused():
    with pytest.raises(InvalidInputError, match="4 maps but 5 filters"):
        filters_and_maps(np.ones((5, 3, 3, 3)), Volume(step_maps(4)))
