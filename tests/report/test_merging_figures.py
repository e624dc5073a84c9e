"""The chart of merging and its tables: every number where it belongs."""

import numpy as np
import pytest
from report_samples import PROVENANCE, assert_legible, words

from cnnvis.core import ChannelMoments, ChannelPair, PruneCurve, Redundancy
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import merge_curve_chart, redundancy_table

SHARES = np.array([0.0, 0.1, 0.2, 0.3])
NAMES = tuple(f"{name}{kind}" for name in ("merged", "removed", "random") for kind in ("", ", recalibrated"))


def curve(accuracy, order="merged"):
    accuracy = np.asarray(accuracy, float)
    return PruneCurve(SHARES, accuracy, 1 - accuracy, np.tile(accuracy[:, None], (1, 10)), order, n_total=2368)


def test_lines_are_means_with_bands_and_the_key_says_what_was_lost():
    runs = [curve([0.9, *[value] * 3], "random") for value in (0.5, 0.6, 0.7)]
    figure = merge_curve_chart({"merged": (curve([0.9, 0.9, 0.88, 0.86]),), "random": runs}, provenance=PROVENANCE)
    level, merged, random = (np.asarray(line.get_ydata(), float) for line in figure.axes[1].lines)
    assert level == pytest.approx([0.89, 0.89])
    assert merged.tolist() == [0.9, 0.9, 0.88, 0.86]
    assert random == pytest.approx([0.9, 0.6, 0.6, 0.6])
    band = figure.axes[1].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.5, 0.9))
    said = words(figure)
    assert "merged | 86.0% | 15.0%" in said  # half of the two points between 10 % and 20 %
    assert "random | 60.0% | 0.4%" in said
    assert "1 point below the whole network's 90.0%" in said
    assert "over 3 seeds" in said
    assert "2,368 channels" in said


def test_the_merged_curve_is_always_in_sight():
    for lowest in (0.89, 0.5, 0.0):
        figure = merge_curve_chart({"merged": (curve([0.9, 0.9, 0.9, lowest]),)})
        low, high = figure.axes[1].get_ylim()
        assert low <= lowest
        assert high > 0.9
        assert figure.axes[1].get_xlim()[1] == pytest.approx(0.3, rel=0.02)


def test_recalibrated_lines_look_like_what_they_recalibrate():
    figure = merge_curve_chart({name: (curve([0.9, 0.9, 0.88, 0.86], name),) for name in NAMES})
    _, *lines = figure.axes[1].lines
    for plain, other in zip(lines[::2], lines[1::2], strict=True):
        assert plain.get_color() == other.get_color()
        assert plain._unscaled_dash_pattern != other._unscaled_dash_pattern
    assert_legible(figure)


def test_what_is_no_chart_is_refused():
    for none in ({}, {"merged": ()}):
        with pytest.raises(InvalidInputError, match="No curve"):
            merge_curve_chart(none)
    other = PruneCurve(SHARES / 2, np.ones(4), np.ones(4), np.ones((4, 10)), "random")
    with pytest.raises(InvalidInputError, match="'random' have other shares"):
        merge_curve_chart({"merged": (curve(np.ones(4)),), "random": (other,)})


def test_the_table_of_what_was_proposed_and_verified():
    moments = {"a": ChannelMoments(("v",), np.zeros((1, 3)), np.zeros((1, 3, 3)), [1])}
    pairs = [
        ChannelPair("a", 0, 1, 0.95, 0.9),
        ChannelPair("a", 0, 2, 0.95, 0.1, "maps disagree"),
        ChannelPair("a", 1, 2, 0.8, 0.1, "maps disagree"),
    ]
    columns, rows, caption = redundancy_table(Redundancy(tuple(pairs), moments, {"fc": "its classes"}, 500))
    assert len(columns) == len(rows[0]) == len(rows[1])
    assert rows == [("a", 3, 3, 1, 1, ""), ("fc", "", "", "", "", "its classes")]
    assert "500 images" in caption
