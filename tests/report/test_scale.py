import numpy as np
import pytest

from cnnvis.core.errors import InvalidInputError
from cnnvis.report.scale import ColourScale

MAGENTA = [255, 0, 255]


def test_values_without_negatives_get_the_sequential_map_between_their_percentiles():
    values = np.arange(101.0)
    scale = ColourScale.of([values])
    assert (scale.low, scale.high, scale.signed) == (1.0, 99.0, False)
    assert scale.full_range == (0.0, 100.0)
    dark, bright = scale.rgb(np.array([0.0, 100.0]))
    assert dark.tolist() == [68, 1, 84]  # first colour of viridis
    assert bright.tolist() == [253, 231, 36]
    assert scale.note == "values 0 to 100; colours span percentiles 1 to 99"


def test_signed_values_diverge_around_zero():
    values = np.concatenate([-np.arange(1.0, 11.0), np.arange(1.0, 91.0)])
    scale = ColourScale.of([values], clip=(0, 100))
    assert (scale.low, scale.high, scale.signed) == (-90.0, 90.0, True)
    blue, middle, red = scale.rgb(np.array([-90.0, 0.0, 90.0])).astype(int)
    assert blue[2] > blue[0] + 50
    assert red[0] > red[2] + 50
    assert np.ptp(middle) <= 2
    assert middle.min() > 240


def test_missing_values_take_their_own_colour_and_leave_the_range_alone():
    scale = ColourScale.of([np.array([0.0, 1.0, np.nan, np.inf, -np.inf])], clip=(0, 100))
    assert (scale.low, scale.high) == (0.0, 1.0)
    assert scale.rgb(np.array([np.nan, np.inf, -np.inf])).tolist() == [MAGENTA] * 3
    assert scale.rgb(np.array([[0.5]])).shape == (1, 1, 3)


def test_several_arrays_share_one_range():
    scale = ColourScale.of([np.zeros(5), np.full(5, 3.0)], clip=(0, 100))
    assert (scale.low, scale.high) == (0.0, 3.0)


def test_given_limits_win():
    scale = ColourScale.of([np.arange(10.0)], limits=(-2, 2))
    assert (scale.low, scale.high, scale.signed, scale.clip) == (-2.0, 2.0, True, None)
    with pytest.raises(InvalidInputError, match="rise"):
        ColourScale.of([np.arange(10.0)], limits=(2, 2))


@pytest.mark.parametrize("values", [np.zeros(50), np.full(50, 7.0), np.full(50, -3.0), np.full(50, np.nan)])
def test_no_spread_still_gives_a_range(values):
    scale = ColourScale.of([values])
    assert np.isfinite([scale.low, scale.high]).all()
    assert scale.low < scale.high
    assert len(np.unique(scale.rgb(values), axis=0)) == 1


def test_a_few_live_values_among_zeros_are_not_clipped_away():
    values = np.zeros(1000)
    values[:3] = [1, 2, 4]
    scale = ColourScale.of([values])
    assert (scale.low, scale.high) == (0.0, 4.0)


def test_all_missing_is_said():
    assert ColourScale.of([np.full(4, np.nan)]).note == "no finite value"
