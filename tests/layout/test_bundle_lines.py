"""Edge bundling: what it keeps, what it moves, and what it refuses."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from cnnvis.core import EdgeSet, Layout, PolylineSet
from cnnvis.core.errors import CancelledError, InvalidInputError, MemoryBudgetError
from cnnvis.layout import BundleOptions, Bundler, bundle, bundling, measure, place, random_network, straight_lines
from cnnvis.layout import _memory as memory

SIZES = [9, 6, 3]


def _network(seed: int = 0) -> tuple[EdgeSet, Layout, np.ndarray]:
    edges, profiles = random_network(SIZES, random_state=seed)
    return edges, place(edges), profiles


def _pair(weights: tuple[float, float] = (1.0, 1.0), gap: float = 0.1) -> tuple[EdgeSet, Layout]:
    """Return two parallel lines along z, `gap` apart in x, in a slab of width 1."""
    x = np.array([-gap / 2, gap / 2])
    places = np.array([[x[0], 0, 0], [x[1], 0, 0], [x[0], 0, 0.5], [x[1], 0, 0.5]])
    slabs = np.array([[[-0.5, -0.5, z], [0.5, 0.5, z]] for z in (0, 0.5)])
    return EdgeSet([0, 1], [2, 3], weights), Layout(places, [0, 0, 1, 1], slabs)


def _line(lines: PolylineSet, number: int) -> np.ndarray:
    return lines.points[lines.offsets[number] : lines.offsets[number + 1]]


# -- what it keeps ---------------------------------------------------------------------------------

OPTIONS = st.builds(
    BundleOptions,
    sampling_rate=st.sampled_from([2, 9, 15]),
    hubs=st.sampled_from([0, 1, 3, 256]),
    bandwidth=st.sampled_from([0.05, 0.15, 2]),
    edge_bandwidth_reduction=st.sampled_from([0, 0.5, 0.8]),
    smoothing_iterations=st.sampled_from([0, 8, 64]),
    edge_importance_type=st.sampled_from(["interpolate", "start", "both", "end"]),
    class_separation=st.sampled_from([0.0, 1.0]),
    mode=st.sampled_from(["advect", "diverge", "noise"]),
)


@settings(max_examples=40)
@given(st.integers(0, 2**31), OPTIONS)
def test_ends_stay_exactly_and_no_line_is_lost_whatever_the_options(seed: int, options: BundleOptions) -> None:
    edges, layout, profiles = _network(seed)
    lines = bundle(edges, layout, profiles=profiles, options=options)
    assert len(lines) == len(edges)
    assert np.isfinite(lines.points).all()
    places = layout.positions.astype(np.float32)
    np.testing.assert_array_equal(lines.points[lines.offsets[:-1]], places[edges.source])
    np.testing.assert_array_equal(lines.points[lines.offsets[1:] - 1], places[edges.target])
    assert measure(lines).monotone_share == 1.0


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(0.01, 100), st.floats(-100, 100))
def test_order_place_and_size_do_not_matter(seed: int, scale: float, shift: float) -> None:
    edges, layout, profiles = _network(seed)
    lines = bundle(edges, layout, profiles=profiles)
    order = np.random.default_rng(seed).permutation(len(edges))
    shuffled = bundle(edges.take(order), layout, profiles=profiles)
    for number in range(0, len(edges), 7):
        np.testing.assert_array_equal(_line(shuffled, number), _line(lines, order[number]))
    other = Layout(scale * layout.positions + shift, layout.layer_of_unit, scale * layout.slabs + shift)
    moved = bundle(edges, other, profiles=profiles).points
    tolerance = 2e-5 + 1e-6 * abs(shift) / scale  # points are float32
    np.testing.assert_allclose((moved.astype(float) - shift) / scale, lines.points, atol=tolerance)


def test_the_same_bits_with_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, layout, profiles = _network()
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr(bundling, "_processors", lambda threads=threads: threads)
        found.append(bundle(edges, layout, profiles=profiles).points)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_profiles_and_weights_count_by_their_ratios_only() -> None:
    edges, layout, profiles = _network()
    lines = bundle(edges, layout, profiles=profiles)
    scaled = EdgeSet(edges.source, edges.target, 8 * edges.weight, edges.layer)
    np.testing.assert_allclose(bundle(scaled, layout, profiles=4 * profiles).points, lines.points, atol=1e-6)


def test_skip_links_are_a_group_of_their_own() -> None:
    edges, layout, profiles = _network()
    first, second = np.arange(SIZES[0]), np.arange(SIZES[2]) + SIZES[0] + SIZES[1]
    source, target = (ends.ravel() for ends in np.meshgrid(first, second, indexing="ij"))
    weight = np.full(source.size, 0.5 * edges.weight.max())
    both = EdgeSet(
        np.concatenate([edges.source, source]),
        np.concatenate([edges.target, target]),
        np.concatenate([edges.weight, weight]),
    )
    alone = bundle(edges, layout, profiles=profiles)
    lines = bundle(both, layout, profiles=profiles)
    np.testing.assert_array_equal(lines.points[: len(alone.points)], alone.points)
    assert measure(lines).length_ratio_mean > 1.0


# -- what it moves ---------------------------------------------------------------------------------

FREE = BundleOptions(hubs=0, smoothing_iterations=0)


def test_two_like_lines_meet_half_way_and_one_alone_stays_straight() -> None:
    edges, layout = _pair()
    lines = bundle(edges, layout, options=FREE)
    middle = _line(lines, 0)[4], _line(lines, 1)[4]
    np.testing.assert_allclose([middle[0][0], middle[1][0]], [0, 0], atol=0.006)
    alone = bundle(edges.take([0]), layout, options=BundleOptions(hubs=0))
    np.testing.assert_allclose(alone.points[:, 0], -0.05, atol=1e-6)


def test_the_heavier_line_draws_the_lighter_one() -> None:
    edges, layout = _pair((1.0, 0.1))
    lines = bundle(edges, layout, options=FREE)
    moved = _line(lines, 0)[4][0] + 0.05, 0.05 - _line(lines, 1)[4][0]
    assert moved[1] > 4 * moved[0] > 0


def test_importance_counts_as_weight_does() -> None:
    edges, layout = _pair()
    lines = bundle(edges, layout, importance=[1, 0.1, 1, 0.1], options=FREE)
    by_weight = bundle(_pair((1.0, 0.1))[0], layout, options=FREE)
    np.testing.assert_allclose(lines.points, by_weight.points, atol=1e-5)


def test_lines_of_unlike_classes_part() -> None:
    edges, layout = _pair()
    unlike = np.array([[1, 0], [0, 1], [1, 0], [0, 1]])

    def distance(separation: float) -> float:
        options = BundleOptions(hubs=0, smoothing_iterations=0, class_separation=separation)
        lines = bundle(edges, layout, profiles=unlike, options=options)
        return float(_line(lines, 1)[4][0] - _line(lines, 0)[4][0])

    assert distance(0.0) < 0.002
    assert distance(1.0) > 0.02


def test_diverge_drives_apart_and_noise_is_seeded() -> None:
    edges, layout = _pair()
    apart = bundle(edges, layout, options=BundleOptions(mode="diverge", smoothing_iterations=0))
    assert _line(apart, 1)[4][0] - _line(apart, 0)[4][0] > 0.1
    shaken = [bundle(edges, layout, options=BundleOptions(mode="noise", random_state=seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(shaken[0].points, shaken[1].points)
    assert not np.array_equal(shaken[0].points, shaken[2].points)
    np.testing.assert_allclose(shaken[0].points[:, 2], straight_lines(edges, layout).points[:, 2], atol=1e-6)


def test_lines_of_a_hub_share_a_trunk() -> None:
    edges, layout, profiles = _network()
    lines = bundle(edges, layout, profiles=profiles, options=BundleOptions(hubs=1))
    t = lines.point_arrays["t"]
    first_gap = np.repeat(lines.line_arrays["source"] < SIZES[0], np.diff(lines.offsets))
    middle = lines.points[first_gap & (np.abs(t - 0.5) < 0.05), :2]
    straight = lines.blended(0).points[first_gap & (np.abs(t - 0.5) < 0.05), :2]
    assert middle.std(axis=0).max() < 0.15 * straight.std(axis=0).min()


def test_smoothing_takes_the_stated_part_of_each_wave() -> None:
    from cnnvis.layout import _kernels

    n, strength, none = 201, 0.3, np.zeros((1, 2, 3), np.float32)
    first, plan = _kernels.plans(np.array([0, n]), (0, 1), strength, 0.3)
    t = np.linspace(0, 1, n)
    for waves in (1, 2, 5):
        points = np.zeros((n, 3), np.float32)
        points[:, 0], points[:, 2] = np.sin(waves * np.pi * t), t
        _kernels.smooth(points, (0, n), none, 0, plan, first[n])
        kept = 1 / (1 + strength * waves**2 / 2) ** 2
        np.testing.assert_allclose(points[:, 0], kept * np.sin(waves * np.pi * t), atol=2e-3)
        np.testing.assert_allclose(points[:, 2], t, atol=1e-6)


def test_it_saves_ink_and_straight_lines_save_none() -> None:
    edges, profiles = random_network([64, 25, 10])
    layout = place(edges)
    assert measure(straight_lines(edges, layout)).ink_ratio == pytest.approx(1.0, abs=0.01)
    found = measure(bundle(edges, layout, profiles=profiles))
    assert found.ink_ratio < 0.35
    assert found.length_ratio_mean < 1.2


# -- step by step ----------------------------------------------------------------------------------


def test_the_schedule_is_that_of_nn_vis() -> None:
    edges, layout, _ = _network()
    assert len(Bundler(edges, layout, options=BundleOptions(bandwidth=0.5)).bandwidths) == 23
    assert len(Bundler(edges, layout).bandwidths) == 12
    assert Bundler(edges, layout, options=BundleOptions(bandwidth=0.5)).bandwidths[-1] >= 2 / 45
    assert len(Bundler(edges, layout, options=BundleOptions(max_iterations=3)).bandwidths) == 3
    assert len(Bundler(edges, layout, options=BundleOptions(edge_bandwidth_reduction=0)).bandwidths) == 1


def test_steps_lead_to_what_bundle_returns() -> None:
    edges, layout, profiles = _network()
    bundler = Bundler(edges, layout, profiles=profiles)
    np.testing.assert_allclose(bundler.lines().points, straight_lines(edges, layout).points, atol=1e-6)
    while not bundler.finished:
        bundler.step()
    np.testing.assert_array_equal(bundler.lines().points, bundle(edges, layout, profiles=profiles).points)


def test_cancelled_work_stops_and_a_bundler_keeps_its_last_state() -> None:
    edges, layout, profiles = _network()
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if done == 2:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        bundle(edges, layout, profiles=profiles, progress=stop)
    assert calls == [(0, 12), (1, 12), (2, 12)]
    bundler = Bundler(edges, layout, profiles=profiles)
    bundler.step()
    assert len(bundler.lines()) == len(edges)
    assert not bundler.finished


def test_it_stops_when_nothing_moves_any_more() -> None:
    edges, layout, _ = _network()
    bundler = Bundler(edges.take([0]), layout, options=BundleOptions(tolerance=0.01, hubs=0))
    bundler.step()
    assert bundler.finished
    assert bundler.last_move < 0.01


@pytest.mark.parametrize("smoothing_iterations", [0, 8])
def test_shaking_goes_on_to_the_end_of_the_schedule(smoothing_iterations: int) -> None:
    edges, layout, _ = _network()
    bundler = Bundler(edges, layout, options=BundleOptions(mode="noise", smoothing_iterations=smoothing_iterations))
    while not bundler.finished:
        assert bundler.step() > 0
    assert bundler.done == len(bundler.bandwidths) > 1


# -- arrays ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("interpolate", [1.0, 0.75, 0.5]), ("start", [1.0] * 3), ("end", [1.0] * 3), ("both", [1.0] * 3)],
)
def test_importance_along_a_line_by_hand(kind: str, expected: list[float]) -> None:
    edges = EdgeSet([0], [1], [2.0])
    layout = Layout([[0, 0, 0], [0, 0, 1]], [0, 1], np.array([[[-1, -1, 0], [1, 1, 0]], [[-1, -1, 1], [1, 1, 1]]]))
    options = BundleOptions(sampling_rate=4, edge_importance_type=kind)
    profiles = np.array([[2.0, 0.0], [0.0, 1.0]])
    lines = straight_lines(edges, layout, profiles=profiles, options=options)
    arrays = lines.point_arrays
    np.testing.assert_allclose(arrays["t"], [0, 0.5, 1])
    np.testing.assert_allclose(arrays["layer"], [0, 0.5, 1])
    np.testing.assert_allclose(arrays["importance"], expected)
    shares = {
        "interpolate": [[1, 0], [0.5, 0.5], [0, 1]],
        "start": [[1, 0]] * 3,
        "end": [[0, 1]] * 3,
        "both": [[0.5, 0.5]] * 3,
    }
    np.testing.assert_allclose(arrays["class_shares"], shares[kind])
    np.testing.assert_allclose(lines.line_arrays["importance"], np.mean(expected))
    np.testing.assert_array_equal(lines.line_arrays["source"], [0])
    np.testing.assert_array_equal(lines.line_arrays["weight"], [1])


def test_straight_and_bundled_blend_linearly() -> None:
    edges, layout, profiles = _network()
    lines = bundle(edges, layout, profiles=profiles)
    straight = lines.blended(0).points
    np.testing.assert_allclose(straight, straight_lines(edges, layout).points, atol=1e-6)
    np.testing.assert_allclose(lines.blended(0.25).points, straight + 0.25 * (lines.points - straight), atol=1e-6)


# -- unusual and bad input -------------------------------------------------------------------------


def test_graphs_without_layers_bundle_too() -> None:
    rng = np.random.default_rng(0)
    layout = Layout(rng.random((30, 3)), np.zeros(30, int))
    edges = EdgeSet(rng.integers(0, 30, 200), rng.integers(0, 30, 200), rng.random(200))
    lines = bundle(edges, layout, options=BundleOptions(bandwidth=0.3))
    assert np.isfinite(lines.points).all()
    assert measure(lines).ink_ratio < 0.9


def test_lines_between_layers_of_uneven_depth_do_not_turn_back_either() -> None:
    """Some units of each layer stand behind some of the next, and a few links lead backwards."""
    edges, profiles = random_network([40, 30, 20])
    layout = place(edges)
    depths = np.random.default_rng(0).uniform(-0.35, 0.35, len(layout))
    uneven = Layout(layout.positions + np.outer(depths, [0, 0, 1]), layout.layer_of_unit)
    ways = uneven.positions[edges.target, 2] - uneven.positions[edges.source, 2]
    assert 0 < (ways < 0).mean() < 0.1
    found = measure(bundle(edges, uneven, profiles=profiles))
    assert found.monotone_share == 1
    assert found.ink_ratio < 0.5


@pytest.mark.parametrize("n_classes", [1, 2, 1000])
def test_any_number_of_classes(n_classes: int) -> None:
    edges, layout, _ = _network()
    profiles = np.random.default_rng(0).random((sum(SIZES), n_classes))
    lines = bundle(edges, layout, profiles=profiles)
    assert lines.point_arrays["class_shares"].shape == (len(lines.points), n_classes)
    assert np.isfinite(lines.points).all()


def test_nothing_is_little_to_bundle() -> None:
    none = bundle(EdgeSet([], [], []), Layout(np.zeros((1, 3)), [0]))
    assert len(none) == 0
    still = bundle(EdgeSet([0, 0], [0, 1], [1, 1]), Layout(np.zeros((2, 3)), [0, 1]))
    np.testing.assert_array_equal(still.points, np.zeros((4, 3)))
    edges, layout, _ = _network()
    zero = EdgeSet(edges.source, edges.target, np.zeros(len(edges)))
    assert np.isfinite(bundle(zero, layout, profiles=np.zeros((sum(SIZES), 2))).points).all()


def test_bad_input_is_named() -> None:
    edges, layout, profiles = _network()
    with pytest.raises(InvalidInputError, match="profiles has shape"):
        bundle(edges, layout, profiles=profiles[:-1])
    with pytest.raises(InvalidInputError, match="importance has shape"):
        bundle(edges, layout, importance=np.ones(3))
    for bad, word in ((np.nan, "NaN"), (np.inf, "infinite"), (-1.0, "negative")):
        wrong = profiles.copy()
        wrong[0, 0] = bad
        with pytest.raises(InvalidInputError, match=word):
            bundle(edges, layout, profiles=wrong)
    with pytest.raises(InvalidInputError, match="the layout has places for 2"):
        bundle(edges, Layout(np.zeros((2, 3)), [0, 1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sampling_rate": 1},
        {"bandwidth": 0},
        {"edge_bandwidth_reduction": 1.0},
        {"smoothing_iterations": -1},
        {"class_separation": 1.5},
        {"hubs": 257},
        {"bandwidth": float("nan")},
        {"mode": "advance"},
        {"edge_importance_type": "middle"},
    ],
)
def test_options_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(wrong))):
        BundleOptions(**wrong)


def test_what_will_not_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    edges, profiles = random_network([64, 25, 10])
    layout = place(edges)
    monkeypatch.setattr(memory, "available_memory", lambda: 3_000_000)
    with pytest.raises(MemoryBudgetError, match="What would fit: sampling_rate=") as caught:
        bundle(edges, layout, profiles=profiles)
    message = str(caught.value)
    rate = int(message.split("sampling_rate=")[-1].split(",")[0])
    assert len(bundle(edges, layout, profiles=profiles, options=BundleOptions(sampling_rate=rate))) == len(edges)
    kept = int(message.split("top_k=")[-1].rstrip(")."))
    assert len(bundle(edges.take(np.arange(kept)), layout, profiles=profiles)) == kept
