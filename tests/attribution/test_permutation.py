"""Permuted importance: the same scores on other units, whole profiles, from a seed."""

import numpy as np

from cnnvis.attribution import permuted
from cnnvis.core import Importance

SCORES = np.arange(1.0, 9.0)
FOUND = Importance(
    scores={"a": SCORES, "b": SCORES[:3]},
    method="gradient",
    per_class={"a": np.stack([SCORES, SCORES**2], axis=1)},
    signed={"a": -SCORES},
    options={"steps": 3},
    class_names=("cat", "dog"),
)


def test_units_move_within_their_layer_with_all_that_is_theirs():
    found = permuted(FOUND, random_state=1)
    assert set(found["b"]) == {1, 2, 3}
    assert sorted(found["a"]) == SCORES.tolist() != found["a"].tolist()
    np.testing.assert_array_equal(found.per_class["a"], np.stack([found["a"], found["a"] ** 2], axis=1))
    np.testing.assert_array_equal(found.signed["a"], -found["a"])
    assert "b" not in found.per_class
    assert (found.method, found.class_names) == ("gradient", ("cat", "dog"))
    assert found.options == {"steps": 3, "permuted": 1}


def test_a_seed_is_a_permutation_and_the_original_stays():
    one, same, other = (permuted(FOUND, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one["a"], same["a"])
    assert not np.array_equal(one["a"], other["a"])
    np.testing.assert_array_equal(FOUND["a"], SCORES)


def test_importance_without_classes_has_none_afterwards():
    assert permuted(Importance({"a": SCORES}, "weight")).per_class is None
