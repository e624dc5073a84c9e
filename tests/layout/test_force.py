"""The picture of a graph: groups lie apart, the same each time, and the compiled forces are those of the energy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.layout import force_layout
from cnnvis.layout._force_kernel import forces, push_apart
from cnnvis.layout.force import SPACING


def groups(sizes, between=0.02):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.where(labels[:, None] == labels, 1.0, between)
    np.fill_diagonal(weights, 0)
    return weights, labels


def centres_and_radius(places, labels):
    """Return the middle of each group, and the farthest that a node is from its own."""
    centres = np.array([places[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    return centres, np.linalg.norm(places - centres[labels], axis=1).max()


def distances(centres):
    return np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(len(centres), 1)]


# --------------------------------------------------------------------------------------------------------- forces


def sample(n=12, seed=0):
    """Places (3, n), pulls that sum to 1, masses; float64."""
    random = np.random.default_rng(seed)
    pulls = random.random((n, n))
    pulls = np.triu(pulls, 1) + np.triu(pulls, 1).T
    return random.normal(size=(3, n)), pulls / pulls.sum(), random.uniform(0.2, 3, n)


def energy(places, pulls, mass):
    difference = places[:, :, None] - places[:, None]
    closeness = 1 / (1 + (difference**2).sum(axis=0))
    pairs = np.outer(mass, mass) * closeness
    return -(pulls * np.log(closeness)).sum() + np.log(pairs.sum() - np.trace(pairs))


def as_single(*arrays):
    return [array.astype(np.float32) for array in arrays]


def test_forces_are_the_slope_of_the_energy():
    places, pulls, mass = sample()
    attraction, repulsion = forces(*as_single(places, pulls, mass))
    slope = np.empty_like(places)
    for index in np.ndindex(places.shape):
        step = np.zeros_like(places)
        step[index] = 1e-5
        slope[index] = (energy(places + step, pulls, mass) - energy(places - step, pulls, mass)) / 2e-5
    np.testing.assert_allclose(-4 * (attraction - repulsion), slope, atol=1e-5)


def test_forces_of_two_nodes_by_hand():
    places = np.array([[0, 1], [0, 0], [0, 0]])
    attraction, repulsion = forces(*as_single(places, np.array([[0, 0.5], [0.5, 0]]), np.array([1.0, 3.0])))
    np.testing.assert_allclose(attraction[0], [0.25, -0.25])  # pull 1/2 times closeness 1/2 over distance 1
    np.testing.assert_allclose(repulsion[0], [0.25, -0.25])  # 3 / 4, over the sum of both pairs, 3
    assert not attraction[1:].any()
    assert not repulsion[1:].any()


@pytest.mark.parametrize("seed", range(3))
def test_forces_cancel_out_and_do_not_depend_on_where_the_picture_is(seed):
    places, pulls, mass = sample(40, seed)
    here = forces(*as_single(places, pulls, mass))
    there = forces(*as_single(places + np.array([[3.0], [-2.0], [5.0]]), pulls, mass))
    for force, moved in zip(here, there, strict=True):
        np.testing.assert_allclose(force.sum(axis=1), 0, atol=1e-5)
        np.testing.assert_allclose(moved, force, atol=1e-5)


# --------------------------------------------------------------------------------------------------------- places


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_groups_lie_apart(n_dimensions):
    weights, labels = groups([12, 8, 10])
    places = force_layout(weights, n_dimensions=n_dimensions)
    assert places.shape == (30, n_dimensions)
    centres, radius = centres_and_radius(places, labels)
    assert distances(centres).min() > 3 * radius


@pytest.mark.parametrize("n_dimensions", [2, 3])
@pytest.mark.parametrize("sizes", [[12, 8, 10], [60, 3, 1]])
def test_nodes_do_not_lie_on_each_other(n_dimensions, sizes):
    weights, _ = groups(sizes)
    places = force_layout(weights, n_dimensions=n_dimensions)
    assert distances(places).min() > 0.7 * SPACING / sum(sizes) ** (1 / n_dimensions)


def test_nodes_on_one_spot_part_and_others_stay():
    places = np.array([[0, 0, 0, 5.0], [1, 1, 1, 1], [0, 0, 0, 0]])
    lacks = [push_apart(places, 0.5) for _ in range(50)]
    assert lacks[0] == 0.5
    assert lacks[-1] < 0.01
    np.testing.assert_array_equal(places[:, 3], [5, 1, 0])
    assert 0.49 < distances(places.T[:3]).min() < 0.51


def test_less_linked_groups_lie_further_apart():
    weights, labels = groups([10, 10, 10], between=0.0)
    for one, other, weight in ((0, 1, 0.4), (1, 2, 0.02), (0, 2, 0.02)):
        weights[np.ix_(labels == one, labels == other)] = weight
        weights[np.ix_(labels == other, labels == one)] = weight
    centres, _ = centres_and_radius(force_layout(weights), labels)
    near = np.linalg.norm(centres[0] - centres[1])
    assert near < 0.8 * min(np.linalg.norm(centres[2] - centres[0]), np.linalg.norm(centres[2] - centres[1]))


def test_given_groups_stand_further_apart():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 40)
    averages = random.normal(size=(200, 3))[:, labels] + 2.5 * random.normal(size=(200, 120))
    weights = np.maximum(np.corrcoef(averages.T), 0)

    def parted(places):
        centres, _ = centres_and_radius(places, labels)
        return distances(centres).min() / np.linalg.norm(places - centres[labels], axis=1).mean()

    assert parted(force_layout(weights, labels)) > 1.3 * parted(force_layout(weights))


def test_a_node_without_links_stands_alone_in_the_picture():
    weights, _ = groups([10, 10])
    weights[3] = weights[:, 3] = 0
    places = force_layout(weights)
    away = np.linalg.norm(places - places[3], axis=1)
    assert np.sort(away)[1] > 2 * SPACING / np.sqrt(20)
    assert np.ptp(np.delete(places, 3, axis=0), axis=0).max() > 0.5  # and leaves room for the others


def test_the_same_seed_gives_the_same_places_within_the_frame():
    weights, _ = groups([6, 5])
    places = force_layout(weights, random_state=4)
    np.testing.assert_array_equal(places, force_layout(weights, random_state=4))
    assert np.abs(places - force_layout(weights, random_state=5)).max() > 0.1
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-6)
    assert np.linalg.norm(places, axis=1).max() == pytest.approx(1)


def test_the_scale_of_weights_and_the_diagonal_do_not_matter():
    weights, _ = groups([6, 5])
    scaled = 1024 * weights + 7 * np.eye(11)  # a power of two: no digit changes
    np.testing.assert_array_equal(force_layout(weights), force_layout(scaled))


def test_begun_from_its_result_groups_stay_and_turned_they_stay_turned():
    weights, labels = groups([12, 8, 10], between=0.1)
    places = force_layout(weights, labels)
    centres, _ = centres_and_radius(places, labels)
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    for start in (places, places @ turn):
        expected = centres if start is places else centres @ turn
        found, _ = centres_and_radius(force_layout(weights, labels, start=start), labels)
        np.testing.assert_allclose(found, expected, atol=0.1)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(0, 1), st.sampled_from([2, 3]))
def test_any_graph_has_a_finite_picture(seed, n_nodes, share, n_dimensions):
    random = np.random.default_rng(seed)
    weights = random.pareto(0.5, (n_nodes, n_nodes)) * (random.random((n_nodes, n_nodes)) < share)  # some are huge
    places = force_layout(weights + weights.T, n_dimensions=n_dimensions)
    assert np.isfinite(places).all()
    assert np.linalg.norm(places, axis=1).max() <= 1 + 1e-9


def test_one_node_and_none():
    np.testing.assert_array_equal(force_layout(np.zeros((1, 1))), [[0, 0]])
    assert force_layout(np.zeros((0, 0)), n_dimensions=3).shape == (0, 3)


def test_it_can_be_cancelled_and_counts_its_steps():
    seen = []
    force_layout(np.ones((4, 4)), progress=lambda done, total: seen.append((done, total)))
    assert [done for done, _ in seen] == list(range(1, seen[0][1] + 1))

    def stop(done, total):
        if done == 3:
            raise CancelledError

    with pytest.raises(CancelledError):
        force_layout(np.ones((4, 4)), progress=stop)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        (np.zeros((2, 3)), {}, "shape"),
        (np.zeros(4), {}, "shape"),
        ("links", {}, "array of numbers"),
        ([[0, -1], [-1, 0]], {}, "not be negative"),
        ([[0, np.nan], [np.nan, 0]], {}, "finite"),
        ([[0, 1], [2, 0]], {}, "symmetric"),
        (np.zeros((2, 2)), {"n_dimensions": 4}, "n_dimensions"),
        (np.zeros((2, 2)), {"random_state": -1}, "random_state"),
        (np.zeros((2, 2)), {"labels": [0, 1, 1]}, "labels"),
        (np.zeros((2, 2)), {"start": np.zeros((3, 2))}, "start"),
        (np.zeros((2, 2)), {"start": np.full((2, 2), np.inf)}, "start"),
    ],
)
def test_bad_input_is_named(weights, options, message):
    with pytest.raises(InvalidInputError, match=message):
        force_layout(weights, **options)


def test_too_many_nodes_are_refused_before_any_work(monkeypatch):
    monkeypatch.setattr("cnnvis.layout.force.MAX_NODES", 3)
    with pytest.raises(InvalidInputError, match="one layer at a time"):
        force_layout(np.zeros((4, 4)))
