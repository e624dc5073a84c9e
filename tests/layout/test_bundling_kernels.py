"""The kernels of bundling against the plain reference, and what they must not do to memory and to the compiler."""

import numpy as np
import pytest
from bundling_reference import Lines, bent, iterate, smoothed

from cnnvis.core import EdgeSet, Layout
from cnnvis.layout import (
    BundleOptions,
    Bundler,
    _blur_kernels,
    _kernels,
    _profiles,
    bundle,
    bundling,
    place,
    random_network,
)
from cnnvis.layout._groups import line_groups
from cnnvis.layout._profiles import SHARPNESS, unit_look

STEPS = 3


def network(n_classes, seed=0):
    """Return links, a random layout and profiles of a network whose places are nowhere at the border of two cells."""
    edges, profiles = random_network([7, 5, 3], n_classes=max(n_classes, 1), random_state=seed)
    layout = place(edges)
    shift = np.random.default_rng(seed).uniform(-0.02, 0.02, layout.positions.shape) * [1, 1, 0]
    layout = Layout(layout.positions + shift, layout.layer_of_unit, layout.slabs)
    return edges, layout, profiles + 0.01 if n_classes else None


def without_layers(n_classes):
    generator = np.random.default_rng(1)
    layout = Layout(generator.random((12, 3)), np.zeros(12, int))
    source, target = generator.permuted(np.tile(np.arange(12), (30, 1)), axis=1)[:, :2].T
    return EdgeSet(source, target, generator.random(30)), layout, generator.random((12, max(n_classes, 1)))


def directions(profiles):
    sharp = (profiles / profiles.max(axis=1, keepdims=True)) ** SHARPNESS
    return sharp / np.linalg.norm(sharp, axis=1, keepdims=True)


def at_points(path, ends, kind):
    """Return the value of a line's units, (K,) each, at its points, (n, K)."""
    t = np.linspace(0, 1, len(path))[:, None]
    source, target = ends
    values = {
        "interpolate": (1 - t) * source + t * target,
        "start": source + 0 * t,
        "end": target + 0 * t,
        "both": source + target + 0 * t,
    }
    return values[kind]


def bundled_by_reference(edges, layout, profiles, options, bandwidths):
    """Return the points of every line after STEPS iterations of the reference, by edge."""
    look = unit_look(edges, layout, profiles, None)
    found = [np.zeros((0, 3))] * len(edges)
    for group in line_groups(edges, layout, look, options):
        lines = Lines.of(group)
        lines.paths = [path + bent(path, bend) for path, bend in zip(lines.paths, lines.bends, strict=True)]
        ends = np.stack([group.source, group.target], axis=1)
        for bandwidth in bandwidths[:STEPS]:
            share = 1 - (bandwidth - bandwidths[-1]) / (bandwidths[0] - bandwidths[-1])
            b = options.class_separation * np.sqrt(share) if profiles is not None else 0
            units = np.ones((len(layout), 1))
            mass = np.ones(len(layout))
            if profiles is not None:
                units = np.hstack([np.sqrt(1 - b) * units, np.sqrt(b) * directions(profiles)])
                mass = np.linalg.norm(profiles, axis=1) / np.linalg.norm(profiles, axis=1).max()
            kind = options.edge_importance_type
            felt = [at_points(path, units[pair], kind) for path, pair in zip(lines.paths, ends, strict=True)]
            given = mass[:, None] * units
            added = [at_points(path, given[pair], kind) for path, pair in zip(lines.paths, ends, strict=True)]
            iterate(lines, added, felt, group.weight, bandwidth, options)
        for number, path in zip(group.edges, lines.paths, strict=True):
            straight = np.linspace(path[0], path[-1], len(path))
            rounded = smoothed(path, straight, bundling.ROUNDING) if lines.bends.any() else path
            found[number] = group.origin + (layout.width or 1) * rounded
    return found


@pytest.mark.parametrize(
    ("make", "n_classes", "options"),
    [
        (network, 0, {"hubs": 0}),
        (network, 0, {"hubs": 2}),
        (network, 0, {"hubs": 0, "mode": "diverge"}),
        (network, 3, {"hubs": 0, "bandwidth": 0.5, "edge_bandwidth_reduction": 0.6}),
        (network, 3, {"hubs": 2, "edge_importance_type": "start"}),
        (network, 4, {"hubs": 1, "edge_importance_type": "end", "smoothing_iterations": 0}),
        (network, 2, {"hubs": 0, "edge_importance_type": "both", "class_separation": 0.5}),
        (without_layers, 0, {"bandwidth": 0.3}),
        (without_layers, 3, {"bandwidth": 0.3}),
    ],
)
def test_iterations_are_those_of_the_reference(make, n_classes, options):
    edges, layout, profiles = make(n_classes)
    profiles = profiles if n_classes else None
    options = BundleOptions(**options)
    bundler = Bundler(edges, layout, profiles=profiles, options=options)
    straight = bundler.lines()
    for _ in range(STEPS):
        bundler.step()
    lines = bundler.lines()
    wanted = np.concatenate(bundled_by_reference(edges, layout, profiles, options, bundler.bandwidths))
    assert np.abs(lines.points - straight.points).max() > 0.02
    np.testing.assert_allclose(lines.points, wanted, atol=5e-5)


@pytest.mark.parametrize("seed", range(5))
def test_a_lone_line_stays_wherever_it_is_on_the_grid(seed):
    """A line does not draw itself to the nodes of the grid; what is oblique of it is drawn together, but weakly."""
    generator = np.random.default_rng(seed)
    begin, end = generator.uniform(-0.5, 0.5, (2, 2))
    upright = bundle(*lone_line(begin, begin), options=BundleOptions(hubs=0, smoothing_iterations=0, bandwidth=0.5))
    np.testing.assert_allclose(upright.points, upright.blended(0).points, atol=2e-5)
    for hubs in (0, 4):
        oblique = bundle(*lone_line(begin, end), options=BundleOptions(hubs=hubs))
        assert np.abs(oblique.points - oblique.blended(0).points).max() < 0.01


def lone_line(begin, end):
    slabs = np.array([[[-0.5, -0.5, z], [0.5, 0.5, z]] for z in (0, 0.5)])
    return EdgeSet([0], [1], [1.0]), Layout(np.array([[*begin, 0], [*end, 0.5]]), [0, 1], slabs)


@pytest.mark.parametrize("mode", ["diverge", "noise"])
@pytest.mark.parametrize("bandwidth", [0.15, 0.5, 2.0])
def test_lines_that_flee_or_are_shaken_stay_within_the_margin(mode, bandwidth):
    edges, profiles = random_network([30, 20, 10])
    layout = place(edges)
    options = BundleOptions(mode=mode, bandwidth=bandwidth, smoothing_iterations=0)
    lines = bundle(edges, layout, profiles=profiles, options=options)
    inside = np.abs(lines.points[:, :2]).max(), np.abs(layout.positions[:, :2]).max() + 0.1
    assert inside[0] <= inside[1] + 1e-6
    if mode == "diverge":
        assert inside[0] == pytest.approx(inside[1], abs=1e-3)


def test_every_input_uses_the_loops_that_were_compiled_once():
    """Other types of the same numbers would compile them again: ten seconds."""
    edges, layout, profiles = network(3)
    bundle(edges, layout, profiles=profiles)
    kernels = (_kernels.splat, _blur_kernels.convolve, _kernels.advance, _kernels.gather, _kernels.round_off)
    before = [len(kernel.signatures) for kernel in kernels]
    ways = [
        {"options": BundleOptions(bandwidth=1, edge_bandwidth_reduction=0)},
        {"options": BundleOptions(bandwidth=np.float32(0.2), hubs=np.int64(2), class_separation=1)},
        {"profiles": np.asfortranarray(profiles)},
        {"profiles": profiles.astype(np.float32)},
        {"profiles": np.random.default_rng(0).random((len(layout), 20))},
    ]
    for way in ways:
        bundle(edges, layout, **way)
    bundle(edges.take(np.arange(0, len(edges), 2)), layout, options=BundleOptions(mode="diverge", tolerance=0.01))
    assert [len(kernel.signatures) for kernel in kernels] == before


def test_ten_classes_in_four_directions_lead_to_nearly_the_same_lines(monkeypatch):
    edges, profiles = random_network([100, 40, 20, 10])
    layout = place(edges)
    options = BundleOptions(bandwidth=0.5)
    reduced = bundle(edges, layout, profiles=profiles, options=options).points
    monkeypatch.setattr(_profiles, "MAX_CHANNELS", 10)
    whole = bundle(edges, layout, profiles=profiles, options=options).points
    apart = np.linalg.norm(reduced - whole, axis=1)
    assert 0 < apart.mean() < 0.005
    assert apart.max() < 0.05
