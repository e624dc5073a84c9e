"""Lines and units moved on from where they are, layers moved apart, and where lines run as a volume."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from cnnvis.core import BundledNetwork, EdgeSet, Layout, PolylineSet
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.layout import (
    BundleOptions,
    Bundler,
    LineMover,
    UnitMover,
    UnitOptions,
    advect_units,
    bundle,
    carried,
    density_volume,
    place,
    random_network,
    resampled,
    smoothed,
    straight_lines,
    with_layer_distance,
)

SIZES = (9, 6, 4)


@pytest.fixture(scope="module")
def random_edges():
    edges, profiles = random_network(SIZES, random_state=3)
    return edges, profiles, place(edges)


@pytest.fixture(scope="module")
def bundled(random_edges):
    edges, profiles, layout = random_edges
    return bundle(edges, layout, profiles=profiles)


def one_line(points, importance=1.0):
    points = np.array(points, np.float32)
    t = np.linspace(0, 1, len(points), dtype=np.float32)
    return PolylineSet(points, [0, len(points)], {"t": t, "importance": np.full(len(points), importance, np.float32)})


def distance_from_straight(lines):
    return np.linalg.norm(lines.points - lines.blended(0).points, axis=1)


# -- lines ---------------------------------------------------------------------------------------


def test_going_on_from_straight_lines_is_bundling(random_edges, bundled):
    edges, profiles, layout = random_edges
    mover = LineMover(straight_lines(edges, layout, profiles=profiles), edges, layout, profiles=profiles)
    while not mover.finished:
        mover.step()
    np.testing.assert_allclose(mover.lines().points, bundled.points, atol=2e-3)


def test_lines_that_are_gathered_stay_at_their_hubs(random_edges, bundled):
    edges, profiles, layout = random_edges
    mover = LineMover(bundled, edges, layout, profiles=profiles)
    mover.step()
    assert np.abs(mover.lines().points - bundled.points).max() < 0.1
    gathered = Bundler(edges, layout, profiles=profiles)
    gathered.step()
    assert np.abs(gathered.lines().points - straight_lines(edges, layout).points).max() > 0.2


@pytest.mark.parametrize("mode", ["diverge", "noise"])
def test_lines_part_or_shake_from_where_they_are(random_edges, bundled, mode):
    edges, profiles, layout = random_edges
    options = BundleOptions(mode=mode, max_iterations=1, smoothing_iterations=0)
    mover = LineMover(bundled, edges, layout, profiles=profiles, options=options)
    np.testing.assert_allclose(mover.lines().points, bundled.points, atol=1e-6)
    mover.step()
    moved = np.linalg.norm(mover.lines().points - bundled.points, axis=1)
    assert 1e-3 < moved.max() < 0.2
    assert (moved[bundled.offsets[:-1]] == 0).all()


def test_any_number_of_points_will_do(random_edges, bundled):
    edges, profiles, layout = random_edges
    finer = resampled(bundled, layout.width / 60)
    mover = LineMover(finer, edges, layout, profiles=profiles)
    np.testing.assert_array_equal(mover.lines().offsets, bundled.offsets)
    assert np.abs(mover.lines().points - bundled.points).max() < 0.02  # corners are rounded once more


def test_lines_of_other_edges_are_refused(random_edges, bundled):
    edges, _, layout = random_edges
    with pytest.raises(InvalidInputError, match="78 edges need as many lines"):
        LineMover(bundled.take(np.arange(3)), edges, layout)
    with pytest.raises(InvalidInputError, match="'t'"):
        LineMover(PolylineSet(bundled.points, bundled.offsets), edges, layout)


def test_smoothing_keeps_ends_and_takes_short_waves_first():
    """A wave of m half periods keeps 1 / (1 + 0.01 strength m^2)^2, as written down."""
    s = np.linspace(0, 1, 201)
    for half_periods, strength in ((1, 8.0), (5, 8.0), (5, 2.0)):
        wave = np.sin(half_periods * np.pi * s)
        line = one_line(np.column_stack([0.1 * wave, np.zeros(201), s]))
        found = smoothed(line, strength).points[:, 0] / 0.1
        np.testing.assert_allclose(found, wave / (1 + 0.01 * strength * half_periods**2) ** 2, atol=2e-3)
        assert found[0] == 0


def test_smoothing_leaves_straight_lines_and_strength_none(bundled):
    np.testing.assert_allclose(smoothed(bundled.blended(0)).points, bundled.blended(0).points, atol=1e-6)
    np.testing.assert_array_equal(smoothed(bundled, 0).points, bundled.points)
    assert distance_from_straight(smoothed(bundled)).max() < distance_from_straight(bundled).max()
    with pytest.raises(InvalidInputError, match="strength must be from 0 to 64"):
        smoothed(bundled, 65)


def test_lines_go_along_with_their_units():
    edges = EdgeSet([0], [1], [1.0])
    before = Layout([[0, 0, 0], [0, 0, 1]], [0, 1])
    after = Layout([[1, 0, 0], [0, 2, 1]], [0, 1])
    line = one_line([[0, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])
    np.testing.assert_allclose(carried(line, edges, before, after).points, [[1, 0, 0], [1, 1, 0.5], [0, 2, 1]])


# -- units ---------------------------------------------------------------------------------------


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.lists(st.integers(1, 12), min_size=1, max_size=3))
def test_units_end_where_advect_units_puts_them(seed, sizes):
    edges, profiles = random_network(sizes, n_classes=3, random_state=seed)
    layout, options = place(edges), UnitOptions(node_bandwidth_reduction=0.8)
    mover = UnitMover(layout, profiles, fixed=layout.layers[:1], options=options)
    while not mover.finished:
        mover.step()
    expected = advect_units(layout, profiles, fixed=layout.layers[:1], options=options)
    np.testing.assert_array_equal(mover.layout().positions, expected.positions)


def _nearest_is_like(places, classes):
    distance = np.linalg.norm(places[:, None] - places, axis=2) + np.diag(np.full(len(places), np.inf))
    return float((classes[distance.argmin(axis=1)] == classes).mean())


def test_diverging_parts_what_advecting_brings_together():
    classes = np.repeat(np.arange(3), 12)
    edges, _ = random_network([36, 3])
    layout, profiles = place(edges), np.vstack([np.eye(3)[classes], np.eye(3)])
    found = {}
    for mode in ("advect", "diverge"):
        mover = UnitMover(layout, profiles, mode=mode)
        while not mover.finished:
            mover.step()
        found[mode] = _nearest_is_like(mover.layout().positions[:36], classes)
    assert found["advect"] > 0.9 > 0.4 > found["diverge"]


def test_noise_is_seeded_and_stays_in_the_layer(random_edges):
    _, profiles, layout = random_edges
    found = []
    for seed in (0, 0, 1):
        mover = UnitMover(layout, profiles, mode="noise", random_state=seed, fixed=layout.layers[:1])
        mover.step()
        found.append(mover.layout().positions)
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[0][:9], layout.positions[:9])
    np.testing.assert_array_equal(found[0][:, 2], layout.positions[:, 2])
    moved = np.linalg.norm(found[0] - layout.positions, axis=1)[9:]
    assert 0.01 < moved.mean() < 0.1  # 0.05 of a bandwidth of 0.75
    assert np.abs(found[0][:, :2]).max() <= 0.5


def test_bad_input_for_units(random_edges):
    _, profiles, layout = random_edges
    with pytest.raises(InvalidInputError, match="mode"):
        UnitMover(layout, profiles, mode="dance")
    with pytest.raises(InvalidInputError, match="profiles has shape"):
        UnitMover(layout, profiles[:3])
    with pytest.raises(LayerNotFoundError):
        UnitMover(layout, profiles, fixed=["conv9"])
    mover = UnitMover(layout, profiles, options=UnitOptions(node_bandwidth_reduction=0))
    mover.step()
    with pytest.raises(InvalidInputError, match="moved 1 times"):
        mover.step()


# -- distance ------------------------------------------------------------------------------------


def test_distance_scales_depth_and_nothing_else(random_edges, bundled):
    edges, profiles, layout = random_edges
    network = BundledNetwork(edges, layout, bundled, profiles=profiles, parameters={"hubs": 4})
    assert layout.distance == pytest.approx(0.5)
    far = with_layer_distance(network, 2.0)
    assert far.layout.distance == pytest.approx(2.0)
    for now, before in ((far.lines.points, bundled.points), (far.layout.positions, layout.positions)):
        np.testing.assert_allclose(now, before * [1, 1, 4], rtol=1e-6)
    np.testing.assert_allclose(far.layout.slabs, place(edges, layer_distance=2.0).slabs)
    np.testing.assert_allclose(far.lines.points[far.lines.offsets[:-1]], far.layout.positions[edges.source], atol=1e-6)
    assert (far.quality, far.parameters["layer_distance"], far.parameters["hubs"]) == (None, 2.0, 4)
    assert with_layer_distance(network, layout.distance) is network
    with pytest.raises(InvalidInputError, match="above 0 and at most 10"):
        with_layer_distance(network, 0)


def test_one_layer_has_no_distance():
    edges, _ = random_network([4])
    layout = place(edges)
    network = BundledNetwork(edges, layout, straight_lines(edges, layout))
    assert layout.distance == 0
    assert with_layer_distance(network, 3.0) is network


# -- density -------------------------------------------------------------------------------------


def test_one_line_fills_its_cells():
    """A line of length 8 and importance 0.5 along z, 8 cells: each has an eighth, which is the largest, 1."""
    found = density_volume(one_line([[0, 0, 0], [0, 0, 8]], 0.5), cells=8, blur=0)
    assert found.volume.shape == (8, 1, 1)
    np.testing.assert_allclose(found.volume.values, 1)
    assert found.volume.spacing == (1, 1, 1)
    assert found.origin == (0.5, 0.5, 0.5)
    assert found.total == pytest.approx(4)


def test_axes_are_those_of_the_scene():
    """Two lines along z at the corners of a box of 4 x 2: x is the column, y the row."""
    lines = PolylineSet([[0, 0, 0], [0, 0, 8], [4, 2, 0], [4, 2, 4]], [0, 2, 4])
    found = density_volume(lines, cells=8, blur=0)
    assert found.volume.shape == (8, 2, 4)
    at = set(map(tuple, np.argwhere(found.volume.values > 0)))
    assert at == {(z, 0, 0) for z in range(8)} | {(z, 1, 3) for z in range(4)}
    assert found.total == pytest.approx(12)
    points = found.points()
    assert len(points) == 12
    np.testing.assert_allclose(np.unique(points.points[:, 0]), [0.5, 3.5])
    np.testing.assert_allclose(points.arrays["importance"], 1)


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.integers(8, 40), st.floats(0, 2))
def test_the_grid_holds_all_lines(seed, cells, blur):
    edges, _ = random_network((4, 3), random_state=seed)
    lines = straight_lines(edges, place(edges))
    found = density_volume(lines, cells=cells, blur=blur)
    volume = found.volume
    assert volume.values.max() == 1
    low = np.array(found.origin) - np.array(volume.spacing) / 2
    high = low + np.array(volume.shape[::-1]) * volume.spacing
    assert (lines.points >= low - 1e-5).all()
    assert (lines.points <= high + 1e-5).all()
    steps = np.linalg.norm(np.diff(lines.points, axis=0), axis=1)
    importance = lines.point_arrays["importance"]
    mass = steps * (importance[1:] + importance[:-1]) / 2
    assert found.total == pytest.approx(np.delete(mass, lines.offsets[1:-1] - 1).sum(), rel=1e-4)


def test_more_lines_are_denser(random_edges, bundled):
    """Bundling makes the densest place denser against the mean of where lines are."""
    edges, profiles, layout = random_edges
    spread = density_volume(straight_lines(edges, layout, profiles=profiles), cells=48)
    dense = density_volume(bundled, cells=48)
    occupied = [float((each.volume.values > 0.01).mean()) for each in (dense, spread)]
    assert occupied[0] < 0.8 * occupied[1]


def test_bad_input_for_density():
    line = one_line([[0, 0, 0], [0, 0, 1]])
    with pytest.raises(InvalidInputError, match="cells must be a whole number from 8 to 512"):
        density_volume(line, cells=4)
    with pytest.raises(InvalidInputError, match="blur"):
        density_volume(line, blur=np.nan)
    with pytest.raises(InvalidInputError, match="lines with a length"):
        density_volume(PolylineSet(np.zeros((0, 3)), [0]))
    with pytest.raises(InvalidInputError, match="weigh nothing"):
        density_volume(one_line([[0, 0, 0], [0, 0, 1]], 0.0))
