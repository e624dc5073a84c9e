"""Listing bundles: by hand, what must not change it, and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core import PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import bundle, bundles, lines_at, place, random_network

RADIUS = 0.02


def drawn(starts, middles, ends, *, weight=None, shares=None, layers=None):
    """Return lines of three points; unit numbers count the different starts, and after them the ends."""
    n = len(middles)
    points = np.stack([np.asarray(part, float) for part in (starts, middles, ends)], axis=1).reshape(-1, 3)
    _, source = np.unique(np.asarray(starts), axis=0, return_inverse=True)
    _, target = np.unique(np.asarray(ends), axis=0, return_inverse=True)
    layers = np.tile([0.0, 0.5, 1.0], n) if layers is None else np.asarray(layers, float).ravel()
    arrays = {"t": np.tile(np.array([0, 0.5, 1], np.float32), n), "layer": layers}
    if shares is not None:
        arrays["class_shares"] = np.repeat(np.asarray(shares, float), 3, axis=0)
    return PolylineSet(
        points,
        3 * np.arange(n + 1),
        arrays,
        {
            "source": source.ravel(),
            "target": source.max() + 1 + target.ravel(),
            "weight": np.ones(n) if weight is None else np.asarray(weight, float),
        },
    )


def gathered(seed, spots=((0, 0), (0.3, 0), (0, 0.3)), n=60, sigma=0.003):
    """Return lines whose middles lie around spots, and the spot of each."""
    generator = np.random.default_rng(seed)
    spot = generator.integers(len(spots), size=n)
    middles = np.column_stack([np.asarray(spots)[spot] + sigma * generator.standard_normal((n, 2)), np.full(n, 0.5)])
    starts = np.column_stack([generator.uniform(-0.5, 0.5, (n, 2)), np.zeros(n)])
    ends = np.column_stack([generator.uniform(-0.5, 0.5, (n, 2)), np.ones(n)])
    return drawn(starts, middles, ends, weight=generator.random(n)), spot


def test_two_bundles_by_hand():
    starts = [(-0.4, 0, 0), (-0.4, 0, 0), (0.4, 0, 0)]
    middles = [(-0.2, 0, 0.5), (-0.19, 0, 0.5), (0.2, 0, 0.5)]
    ends = [(-0.4, 0, 1), (0, 0.3, 1), (0.4, 0, 1)]
    shares = [(1, 0), (0, 1), (0.5, 0.5)]
    first, second = bundles(drawn(starts, middles, ends, weight=[1, 0.5, 0.25], shares=shares), radius=RADIUS)
    np.testing.assert_array_equal(first.lines, [0, 1])
    np.testing.assert_array_equal(second.lines, [2])
    assert (first.weight, first.n_sources, first.n_targets, first.layers) == (1.5, 1, 2, (0, 1))
    np.testing.assert_allclose(first.class_shares, [2 / 3, 1 / 3], atol=1e-6)
    np.testing.assert_allclose(first.centre, [(-0.2 - 0.19 / 2) / 1.5, 0, 0.5], atol=1e-6)
    assert (second.weight, len(second)) == (0.25, 1)


def test_gaps_are_bundles_of_their_own_and_a_skip_link_is_a_gap():
    layers = [(0, 0.5, 1), (0, 1, 2), (1, 1.5, 2)]
    lines = drawn([(0, 0, 0)] * 3, [(0, 0, 0.5)] * 3, [(0, 0, 1)] * 3, layers=layers, weight=[0.1, 0.2, 0.3])
    assert [found.layers for found in bundles(lines, radius=RADIUS)] == [(1, 2), (0, 2), (0, 1)]


def test_the_place_of_comparison_is_chosen():
    starts, ends = [(-0.4, 0, 0), (0.4, 0, 0)], [(0, 0, 1), (0, 0, 1)]
    lines = drawn(starts, [(-0.2, 0, 0.5), (0.2, 0, 0.5)], ends)
    assert [len(bundles(lines, at=at, radius=RADIUS)) for at in (0, 0.5, 1)] == [2, 2, 1]
    assert bundles(lines, at=0.75, radius=RADIUS)[0].centre == pytest.approx([-0.1, 0, 0.75])


def test_two_hills_joined_by_a_few_lines_are_two_bundles():
    # two crowds whose middles are 0.2 apart; between them a line every 0.018, less than the radius, lightest half-way
    x = np.concatenate([np.full(50, 0.0), np.arange(1, 11) * 0.018, np.full(30, 0.2)])
    weight = np.concatenate([np.ones(50), np.abs(x[50:60] - 0.1) + 0.01, np.ones(30)])
    ends = [np.column_stack([5 * x, 0 * x, np.full_like(x, z)]) for z in (0, 1)]
    found = bundles(drawn(ends[0], np.column_stack([x, 0 * x, 0 * x + 0.5]), ends[1], weight=weight), radius=RADIUS)
    first, second = (set(each.lines.tolist()) for each in found)
    assert set(range(54)) <= first
    assert set(range(57, 90)) <= second


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_spots_are_found_wherever_in_any_order_and_at_any_scale(seed, scale, shift):
    lines, spot = gathered(seed)
    order = np.random.default_rng(seed).permutation(len(lines))
    points = (lines.points.reshape(-1, 3, 3)[order] * scale + shift).reshape(-1, 3)
    other = PolylineSet(
        points, lines.offsets, lines.point_arrays, {name: array[order] for name, array in lines.line_arrays.items()}
    )
    wanted = {frozenset(np.flatnonzero(spot == number).tolist()) for number in np.unique(spot)}
    found = bundles(other, radius=RADIUS * scale)
    assert {frozenset(order[each.lines].tolist()) for each in found} == wanted
    weights = [each.weight for each in found]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) == pytest.approx(lines.line_arrays["weight"].sum())


def test_every_line_of_a_bundled_network_is_in_one_bundle():
    edges, profiles = random_network([36, 16, 9, 4], random_state=1)
    lines = bundle(edges, place(edges), profiles=profiles)
    found = bundles(lines)
    np.testing.assert_array_equal(np.sort(np.concatenate([each.lines for each in found])), np.arange(len(edges)))
    assert len(found) < len(bundles(lines.blended(0))) / 3
    for each in found:
        assert each.n_sources == np.unique(edges.source[each.lines]).size
        assert each.class_shares.sum() == pytest.approx(1, abs=1e-5)


def test_no_lines_one_line_and_lines_without_weight():
    nothing = PolylineSet(np.zeros((0, 3)), [0], {"t": [], "layer": []}, {"source": [], "target": [], "weight": []})
    assert bundles(nothing) == ()
    assert lines_at(nothing, (0, 0, 0), 1)[0].size == 0
    one = drawn([(0, 0, 0)], [(0, 0, 0.5)], [(0, 0, 1)], weight=[0])
    (found,) = bundles(one)  # without any width, too
    assert (len(found), found.weight) == (1, 0)


def test_lines_at_a_place_by_hand():
    # the second line passes the point 0.1 away, between its points; the third ends 0.2 before it
    starts = [(0, 0, 0), (0.1, 0, 0), (0, 0, 0)]
    middles = [(0, 0, 0.5), (0.1, 0, 0.5), (0, 0, 0.025)]
    ends = [(0, 0, 1), (0.1, 0, 1), (0, 0, 0.05)]
    lines = drawn(starts, middles, ends, weight=[1, 0.5, 0.25])
    found = [lines_at(lines, (0, 0, 0.25), radius) for radius in (0, 0.099, 0.101, 0.201)]
    assert [numbers.tolist() for numbers, _ in found] == [[0], [0], [0, 1], [0, 1, 2]]
    assert [weight for _, weight in found] == [1, 1, 1.5, 1.75]


@given(seed=st.integers(0, 1000), radius=st.floats(0, 0.5))
@settings(max_examples=20)
def test_lines_at_are_those_that_dense_samples_find(seed, radius):
    lines, _ = gathered(seed, n=20)
    where = np.random.default_rng(seed + 1).uniform([-0.5, -0.5, 0], [0.5, 0.5, 1])
    t = np.linspace(0, 1, 2001)[:, None, None]
    a, b, c = lines.points.astype(float).reshape(-1, 3, 3).transpose(1, 0, 2)
    dense = np.concatenate([(1 - t) * a + t * b, (1 - t) * b + t * c])
    distance = np.linalg.norm(dense - where, axis=2).min(axis=0)
    found = np.zeros(20, bool)
    found[lines_at(lines, where, radius)[0]] = True
    sure = np.abs(distance - radius) > 1e-3
    np.testing.assert_array_equal(found[sure], distance[sure] < radius)


def test_bad_input_is_refused_in_a_sentence():
    lines, _ = gathered(0)
    with pytest.raises(InvalidInputError, match="without 't', 'layer'"):
        bundles(PolylineSet(lines.points, lines.offsets, {}, lines.line_arrays))
    with pytest.raises(InvalidInputError, match="without 'weight'"):
        lines_at(PolylineSet(lines.points, lines.offsets), (0, 0, 0), 1)
    with pytest.raises(InvalidInputError, match="at must be from 0 to 1"):
        bundles(lines, at=1.5)
    with pytest.raises(InvalidInputError, match="radius must be"):
        bundles(lines, radius=0)
    with pytest.raises(InvalidInputError, match="radius must be"):
        lines_at(lines, (0, 0, 0), np.nan)
    with pytest.raises(InvalidInputError, match="point holds 1 values that are NaN"):
        lines_at(lines, (0, np.nan, 0), 1)
    empty = PolylineSet(
        np.zeros((1, 3)), [0, 1, 1], {"t": [0], "layer": [0]}, {"source": [0, 0], "target": [1, 1], "weight": [1, 1]}
    )
    with pytest.raises(InvalidInputError, match="1 lines have no points, the first of them is line 1"):
        bundles(empty)
