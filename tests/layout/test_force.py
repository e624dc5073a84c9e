"""The picture of a graph: groups lie apart, the same each time."""

import numpy as np
import pytest

from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.layout.force import force_layout


def groups(sizes, between=0.02):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    weights = np.where(labels[:, None] == labels, 1.0, between)
    np.fill_diagonal(weights, 0)
    return weights, labels


@pytest.mark.parametrize("n_dimensions", [2, 3])
def test_groups_lie_apart(n_dimensions):
    weights, labels = groups([12, 8, 10])
    places = force_layout(weights, n_dimensions=n_dimensions)
    assert places.shape == (30, n_dimensions)
    centres = np.array([places[labels == label].mean(axis=0) for label in range(3)])
    within = np.linalg.norm(places - centres[labels], axis=1).max()
    between = np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(3, 1)].min()
    assert between > 3 * within


def test_less_linked_groups_lie_further_apart():
    weights, labels = groups([10, 10, 10], between=0.0)
    for one, other, weight in ((0, 1, 0.2), (1, 2, 0.01), (0, 2, 0.01)):
        weights[np.ix_(labels == one, labels == other)] = weight
        weights[np.ix_(labels == other, labels == one)] = weight
    places = force_layout(weights)
    centres = np.array([places[labels == label].mean(axis=0) for label in range(3)])
    near = np.linalg.norm(centres[0] - centres[1])
    assert near < 0.8 * np.linalg.norm(centres[0] - centres[2])


def test_the_same_seed_gives_the_same_places_around_zero():
    weights, _ = groups([6, 5])
    places = force_layout(weights, random_state=4)
    np.testing.assert_array_equal(places, force_layout(weights, random_state=4))
    np.testing.assert_allclose(places.mean(axis=0), 0, atol=1e-5)
    assert np.sqrt((places**2).sum(axis=1).mean()) == pytest.approx(1, abs=1e-4)


def test_the_scale_of_weights_and_the_diagonal_do_not_matter():
    weights, _ = groups([6, 5])
    np.testing.assert_allclose(force_layout(weights), force_layout(1000 * weights + 7 * np.eye(11)), atol=1e-2)


@pytest.mark.parametrize("weights", [np.zeros((5, 5)), np.zeros((1, 1)), np.ones((2, 2)), np.eye(3)])
def test_few_nodes_and_no_links_stay_finite(weights):
    places = force_layout(weights, n_steps=30)
    assert np.isfinite(places).all()


def test_a_node_without_links_stays_in_the_picture():
    weights, _ = groups([10, 10])
    weights[3] = weights[:, 3] = 0
    assert np.linalg.norm(force_layout(weights), axis=1).max() < 5


def test_it_can_be_cancelled_and_counts_its_steps():
    seen = []
    force_layout(np.ones((4, 4)), n_steps=3, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def stop(*_):
        raise CancelledError

    with pytest.raises(CancelledError):
        force_layout(np.ones((4, 4)), progress=stop)


def test_bad_weights_are_named():
    with pytest.raises(InvalidInputError, match="square"):
        force_layout(np.zeros((2, 3)))
    with pytest.raises(InvalidInputError, match="not negative"):
        force_layout([[0, -1], [-1, 0]])
    with pytest.raises(InvalidInputError, match="n_dimensions"):
        force_layout(np.zeros((2, 2)), n_dimensions=4)
