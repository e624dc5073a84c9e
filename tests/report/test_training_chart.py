"""Loss and accuracy over a training: where values stand, what is left out, what is said."""

import numpy as np
import pytest

from cnnvis.core import TrainingCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.report import to_rgb, training_chart
from cnnvis.report.figure_training import STEP_POINTS


def curve(steps, epochs, loss=None, accuracy=None):
    nothing = np.full(len(steps), np.nan)
    return TrainingCurve(steps, epochs, nothing if loss is None else loss, nothing if accuracy is None else accuracy)


EMPTY = curve([], [])


def lines(figure, panel):
    """Return the lines of a panel as (x, y), longer ones first; the sheet has axes of its own."""
    axes = figure.axes[1 + panel]
    return [(line.get_xdata(), line.get_ydata()) for line in axes.lines]


def test_steps_stand_between_the_epochs_they_belong_to():
    steps = curve([1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 2, 2], loss=[6, 5, 4, 3, 2, 1])
    epochs = curve([2, 4], [1, 2], accuracy=[0.5, 0.75])
    figure = training_chart(steps, epochs)
    (places, values), *_ = lines(figure, 0)
    assert places.tolist() == [0.5, 1, 1.5, 2, 2.5, 3]  # the third epoch goes on at the pace of the others
    assert values.tolist() == [6, 5, 4, 3, 2, 1]
    ((places, values),) = lines(figure, 1)
    assert (places.tolist(), values.tolist()) == ([1, 2], [0.5, 0.75])
    assert figure.axes[1].get_xlim() == figure.axes[2].get_xlim()


def test_without_epochs_the_axis_counts_steps():
    figure = training_chart(curve([10, 20], [0, 0], loss=[1, 2]), EMPTY)
    assert lines(figure, 0)[0][0].tolist() == [10, 20]
    assert figure.axes[1].get_xlabel() == "step"
    assert [text.get_text() for text in figure.axes[2].texts] == ["not measured"]


def test_what_is_not_finite_is_a_gap():
    figure = training_chart(EMPTY, curve([1, 2, 3], [1, 2, 3], loss=[1, np.inf, np.nan]))
    values = lines(figure, 0)[0][1]
    assert np.isnan(values).tolist() == [False, True, True]
    assert np.isfinite(figure.axes[1].get_ylim()).all()


def test_many_steps_become_means():
    n = 10 * STEP_POINTS
    figure = training_chart(curve(np.arange(n), np.zeros(n), loss=np.arange(n) % 2), EMPTY)
    values = lines(figure, 0)[0][1]
    assert values.shape == (STEP_POINTS,)
    assert np.allclose(values, 0.5)


def test_the_picture_has_its_size_and_its_lines():
    picture = to_rgb(training_chart(EMPTY, curve([1, 2], [1, 2], loss=[2, 1])))
    assert picture.shape == (640, 1600, 3)
    assert (picture == np.array([0, 114, 178])).all(axis=2).sum() > 500  # the colour of epochs


def test_nothing_to_draw():
    with pytest.raises(InvalidInputError, match="no loss and no accuracy"):
        training_chart(EMPTY, curve([1], [1]))
