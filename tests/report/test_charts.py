import math

import numpy as np
import pytest
from report_samples import pixels, words

from cnnvis.core import Ordering, OrderQuality
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import order_quality_chart, order_quality_table

NAN = float("nan")
GOOD = OrderQuality(0.52, 0.21, 0.08, 0.03, 0.35)
EMPTY = OrderQuality(NAN, NAN, NAN, NAN, NAN)


def ordering(quality, **options):
    return Ordering(np.arange(4), "kmeans", quality=quality, **options)


def test_the_chart_draws_every_number_where_it_belongs():
    figure = order_quality_chart(
        {"a": ordering(GOOD), "b": ordering(OrderQuality(0.4, 0.2, 0.1, 0.02, 0.9))}, layer="c1"
    )
    axes = figure.axes[1]
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert lines["this order"] == [[0.52, 0], [0.4, 1]]
    assert lines["original order"] == [[0.21, 0], [0.2, 1]]
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert bands == [pytest.approx((0.02, 0.14)), pytest.approx((0.06, 0.14))]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.yaxis_inverted()
    said = words(figure)
    assert "+14.7 sd · brightness 0.35" in said
    assert "c1: how smooth each order is" in said
    pixels(figure)


def test_held_out_images_are_said():
    quality = OrderQuality(0.5, 0.2, 0.1, 0.02, 0.9, held_out=True)
    axes = order_quality_chart({"a": ordering(quality)}).axes[1]
    assert axes.get_xlabel().endswith("on images not used for ordering")


def test_an_undefined_quality_is_drawn_as_nothing():
    figure = order_quality_chart({"a": ordering(EMPTY)})
    assert "random sd undefined" in words(figure)
    pixels(figure)


def test_no_quality_at_all_is_refused():
    with pytest.raises(InvalidInputError, match="No order has a quality"):
        order_quality_chart({"a": ordering(None)})


def test_the_table_says_the_same():
    constant = [False, False, False, True]
    columns, rows, caption = order_quality_table(
        {
            "k-means": ordering(GOOD, groups=[0, 1, 0, -1], constant=constant),
            "one channel": ordering(EMPTY),
            "unmeasured": ordering(None),
        }
    )
    assert columns[0] == "order"
    assert rows[0] == ("k-means", 2, 1, 0.52, 0.21, "0.080 ± 0.030", "+14.7 sd", 0.35)
    assert rows[1][5:7] == (None, None)
    assert math.isnan(rows[1][3])
    assert rows[2] == ("unmeasured", None, 0, None, None, None, None, None)
    assert "not used for ordering" not in caption
    assert {len(row) for row in rows} == {len(columns)}
