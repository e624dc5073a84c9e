"""Class names with probabilities."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as hnp

from cnnvis.core.errors import InvalidInputError
from cnnvis.models import top_classes


def test_softmax_by_hand():
    best = top_classes(np.log([1.0, 6.0, 3.0]), ("a", "b", "c"), k=2)
    assert [(p.index, p.name) for p in best] == [(1, "b"), (2, "c")]
    np.testing.assert_allclose([p.probability for p in best], [0.6, 0.3])


def test_probabilities_are_taken_as_they_are():
    assert top_classes([0.25, 0.75])[0] == (1, "class 1", 0.75)


def test_of_equals_the_lower_index_comes_first():
    assert [p.index for p in top_classes([1.0, 2.0, 2.0, 2.0], k=3)] == [1, 2, 3]


def test_fewer_classes_than_asked_for_are_all_returned():
    assert len(top_classes([[3.0, 1.0]], k=5)) == 2


@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=1, max_side=20), elements={"min_value": -1e6, "max_value": 1e6})
)
def test_agrees_with_torch(logits):
    found = {p.index: p.probability for p in top_classes(logits, k=logits.size)}
    assert sum(found.values()) == pytest.approx(1, abs=2e-3)
    if not (logits.min() >= 0 and abs(logits.sum() - 1) < 1e-3 and logits.size > 1):
        expected = torch.from_numpy(logits).softmax(0).numpy()
        np.testing.assert_allclose([found[i] for i in range(logits.size)], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "names", "message"),
    [
        (np.zeros((2, 3)), None, r"shape \(2, 3\)"),
        (np.zeros(0), None, r"shape \(0,\)"),
        ([1.0, np.nan], None, "1 of 2 outputs are NaN"),
        ([1.0, 2.0], ("only one",), "2 outputs but 1 class names"),
    ],
)
def test_outputs_that_are_no_classes_are_refused(logits, names, message):
    with pytest.raises(InvalidInputError, match=message):
        top_classes(logits, names)
