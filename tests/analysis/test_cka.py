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


def test_what_does_not_vary_is_undefined(features):
    _, found = cka({"one": features["one"], "still": np.full((60, 3), 0.1), "zero": np.zeros((60, 2))})
    assert found[0, 0] == pytest.approx(1)
    assert np.isnan(found[1:]).all()
    assert np.isnan(found[:, 1:]).all()


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_missing_values_count_as_the_mean_of_their_feature(features, missing):
    holed, filled = features["one"].copy(), features["one"].copy()
    holed[3, 2] = missing
    filled[3, 2] = np.delete(filled[:, 2], 3).mean()
    _, found = cka({"holed": holed, "filled": filled})
    np.testing.assert_allclose(found, 1)


@pytest.mark.parametrize("debiased", [True, False])
def test_blocks_of_images_change_nothing_and_report_themselves(features, debiased, monkeypatch):
    _, whole = cka(features, debiased=debiased)
    seen = []
    monkeypatch.setattr("cnnvis.analysis._cka.BLOCK_BYTES", 20 * 8 * 7)  # 7 images of the widest layer
    _, blocked = cka(features, debiased=debiased, progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_allclose(blocked, whole, rtol=1e-10)
    assert seen == [(done, 45) for done in range(1, 46)]  # pairs of 9 blocks


def test_maps_are_features_of_every_position(features):
    maps = np.random.default_rng(4).normal(size=(20, 3, 4, 5)).astype(np.float32)
    flat = maps.reshape(20, -1).astype(np.float64)
    _, found = cka({"maps": maps, "flat": flat, "two": features["two"][:20]})
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_the_mean_of_large_features_is_taken_off_first(features):
    _, found = cka({"one": features["one"], "far": features["one"] + 1e6})
    np.testing.assert_allclose(found, 1, atol=1e-6)


def test_bad_input_is_named(features):
    with pytest.raises(InvalidInputError, match="same images"):
        cka({"a": np.zeros((5, 2)), "b": np.zeros((6, 2))})
    with pytest.raises(InvalidInputError, match="at least 4 images"):
        cka({"a": np.zeros((3, 2))})
    with pytest.raises(InvalidInputError, match="at least 2 images"):
        cka({"a": np.zeros(3)}, debiased=False)
    with pytest.raises(InvalidInputError, match="real numbers"):
        cka({"a": [["x", "y"]] * 5})
