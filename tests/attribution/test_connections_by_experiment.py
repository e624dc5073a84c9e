"""Links of random networks against experiment: change one unit, hold all others, and see which layers notice."""

from contextlib import suppress

import numpy as np
import pytest
import torch
from connection_oracle import changed_links, programs
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis import connect
from cnnvis.capture import trace
from cnnvis.core.errors import InvalidInputError

EXAMPLE = torch.randn(1, 2, 4, 4, dtype=torch.double, generator=torch.Generator().manual_seed(0))


def pairs(edges):
    return set(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


def check(model):
    edges = connect(model, example=EXAMPLE)
    assert pairs(edges) == changed_links(model, EXAMPLE)
    assert len(pairs(edges)) == len(edges)
    assert edges.notes == ()
    with suppress(InvalidInputError):  # a graph does not say what a chunk takes; where it knows all, it is right
        by_graph = connect(trace(model, EXAMPLE))
        assert by_graph.notes or pairs(by_graph) == pairs(edges)


@settings(max_examples=12, deadline=None)
@given(programs())
def test_links_are_what_a_change_of_one_unit_reaches(model):
    check(model)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(programs())
def test_links_are_what_a_change_of_one_unit_reaches_at_length(model):
    check(model)


@settings(max_examples=12, deadline=None)
@given(programs(), st.data())
def test_a_kernel_of_zeros_is_a_link_of_weight_zero_and_reaches_nothing(model, data):
    units = trace(model, EXAMPLE).units
    layer = data.draw(st.sampled_from(units.layers[units.n_inputs :]))
    weight = model.get_submodule(layer).weight
    one, two = (data.draw(st.integers(0, size - 1)) for size in weight.shape[:2])
    before = connect(model, example=EXAMPLE)
    with torch.no_grad():
        weight[one, two] = 0
    after = connect(model, example=EXAMPLE)
    assert pairs(before) == pairs(after)  # the link is there, but weighs nothing
    is_reached = after.weight > 0
    reached = set(zip(after.source[is_reached].tolist(), after.target[is_reached].tolist(), strict=True))
    assert reached == changed_links(model, EXAMPLE)
    is_of_layer = after.units.layer_of(after.target) == after.units.index(layer)
    assert np.array_equal(before.weight[~is_of_layer], after.weight[~is_of_layer])
