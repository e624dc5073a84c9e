"""What bundling gets that nobody meant to give it: numbers beyond range, odd layouts, too little memory."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.errors import InvalidInputError, MemoryBudgetError
from cnnvis.layout import BundleOptions, Bundler, _memory, advect_units, bundle, place, random_network
from cnnvis.layout._profiles import unit_look

SIZES = [9, 6, 3]


@pytest.fixture
def network():
    edges, profiles = random_network(SIZES)
    return edges, place(edges), profiles


def weighted(edges, weight):
    return EdgeSet(edges.source, edges.target, weight, edges.layer)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hubs": True}, "hubs must be a whole number from 0 to 256, got True"),
        ({"sampling_rate": True}, "sampling_rate must be from 2 to 200, got True"),
        ({"edge_importance_type": 4}, "Unknown edge_importance_type 4. Allowed: interpolate, start, both, end"),
        ({"edge_importance_type": True}, "Unknown edge_importance_type True"),
        ({"hubs": 2.5}, "hubs must be a whole number from 0 to 256, got 2.5"),
        ({"max_iterations": 2.5}, "max_iterations must be a whole number"),
        ({"max_iterations": -1}, "max_iterations must be a whole number"),
        ({"smoothing_iterations": 1.5}, "smoothing_iterations must be a whole number"),
        ({"random_state": -1}, "random_state must be a whole number"),
        ({"bandwidth": "wide"}, "bandwidth must be from 0.001 to 2, got 'wide'"),
        ({"sampling_rate": float("inf")}, "sampling_rate must be from 2 to 200, got inf"),
        ({"tolerance": float("nan")}, "tolerance must be from 0 to 1, got nan"),
    ],
)
def test_options_are_refused_in_words(wrong, message):
    with pytest.raises(InvalidInputError, match=message):
        BundleOptions(**wrong)


def test_whose_importance_a_line_has_may_be_the_number_of_nn_vis():
    found = [BundleOptions(edge_importance_type=number).edge_importance_type for number in range(4)]
    assert found == ["interpolate", "start", "both", "end"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("what", ["profiles", "importance", "weight"])
def test_what_is_not_finite_is_named(network, what, bad):
    edges, layout, profiles = network
    values = {"profiles": profiles, "importance": profiles.sum(axis=1), "weight": edges.weight}[what].copy()
    values.flat[2] = bad
    make = {
        "profiles": lambda: bundle(edges, layout, profiles=values),
        "importance": lambda: bundle(edges, layout, importance=values),
        "weight": lambda: weighted(edges, values),
    }[what]
    with pytest.raises(InvalidInputError, match=f"{what} holds 1 values that are NaN or infinite of {values.size}"):
        make()


USES = {
    "bundle": lambda edges, layout, profiles: bundle(edges, layout, profiles=profiles),
    "advect_units": lambda edges, layout, profiles: advect_units(layout, profiles),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_the_unit_of_a_profile_that_is_not_finite_is_named(network, use):
    edges, layout, profiles = network
    profiles[11, 1] = np.nan
    profiles[17, 0] = np.inf
    with pytest.raises(
        InvalidInputError, match=r"profiles holds 2 .* first of them of unit 2 of layer 'layer 1' \(number 11"
    ):
        use(edges, layout, profiles)


@pytest.mark.parametrize("what", ["profiles", "importance"])
@pytest.mark.parametrize("wrong", ["high", ["a"] * 18, [[1.0], [1.0, 2.0]]])
def test_what_is_no_array_of_numbers_is_refused_in_words(network, what, wrong):
    edges, layout, _ = network
    with pytest.raises(InvalidInputError, match=f"{what} must be an array of numbers, got {type(wrong).__name__}"):
        bundle(edges, layout, **{what: wrong})


def test_negative_weights_are_refused(network):
    with pytest.raises(InvalidInputError, match="must not be negative"):
        weighted(network[0], -network[0].weight)


def test_profiles_of_no_class_are_refused(network):
    edges, layout, _ = network
    with pytest.raises(InvalidInputError, match=r"profiles has shape \(18, 0\): no class"):
        bundle(edges, layout, profiles=np.zeros((sum(SIZES), 0)))


@pytest.mark.parametrize("power", [-300, -40, 40, 300])
def test_tiny_and_huge_numbers_are_as_good_as_any(network, power):
    edges, layout, profiles = network
    factor = 2.0**power
    expected = bundle(edges, layout, profiles=profiles)
    found = bundle(weighted(edges, factor * edges.weight), layout, profiles=factor * profiles)
    np.testing.assert_allclose(found.points, expected.points, atol=1e-6)
    np.testing.assert_allclose(found.point_arrays["importance"], expected.point_arrays["importance"], atol=1e-6)


@pytest.mark.parametrize("name", ["profiles", "importance"])
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_importances_that_are_all_equal_are_as_good_as_none(network, name, value):
    edges, layout, _ = network
    plain = bundle(edges, layout)
    equal = {"profiles": np.full((sum(SIZES), 3), value), "importance": np.full(sum(SIZES), value)}[name]
    found = bundle(edges, layout, **{name: equal})
    np.testing.assert_allclose(found.points, plain.points, atol=1e-5)
    np.testing.assert_allclose(found.point_arrays["importance"], plain.point_arrays["importance"], atol=1e-6)


def test_without_weight_nothing_attracts_but_lines_still_have_trunks(network):
    edges, layout, profiles = network
    none = weighted(edges, np.zeros(len(edges)))
    free = bundle(none, layout, profiles=profiles, options=BundleOptions(hubs=0))
    np.testing.assert_allclose(free.points, free.blended(0).points, atol=1e-6)
    bent = bundle(none, layout, profiles=profiles)
    assert np.abs(bent.points - free.points).max() > 0.05
    assert not bent.point_arrays["importance"].any()


def test_coincident_units_loops_and_repeated_links():
    places = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 1], [0, 1, 1]])
    edges = EdgeSet([0, 1, 0, 0, 2, 2], [2, 2, 2, 1, 2, 3], [1, 1, 1, 1, 1, 0.5])
    lines = bundle(edges, Layout(places, [0, 0, 1, 1]), options=BundleOptions(hubs=0))
    assert np.diff(lines.offsets)[3:5].tolist() == [2, 2]  # no length, no points between
    paths = np.split(lines.points, lines.offsets[1:-1])
    np.testing.assert_array_equal(paths[0], paths[1])  # from coincident units, and twice from the same
    np.testing.assert_array_equal(paths[0], paths[2])
    assert np.isfinite(lines.points).all()


def test_links_within_a_layer_are_a_group_of_their_own(network):
    edges, layout, profiles = network
    alone = bundle(edges, layout, profiles=profiles)
    sideways = EdgeSet(
        np.append(edges.source, [0, 1, 2]), np.append(edges.target, [8, 7, 6]), np.append(edges.weight, [3, 2, 1])
    )
    lines = bundle(sideways, layout, profiles=profiles)
    np.testing.assert_array_equal(lines.points[: len(alone.points)], alone.points)
    moved = lines.points[len(alone.points) :]
    np.testing.assert_allclose(moved[:, 2], layout.positions[0, 2], atol=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(0, 2), st.sampled_from(["advect", "noise"]))
def test_a_group_does_not_depend_on_those_before_it(seed, lighter, mode):
    """Also when the other links have more weight, and come first."""
    edges, profiles = random_network(SIZES, random_state=seed)
    layout = place(edges)
    second = edges.source >= SIZES[0]
    weight = np.where(second, edges.weight, 2.0 ** (1 - lighter) * edges.weight)
    options = BundleOptions(mode=mode, random_state=seed, hubs=3)
    both = bundle(weighted(edges, weight), layout, profiles=profiles, options=options)
    alone = bundle(weighted(edges, weight).take(second), layout, profiles=profiles, options=options)
    np.testing.assert_array_equal(both.take(second).points, alone.points)


def test_a_step_beyond_the_end_is_refused(network):
    bundler = Bundler(*network[:2], options=BundleOptions(max_iterations=1))
    bundler.step()
    assert bundler.finished
    with pytest.raises(InvalidInputError, match="has done its 1 iterations; look at `finished`"):
        bundler.step()
    never = Bundler(*network[:2], options=BundleOptions(max_iterations=0))
    assert never.finished
    np.testing.assert_allclose(never.lines().points, never.lines().blended(0).points, atol=1e-6)


@settings(max_examples=30)
@given(
    st.integers(2, 60), st.integers(2, 60), st.integers(0, 12), st.sampled_from([2, 7.5, 15, 60]), st.floats(0.02, 0.98)
)
def test_what_is_advised_really_fits(n, m, n_classes, rate, share):
    edges, profiles = random_network([n, m], n_classes=max(n_classes, 1))
    layout, options = place(edges), BundleOptions(sampling_rate=rate)
    profiles = profiles if n_classes else None
    look = unit_look(edges, layout, profiles, None)
    available = int(share * _memory.estimate(edges, layout, options, look))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_memory, "available_memory", lambda: available)
        with pytest.raises(
            MemoryBudgetError, match=f"Bundling {len(edges):,} edges at sampling_rate={rate:g}"
        ) as caught:
            Bundler(edges, layout, profiles=profiles, options=options)
        message = str(caught.value)
        for advised in re.findall(r"sampling_rate=(\d+)(?=, or|\.$)", message.split("What would fit:")[1]):
            Bundler(edges, layout, profiles=profiles, options=BundleOptions(sampling_rate=int(advised)))
        for advised in re.findall(r"top_k=(\d+)", message):
            lengths = np.linalg.norm(layout.positions[edges.source] - layout.positions[edges.target], axis=1)
            longest = edges.take(np.argsort(-lengths)[: int(advised)])
            assert 0 < len(longest) < len(edges)
            Bundler(longest, layout, profiles=profiles, options=options)


def test_deep_networks_are_not_refused_for_grids_that_are_never_made():
    """Of each gap one after the other: 40 gaps take no more than one."""

    def needed(n_layers):
        edges, _ = random_network([4] * n_layers)
        layout, options = place(edges), BundleOptions(sampling_rate=100)
        return _memory.estimate(edges, layout, options, unit_look(edges, layout, None, None)) / len(edges)

    assert needed(41) < needed(2) / 20
