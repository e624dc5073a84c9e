import numpy as np
import pytest
from report_samples import pixels, step_maps, step_volume, texts, words

from cnnvis.core import Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR, NO_GROUP_COLOUR, group_colour
from cnnvis.report import mosaic, to_png
from cnnvis.report.figure_mosaic import MAX_PANEL_HEIGHT
from cnnvis.report.parts import HEADER_HEIGHT, TITLE_HEIGHT
from cnnvis.report.scale import ColourScale
from cnnvis.report.style import INK, MARGIN, WIDTH, to_bytes
from cnnvis.report.tiles import GAP, fit_grid

LIMITS = (0.0, 40.0)
ORDER = [3, 0, 7, 1, 6, 2, 5, 4, 11, 10, 9, 8]


def grid_of(volume):
    """Layout of a figure with one panel."""
    return fit_grid(volume.shape[0], volume.shape[1:], width=WIDTH - 2 * MARGIN, height=MAX_PANEL_HEIGHT)


def corner(grid, position):
    x, y = grid.corner(position)
    return MARGIN + x, HEADER_HEIGHT + TITLE_HEIGHT + y


def test_every_tile_shows_its_channel_the_right_way_up():
    volume = step_volume(12, order=ORDER)
    picture = pixels(mosaic({"test": volume}, limits=LIMITS))
    grid, scale = grid_of(volume), ColourScale.of([volume.values], limits=LIMITS)
    for position, channel in enumerate(ORDER):
        x, y = corner(grid, position)
        above = picture[y + grid.tile[0] // 4, x + grid.tile[1] // 2]
        below = picture[y + 3 * grid.tile[0] // 4, x + grid.tile[1] // 2]
        np.testing.assert_array_equal(above, scale.rgb(np.array(float(channel))))
        np.testing.assert_array_equal(below, scale.rgb(np.array(channel + 0.5)))


def test_left_stays_left():
    maps = np.zeros((1, 10, 10))
    maps[0, :, :5] = 1
    volume = Volume(maps)
    picture = pixels(mosaic({"one": volume}, limits=(0, 1)))
    grid = grid_of(volume)
    x, y = corner(grid, 0)
    middle = y + grid.tile[0] // 2
    assert picture[middle, x + grid.tile[1] // 4].tolist() == [253, 231, 36]
    assert picture[middle, x + 3 * grid.tile[1] // 4].tolist() == [68, 1, 84]


def test_every_label_names_the_original_channel_above_its_tile():
    volume = step_volume(12, order=ORDER)
    written = texts(mosaic({"test": volume}))
    grid = grid_of(volume)
    for position, channel in enumerate(ORDER):
        x, y = corner(grid, position)
        here = [text for text, left, middle in written if 0 <= left - x < 20 and -grid.band <= middle - y < 0]
        assert here == [str(channel)]


def test_bands_have_the_groups_colours_and_a_dark_line_parts_groups():
    groups = np.array([0] * 4 + [1] * 3 + [2] * 3 + [-1] * 2)
    volume = step_volume(12, order=ORDER, groups=groups)
    picture = pixels(mosaic({"test": volume}))
    grid = grid_of(volume)
    for position, group in enumerate(groups):
        x, y = corner(grid, position)
        assert picture[y - 4, x + grid.tile[1] - 8].tolist() == list(to_bytes(group_colour(int(group))))
        if (position + 1) % grid.columns == 0 or position == 11:
            continue
        between = picture[y + grid.tile[0] // 2, x + grid.tile[1] + GAP // 2].tolist()
        assert (between == list(to_bytes(INK))) == (group != groups[position + 1])
    assert group_colour(-1) == NO_GROUP_COLOUR


def test_panels_come_in_the_given_order_with_their_names():
    volume = step_volume(40)
    figure = mosaic({"first": volume, "second": volume, "third": volume})
    height = {text: y for text, _, y in texts(figure)}
    assert height["first"] < height["second"] < height["third"]


def test_a_few_channels_put_panels_beside_each_other():
    volume = step_volume(1)
    place = {text: (x, y) for text, x, y in texts(mosaic({"a": volume, "b": volume, "c": volume}))}
    assert place["a"][1] == place["b"][1] == place["c"][1]
    assert place["a"][0] < place["b"][0] < place["c"][0]


def test_the_legend_says_layer_model_image_quantity_range_and_clip():
    said = words(mosaic({"k-means": step_volume(12)}))
    for part in (
        "conv1: 12 channels of 20 × 20",
        "tiny-net · cat.png",
        "k-means",
        "activation",
        "values 0 to 11.5; colours span percentiles 1 to 99",
    ):
        assert part in said


def test_random_weights_are_said_in_red():
    provenance = Provenance(model="tiny-net", weights="random")
    figure = mosaic({"original": step_volume(4, provenance=provenance)})
    [warning] = [text for text in figure.axes[0].texts if "RANDOM WEIGHTS" in text.get_text()]
    red, green, blue = warning.get_color()
    assert red > 3 * max(green, blue)


def test_missing_values_are_shown_and_counted():
    maps = step_maps(3, height=200, width=200)
    maps[1] = np.nan
    maps[2, 100, 100] = np.inf
    volume = Volume(maps)
    figure = mosaic({"original": volume})
    picture = pixels(figure)
    missing = (picture == to_bytes(MISSING_COLOUR)).all(axis=-1)
    grid = grid_of(volume)
    inside = []
    for position in range(3):
        x, y = corner(grid, position)
        inside.append(int(missing[y : y + grid.tile[0], x : x + grid.tile[1]].sum()))
    assert inside[0] == 0
    assert inside[1] == grid.tile[0] * grid.tile[1]
    assert 1 <= inside[2] <= 25
    assert "missing: 40001 values are NaN or infinite" in words(figure)


def test_nothing_but_missing_values_still_gives_a_picture():
    figure = mosaic({"original": Volume(np.full((2, 5, 5), np.nan))})
    assert "no finite value" in words(figure)
    assert (pixels(figure) == to_bytes(MISSING_COLOUR)).all(axis=-1).any()


def test_constant_channels_are_crossed_out_and_counted():
    maps = step_maps(3)
    maps[2] = 0
    volume = Volume(maps)
    figure = mosaic({"original": volume})
    picture = pixels(figure)
    grid = grid_of(volume)
    centres = []
    for position in range(3):
        x, y = corner(grid, position)
        centres.append(picture[y + grid.tile[0] // 2, x + grid.tile[1] // 2].tolist())
    assert [centre == list(to_bytes(NO_GROUP_COLOUR)) for centre in centres] == [False, False, True]
    assert "crossed out: 1 constant channel" in words(figure)


def test_512_channels_keep_their_groups_and_drop_their_labels():
    volume = step_volume(512, height=7, width=7, groups=np.arange(512) // 40)
    figure = mosaic({"a": volume, "b": volume, "c": volume})
    assert figure.bbox.width == pytest.approx(WIDTH, abs=0.1)
    assert figure.bbox.height < 2 * WIDTH
    assert len(texts(figure)) < 100
    assert "too many to label" in words(figure)


def test_no_text_leaves_the_sheet():
    provenance = Provenance(model="a-very-long-name-of-a-network" * 8, weights="random", inputs=("photo" * 30,))
    volume = step_volume(32, groups=np.arange(32) % 25, provenance=provenance)
    figure = mosaic({"an order with a name that is far too long for its panel " * 4: volume})
    picture = pixels(figure)
    assert picture.shape[1] == WIDTH
    assert (picture[:, :8] == 255).all()
    assert (picture[:, -8:] == 255).all()


def test_dollars_in_names_are_no_formulas():
    volume = step_volume(2, provenance=Provenance(model="$\\frac{$"))
    assert "$\\frac{$" in words(mosaic({"$x_$": volume}))
    pixels(mosaic({"$x_$": volume}))


def test_the_same_volumes_give_the_same_bytes():
    volume = step_volume(12, order=ORDER)
    assert to_png(mosaic({"test": volume})) == to_png(mosaic({"test": volume}))


def test_a_readers_matplotlib_settings_do_not_leak_in():
    from matplotlib import rc_context

    volume = step_volume(3)
    plain = to_png(mosaic({"test": volume}))
    with rc_context({"font.size": 30, "font.family": "serif", "axes.facecolor": "red", "text.color": "red"}):
        assert to_png(mosaic({"test": volume})) == plain


def test_one_figure_is_one_layer():
    with pytest.raises(InvalidInputError, match=r"'b' is 'conv1' \(4, 20, 20\), the first is 'conv1' \(3, 20, 20\)"):
        mosaic({"a": step_volume(3), "b": step_volume(4)})
    with pytest.raises(InvalidInputError, match="at least one"):
        mosaic({})
