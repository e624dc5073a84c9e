"""Edge compactness: by hand, what must not change it, what must raise it, and bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from scipy.stats.qmc import Halton

from cnnvis.core import Compactness, PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import bundle, compactness, edge_compactness, place, random_network, straight_lines


def drawn(paths, importance=None, layers=None):
    """Return lines through the (x, y, z) of each path, with one importance and one gap per line."""
    counts = [len(path) for path in paths]
    importance = np.ones(len(paths)) if importance is None else np.asarray(importance, dtype=float)
    layers = [(0, 1)] * len(paths) if layers is None else layers
    return PolylineSet(
        points=np.concatenate([np.asarray(path, dtype=float) for path in paths]),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        point_arrays={
            "importance": np.repeat(importance, counts),
            "layer": np.concatenate([np.linspace(*ends, count) for ends, count in zip(layers, counts, strict=True)]),
        },
    )


def bent(start, end, middle):
    """Return a path from start (x, y) at z 0 to end at z 1 that runs through `middle` from z 0.2 to 0.8."""
    return [(*start, 0), (*middle, 0.2), (*middle, 0.8), (*end, 1)]


def bent_at_random(seed, n=12, pull=0.3):
    """Return lines drawn towards the centre in their middle half, with random ends and importances."""
    generator = np.random.default_rng(seed)
    starts, ends = generator.uniform(-0.5, 0.5, (2, n, 2))
    paths = [bent(a, b, pull * (a + b) / 2) for a, b in zip(starts, ends, strict=True)]
    return drawn(paths, generator.uniform(0.1, 1, n))


def test_two_parallel_lines_by_hand():
    # 0.8 apart when straight, 0.2 apart between z 0.2 and 0.8: where all planes lie
    lines = drawn([bent((-0.4, 0), (-0.4, 0), (-0.1, 0)), bent((0.4, 0), (0.4, 0), (0.1, 0))])
    found = edge_compactness(lines, width=1)
    assert found.value == pytest.approx(4)
    assert (found.straight_distance, found.distance) == pytest.approx((0.8, 0.2))
    assert found.gaps == ((0, 1),)


def test_three_lines_of_unequal_importance_by_hand():
    # in the planes the lines stand at x = 0, 0.1, 0.4; straight at 0, 0.2, 0.8: every distance is halved
    paths = [bent((x, 0), (x, 0), (x / 2, 0)) for x in (0, 0.2, 0.8)]
    found = edge_compactness(drawn(paths, [1, 2, 3]), width=1)
    # pairs weigh 1 * 2, 1 * 3, 2 * 3 of 11 in all, at distances 0.1, 0.4 and 0.3
    assert 1 / found.distance == pytest.approx((2 / 0.1 + 3 / 0.4 + 6 / 0.3) / 11)
    assert found.value == pytest.approx(2)


def test_lines_that_cross_are_as_far_apart_as_the_planes_find_them():
    lines = drawn([[(-0.4, 0, 0), (0.4, 0, 1)], [(0.4, 0, 0), (-0.4, 0, 1)]])
    apart = [0.4, 0.2, compactness.RESOLUTION, 0.2, 0.4]  # 0.8 * |1 - 2 * place|; in the middle they meet
    found = edge_compactness(lines, width=1)
    assert found.distance == pytest.approx(1 / np.mean(np.reciprocal(apart)))
    assert found.value == pytest.approx(1)


def test_a_line_that_turns_back_is_where_it_first_gets_to():
    forth_and_back = [(0, 0, 0), (0, 0, 0.6), (9, 9, 0.4), (0, 0, 0.6), (0, 0, 1)]
    found = edge_compactness(drawn([forth_and_back, [(0.3, 0, 0), (0.3, 0, 1)]]), width=1)
    assert found.distance == pytest.approx(0.3)


def test_every_gap_counts_alike_however_many_links_it_has():
    twice = [bent((x, 0), (x, 0), (x / 2, 0)) for x in (0, 0.4)]
    many = [bent((x, 0), (x, 0), (x / 8, 0)) for x in np.linspace(0, 1, 9)]
    lines = drawn([*twice, *many], [5, 5, *[0.1] * 9], [(0, 1)] * 2 + [(1, 3)] * 9)
    found = edge_compactness(lines, width=1, resolution=1e-6)
    assert found.gaps == ((0, 1), (1, 3))
    np.testing.assert_allclose(found.straight / found.bundled, [2, 8])
    assert found.value == pytest.approx(4)


def test_a_gap_without_two_lines_of_importance_is_left_out_and_shown_as_missing():
    paths = [bent((x, 0), (x, 0), (x / 2, 0)) for x in (0, 0.4, 0.7, 0.8)]
    found = edge_compactness(drawn(paths, [1, 1, 0, 1], [(0, 1), (0, 1), (1, 2), (1, 2)]), width=1)
    np.testing.assert_array_equal(np.isnan(found.bundled), [False, True])
    assert found.value == pytest.approx(2)


def test_distances_are_those_of_scipy():
    lines = bent_at_random(3)
    first, last = lines.offsets[:-1], lines.offsets[1:] - 1
    shares = lines.point_arrays["importance"][first]
    joint = (shares[:, None] * shares)[np.triu_indices(len(lines), 1)]
    straight = [
        1 / pdist(((1 - place) * lines.points[first] + place * lines.points[last])[:, :2])
        for place in compactness.PLACES
    ]
    found = edge_compactness(lines, width=1, resolution=1e-9)
    assert 1 / found.straight_distance == pytest.approx(np.average(straight, axis=1, weights=joint).mean(), rel=1e-5)
    bundled = 1 / pdist(lines.points[1::4, :2].astype(float))  # the same in all planes
    assert 1 / found.distance == pytest.approx(np.average(bundled, weights=joint), rel=1e-5)


def test_blocks_of_rows_change_nothing(monkeypatch):
    lines = bent_at_random(1, n=20)
    whole = edge_compactness(lines, width=1).value
    monkeypatch.setattr(compactness, "CHUNK_PAIRS", 50)
    assert edge_compactness(lines, width=1).value == pytest.approx(whole, rel=1e-12)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 20), shift=st.tuples(*[st.floats(-5, 5)] * 3))
def test_scale_place_order_and_total_importance_do_not_matter(seed, scale, shift):
    lines = bent_at_random(seed)
    order = np.random.default_rng(seed).permutation(len(lines))
    points = (lines.points.reshape(-1, 4, 3)[order] * scale + shift).reshape(-1, 3)
    importance = lines.point_arrays["importance"].reshape(-1, 4)[order].ravel() * 7
    moved = PolylineSet(points, lines.offsets, {**lines.point_arrays, "importance": importance})
    wanted = edge_compactness(lines, width=1)
    found = edge_compactness(moved, width=scale)
    assert found.value == pytest.approx(wanted.value, rel=1e-3)
    assert found.distance == pytest.approx(wanted.distance, rel=1e-3)


@given(seed=st.integers(0, 1000), factor=st.floats(0.2, 0.95))
def test_drawing_all_lines_together_raises_it_by_as_much(seed, factor):
    loose, tight = bent_at_random(seed, pull=0.5), bent_at_random(seed, pull=0.5 * factor)
    ratio = (
        edge_compactness(tight, width=1, resolution=1e-9).value
        / edge_compactness(loose, width=1, resolution=1e-9).value
    )
    assert ratio == pytest.approx(1 / factor, rel=1e-3)


@given(seed=st.integers(0, 1000), amounts=st.tuples(*[st.floats(0, 1)] * 2))
def test_straight_lines_have_one_and_it_rises_with_the_bundling(seed, amounts):
    lines = bent_at_random(seed)
    t = np.tile([0, 0.2, 0.8, 1], len(lines)).astype(np.float32)
    lines = PolylineSet(lines.points, lines.offsets, {**lines.point_arrays, "t": t})
    less, more = (edge_compactness(lines.blended(amount), width=1).value for amount in sorted(amounts))
    assert edge_compactness(lines.blended(0), width=1).value == pytest.approx(1, abs=1e-4)
    assert less <= more + 1e-4


def spread_evenly(n):
    """Return n points in the square, (n, 2), of a low-discrepancy sequence."""
    return Halton(2, rng=0).random(n) - 0.5


def test_twice_as_many_lines_drawn_alike_have_the_same():
    """Pairs of a bundle are many more; their mean distance is that of fewer lines of the same kind."""
    found = [
        edge_compactness(drawn([bent(spot, spot, spot / 4) for spot in spread_evenly(n)]), width=1) for n in (500, 1000)
    ]
    assert found[0].value == pytest.approx(found[1].value, rel=0.01)
    assert found[0].distance == pytest.approx(found[1].distance, rel=0.01)


def test_many_narrow_bundles_are_compact_though_they_are_far_apart():
    """The arithmetic mean distance hardly changes here: it is why the harmonic mean is taken."""
    starts = spread_evenly(500)
    spots = (np.floor(starts * 5) + 0.5) / 5  # 25 bundles
    found = edge_compactness(drawn([bent(*ends) for ends in zip(starts, starts, spots, strict=True)]), width=1)
    assert pdist(starts).mean() / pdist(spots).mean() < 1.1
    assert found.value > 1.8


def test_a_faint_line_weighs_little():
    paths = [bent((x, 0), (x, 0), (x / 2, 0)) for x in (0, 0.2)] + [bent((0.9, 0), (0.9, 0), (0.9, 0))]
    faint, strong = (edge_compactness(drawn(paths, [1, 1, share]), width=1).value for share in (1e-6, 1))
    assert faint == pytest.approx(2, rel=1e-3)
    assert strong < faint


def test_bundling_makes_a_random_network_compact():
    edges, profiles = random_network((36, 16, 9), random_state=2)
    layout = place(edges)
    straight, bundled = straight_lines(edges, layout, profiles=profiles), bundle(edges, layout, profiles=profiles)
    assert edge_compactness(straight, width=layout.width).value == pytest.approx(1, abs=1e-4)
    found = edge_compactness(bundled, width=layout.width)
    assert found.value > 1.5
    assert found.straight_distance == pytest.approx(edge_compactness(straight, width=layout.width).distance, rel=1e-3)
    assert found.gaps == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width and resolution must be positive"),
        ({"width": 1, "resolution": -1}, "width and resolution must be positive"),
    ],
)
def test_a_width_or_resolution_that_is_none_is_refused(change, message):
    with pytest.raises(InvalidInputError, match=message):
        edge_compactness(bent_at_random(0), **change)


def test_bad_lines_are_refused_in_a_sentence():
    lines = bent_at_random(0)
    with pytest.raises(InvalidInputError, match="needs the point array 'importance'"):
        edge_compactness(PolylineSet(lines.points, lines.offsets), width=1)
    nan = {**lines.point_arrays, "importance": np.full(len(lines.points), np.nan)}
    with pytest.raises(InvalidInputError, match="finite, non-negative"):
        edge_compactness(PolylineSet(lines.points, lines.offsets, nan), width=1)
    with pytest.raises(InvalidInputError, match="line 1 does not leave its layer"):
        edge_compactness(drawn([bent((0, 0), (1, 0), (0, 0)), [(0, 0, 0), (1, 0, 0)]]), width=1)
    with pytest.raises(InvalidInputError, match="line 1 has fewer"):
        edge_compactness(drawn([bent((0, 0), (1, 0), (0, 0)), [(0, 0, 0)]]), width=1)


@pytest.mark.parametrize("paths", [[], [bent((0, 0), (1, 0), (0, 0))]])
def test_fewer_than_two_lines_have_none(paths):
    lines = drawn(paths) if paths else PolylineSet(np.zeros((0, 3)), [0], {"importance": [], "layer": []})
    with pytest.raises(InvalidInputError, match="at least two lines"):
        edge_compactness(lines, width=1)


def test_the_result_checks_its_arrays():
    with pytest.raises(InvalidInputError, match="bundled"):
        Compactness(gaps=((0, 1),), bundled=[0.1, 0.2], straight=[0.3])
