"""Pruning curves, class curves and differences: every line where its numbers say."""

import numpy as np
import pytest
from report_samples import PROVENANCE, assert_legible, drawn_texts, pixels, words

from cnnvis.core import ClassCurves, CurveComparison, PruneCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import area_chart, class_curve_chart, prune_curve_chart
from cnnvis.report.chart import line_looks
from cnnvis.report.figure_curves import AXES
from cnnvis.report.style import ACCENT, WIDTH, to_bytes

SHARES = np.linspace(0, 1, 5)
NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def curve(order="gradient", accuracy=(0.9, 0.9, 0.8, 0.5, 0.1), *, n_classes=10, **options):
    accuracy = np.asarray(accuracy)
    each = np.tile(accuracy[:, None], (1, n_classes))
    return PruneCurve(SHARES, accuracy, 1 - accuracy, each, order, **{"n_total": 130, **options})


def lines_of(figure):
    """Lines with markers or dashes in the chart, by colour and dash: their y values."""
    return [np.asarray(line.get_ydata(), float).tolist() for line in figure.axes[1].lines]


def test_one_curve_is_drawn_where_its_accuracy_lies():
    figure = prune_curve_chart({"gradient": curve()}, provenance=PROVENANCE)
    picture = pixels(figure)
    left, top, width, height = AXES
    for share, accuracy in zip(SHARES[1:-1], [0.9, 0.8, 0.5], strict=True):
        x, y = round(left + share * width), round(top + height * (1 - accuracy / 1.02))
        assert (abs(picture[y - 3 : y + 3, x - 3 : x + 3] - to_bytes(ACCENT)) <= 1).all(), share  # the marker is filled
    assert picture.shape[1] == WIDTH


def test_the_key_says_area_and_removable_share():
    said = words(prune_curve_chart({"gradient": curve()}))
    assert "gradient | 0.675 |" in said  # (0.9 + 0.9) / 8 + (0.9 + 0.8) / 8 + (0.8 + 0.5) / 8 + (0.5 + 0.1) / 8
    assert "| 28% |" in said  # 0.01 of the 0.1 lost between 0.25 and 0.5
    assert "removable: share at 1 point of accuracy lost" in said
    assert "Accuracy while 130 units (all layers together) are removed" in said


@pytest.mark.parametrize(("measure", "whole", "chance"), [("accuracy", 0.9, 0.1), ("loss", 0.1, np.log(10))])
def test_thin_lines_show_the_whole_network_and_guessing(measure, whole, chance):
    figure = prune_curve_chart({"gradient": curve()}, measure=measure)
    assert [line[0] for line in lines_of(figure)[:2]] == pytest.approx([whole, chance])
    said = words(figure)
    assert "whole network: " in said
    assert "guessing one of 10 classes: " in said
    assert figure.axes[1].get_ylabel() == ("accuracy" if measure == "accuracy" else "cross-entropy")


def test_several_runs_are_a_mean_with_a_band_of_one_standard_deviation():
    runs = [curve(accuracy=np.full(5, value)) for value in (0.5, 0.6, 0.7)]
    figure = prune_curve_chart({"gradient": runs, "weight": curve("weight")})
    assert lines_of(figure)[2] == pytest.approx([0.6] * 5)
    band = figure.axes[1].collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.5, 0.7))  # sd of 0.5, 0.6, 0.7 is 0.1
    said = words(figure)
    assert "lines: means of 1 to 3 runs | bands: ± 1 standard deviation" in said
    assert "bands" not in words(prune_curve_chart({"gradient": curve()}))


def test_lines_differ_without_their_colour():
    names = [f"method {index}" for index in range(12)]
    looks = line_looks([*names, "random", "method 3 reversed"])
    marks = {(look.colour, look.marker, look.filled) for look in looks.values()}
    assert len(marks) == len(looks)
    assert len({looks[name].marker for name in names[:8]}) == 8
    assert looks["random"].marker == ""
    back, ahead = looks["method 3 reversed"], looks["method 3"]
    assert (back.colour, back.marker) == (ahead.colour, ahead.marker)
    assert back.dash != ahead.dash
    assert not back.filled


def test_texts_of_the_curves_are_legible():
    names = ["batchnorm", "gradient", "taylor", "ablation", "weight", "activation", "random", "batchnorm reversed"]
    for measure in ("accuracy", "loss"):
        figure = prune_curve_chart({name: [curve(name)] * 2 for name in names}, measure=measure)
        assert_legible(figure)
    assert any(text == "batchnorm reversed" for text, _ in drawn_texts(figure))


def test_values_that_are_no_numbers_leave_gaps():
    broken = PruneCurve(SHARES, [0.9, 0.8, 0.5, 0.2, 0.1], [0.1, 0.2, np.inf, np.nan, 2], np.ones((5, 1)), "x")
    figure = prune_curve_chart({"x": [broken, broken]}, measure="loss")
    assert np.isnan(lines_of(figure)[-1][2:4]).all()
    assert "guessing" not in words(figure)  # one class: nothing to guess
    pixels(figure)


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "No curve to draw"),
        ({"a": []}, "No curve to draw"),
        ({"a": curve(), "b": curve(kind="links")}, "'b' 130 links"),
        ({"a": curve(), "b": curve(scope="layer")}, "the same share of each layer"),
        ({"a": [curve(), PruneCurve([0.0], [1], [1], [[1]], "a", n_total=130)]}, "'a' have other shares"),
    ],
)
def test_curves_that_do_not_belong_together_are_refused(curves, message):
    with pytest.raises(InvalidInputError, match=message):
        prune_curve_chart(curves)


def test_an_unknown_measure_is_refused():
    with pytest.raises(InvalidInputError, match="accuracy or loss, got 'area'"):
        prune_curve_chart({"a": curve()}, measure="area")


def class_curves(shift=0.0, *, n_classes=10, order="gradient"):
    mean = np.tile(np.linspace(1, 0.5, 5)[:, None], (1, n_classes))
    own = mean + (np.arange(n_classes) - 4) / 100 + shift
    names = NAMES[:n_classes] if n_classes <= 10 else None
    return ClassCurves(SHARES, own, mean, order, names)


def test_every_class_has_a_panel_with_its_difference():
    figure = class_curve_chart([class_curves(), class_curves(0.02)], provenance=PROVENANCE)
    assert len(figure.axes) == 11
    for index, axes in enumerate(figure.axes[1:]):
        mean = np.asarray(axes.lines[2].get_ydata())
        np.testing.assert_allclose(mean, (index - 4) / 100 + 0.01)
        assert axes.get_ylim() == pytest.approx((-0.07 * 1.08, 0.07 * 1.08))  # the largest: 0.05 + 0.02
    said = words(figure)
    assert all(name in said for name in NAMES)
    assert "thin lines: 2 training seeds; thick: their mean" in said
    assert_legible(figure)


def test_one_run_and_classes_without_names():
    figure = class_curve_chart(class_curves(n_classes=12))
    said = words(figure)
    assert "class 11" in said
    assert "thin lines" not in said
    assert_legible(figure)


def test_class_curves_of_several_methods_are_refused():
    with pytest.raises(InvalidInputError, match="at least one"):
        class_curve_chart([])
    with pytest.raises(InvalidInputError, match="the same method"):
        class_curve_chart([class_curves(), class_curves(order="taylor")])


DIFFERENCES = {
    "gradient − random": CurveComparison([0.2, 0.25, 0.3], (0.1, 0.4), "area"),
    "gradient − weight": CurveComparison([-0.1, 0.0, 0.1], (-0.25, 0.25), "area"),
    "gradient − taylor": CurveComparison([0.1], (np.nan, np.nan), "area"),
}


def test_differences_lie_where_they_belong_and_clear_ones_are_filled():
    figure = area_chart(DIFFERENCES, provenance=PROVENANCE)
    axes = figure.axes[1]
    means = [line for line in axes.lines if line.get_marker() == "D"]
    assert [line.get_xydata()[0].tolist() for line in means] == [pytest.approx([0.25, 0]), [0, 1], [0.1, 2]]
    assert [line.get_markerfacecolor() == ACCENT for line in means] == [True, False, False]
    said = words(figure)
    assert "+0.250 [+0.100, +0.400]" in said
    assert "+0.000 [−0.250, +0.250]" in said
    assert "a single seed: no interval" in said
    assert "95% interval of the mean" in said
    assert axes.get_xlabel() == "difference in area under the accuracy"
    assert_legible(figure)


def test_differences_of_several_measures_are_refused():
    with pytest.raises(InvalidInputError, match="at least one comparison"):
        area_chart({})
    other = CurveComparison([0.1, 0.2], (0, 1), "removable")
    with pytest.raises(InvalidInputError, match="all of one measure"):
        area_chart({**DIFFERENCES, "x": other})
