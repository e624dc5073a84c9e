"""What a run is made of: shapes are checked, labels are classes."""

import numpy as np
import pytest

from cnnvis.core import RunFacts, SamplePredictions, TrainingCurve
from cnnvis.core.errors import InvalidInputError


def test_a_curve_has_one_value_of_each_kind_per_point():
    curve = TrainingCurve([1, 2], [0, 1], [0.5, np.nan], [1, 0])
    assert len(curve) == 2
    with pytest.raises(ValueError, match="read-only"):
        curve.loss[0] = 1
    with pytest.raises(InvalidInputError, match="accuracy"):
        TrainingCurve([1, 2], [0, 1], [0.5, 1], [1])
    with pytest.raises(InvalidInputError, match="whole numbers"):
        TrainingCurve([0.5], [0], [1], [1])


def test_predictions_know_which_are_right():
    found = SamplePredictions([0, 1], [[1, 1], [0, 1]], np.ones((2, 2)), labels=[0, 1])
    assert found.right.tolist() == [[False, True], [True, True]]
    assert SamplePredictions([0], [[1]], [[1.0]]).right is None
    with pytest.raises(InvalidInputError, match="labels"):
        SamplePredictions([0], [[1, 0]], [[1.0, 1.0]], labels=[0])
    with pytest.raises(InvalidInputError, match="predicted"):
        SamplePredictions([0, 1], [[1]], [[1.0]])


def test_facts_check_labels_and_unit():
    assert RunFacts("net", ("a", "b"), labels=[0, 4]).labels == (0, 4)
    with pytest.raises(InvalidInputError, match="0 to 1"):
        RunFacts("net", ("a",), labels=[2], class_names=("x", "y"))
    with pytest.raises(InvalidInputError, match="epoch or step"):
        RunFacts("net", ("a",), unit="hour")
