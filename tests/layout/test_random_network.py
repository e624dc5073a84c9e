from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import random_network


def test_links_of_a_small_network_by_hand():
    edges, profiles = random_network([2, 3, 1])
    assert edges.source.tolist() == [0, 0, 0, 1, 1, 1, 2, 3, 4]
    assert edges.target.tolist() == [2, 3, 4, 2, 3, 4, 5, 5, 5]
    assert edges.layer.tolist() == [0] * 6 + [1] * 3
    assert edges.units.layers == ("layer 0", "layer 1", "layer 2")
    assert profiles.shape == (6, 1)
    assert profiles[-1].tolist() == [1]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.none() | st.integers(1, 5), st.integers(0, 2**32))
def test_any_sizes(sizes, n_classes, seed):
    edges, profiles = random_network(sizes, n_classes=n_classes, random_state=seed)
    n_classes = n_classes or sizes[-1]
    assert edges.units.sizes == tuple(sizes)
    assert len(edges) == sum(one * two for one, two in pairwise(sizes))
    assert np.array_equal(edges.units.layer_of(edges.source), edges.layer)
    assert np.array_equal(edges.units.layer_of(edges.target), edges.layer + 1)
    assert len(set(zip(edges.source.tolist(), edges.target.tolist(), strict=True))) == len(edges)
    assert edges.weight.min(initial=0.5) >= 0
    assert edges.weight.max(initial=0.5) < 1
    assert profiles.shape == (sum(sizes), n_classes)
    hidden, output = profiles[: -sizes[-1]], profiles[-sizes[-1] :]
    assert output.argmax(axis=1).tolist() == [unit % n_classes for unit in range(sizes[-1])]
    assert np.array_equal(output.sum(axis=1), np.ones(sizes[-1]))
    for row in hidden:  # one class stands out, all others are alike: min(u, v) ** 2 <= max(u, v)
        others = np.delete(row, row.argmax())
        assert np.all(others == others[:1])
        assert np.all(np.sqrt(others) <= row.max())


def test_weights_and_importances_have_the_stated_distribution():
    edges, profiles = random_network([400, 300, 10])
    assert edges.weight.mean() == pytest.approx(0.5, abs=0.01)
    assert edges.weight.var() == pytest.approx(1 / 12, abs=0.005)
    hidden = profiles[:700]
    assert hidden.max(axis=1).mean() == pytest.approx(2 / 3, abs=0.03)  # mean of max(u, v)
    assert hidden.min(axis=1).mean() == pytest.approx(1 / 6, abs=0.02)  # mean of min(u, v) ** 2
    assert np.bincount(hidden.argmax(axis=1)).min() > 40  # 70 expected of each class


def test_the_seed_decides():
    one, two, other = (random_network([5, 4, 3], random_state=seed) for seed in (1, 1, 2))
    assert np.array_equal(one[0].weight, two[0].weight)
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[0].weight, other[0].weight)
    assert not np.array_equal(one[1], other[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": []}, "sizes must be whole numbers of at least 1, got \\[\\]"),
        ({"sizes": [4, 0]}, "sizes must be whole"),
        ({"sizes": [4, 1.5]}, "sizes must be whole"),
        ({"sizes": [4], "n_classes": 0}, "n_classes must be whole"),
        ({"sizes": [4], "random_state": -1}, "random_state must not be negative"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        random_network(**arguments)
