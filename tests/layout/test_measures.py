"""What bundling saved and cost: by hand, against plain ways to the same numbers, what must not matter, bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core import PolylineSet
from cnnvis.core.errors import InvalidInputError, MemoryBudgetError
from cnnvis.layout import bundle, measure, measures, place, random_network


def drawn(paths, units=None, shares=None):
    """Return lines through the points of each path, t even along it; `units` are (source, target) of each."""
    counts = [len(path) for path in paths]
    arrays = {"t": np.concatenate([np.linspace(0, 1, count) for count in counts]).astype(np.float32)}
    if shares is not None:
        arrays["class_shares"] = np.repeat(np.asarray(shares, float), counts, axis=0)
    line_arrays = {} if units is None else dict(zip(("source", "target"), np.transpose(units), strict=True))
    return PolylineSet(
        np.concatenate([np.asarray(path, float) for path in paths]),
        np.concatenate([[0], np.cumsum(counts)]),
        arrays,
        line_arrays,
    )


def bent_at_random(seed, n=40, n_points=5):
    """Return bent lines between the planes z 0 and 1 that go forwards, with units and classes."""
    generator = np.random.default_rng(seed)
    points = generator.uniform(-0.5, 0.5, (n, n_points, 3))
    points[:, :, 2] = np.linspace(0, 1, n_points)
    units = generator.integers([0, 5], [5, 10], (n, 2))
    return drawn(points, units, generator.dirichlet(np.ones(3), n))


def taken(lines, order):
    """Return the lines, all of the same number of points, in another order."""
    n_points = lines.offsets[1]
    rows = (np.asarray(order)[:, None] * n_points + np.arange(n_points)).ravel()
    return PolylineSet(
        lines.points[rows],
        lines.offsets,
        {name: array[rows] for name, array in lines.point_arrays.items()},
        {name: array[order] for name, array in lines.line_arrays.items()},
    )


def test_ink_of_two_crossing_lines_by_hand():
    # voxels of side 1, centred on whole numbers. One line passes (x, z) = (0, 0), (1, 0), (1, 1), (2, 1), (3, 1),
    # (3, 2), (4, 2), the other the same mirrored in x; they share (1, 1), (2, 1), (3, 1)
    found = measure(drawn([[(0, 0, 0), (4, 0, 2)], [(4, 0, 0), (0, 0, 2)]]), voxels_per_side=5)
    assert (found.ink_before, found.ink_after) == (7 + 7 - 3,) * 2
    tee = measure(drawn([[(0, 0, 0), (0, 0, 4)], [(4, 0, 2), (0, 0, 2)]]), voxels_per_side=5)
    assert tee.ink_before == 5 + 5 - 1


def test_ink_saved_by_hand():
    # straight, two columns of 9 voxels; bundled, the second runs in the first from z 1 to 7, and at either end passes
    # three voxels of its own: (x, z) = (2, 0), (1, 0), (1, 1)
    lines = drawn([[(0, 0, 0), (0, 0, 8)], [(2, 0, 0), (0, 0, 1), (0, 0, 7), (2, 0, 8)]])
    found = measure(lines, voxels_per_side=9)
    assert (found.ink_before, found.ink_after) == (18, 9 + 2 * 3)
    assert found.ink_ratio == pytest.approx(15 / 18)


def test_a_bend_by_hand():
    # 3-4-5: the middle is drawn aside by 3 at half of 8
    found = measure(drawn([[(0, 0, 0), (3, 0, 4), (0, 0, 8)], [(0, 0, 0), (0, 0, 4), (0, 0, 8)]]))
    assert found.displacement_max == pytest.approx(3)
    assert found.displacement_mean == pytest.approx(3 / 6)
    assert found.length_ratio_mean == pytest.approx((10 / 8 + 1) / 2)
    assert found.length_ratio_95 == pytest.approx(1 + 0.95 * 0.25)
    assert found.monotone_share == 1


def test_who_turns_back_by_hand():
    back_in_z = [(0, 0, 0), (0, 0, 2), (0, 0, 1), (0, 0, 3)]
    back_in_x_only = [(0, 0, 0), (2, 0, 1), (1, 0, 2), (3, 0, 3)]
    against_z = [(0, 0, 3), (2, 0, 2), (1, 0, 1), (3, 0, 0)]
    within_a_layer = [(0, 0, 0), (1, 0, 1), (2, 0, -1), (3, 0, 0)]
    back_within_a_layer = [(0, 0, 0), (2, 0, 1), (1, 0, 1), (3, 0, 0)]
    paths = [back_in_z, back_in_x_only, against_z, within_a_layer, back_within_a_layer]
    assert [measure(drawn([path])).monotone_share for path in paths] == [0, 1, 1, 1, 0]
    assert measure(drawn(paths)).monotone_share == 3 / 5


def together(units, shares=None):
    """Return lines that all run along one axis in their middle half, from ends that are apart."""
    ends = [(10.0 * number, 0, 0) for number in range(len(units))]
    paths = [[end, (0, 0, 1), (0, 0, 2), (0, 0, 3), (end[0], 0, 4)] for end in ends]
    return drawn(paths, units, shares)


@pytest.mark.parametrize(
    ("units", "shares", "ambiguity"),
    [
        ([(0, 2), (1, 3)], None, 1),
        ([(0, 2), (0, 3)], None, 0),
        ([(0, 2), (1, 2)], None, 0),
        ([(0, 2), (0, 2)], None, 0),
        ([(0, 2), (1, 3)], [(0.6, 0.4), (0.9, 0.1)], 0),
        ([(0, 2), (1, 3)], [(0.6, 0.4), (0.1, 0.9)], 1),
        ([(0, 2), (0, 3)], [(0.6, 0.4), (0.1, 0.9)], 0),
        # of six pairs (0, 3) and (1, 2) share nothing: each line has one of three others
        ([(0, 4), (0, 5), (1, 4), (1, 5)], None, 1 / 3),
        # by class (0, 3) is related, too; only the other two lines have one stranger each
        ([(0, 4), (0, 5), (1, 4), (1, 5)], [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0)], 1 / 6),
        # to serve all classes alike is no class in common
        ([(0, 4), (0, 5), (1, 4), (1, 5)], [(1 / 3, 1 / 3, 1 / 3)] * 4, 1 / 3),
    ],
)
def test_ambiguity_of_lines_that_run_together_by_hand(units, shares, ambiguity):
    assert measure(together(units, shares)).ambiguity == pytest.approx(ambiguity)


def test_lines_that_run_alone_are_not_ambiguous_and_the_ends_do_not_count():
    apart = drawn([[(0, 0, 0), (0, 0, 4)], [(4, 0, 0), (4, 0, 4)]], [(0, 2), (1, 3)])
    assert measure(apart).ambiguity == 0
    meet_at_the_start = drawn([[(0, 0, 0), (4, 0, 4)], [(0, 0, 0), (-4, 0, 4)]], [(0, 2), (1, 3)])
    assert measure(meet_at_the_start).ambiguity == 0
    # one voxel of 64 in the middle of each line is shared
    crossing = drawn([[(-4, 0, 0), (4, 0, 8)], [(4, 0, 0), (-4, 0, 8)]], [(0, 2), (1, 3)])
    assert 0 < measure(crossing).ambiguity < 0.05


def joined(*parts):
    """Return the lines of several sets as one."""
    ends = np.concatenate([[0], np.cumsum([part.offsets[-1] for part in parts])])
    return PolylineSet(
        np.concatenate([part.points for part in parts]),
        np.concatenate([[0], *(part.offsets[1:] + end for part, end in zip(parts, ends, strict=False))]),
        {name: np.concatenate([part.point_arrays[name] for part in parts]) for name in parts[0].point_arrays},
        {name: np.concatenate([part.line_arrays[name] for part in parts]) for name in parts[0].line_arrays},
    )


def column_of_lines(x, shares, importance=1.0, layer=0.0):
    """Return straight lines along z at one x, of these class shares."""
    lines = drawn([[(x, 0, layer), (x, 0, layer + 1)]] * len(shares), shares=shares)
    layers = layer + lines.point_arrays["t"]
    weights = {"importance": np.broadcast_to(importance, len(shares)).astype(float)}
    return PolylineSet(lines.points, lines.offsets, dict(lines.point_arrays) | {"layer": layers}, weights)


@pytest.mark.parametrize(
    ("here", "there", "separation"),
    [
        ([0, 0], [1, 1], 1),  # each column of one class
        ([0, 0, 0], [0, 0, 1], 0),  # by hand below
        ([0, 1], [0, 1], -0.5),  # none runs with its like: of six pairs in the gap four are unlike, here all
        ([0, 1, 2], [0, 1, 2], -0.25),  # the same of 15 pairs, 12 unlike
    ],
)
def test_separation_of_two_columns_by_hand(here, there, separation):
    kinds = np.eye(3)
    lines = joined(column_of_lines(0, kinds[here]), column_of_lines(0.5, kinds[there]))
    # ([0, 0, 0], [0, 0, 1]): 2 of 6 pairs in the columns are unlike, and 5 of 15 in the gap
    assert measure(lines).separation == pytest.approx(separation)


def test_separation_is_weighted_with_importance_and_each_gap_is_compared_with_itself():
    kinds = np.eye(2)
    faint = [1, 1, 1e-9]
    mixed = joined(column_of_lines(0, kinds[[0, 0, 1]], faint), column_of_lines(0.5, kinds[[1, 1, 0]], faint))
    assert measure(mixed).separation == pytest.approx(1, abs=1e-6)
    # lines of one class first, of the other one behind: nothing is separated within the gaps
    gaps = joined(column_of_lines(0, kinds[[0, 0]]), column_of_lines(0, kinds[[1, 1]], layer=2.0))
    assert measure(gaps).separation is None
    one_of_each = joined(gaps, column_of_lines(0.5, kinds[[1, 1]]), column_of_lines(0.5, kinds[[0, 0]], layer=2.0))
    assert measure(one_of_each).separation == pytest.approx(1)


def test_separation_is_unknown_without_classes_or_where_no_lines_run_together():
    assert measure(drawn([[(0, 0, 0), (0, 0, 1)]] * 2)).separation is None
    assert measure(drawn([[(0, 0, 0), (0, 0, 1)]] * 2, shares=[(1,), (1,)])).separation is None
    assert measure(drawn([[(x, 0, 0), (x, 0, 1)] for x in (0, 1)], shares=np.eye(2))).separation is None


def test_lines_without_units_have_no_ambiguity():
    assert measure(drawn([[(0, 0, 0), (0, 0, 1)]] * 2)).ambiguity == 0


def plain_ambiguity(lines, voxels_per_side, samples=4001):
    """Return the ambiguity by dense samples and every pair of lines, and the ink of bent and straight lines."""
    points = lines.points.reshape(len(lines), -1, 3).astype(float)
    t = np.linspace(0, 1, samples)
    places = np.stack(
        [[np.interp(t, np.linspace(0, 1, points.shape[1]), axis) for axis in path.T] for path in points]
    ).transpose(0, 2, 1)
    side = np.ptp(points[:, [0, -1]].reshape(-1, 3), axis=0).max() / (voxels_per_side - 1)
    voxel = np.floor((places - points.reshape(-1, 3).min(axis=0)) / side + 0.5).astype(int)
    ink = len(np.unique(voxel.reshape(-1, 3), axis=0))
    middle = voxel[:, (t >= 0.25) & (t <= 0.75)]
    inside: dict[tuple[int, ...], set[int]] = {}
    for number, path in enumerate(middle):
        for spot in np.unique(path, axis=0).tolist():
            inside.setdefault(tuple(spot), set()).add(number)
    source, target = lines.line_arrays["source"], lines.line_arrays["target"]
    leading = lines.point_arrays["class_shares"][:: points.shape[1]].argmax(axis=1)
    shares = [
        np.mean([source[a] != source[b] and target[a] != target[b] and leading[a] != leading[b] for b in some - {a}])
        if len(some) > 1
        else 0.0
        for some in inside.values()
        for a in some
    ]
    return np.mean(shares), ink


@pytest.mark.parametrize("seed", range(3))
def test_ink_and_ambiguity_are_those_of_dense_samples(seed):
    lines = bent_at_random(seed)
    ambiguity, ink = plain_ambiguity(lines, 24)
    found = measure(lines, voxels_per_side=24)
    assert found.ambiguity == pytest.approx(ambiguity, abs=0.01)
    assert found.ink_after == pytest.approx(ink, rel=0.01)
    assert found.ink_after >= ink  # samples can only miss a voxel
    _, straight = plain_ambiguity(lines.blended(0), 24)
    assert found.ink_before == pytest.approx(straight, rel=0.05)


def test_a_part_of_the_voxels_tells_nearly_the_same(monkeypatch):
    edges, profiles = random_network([49, 25, 10], random_state=2)
    lines = bundle(edges, place(edges), profiles=profiles)
    wanted = measure(lines).ambiguity
    monkeypatch.setattr(measures, "MAX_VOXELS", 800)
    assert measure(lines).ambiguity == pytest.approx(wanted, abs=0.03)
    monkeypatch.setattr(measures, "MAX_LISTED", 8000)
    assert measure(lines).ambiguity == pytest.approx(wanted, abs=0.06)


def test_blocks_of_lines_change_nothing(monkeypatch):
    lines = bent_at_random(1)
    whole = measure(lines)
    monkeypatch.setattr(measures, "BLOCK", 7)
    parts = measure(lines)
    assert parts.displacement_mean == pytest.approx(whole.displacement_mean, rel=1e-12)
    assert (parts.displacement_max, parts.length_ratio_95) == (whole.displacement_max, whole.length_ratio_95)
    assert (parts.length_ratio_mean, parts.monotone_share) == (whole.length_ratio_mean, whole.monotone_share)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 20), shift=st.tuples(*[st.floats(-5, 5)] * 3))
def test_scale_place_and_order_do_not_matter(seed, scale, shift):
    lines = bent_at_random(seed)
    order = np.random.default_rng(seed).permutation(len(lines))
    wanted, shuffled = measure(lines), measure(taken(lines, order))
    for name in ("ink_before", "ink_after", "displacement_max", "length_ratio_95", "monotone_share"):
        assert getattr(shuffled, name) == getattr(wanted, name)
    for name in ("ambiguity", "separation"):
        assert getattr(shuffled, name) == pytest.approx(getattr(wanted, name), abs=1e-12)
    moved = PolylineSet(lines.points * scale + shift, lines.offsets, lines.point_arrays, lines.line_arrays)
    found = measure(moved)
    assert found.displacement_mean == pytest.approx(scale * wanted.displacement_mean, rel=1e-3)
    assert found.length_ratio_mean == pytest.approx(wanted.length_ratio_mean, rel=1e-3)
    assert found.ink_after == pytest.approx(wanted.ink_after, rel=0.01)
    assert found.ambiguity == pytest.approx(wanted.ambiguity, abs=0.01)


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_straight_lines_save_nothing_and_cost_nothing(seed):
    found = measure(bent_at_random(seed).blended(0))
    assert found.ink_ratio == pytest.approx(1, abs=0.01)
    assert found.displacement_max == pytest.approx(0, abs=1e-6)
    assert (found.length_ratio_mean, found.length_ratio_95) == pytest.approx((1, 1), abs=1e-5)
    assert found.monotone_share == 1


def test_bundling_saves_ink_and_makes_a_random_network_easier_to_read():
    edges, profiles = random_network([49, 25, 10], random_state=0)
    lines = bundle(edges, place(edges), profiles=profiles)
    found, straight = measure(lines), measure(lines.blended(0))
    assert found.ink_ratio < 0.5
    assert found.ambiguity < straight.ambiguity
    assert found.ink_before == straight.ink_before


def test_no_lines_and_lines_without_length():
    nothing = measure(PolylineSet(np.zeros((0, 3)), [0], {"t": np.zeros(0)}))
    assert (nothing.ink_ratio, nothing.length_ratio_mean, nothing.ambiguity) == (1, 1, 0)
    point = measure(drawn([[(1, 2, 3)] * 2] * 2, [(0, 2), (1, 3)]))
    assert (point.ink_before, point.ink_after, point.length_ratio_mean, point.monotone_share) == (1, 1, 1, 1)
    loop = measure(drawn([[(0, 0, 0), (1, 0, 0), (0, 0, 0)], [(0, 0, 0), (0, 0, 2), (0, 0, 4)]]))
    assert loop.length_ratio_mean == 1  # the loop has no straight length


def test_bad_input_is_refused_in_a_sentence(monkeypatch):
    lines = bent_at_random(0)
    with pytest.raises(InvalidInputError, match="needs the point array 't'"):
        measure(PolylineSet(lines.points, lines.offsets))
    for side in (1, 1000):
        with pytest.raises(InvalidInputError, match="voxels_per_side must be from 2 to 512"):
            measure(lines, voxels_per_side=side)
    with pytest.raises(InvalidInputError, match="line 1 has fewer"):
        measure(drawn([[(0, 0, 0), (0, 0, 1)], [(0, 0, 0)]]))
    far = drawn([[(0, 0, 0), (1e6, 1e6, 1e6), (0, 0, 1)]])
    with pytest.raises(MemoryBudgetError, match="choose fewer with voxels_per_side"):
        measure(far)
