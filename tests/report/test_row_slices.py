import numpy as np
import pytest
from report_samples import pixels, step_volume, texts, words

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR, group_colour
from cnnvis.report import row_slices, to_png
from cnnvis.report.figure_slices import GROUP_GAP, LABEL_WIDTH, MAX_LINE, STRIP_WIDTH
from cnnvis.report.parts import HEADER_HEIGHT, TITLE_HEIGHT
from cnnvis.report.scale import ColourScale
from cnnvis.report.style import MARGIN, to_bytes

ORDER = [4, 2, 0, 1, 3]
TOP = HEADER_HEIGHT + TITLE_HEIGHT
LEFT = MARGIN + LABEL_WIDTH + STRIP_WIDTH


def test_every_line_is_one_row_of_the_channel_its_label_names():
    volume = step_volume(5, order=ORDER)
    figure = row_slices({"test": volume}, row=3, clip=(0, 100))
    picture, written = pixels(figure), texts(figure)
    scale = ColourScale.of([volume.values[:, 3]], clip=(0, 100))
    for position, channel in enumerate(ORDER):
        middle = TOP + position * MAX_LINE + MAX_LINE // 2
        np.testing.assert_array_equal(picture[middle, LEFT + 50], scale.rgb(np.array(float(channel))))
        label = [text for text, x, y in written if x < LEFT and abs(y - middle) < 2]
        assert label == [str(channel)]


def test_columns_run_from_left_to_right():
    maps = np.zeros((2, 20, 10))
    maps[:, 15, 8:] = 1
    picture = pixels(row_slices({"test": Volume(maps)}, clip=(0, 100)))
    line = picture[TOP + 10]
    assert line[LEFT + 5].tolist() == [68, 1, 84]
    bright = np.flatnonzero((line == [253, 231, 36]).all(axis=-1))
    assert len(bright) > 50
    assert np.ptp(bright) == len(bright) - 1
    assert (line[bright[-1] + 3] == 255).all()


def test_white_lines_and_strips_mark_the_groups():
    groups = np.array([0, 0, 0, 1, -1])
    picture = pixels(row_slices({"test": step_volume(5, order=ORDER, groups=groups)}, row=3))
    tops = TOP + np.arange(5) * MAX_LINE + np.array([0, 0, 0, 1, 2]) * GROUP_GAP
    for group, top in zip(groups, tops, strict=True):
        strip = picture[top + 5, MARGIN + LABEL_WIDTH + STRIP_WIDTH // 2]
        assert strip.tolist() == list(to_bytes(group_colour(int(group))))
    for top in tops[3:]:
        assert (picture[top - GROUP_GAP : top, LEFT : LEFT + 100] == 255).all()
    assert not (picture[tops[1] - 1 : tops[1] + 1, LEFT : LEFT + 100] == 255).all()


def test_legend_and_titles():
    said = words(row_slices({"k-means": step_volume(5)}, row=3))
    for part in ("conv1: 5 channels of 20 × 20, row 3", "tiny-net · cat.png", "k-means", "activation", "column", "19"):
        assert part in said


def test_missing_values_in_the_row_are_shown_and_counted():
    maps = np.random.default_rng(0).random((3, 20, 20))
    maps[1, 15, 4] = np.nan
    maps[1, 2, 4] = np.nan
    figure = row_slices({"test": Volume(maps)})
    assert "missing: 1 values" in words(figure)
    line = pixels(figure)[TOP + MAX_LINE + 10]
    assert (line == to_bytes(MISSING_COLOUR)).all(axis=-1).any()


@pytest.mark.parametrize("channels", [1, 96, 512, 2048])
def test_any_number_of_channels_fits_and_labels_do_not_touch(channels):
    volume = step_volume(channels, height=16, width=4)
    figure = row_slices({str(n): volume for n in range(4)})
    assert figure.bbox.height < 12000
    labels = sorted(y for text, x, y in texts(figure) if x == MARGIN + LABEL_WIDTH - 8)
    assert np.diff(labels).min(initial=100) >= 27


def test_a_row_that_is_not_there_is_refused():
    with pytest.raises(InvalidInputError, match="rows 0 to 19, got row 20"):
        row_slices({"test": step_volume(2)}, row=20)


def test_the_same_bytes_twice():
    volume = step_volume(5)
    assert to_png(row_slices({"test": volume})) == to_png(row_slices({"test": volume}))
