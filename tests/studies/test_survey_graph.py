"""A surveyed layer as a graph: what its parts are taken from, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

import cnnvis
from cnnvis.analysis import link_weights
from cnnvis.core import Grouping
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.models import labelled_images, load
from cnnvis.scene import Scene
from cnnvis.studies import survey_graph


@pytest.fixture(scope="module")
def survey():
    return cnnvis.survey(load("fashion-cnn"), labelled_images("fashion-mnist", "importance").images[:40])


def test_balls_are_as_large_as_averages_vary_and_links_as_heavy_as_channels_are_alike(survey):
    graph = survey_graph(survey, "conv2")
    spread = survey["conv2"].std
    np.testing.assert_allclose(graph.sizes, spread / spread.max())
    alike = cnnvis.similarity(survey)["conv2"]
    np.testing.assert_array_equal(graph.labels, cnnvis.communities(alike))
    heavy = link_weights(alike)
    np.testing.assert_allclose(graph.links.weight, heavy[graph.links.source, graph.links.target])
    assert graph.layer == "conv2"
    assert Scene.of_graph(graph).title.startswith("fashion-cnn · conv2 · 32 channels in ")


def test_given_groups_and_exponent_are_kept(survey):
    labels = np.repeat([0, 1], 16)
    graph = survey_graph(replace(survey, grouping=Grouping(exponent=2.0)), "conv2", labels)
    np.testing.assert_array_equal(graph.labels, labels)
    heavy = link_weights(cnnvis.similarity(survey)["conv2"], exponent=2.0)
    np.testing.assert_allclose(graph.links.weight, heavy[graph.links.source, graph.links.target])


def test_a_layer_that_was_not_surveyed_and_a_single_image_are_refused(survey):
    with pytest.raises(LayerNotFoundError, match="conv2"):
        survey_graph(survey, "conv22")
    one = cnnvis.survey(load("fashion-cnn"), labelled_images("fashion-mnist", "importance").images[:1])
    with pytest.raises(InvalidInputError, match="at least two images"):
        survey_graph(one, "conv2")
