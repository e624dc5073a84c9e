"""Which layers have units: inputs by hand."""

from itertools import pairwise

from cnnvis.core import LayerLink, LayerNode, ModelGraph, Units
from cnnvis.core.unit_layers import input_units


def chain(*nodes, links=None, types=None):
    """A graph of (name, role, shape) in which each layer feeds the next."""
    names = [name for name, _, _ in nodes]
    links = list(pairwise(names)) if links is None else links
    layers = tuple(LayerNode(name, (types or {}).get(name, "X"), role, shape) for name, role, shape in nodes)
    return ModelGraph(layers, tuple(LayerLink(*link) for link in links))


def test_an_input_is_called_like_the_value_that_is_read():
    graph = chain(("x", "input", (1, 4, 4)), ("flatten", "reshape", (16,)), ("fc", "dense", (3,)))
    assert graph.units == Units(("flatten", "fc"), (16, 3), n_inputs=1)
    graph = chain(("x", "input", (3, 4, 4)), ("bn", "norm", (3, 4, 4)), ("conv", "convolution", (2, 4, 4)))
    assert graph.units == Units(("bn", "conv"), (3, 2), n_inputs=1)


def test_an_input_that_is_read_twice_has_its_units_once():
    nodes = [("x", "input", (3, 4, 4)), ("pool", "pooling", (3, 2, 2)), ("flatten", "reshape", (12,))]
    nodes += [("fc", "dense", (5,)), ("conv", "convolution", (2, 4, 4))]
    links = [("x", "pool"), ("pool", "flatten"), ("flatten", "fc"), ("x", "conv")]
    (entry,) = input_units(chain(*nodes, links=links))
    assert (entry.name, entry.size, entry.base, entry.values) == ("x", 3, "x", ("x", "flatten"))


def test_an_input_that_is_cut_or_repeated_keeps_its_units():
    nodes = [("x", "input", (4, 2, 2)), ("chunk", "reshape", (2, 2, 2)), ("cat", "merge", (6, 2, 2))]
    nodes += [("one", "convolution", (5, 2, 2)), ("two", "convolution", (5, 2, 2))]
    links = [("x", "chunk"), ("x", "cat", 0), ("chunk", "cat", 1), ("chunk", "one"), ("cat", "two")]
    graph = chain(*nodes, links=links, types={"cat": "cat", "chunk": "chunk"})
    assert graph.units == Units(("x", "one", "two"), (4, 5, 5), n_inputs=1)


def test_arithmetic_on_an_input_is_the_input():
    nodes = [
        ("x", "input", (1, 2, 2)),
        ("sub", "other", (1, 2, 2)),
        ("flatten", "reshape", (4,)),
        ("fc", "dense", (3,)),
    ]
    assert input_units(chain(*nodes, types={"sub": "sub"}))[0].base == "x"
    assert input_units(chain(*nodes))[0].base == "sub"


def test_tokens_have_their_channels_on_another_axis():
    layers = (
        LayerNode("x", "Input", "input", (5, 6)),
        LayerNode("fc", "Linear", "dense", (3, 5), attributes={"in_features": 6}),
    )
    assert ModelGraph(layers, (LayerLink("x", "fc"),)).units == Units(("x", "fc"), (6, 3), n_inputs=1)


def test_two_inputs_side_by_side_are_one_layer_and_apart_are_two():
    nodes = [("a", "input", (1, 4, 4)), ("b", "input", (2, 4, 4)), ("cat", "merge", (3, 4, 4))]
    nodes += [("conv", "convolution", (4, 4, 4))]
    together = chain(*nodes, links=[("a", "cat", 0), ("b", "cat", 1), ("cat", "conv")])
    assert together.units == Units(("cat", "conv"), (3, 4), n_inputs=1)
    nodes = [("a", "input", (1,)), ("b", "input", (2,)), ("one", "dense", (4,)), ("two", "dense", (4,))]
    apart = chain(*nodes, links=[("a", "one"), ("b", "two")])
    assert apart.units == Units(("a", "b", "one", "two"), (1, 2, 4, 4), n_inputs=2)


def test_what_no_layer_reads_has_no_units():
    nodes = [("x", "input", (3, 4, 4)), ("mask", "input", (2, 4, 4)), ("conv", "convolution", (2, 4, 4))]
    nodes += [("mul", "merge", (2, 4, 4)), ("other", "convolution", (2, 4, 4))]
    links = [("x", "conv"), ("conv", "mul", 0), ("mask", "mul", 1), ("mul", "other")]
    assert chain(*nodes, links=links).units.layers == ("x", "conv", "other")
    assert len(chain(("x", "input", (3,)), ("relu", "activation", (3,))).units) == 0


def test_units_stand_behind_what_is_not_followed():
    """An embedding, a recurrent layer: the first units are what the first dense layer reads."""
    graph = chain(("x", "input", (7,)), ("embedding", "other", (5, 7)), ("fc", "dense", (2, 7)))
    assert graph.units == Units(("embedding", "fc"), (5, 2), n_inputs=1)


def test_layers_without_values_have_no_units():
    graph = chain(("x", "input", (3,)), ("fc", "dense", ()))
    assert len(graph.units) == 0
