"""Placement: by hand, properties, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import EdgeSet, LayerLink, LayerNode, ModelGraph, Units
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import Arrangement, _similar_cells, place, placement, random_network

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


def of_layer(layout, layer):
    return layout.positions[layout.layer_of_unit == layer]


def linked(pairs, sizes=None, n_inputs=1):
    """Return one link for each pair of layers, from first unit to first unit."""
    n_layers = max(map(max, pairs)) + 1
    units = Units(tuple("abcdefgh"[:n_layers]), tuple(sizes or (1,) * n_layers), n_inputs)
    source, target = (units.offsets[list(side)] for side in zip(*pairs, strict=True))
    return EdgeSet(source, target, np.ones(len(pairs)), units=units)


def nearest_apart(layout, likeness, units, k=4):
    """Return the mean distance of units from the k most like them."""
    others = likeness - np.diag(np.full(len(likeness), np.inf))
    near = np.argsort(-others, axis=1)[:, :k]
    places = layout.positions[units]
    return np.linalg.norm(places[near] - places[:, None], axis=2).mean()


def test_a_raster_of_five_units_by_hand():
    found = place(Units(("a", "b"), (5, 1)), layer_width=3, layer_distance=2)
    # three columns of pitch 1, two rows; the layers at z -1 and 1
    np.testing.assert_allclose(
        found.positions,
        [(-1, -0.5, -1), (0, -0.5, -1), (1, -0.5, -1), (-1, 0.5, -1), (0, 0.5, -1), (0, 0, 1)],
        atol=1e-12,
    )
    np.testing.assert_allclose(found.slabs[0], [(-1.5, -1.5, -1), (1.5, 1.5, -1)])
    assert found.layers == ("a", "b")
    assert found.width == pytest.approx(3)
    np.testing.assert_array_equal(found.layer_of_unit, [0, 0, 0, 0, 0, 1])


def test_circle_and_line_by_hand():
    units = Units(("a", "b"), (4, 1))
    circle = place(units, arrangement="circle").positions[:, :2]
    np.testing.assert_allclose(circle, [(0, -0.5), (0.5, 0), (0, 0.5), (-0.5, 0), (0, 0)], atol=1e-12)
    line = place(units, arrangement=Arrangement.LINE).positions[:, :2]
    np.testing.assert_allclose(line, [(-0.375, 0), (-0.125, 0), (0.125, 0), (0.375, 0), (0, 0)], atol=1e-12)


def test_the_most_important_stand_in_the_middle():
    scores = np.arange(9.0)
    found = place(Units(("a",), (9,)), arrangement="importance", scores=scores).positions
    distance = np.linalg.norm(found, axis=1)
    assert distance[8] == pytest.approx(0)
    np.testing.assert_allclose(distance[4:8], 1 / 3)
    np.testing.assert_allclose(distance[:4], np.sqrt(2) / 3)
    ring = np.unwrap(np.arctan2(found[7:3:-1, 1], found[7:3:-1, 0]))
    np.testing.assert_allclose(np.diff(ring), np.pi / 2)  # in one turn


@given(seed=st.integers(0, 1000), n=st.integers(1, 60))
def test_importance_never_falls_inwards_and_uses_the_cells_of_the_raster(seed, n):
    scores = np.random.default_rng(seed).integers(0, 5, n).astype(float)
    units = Units(("a",), (n,))
    found = place(units, arrangement="importance", scores=scores).positions
    inwards = np.argsort(-np.linalg.norm(found, axis=1).round(9), kind="stable")
    assert all(
        scores[one] <= scores[other] or np.linalg.norm(found[one]) == pytest.approx(np.linalg.norm(found[other]))
        for one, other in itertools.pairwise(inwards)
    )
    np.testing.assert_array_equal(np.unique(found, axis=0), np.unique(place(units).positions, axis=0))


def test_a_skip_link_leads_past_and_branches_stand_side_by_side():
    # a feeds b and c, both feed d, and a leads past them into d
    found = place(linked([(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]))
    np.testing.assert_allclose(found.positions[:, 2], [-0.5, 0, 0, 0.5])
    np.testing.assert_allclose(found.positions[:, 0], [0, -0.625, 0.625, 0])
    assert found.slabs[1, 1, 0] < found.slabs[2, 0, 0]  # without overlapping


def test_a_layer_whose_links_were_left_out_follows_the_one_before():
    edges = linked([(0, 1), (2, 3)])
    np.testing.assert_allclose(place(edges).positions[:, 2], [-0.75, -0.25, 0.25, 0.75])


def test_two_inputs_are_equally_deep_and_links_within_or_backwards_do_not_count():
    found = place(linked([(0, 2), (1, 2), (2, 2), (2, 1)], n_inputs=2))
    np.testing.assert_allclose(found.positions[:, 2], [-0.25, -0.25, 0.25])


def test_a_graph_gives_the_depths_that_its_links_give():
    shapes = {"input": ("input", (3, 8, 8)), "conv1": ("convolution", (4, 8, 8)), "relu": ("activation", (4, 8, 8))}
    shapes |= {"conv2": ("convolution", (4, 8, 8)), "add": ("merge", (4, 8, 8)), "pool": ("pooling", (4, 1, 1))}
    shapes |= {"flat": ("reshape", (4,)), "fc": ("dense", (2,))}
    attributes = {"conv1": {"in_channels": 3}, "conv2": {"in_channels": 4}, "fc": {"in_features": 4}}
    layers = [
        LayerNode(name, role, role, shape, attributes=attributes.get(name, {}))
        for name, (role, shape) in shapes.items()
    ]
    ways = "input conv1, conv1 relu, relu conv2, relu add, conv2 add, add pool, pool flat, flat fc"
    graph = ModelGraph(layers, [LayerLink(*way.split(), number) for number, way in enumerate(ways.split(", "))])
    found = place(graph)
    assert found.layers == ("input", "conv1", "conv2", "fc")
    np.testing.assert_allclose(found.slabs[:, 0, 2], [-0.75, -0.25, 0.25, 0.75])
    units = graph.units
    links = [(0, 1), (1, 2), (1, 3), (2, 3)]
    source, target = (units.offsets[list(side)] for side in zip(*links, strict=True))
    by_links = place(EdgeSet(source, target, np.ones(4), units=units))
    np.testing.assert_array_equal(by_links.positions, found.positions)


@given(sizes=SIZES, arrangement=st.sampled_from(["raster", "circle", "line"]), width=st.floats(0.1, 10))
def test_units_stand_apart_within_their_slab_and_scale_with_it(sizes, arrangement, width):
    units = Units(tuple(f"layer {number}" for number in range(len(sizes))), tuple(sizes))
    found = place(units, arrangement=arrangement, layer_width=width, layer_distance=width / 2 + 1e-3)
    slabs = found.slabs[found.layer_of_unit]
    assert np.all(found.positions >= slabs[:, 0] - 1e-9)
    assert np.all(found.positions <= slabs[:, 1] + 1e-9)
    assert len(np.unique(found.positions.round(6), axis=0)) == len(units)
    one = place(units, arrangement=arrangement, layer_width=1, layer_distance=0.5)
    np.testing.assert_allclose(found.positions[:, :2], width * one.positions[:, :2], atol=1e-9)


def test_like_units_are_neighbours():
    spots = np.random.default_rng(0).random((100, 2))
    likeness = np.exp(-((spots[:, None] - spots) ** 2).sum(axis=2) / 0.05)
    units = Units(("a", "b"), (100, 2))
    similarity = {"a": likeness, "b": np.eye(2)}
    found = place(units, arrangement="similarity", similarity=similarity)
    assert nearest_apart(found, likeness, slice(100)) < 0.32 * nearest_apart(place(units), likeness, slice(100))
    np.testing.assert_array_equal(
        np.unique(found.positions[:100], axis=0), np.unique(place(units).positions[:100], axis=0)
    )
    again = place(units, arrangement="similarity", similarity=similarity)
    np.testing.assert_array_equal(found.positions, again.positions)


def test_units_are_alike_whose_links_are_alike_and_inputs_keep_their_order():
    # the 36 hidden units are of four kinds; each kind reads and feeds units of its own
    kind = np.random.default_rng(1).permutation(np.repeat(np.arange(4), 9))
    units = Units(("in", "hidden", "out"), (8, 36, 4), n_inputs=1)
    hidden = 8 + np.arange(36)
    source = np.concatenate([2 * kind, 2 * kind + 1, hidden])
    target = np.concatenate([hidden, hidden, 44 + kind])
    edges = EdgeSet(source, target, np.ones(source.size), units=units)
    found = place(edges, arrangement="similarity")
    likeness = (kind[:, None] == kind).astype(float)
    assert nearest_apart(found, likeness, slice(8, 44)) < 0.6 * nearest_apart(place(edges), likeness, slice(8, 44))
    np.testing.assert_array_equal(found.positions[:8], place(edges).positions[:8])
    named = place(edges, arrangement="similarity", similarity={"in": np.diag([1.0] * 8) + 0.1})
    assert sorted(map(tuple, named.positions[:8])) == sorted(map(tuple, found.positions[:8]))


def planted(sizes=(6, 36, 16, 4), seed=1):
    """Return units, the class out of four of each, and profiles that tell it: 1 for its own, 0.2 for the others."""
    units = Units(tuple("abcdef"[: len(sizes)]), sizes, n_inputs=1)
    classes = np.concatenate([np.random.default_rng(seed).permutation(np.arange(size) % 4) for size in sizes])
    return units, classes, 0.2 + 0.8 * np.eye(4)[classes]


def test_by_classes_each_has_a_side_of_its_own_in_all_layers_but_the_input():
    units, classes, profiles = planted()
    found = place(units, arrangement="classes", scores=profiles)
    np.testing.assert_array_equal(found.positions[:6], place(units).positions[:6])
    np.testing.assert_array_equal(found.positions[:, 2], place(units).positions[:, 2])
    centres = np.array(
        [
            [found.positions[units.range(name)][classes[units.range(name)] == one, :2].mean(axis=0) for one in range(4)]
            for name in "bcd"
        ]
    )
    for layer, name in enumerate("bcd"):
        own = units.range(name)
        distance = np.linalg.norm(found.positions[own, None, :2] - centres[layer], axis=2)
        np.testing.assert_array_equal(distance.argmin(axis=1), classes[own])
        assert np.linalg.norm(centres[layer] - centres[0], axis=1).max() < 0.2
    apart = np.linalg.norm(centres[0][:, None] - centres[0], axis=2)
    assert apart[apart > 0].min() > 0.35
    again = place(units, arrangement="classes", scores=profiles)
    np.testing.assert_array_equal(found.positions, again.positions)
    wide = place(units, arrangement="classes", scores=7 * profiles, layer_width=3, layer_distance=1.5)
    np.testing.assert_allclose(wide.positions, 3 * found.positions, atol=1e-9)


def test_layers_too_large_to_be_moved_keep_the_cells_of_the_raster(monkeypatch):
    monkeypatch.setattr(placement, "MAX_MOVED", 20)
    monkeypatch.setattr(_similar_cells, "TOGETHER", 10)
    units, classes, profiles = planted()
    found, raster = place(units, arrangement="classes", scores=profiles), place(units)
    large, small = units.range("b"), units.range("c")
    assert sorted(map(tuple, found.positions[large])) == sorted(map(tuple, raster.positions[large]))
    assert sorted(map(tuple, found.positions[small])) != sorted(map(tuple, raster.positions[small]))
    likeness = (classes[large, None] == classes[large]).astype(float)
    assert nearest_apart(found, likeness, large) < 0.6 * nearest_apart(raster, likeness, large)


@pytest.mark.parametrize("profiles", [np.zeros((9, 3)), np.ones((9, 1)), np.eye(9)])
def test_by_classes_units_that_serve_none_or_alike_or_one_each_have_places_of_their_own(profiles):
    units = Units(("a", "b", "c"), (3, 5, 1), n_inputs=1)
    found = place(units, arrangement="classes", scores=profiles).positions
    assert np.isfinite(found).all()
    assert len(np.unique(found.round(6), axis=0)) == 9


def test_a_large_layer_is_sorted_in_parts(monkeypatch):
    monkeypatch.setattr(_similar_cells, "TOGETHER", 50)
    test_like_units_are_neighbours()


@given(seed=st.integers(0, 1000))
def test_points_of_units_have_the_similarities_that_were_given_and_signs_are_settled(seed):
    wanted = np.random.default_rng(seed).standard_normal((12, 3))
    wanted -= wanted.mean(axis=0)
    found = _similar_cells.by_similarity(wanted @ wanted.T)
    np.testing.assert_allclose(found @ found.T, wanted @ wanted.T, atol=1e-6)
    assert np.all(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])] >= 0)


def test_units_without_links_and_a_single_unit_have_a_place():
    units = Units(("a", "b", "c"), (4, 1, 9))
    edges = EdgeSet(np.zeros(0, int), np.zeros(0, int), np.zeros(0), units=units)
    for arrangement in ("raster", "similarity"):
        found = place(edges, arrangement=arrangement)
        assert np.isfinite(found.positions).all()
        assert len(np.unique(found.positions, axis=0)) == 14


def test_random_networks_lie_in_a_row():
    edges, _ = random_network([9, 4, 2])
    np.testing.assert_allclose(place(edges).slabs[:, 0, 2], [-0.5, 0, 0.5])
    np.testing.assert_array_equal(place(edges).positions, place(edges.units).positions)


def test_bad_input_is_refused_in_a_sentence():
    units = Units(("a", "b"), (2, 2))
    with pytest.raises(InvalidInputError, match="do not know which units"):
        place(EdgeSet([0], [1], [1.0]))
    with pytest.raises(InvalidInputError, match=r"Unknown arrangement 'rooster'. Did you mean: raster"):
        place(units, arrangement="rooster")
    for name in ("layer_distance", "layer_width"):
        for value in (0, 10.5, np.nan, "a", True, None):
            with pytest.raises(InvalidInputError, match=f"{name} must be above 0 and at most 10"):
                place(units, **{name: value})
    with pytest.raises(InvalidInputError, match="needs scores"):
        place(units, arrangement="importance")
    with pytest.raises(InvalidInputError, match="scores must be an array of numbers, got str"):
        place(units, arrangement="importance", scores="high")
    with pytest.raises(InvalidInputError, match=r"similarity\['a'\] must be an array of numbers"):
        place(units, arrangement="similarity", similarity={"a": "like"})
    with pytest.raises(InvalidInputError, match="scores has shape"):
        place(units, arrangement="importance", scores=[1, 2])
    with pytest.raises(InvalidInputError, match=r"1 of 4 scores are NaN or infinite.* unit 1 of 'b'"):
        place(units, arrangement="importance", scores=[1, 2, 3, np.nan])
    with pytest.raises(InvalidInputError, match="'classes' needs scores, one per unit and class"):
        place(units, arrangement="classes")
    for wrong, message in (
        (np.ones(4), "scores has shape"),
        (np.ones((3, 2)), "scores has shape"),
        (np.ones((4, 0)), "no class"),
        (np.full((4, 2), np.nan), "unit 0 of layer 'a'"),
        (-np.ones((4, 2)), "negative"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            place(units, arrangement="classes", scores=wrong)
    with pytest.raises(InvalidInputError, match="no similarity of 'a'"):
        place(units, arrangement="similarity")
    with pytest.raises(InvalidInputError, match="similarity of 'c'"):
        place(units, arrangement="similarity", similarity={"c": np.eye(2)})
    with pytest.raises(InvalidInputError, match=r"similarity\['a'\] has shape"):
        place(units, arrangement="similarity", similarity={"a": np.eye(3)})
    with pytest.raises(InvalidInputError, match="similarity of 'a' holds values that are NaN"):
        place(units, arrangement="similarity", similarity={"a": np.full((2, 2), np.nan)})


@pytest.mark.parametrize("seed", range(4))
def test_the_last_digits_of_lengths_do_not_decide_where_units_stand(seed, monkeypatch):
    """Processors differ in them, and units whose mixtures of classes lie on one line tie exactly."""
    edges, scores = random_network((12, 9, 6, 4), random_state=0)
    found = place(edges, arrangement="classes", scores=scores)
    norm, random = np.linalg.norm, np.random.default_rng(seed)
    with monkeypatch.context() as patch:
        patch.setattr(np.linalg, "norm", lambda *of, **how: norm(*of, **how) * (1 + random.uniform(-5e-16, 5e-16)))
        other = place(edges, arrangement="classes", scores=scores)
    np.testing.assert_allclose(other.positions, found.positions, atol=1e-6)
