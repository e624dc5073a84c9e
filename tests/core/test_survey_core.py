"""What a survey knows of its own layers."""

import numpy as np
import pytest

from cnnvis.core import LayerSurvey, Survey
from cnnvis.core.errors import LayerNotFoundError
from cnnvis.core.survey import LEVELS


def layer(n_channels):
    per_channel = np.zeros(n_channels)
    return LayerSurvey(
        value="x",
        mean=per_channel,
        std=per_channel,
        correlation=np.zeros((n_channels, n_channels)),
        quantiles=np.zeros((n_channels, len(LEVELS))),
        window=np.zeros((0, n_channels)),
        top_images=np.zeros((n_channels, 9), dtype=np.int64),
        top_averages=np.zeros((n_channels, 9)),
        n_missing=np.zeros(n_channels, dtype=np.int64),
    )


@pytest.mark.parametrize(("names", "expected"), [("a", "a"), ("ab", "a"), ("abcd", "c")])
def test_the_last_hidden_layer_stands_before_the_scores(names, expected):
    assert Survey({name: layer(2) for name in names}, signal="post", n_images=1).last_hidden == expected


def test_channels_are_counted_and_unknown_layers_named():
    survey = Survey({"a": layer(2), "b": layer(3)}, signal="post", n_images=1)
    assert survey.n_channels == 5
    assert survey.accuracy is None
    with pytest.raises(LayerNotFoundError, match="'c'"):
        survey["c"]
