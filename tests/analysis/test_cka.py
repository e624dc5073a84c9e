"""Centred kernel alignment of layers: against its formula, and what it must not see."""

import numpy as np
import pytest

from cnnvis.analysis import cka
from cnnvis.core.errors import InvalidInputError


@pytest.fixture
def features():
    random = np.random.default_rng(0)
    one = random.normal(size=(60, 8))
    return {
        "one": one,
        "two": one @ random.normal(size=(8, 5)) + random.normal(size=(60, 5)),
        "noise": random.normal(size=(60, 20)),
    }


def test_biased_alignment_is_kornblith_s_formula(features):
    names, found = cka(features, debiased=False)
    assert names == ("one", "two", "noise")
    x, y = (features[name] - features[name].mean(axis=0) for name in ("one", "two"))
    expected = np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y))
    assert found[0, 1] == pytest.approx(expected)


def test_the_unbiased_estimator_by_its_definition(features):
    def hsic(one, other):
        k, m = one @ one.T, other @ other.T
        np.fill_diagonal(k, 0)
        np.fill_diagonal(m, 0)
        n = len(k)
        return (
            np.trace(k @ m) + k.sum() * m.sum() / (n - 1) / (n - 2) - 2 / (n - 2) * (k.sum(axis=0) @ m.sum(axis=0))
        ) / (n * (n - 3))

    x, y = features["one"], features["two"]
    expected = hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))
    assert cka(features)[1][0, 1] == pytest.approx(expected)


def test_turning_scaling_and_moving_change_nothing(features):
    random = np.random.default_rng(1)
    turn, _ = np.linalg.qr(random.normal(size=(8, 8)))
    turned = {"one": features["one"], "turned": 3 * features["one"] @ turn + 5}
    for debiased in (True, False):
        np.testing.assert_allclose(cka(turned, debiased=debiased)[1], 1)


def test_unrelated_layers_have_nothing_in_common_without_bias():
    random = np.random.default_rng(2)
    values = [cka({"a": random.normal(size=(30, 40)), "b": random.normal(size=(30, 40))})[1][0, 1] for _ in range(40)]
    assert abs(np.mean(values)) < 0.03
    biased = cka({"a": random.normal(size=(30, 40)), "b": random.normal(size=(30, 40))}, debiased=False)[1][0, 1]
    assert biased > 0.4


def test_what_does_not_vary_is_undefined_and_missing_features_do_not_count(features):
    holed = features["one"].copy()
    holed[3, 2] = np.nan
    _, found = cka({"one": np.delete(features["one"], 2, axis=1), "holed": holed, "still": np.ones((60, 3))})
    assert found[0, 1] == pytest.approx(1)
    assert np.isnan(found[2]).all()


def test_bad_input_is_named(features):
    with pytest.raises(InvalidInputError, match="same images"):
        cka({"a": np.zeros((5, 2)), "b": np.zeros((6, 2))})
    with pytest.raises(InvalidInputError, match="at least 4 images"):
        cka({"a": np.zeros((3, 2))})
