"""Pictures in rows: sizes, whole pixels, captions."""

import numpy as np
import pytest

from cnnvis.core.errors import InvalidInputError
from cnnvis.report import picture_rows, to_rgb
from cnnvis.report.style import WIDTH


def test_small_pictures_keep_square_pixels_and_large_ones_fit():
    small = np.zeros((2, 2, 3), dtype=np.uint8)
    small[0, 0] = (255, 0, 0)
    large = np.full((2000, 1000, 3), (0, 0, 255), dtype=np.uint8)
    figure = picture_rows([small, large, small], [("one", "a line")] * 3, title="Three", columns=2)
    pixels = to_rgb(figure)
    assert pixels.shape[1] == WIDTH
    red = (pixels == (255, 0, 0)).all(axis=-1)
    assert red.sum() == 2 * 180 * 180  # 2 pixels become 360: 180 each; twice, in two rows
    rows, columns = np.nonzero((pixels == (0, 0, 255)).all(axis=-1))
    assert np.ptp(rows) + 1 == 360
    assert np.ptp(columns) + 1 == 180


@pytest.mark.parametrize("pictures", [[], [np.zeros((2, 2, 3), dtype=np.uint8)] * 2])
def test_one_caption_for_each(pictures):
    with pytest.raises(InvalidInputError, match="one caption each"):
        picture_rows(pictures, [("only",)], title="", columns=1)
