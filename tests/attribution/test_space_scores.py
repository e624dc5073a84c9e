import numpy as np
import pytest

from cnnvis.attribution import space_scores
from cnnvis.core import ChannelSpace, ChannelSpaces, Importance, Read
from cnnvis.core.errors import InvalidInputError

SPACES = ChannelSpaces(
    (
        ChannelSpace((), 2, (Read("flatten"),)),
        ChannelSpace(("stem", "conv2"), 3, (Read("add"),)),
        ChannelSpace(("fc",), 2, (Read("fc"),), is_output=True),
    )
)


def test_layers_of_a_space_count_alike_whatever_their_scale():
    found = space_scores(SPACES, {"stem": np.array([0, 1, 2]), "conv2": np.array([0, 0, 1000])})
    # scaled (0, 1/2, 1) and (0, 0, 1); mean (0, 1/4, 1)
    np.testing.assert_allclose(found["stem"], [0, 0.25, 1])
    assert list(found) == ["stem"]


def test_the_mean_is_scaled_again():
    found = space_scores(SPACES, {"stem": np.array([2, 0, 0]), "conv2": np.array([0, 3, 0])})
    np.testing.assert_allclose(found["stem"], [1, 1, 0])


def test_inputs_and_classes_have_scores_where_they_are_named():
    found = space_scores(SPACES, Importance({"flatten": [1, 4], "fc": [1, 1], "relu": [1, 2, 3, 4]}, method="m"))
    assert {name: scores.tolist() for name, scores in found.items()} == {"flatten": [0.25, 1], "fc": [1, 1]}


def test_dead_layers_stay_zero():
    assert not space_scores(SPACES, {"stem": np.zeros(3)})["stem"].any()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1, 2], "has 2 scores, but the layer has 3 channels"),
        ([1, np.nan, 1], "NaN or infinite"),
        ([1, -1, 1], "must not be negative"),
    ],
)
def test_refusals(scores, message):
    with pytest.raises(InvalidInputError, match=message):
        space_scores(SPACES, {"conv2": np.array(scores, dtype=float)})
