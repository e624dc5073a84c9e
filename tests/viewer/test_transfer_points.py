"""Points of curves and colour maps stay in order, whatever is done to them; values are counted as they are."""

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from cnnvis.core import Volume
from cnnvis.scene import ClipBox, Scene, Slices, TransferFunction
from cnnvis.viewer.transfer import points as edits
from cnnvis.viewer.transfer.values import ValueCounts, visible_span

RAMP = ((0.0, 0.0), (0.5, 0.2), (1.0, 1.0))

unit = st.floats(0, 1)
rising = st.lists(st.tuples(unit, unit), min_size=2, max_size=6).map(lambda points: tuple(sorted(points)))
changes = st.lists(st.tuples(st.sampled_from(["add", "move", "remove"]), st.integers(0, 9), st.floats(-1, 2), unit))

# -- points ----------------------------------------------------------------------------------------


def test_points_by_hand():
    assert edits.add(RAMP, (0.25, 0.9)) == (((0.0, 0.0), (0.25, 0.9), (0.5, 0.2), (1.0, 1.0)), 1)
    assert edits.move(RAMP, 1, (0.7, 0.3)) == ((0.0, 0.0), (0.7, 0.3), (1.0, 1.0))
    assert edits.move(RAMP, 1, (1.7, 0.3)) == ((0.0, 0.0), (1.0, 0.3), (1.0, 1.0))  # stops at its neighbour
    assert edits.move(RAMP, 2, (0.4, 0.6)) == ((0.0, 0.0), (0.5, 0.2), (1.0, 0.6))  # an end keeps its position
    assert edits.remove(RAMP, 1) == ((0.0, 0.0), (1.0, 1.0))
    assert edits.remove(RAMP, 0) == edits.remove(RAMP, 2) == RAMP


def test_a_step_takes_a_third_point_on_its_right():
    step = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (1.0, 1.0))
    points, index = edits.add(step, (0.5, 0.3))
    assert (index, points[3]) == (3, (0.5, 0.3))


@given(rising, unit)
def test_ends_change_nothing_of_the_curve(points, along):
    ends = edits.with_ends(points)
    assert (ends[0][0], ends[-1][0]) == (0, 1)
    before, after = (TransferFunction(opacity=curve).opacity_at(along) for curve in (points, ends))
    assert before == pytest.approx(after, abs=1e-6)


@given(rising, changes)
def test_any_changes_leave_a_curve_that_is_allowed(points, changes):
    points = edits.with_ends(points)
    for what, number, position, height in changes:
        index = number % len(points)
        if what == "add":
            points, index = edits.add(points, (position, height))
            assert points[index][1] == height
            assert 0 < index < len(points) - 1
        elif what == "move":
            points = edits.move(points, index, (position, height))
            assert points[index][1] == height
        else:
            points = edits.remove(points, index)
        TransferFunction(opacity=points)  # raises where positions fall or leave [0, 1]
        assert (points[0][0], points[-1][0]) == (0, 1)


# -- counts ----------------------------------------------------------------------------------------


def test_counts_by_hand():
    counts = ValueCounts.of([[0.0, 1.0, 1.0], [2.5, np.nan, 9.0], [-4.0, 4.0, np.inf]])
    assert (counts.n_missing, counts.ordered.size) == (2, 7)
    inside, below, above = counts.over_map(TransferFunction(span=(0, 4)), 4)
    assert (inside.tolist(), below, above) == ([1, 2, 1, 1], 1, 1)  # the last bin has its end
    assert counts.over_map(TransferFunction(clip=(0, 100)), 1)[1:] == (0, 0)


def test_counts_follow_the_normalisation():
    counts = ValueCounts.of(np.array([0.1, 0.9, 1.1, 7.9], np.float32))
    # The cube root of 1 out of 8 is the middle.
    inside, _, _ = counts.over_map(TransferFunction(span=(0, 8), normalisation="cbrt"), 2)
    assert inside.tolist() == [2, 2]
    assert counts.over_map(TransferFunction(span=(0, 8)), 2)[0].tolist() == [3, 1]


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(max_dims=3, max_side=6),
        elements=st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf]),
    ),
    st.sampled_from(["linear", "log", "cbrt"]),
    st.sampled_from([(0, 100), (10, 90)]),
    st.sampled_from([None, 0.0]),
)
def test_every_value_is_counted_once(values, normalisation, clip, centre):
    transfer = TransferFunction(normalisation=normalisation, clip=clip, centre=centre)
    counts = ValueCounts.of(values)
    inside, below, above = counts.over_map(transfer, 16)
    assert inside.sum() + below + above + counts.n_missing == values.size
    assert (inside >= 0).all()
    assert counts.span(transfer) == transfer.span_of(values)


def test_no_value_at_all():
    counts = ValueCounts.of([np.nan])
    assert counts.over_map(TransferFunction(), 3)[0].tolist() == [0, 0, 0]


# -- what is visible -------------------------------------------------------------------------------


def stack(**state):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    values[0, 0, 0] = np.nan
    volume = Volume(values, weights=np.array([0.0, 1.0]), groups=np.array([0, 1]))
    return Scene().add_volume(volume, **state)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({}, (1, 23)),
        ({"clip_box": ClipBox(channel=(0, 0))}, (1, 11)),
        ({"clip_box": ClipBox(row=(1, 2), column=(2, 9))}, (6, 23)),
        ({"drive": "importance"}, (12, 23)),  # the first channel weighs nothing
        ({"drive": "group", "shown_groups": (0,), "context": 0.0}, (1, 11)),
        ({"mode": "slices", "slices": Slices(channel=0)}, (1, 11)),
        ({"mode": "slices", "slices": Slices(row=1), "clip_box": ClipBox(channel=(1, 1))}, (16, 19)),
        ({"mode": "slices", "slices": Slices(row=1), "clip_box": ClipBox(row=(2, 2))}, None),
        ({"mode": "slices"}, (2, 23)),  # the middles: channel 1, row 1, column 2
    ],
)
def test_what_is_cut_away_is_not_visible(state, expected):
    assert visible_span(stack(**state)) == expected


def test_cells_that_do_not_exist_are_not_visible():
    matrix = Scene().add_matrix(np.array([[1.0, 5.0], [3.0, 9.0]]), n_cells=3)
    assert visible_span(matrix) == (1, 5)
