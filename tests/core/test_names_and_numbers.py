"""Numbers of units, names of layers, errors and where results came from."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from cnnvis.core import LayerLink, LayerNode, LayerRole, ModelGraph, OrderQuality, Provenance, Units, errors
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean, near_matches

layers = st.lists(st.tuples(st.text(min_size=1, max_size=5), st.integers(1, 50)), max_size=6, unique_by=lambda x: x[0])


@given(layers)
def test_every_unit_has_one_number(sizes):
    units = Units(tuple(name for name, _ in sizes), tuple(size for _, size in sizes))
    assert len(units) == sum(size for _, size in sizes)
    found = [units.split(number) for number in range(len(units))]
    assert found == [(name, channel) for name, size in sizes for channel in range(size)]
    assert [units.id(*unit) for unit in found] == list(range(len(units)))
    for name, size in sizes:
        numbers = range(len(units))[units.range(name)]
        assert len(numbers) == size
        assert set(units.layer_of(numbers).tolist()) == {units.index(name)}


def test_numbers_outside_are_refused():
    units = Units(("conv1", "conv2"), (3, 2))
    for wrong in (-1, 5):
        with pytest.raises(InvalidInputError, match=f"0 to 4, got {wrong}"):
            units.split(wrong)
        with pytest.raises(InvalidInputError, match="0 to 4"):
            units.layer_of([0, wrong])
    for wrong in (-1, 3):
        with pytest.raises(InvalidInputError, match=f"'conv1' has channels 0 to 2, got {wrong}"):
            units.id("conv1", wrong)
    with pytest.raises(LayerNotFoundError, match=r"'conv3'.*Did you mean: conv"):
        units.id("conv3", 0)
    assert units.layer_of([]).size == 0
    assert len(Units((), ())) == 0


def test_parts_of_folded_blocks():
    units = Units(("x", "block", "fc"), (1, 3, 2), n_inputs=1, members={"block": {"block.a": 1, "block.b": 2}})
    assert units.parts == (("x", 1), ("block.a", 1), ("block.b", 2), ("fc", 2))


def graph():
    names = ("input", "features.0", "features.1", "layer1.0.add", "fc")
    roles = (LayerRole.INPUT, LayerRole.CONVOLUTION, "activation", LayerRole.MERGE, LayerRole.DENSE)
    shapes = ((3, 8, 8), (16, 8, 8), (16, 8, 8), (16, 8, 8), (10,))
    nodes = [LayerNode(name, "X", role, shape) for name, role, shape in zip(names, roles, shapes, strict=True)]
    links = [LayerLink("features.0", "layer1.0.add", 1), LayerLink("features.1", "layer1.0.add", 0)]
    links += [LayerLink("input", "features.0"), LayerLink("features.0", "features.1"), LayerLink("layer1.0.add", "fc")]
    return ModelGraph(tuple(nodes), tuple(links), "Net")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("features.0", ["features.0"]),
        ("features.*", ["features.0", "features.1"]),
        ("*.[01]", ["features.0", "features.1"]),
        ("fc", ["fc"]),
        ("*", ["input", "features.0", "features.1", "layer1.0.add", "fc"]),
    ],
)
def test_globs_select_layers_in_order_of_execution(pattern, found):
    assert list(graph().match(pattern)) == found


def test_a_wrong_name_lists_near_matches():
    with pytest.raises(LayerNotFoundError, match=r"No layer 'feature\.0' in Net\. Did you mean: features\.0"):
        graph().match("feature.0")
    with pytest.raises(LayerNotFoundError, match=r"Did you mean: layer1\.0\.add"):
        graph()["layer1"]
    with pytest.raises(LayerNotFoundError, match="Available layers: input"):
        graph().match("FC.*")  # case counts, as in the code


def test_a_graph_knows_its_neighbours_and_units():
    assert graph().sources("layer1.0.add") == ("features.1", "features.0")
    assert graph().targets("features.0") == ("layer1.0.add", "features.1")
    assert graph().units == Units(("input", "features.0", "fc"), (3, 16, 10), n_inputs=1)
    assert "fc" in graph()
    assert (graph()["features.0"].has_maps, graph()["fc"].has_maps, graph()["fc"].channels) == (True, False, 10)
    assert LayerNode("a", "X", "other", ()).channels == 0


def test_graphs_that_contradict_themselves_are_refused():
    node = LayerNode("a", "X", "other", (1,))
    with pytest.raises(InvalidInputError, match="twice: a"):
        ModelGraph((node, node), ())
    with pytest.raises(InvalidInputError, match="a -> b names an unknown layer"):
        ModelGraph((node,), (LayerLink("a", "b"),))
    with pytest.raises(ValueError, match="sculpture"):
        LayerNode("a", "X", "sculpture", (1,))


ERRORS = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.CnnvisError)]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_an_error_says_its_message_as_it_was_written(error):
    assert str(error("No layer 'x'.\nTry another.")) == "No layer 'x'.\nTry another."
    assert str(error()) == ""
    # Each is also the builtin that a caller would catch.
    assert error is errors.CnnvisError or len(error.__mro__) > len(errors.CnnvisError.__mro__) + 1


def test_hints():
    assert near_matches("conv", ["x", "CONV1", "my.conv"], n=1) == ["my.conv"]
    assert near_matches("", ["a"]) == []
    assert did_you_mean("zzz", [], what="layers") == "There are no layers."
    assert did_you_mean("zzz", [f"n{i}" for i in range(10)]).endswith("n7 and 2 more.")


text = st.text(max_size=8)


@given(st.builds(Provenance, text, text, text, st.lists(text, max_size=3), text))
def test_provenance_survives_json(provenance):
    line = provenance.to_json()
    assert "\n" not in line
    assert Provenance.from_json(line) == provenance
    assert Provenance.from_json(line[:-1] + ', "new field": 1}') == provenance  # written by a newer version


def test_captions():
    assert Provenance("net", "random", inputs=("cat.png",)).caption == "net (RANDOM WEIGHTS) · cat.png"
    assert Provenance("net", "trained", inputs=("a", "b")).caption == "net · 2 images"
    assert Provenance().caption == ""


def test_gain_over_random_orders():
    assert OrderQuality(0.5, 0.2, 0.1, 0.2, 0.0).gain == pytest.approx(2.0)
    for spread in (0.0, float("nan")):
        assert np.isnan(OrderQuality(0.5, 0.2, 0.1, spread, 0.0).gain)
