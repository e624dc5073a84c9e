"""Networks drawn anew: what options do not touch is kept, and each step does what it says."""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.layout import BundleOptions, measure
from cnnvis.studies import rebundling
from cnnvis.studies.bundle_results import DrawingOptions
from cnnvis.studies.bundled_network import build_random
from cnnvis.studies.rebundling import NetworkStep, drawing_options, places_stay, rebundle, take_step

SIZES = (6, 5, 4)
QUICK = DrawingOptions(bundling=BundleOptions(max_iterations=3))


@pytest.fixture(scope="module")
def network():
    return build_random(SIZES, QUICK, random_state=2)


@pytest.fixture
def no_placing(monkeypatch):
    def fail(*_):
        raise AssertionError("units were placed anew")

    monkeypatch.setattr(rebundling, "placed", fail)


def bundling(**changes):
    return replace(QUICK, bundling=replace(QUICK.bundling, **changes))


def same(one, other):
    return (
        np.array_equal(one.lines.points, other.lines.points)
        and np.array_equal(one.layout.positions, other.layout.positions)
        and one.quality == other.quality
    )


def test_options_are_read_back_from_parameters(network):
    assert drawing_options(network.parameters) == QUICK
    assert drawing_options({}) == DrawingOptions()
    with pytest.raises(InvalidInputError, match="hubs"):
        drawing_options({"hubs": -3})


def test_with_the_same_options_it_is_the_network_itself(network, no_placing):
    assert rebundle(network, QUICK) is network
    assert rebundle(network, replace(QUICK, top_k=50_000)) is network  # as many links as before


def test_bundling_anew_leaves_places_alone(network, no_placing):
    found = rebundle(network, bundling(hubs=1))
    assert found.layout is network.layout
    assert not np.array_equal(found.lines.points, network.lines.points)
    assert found.parameters["hubs"] == 1
    assert found.parameters["importance"] == "random"
    assert found.quality == measure(found.lines)


@pytest.mark.parametrize(
    "options",
    [
        replace(QUICK, arrangement="circle"),
        replace(QUICK, layer_distance=1.5),
        replace(QUICK, layer_width=2.0),
        replace(QUICK, move_units=True, node_bandwidth_reduction=0.8),
        replace(QUICK, prune_percentage=0.5),
        bundling(sampling_rate=8.0, class_separation=0.0),
    ],
)
def test_it_is_what_building_with_these_options_gives(network, options):
    assert same(rebundle(network, options), build_random(SIZES, options, random_state=2))


def test_links_come_back_from_all_that_there_were(network, no_placing):
    few = rebundle(network, replace(QUICK, top_k=7))
    assert len(few.edges) == 7
    assert len(rebundle(few, replace(QUICK, top_k=20)).edges) == 7
    again = rebundle(few, QUICK, every=network.edges)
    assert same(again, network)


def test_it_tells_how_far_it_is_and_can_be_stopped(network):
    told, states = [], []

    def on_state(make):
        if len(states) < 60:
            states.append(make())

    options = replace(QUICK, move_units=True, node_bandwidth_reduction=0.8, bundling=BundleOptions(max_iterations=2))
    rebundle(network, options, progress=lambda *now: told.append(now), on_state=on_state)
    total = told[-1][1]
    assert told == [(done, total) for done in range(total + 1)]
    assert len(states) == total - 1
    assert states[-1].quality is None

    def stop(done, total):
        if done == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        rebundle(network, options, progress=stop)


@pytest.mark.parametrize("step", list(NetworkStep))
def test_each_step_moves_what_it_names(network, step):
    found = take_step(network, step, QUICK)
    if step is NetworkStep.LINES_RESAMPLE:
        found = take_step(network, step, bundling(sampling_rate=40.0))
        assert len(found.lines.points) > 1.5 * len(network.lines.points)
        return
    units_moved = not np.array_equal(found.layout.positions, network.layout.positions)
    assert units_moved == (step in ("units advect", "units diverge", "units noise"))
    lines_moved = not np.array_equal(found.lines.points, network.lines.points)
    assert lines_moved == (step != "units reset")
    ends = found.lines.points[found.lines.offsets[:-1]]
    np.testing.assert_allclose(ends, found.layout.positions[found.edges.source], atol=1e-6)
    assert found.parameters["steps"] == [str(step)]
    assert found.quality == measure(found.lines)


def test_resetting_is_straight_lines_and_old_places(network):
    straight = take_step(network, "lines reset", QUICK)
    np.testing.assert_allclose(straight.lines.points, straight.lines.blended(0).points, atol=1e-6)
    moved = take_step(network, "units advect", QUICK)
    back = take_step(moved, "units reset", QUICK)
    np.testing.assert_allclose(back.layout.positions, network.layout.positions, atol=1e-12)
    np.testing.assert_allclose(back.lines.points, network.lines.points, atol=1e-5)
    assert back.parameters["steps"] == ["units advect", "units reset"]


def test_a_network_that_was_stepped_is_drawn_anew(network):
    moved = take_step(network, "units noise", QUICK)
    assert not places_stay(moved, QUICK)
    assert same(rebundle(moved, QUICK), network)
    smooth = take_step(network, "lines smooth", QUICK)
    assert places_stay(smooth, QUICK)
    found = rebundle(smooth, QUICK)
    assert same(found, network)
    assert "steps" not in found.parameters


def test_two_shakes_are_not_the_same(network):
    once = take_step(network, "units noise", QUICK)
    twice = take_step(once, "units noise", QUICK)
    first, second = once.layout.positions - network.layout.positions, twice.layout.positions - once.layout.positions
    assert not np.allclose(first, second)


def test_without_classes_units_can_be_shaken_only(network):
    plain = replace(network, profiles=None, class_names=())
    assert len(take_step(plain, "units noise", QUICK).lines) == len(network.lines)
    with pytest.raises(InvalidInputError, match="importance has none"):
        take_step(plain, "units advect", QUICK)
    with pytest.raises(InvalidInputError, match="step"):
        take_step(plain, "units dance", QUICK)


def test_a_network_knows_the_cells_of_its_grids(network):
    """A finer sampling has smaller cells, and more of them."""
    cells = network.parameters["grid_cells"]
    assert cells > 100
    finer = rebundle(network, bundling(sampling_rate=30.0, max_iterations=12))
    assert finer.parameters["grid_cells"] > 2 * cells
    assert rebundle(network, bundling(max_iterations=0)).parameters["grid_cells"] == 0
