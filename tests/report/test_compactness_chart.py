"""The chart of edge compactness: every network where it belongs, controls beside it, panels as far as is known."""

import itertools

import numpy as np
import pytest
from report_samples import pixels, words

from cnnvis.core import CompactnessRuns, Provenance
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import compactness_chart
from cnnvis.report.style import INK

LOOSE = CompactnessRuns("loose", [2.0, 2.2], [[1.5, 1.7], [1.8, 1.8]], [0.90, 0.92], [0.99, 0.97])
TIGHT = CompactnessRuns("tight", [3.0, 3.4], [[2.5, 2.5], [2.6, 2.8]], [0.80, 0.85], [0.85, 0.86])


def marks(axes):
    """Return the places of the marks of each line that has some, and whether they are filled."""
    lines = [line for line in axes.lines if line.get_linestyle() == "None"]
    return [(line.get_xydata().tolist(), line.get_markerfacecolor() != "white") for line in lines]


def test_every_network_stands_where_it_belongs():
    figure = compactness_chart([LOOSE, TIGHT], provenance=Provenance(model="tiny-net"))
    kinds, accuracy, gap = figure.axes[1:]
    found = marks(kinds)
    assert [[round(y, 6) for _, y in places] for places, _ in found] == [[2, 2.2], [1.6, 1.8], [3, 3.4], [2.5, 2.7]]
    assert [filled for _, filled in found] == [True, False, True, False]
    assert all(round(x) == number // 2 for number, (places, _) in enumerate(found) for x, _ in places)
    assert [places for places, _ in marks(accuracy)] == [[[0.9, 2], [0.92, 2.2]], [[0.8, 3], [0.85, 3.4]]]
    gaps = [[round(x, 6) for x, _ in places] for places, _ in marks(gap)]
    assert gaps == [[0.09, 0.05], [0.05, 0.01]]
    assert kinds.get_ylim() == accuracy.get_ylim() == gap.get_ylim()
    assert [label.get_text() for label in kinds.get_xticklabels()] == ["loose", "tight"]
    said = words(figure)
    assert "tiny-net" in said
    assert "against train-test gap" in said
    assert "generali" not in said.lower()
    assert (pixels(figure) < 200).any(axis=2).mean() > 0.01


def test_means_are_drawn_as_bars():
    kinds = compactness_chart([LOOSE]).axes[1]
    bars = [set(line.get_ydata()) for line in kinds.lines if line.get_color() == INK]
    assert [pytest.approx(bar) for bar in (2.1, 1.7)] == [bar.pop() for bar in bars]


def test_without_training_accuracies_there_is_no_panel_of_the_gap():
    unknown = CompactnessRuns("other", [2.0], np.zeros((1, 0)), [0.9])
    assert np.isnan(unknown.control).all()
    assert unknown.gap is None
    figure = compactness_chart([CompactnessRuns("one", [1.5], [[1.2]], [0.8]), unknown])
    assert len(figure.axes) == 3
    assert (pixels(figure) < 200).any()


def test_a_long_name_does_not_run_into_its_neighbour():
    figure = compactness_chart([CompactnessRuns("a very long name " * 5, [1.5], [[1.2]], [0.8]), LOOSE, TIGHT])
    pixels(figure)
    boxes = [label.get_window_extent() for label in figure.axes[1].get_xticklabels()]
    assert all(before.x1 < after.x0 for before, after in itertools.pairwise(boxes))


def test_nothing_to_draw_is_refused():
    with pytest.raises(InvalidInputError, match="No compactness to draw"):
        compactness_chart([])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], np.zeros((0, 1)), []), "at least one network"),
        (([1.0], [[1.0], [2.0]], [0.5]), "controls of 'kind'"),
        (([1.0], [[1.0]], [0.5, 0.6]), "test_accuracy of 'kind'"),
        (([np.nan], [[1.0]], [0.5]), "compactness of 'kind'"),
    ],
)
def test_runs_check_their_arrays(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        CompactnessRuns("kind", *arguments)
