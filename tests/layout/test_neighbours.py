"""Strongest links and paths: by hand, against every path that networkx finds, and on bad input."""

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_samples import sagging_network

from cnnvis.core import EdgeSet, PolylineSet, Units
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ranks import ranks_from_top
from cnnvis.layout import (
    Neighbours,
    NetworkPath,
    random_network,
    strongest_links,
    strongest_of_each,
    strongest_path,
)

# a: 0, 1; b: 2, 3; c: 4; the last link skips b
SOURCE, TARGET = [0, 1, 0, 1, 2, 3, 1], [2, 2, 3, 3, 4, 4, 4]
IMPORTANCE = [3, 1, 1, 1, 2, 5, 3]
UNITS = Units(("a", "b", "c"), (2, 2, 1))


def edges(importance=IMPORTANCE, units=UNITS, weight=None):
    return EdgeSet(SOURCE, TARGET, weight or np.ones(7), units=units, importance=importance)


def lines_of(links):
    """Return lines of two points with the arrays of bundled ones."""
    n = len(links)
    layer = np.float32(
        [[UNITS.layer_of(a), UNITS.layer_of(b)] for a, b in zip(links.source, links.target, strict=True)]
    )
    own = {"source": links.source, "target": links.target, "weight": links.weight, "importance": links.importance}
    return PolylineSet(np.zeros((2 * n, 3)), 2 * np.arange(n + 1), {"layer": layer.ravel()}, own)


FORMS = pytest.mark.parametrize("form", [lambda links: links, lines_of], ids=["edges", "lines"])


@FORMS
def test_links_of_a_unit_come_by_importance(form):
    inputs, outputs = strongest_links(form(edges()), 4)
    assert (inputs.lines.tolist(), inputs.units.tolist()) == ([5, 6, 4], [3, 1, 2])
    assert (inputs.importance.tolist(), inputs.weight.tolist()) == ([5, 3, 2], [1, 1, 1])
    assert inputs.rank.tolist() == [1, 3, 4]  # of all: 5, 3 (link 0), 3 (link 6), 2
    assert len(outputs) == 0
    inputs, outputs = strongest_links(form(edges()), 1, n=2)
    assert (len(inputs), outputs.lines.tolist(), outputs.units.tolist()) == (0, [6, 1], [4, 2])


@given(st.lists(st.tuples(*[st.integers(0, 5)] * 2, *[st.integers(0, 2)] * 2), max_size=30))
def test_the_strongest_link_of_each_unit_is_the_first_of_its_list(rows):
    source, target, weight, importance = np.array(rows, int).reshape(-1, 4).T
    links = EdgeSet(source, target, weight, importance=importance)
    for found, own in zip(strongest_of_each(links, 8), (0, 1), strict=True):
        lists = [strongest_links(links, unit)[own].lines.tolist() for unit in range(8)]
        assert found.tolist() == [(each or [-1])[0] for each in lists]


def test_of_equally_important_links_the_heavier_one_comes_first():
    links = EdgeSet([0, 1, 2, 3], [4, 4, 4, 4], [1, 3, 2, 3], importance=[1, 1, 1, 1])
    assert strongest_links(links, 4)[0].lines.tolist() == [1, 3, 2, 0]


def test_without_importance_weight_counts():
    links = EdgeSet([0, 1], [2, 2], [1, 2])
    inputs = strongest_links(links, 2)[0]
    assert (inputs.lines.tolist(), inputs.importance.tolist()) == ([1, 0], [2, 1])


@FORMS
@pytest.mark.parametrize(
    ("unit", "towards", "units", "lines", "strength"),
    [
        (0, "output", [0, 3, 4], [2, 5], 1 / 2 * 5 / 10),  # not by link 0: 3/4 * 2/10
        (1, "output", [1, 4], [6], 3 / 10),  # the skip link: more than 1/2 * 5/10
        (4, "input", [1, 4], [6], 3 / 10),
        (2, "input", [0, 2], [0], 3 / 4),
        (0, 4, [0, 3, 4], [2, 5], 1 / 4),
        (4, 0, [0, 3, 4], [2, 5], 1 / 4),  # the same the other way round
        (4, "output", [4], [], 1),
        (0, "input", [0], [], 1),
        (3, 3, [3], [], 1),
    ],
)
def test_paths_by_hand(form, unit, towards, units, lines, strength):
    path = strongest_path(form(edges()), unit, towards=towards)
    assert (path.units.tolist(), path.lines.tolist()) == (units, lines)
    assert path.strength == pytest.approx(strength)
    assert len(path) == len(lines)


def test_a_dead_end_is_no_output():
    links = EdgeSet([0, 0, 1], [1, 2, 3], [1, 9, 1], units=Units(("a", "b", "c"), (1, 2, 1)))
    assert strongest_path(links, 0).units.tolist() == [0, 1, 3]
    with pytest.raises(InvalidInputError, match=r"No path of links leads from unit 2 to an output\. .*draw more"):
        strongest_path(links, 2)
    plain = EdgeSet([0, 0, 1], [1, 2, 3], [1, 9, 1])  # layers are unknown here: a unit without outputs is one
    assert strongest_path(plain, 2).units.tolist() == [2]


def test_of_equally_strong_paths_the_shortest_and_the_lowest():
    diamond = EdgeSet([0, 0, 1, 2, 0, 0], [1, 2, 3, 3, 3, 4], [1, 1, 1, 1, 2, 1])
    path = strongest_path(diamond, 0, towards=3)
    assert path.lines.tolist() == [4]  # 2/4 at once, not 1 * 1/4
    twins = EdgeSet([0, 0, 1, 2], [1, 2, 3, 3], [1, 1, 1, 1])
    assert strongest_path(twins, 0, towards=3).lines.tolist() == [0, 2]
    ends = EdgeSet([0, 0], [2, 1], [1, 1])
    assert strongest_path(ends, 0).units.tolist() == [0, 1]
    chain = EdgeSet([0, 1, 0], [1, 2, 2], [1, 1, 1])  # 1 * 1/2 both ways
    assert strongest_path(chain, 0).lines.tolist() == [2]


def test_a_hundred_layers_do_not_vanish():
    n = 400
    source, target = np.repeat(np.arange(n), 2), np.repeat(np.arange(n), 2) + np.tile([1, 2], n)
    links = EdgeSet(source, target, np.tile([0.9, 1e-12], n))
    path = strongest_path(links, 0, towards=n)
    assert len(path) == n
    assert strongest_path(EdgeSet(source, target, np.tile([1e-9, 1.0], n)), 0, towards=n).units.tolist() == list(
        range(0, n + 1, 2)
    )


@st.composite
def layered(draw):
    """Return links between units of a few layers, some of them skipping layers, some of importance 0."""
    sizes = draw(st.lists(st.integers(1, 3), min_size=2, max_size=5))
    units = Units(tuple(map(str, range(len(sizes)))), tuple(sizes))
    pairs = [(a, b) for a in range(len(units)) for b in range(len(units)) if units.layer_of(a) < units.layer_of(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, min_size=1, max_size=25))
    importance = draw(st.lists(st.integers(0, 9), min_size=len(chosen), max_size=len(chosen)))
    source, target = np.array(chosen).T
    return EdgeSet(source, target, np.ones(len(chosen)), units=units, importance=importance)


@given(layered(), st.integers(0, 14), st.sampled_from(["output", "input"]))
def test_no_path_that_networkx_finds_is_stronger(links, unit, towards):
    totals = np.bincount(links.target, links.importance)
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(links.units)))
    for a, b, importance in zip(links.source, links.target, links.importance, strict=True):
        if importance:
            graph.add_edge(int(a), int(b), share=importance / totals[b])
    unit %= len(links.units)
    here, there = (links.target, links.source) if towards == "output" else (links.source, links.target)
    layers = set(links.units.layer_of(here)) - set(links.units.layer_of(there))
    ends = {int(end) for end in here if links.units.layer_of(end) in layers}
    pairs = [(unit, end) if towards == "output" else (end, unit) for end in ends]
    paths = [path for pair in pairs if pair[0] != pair[1] for path in networkx.all_simple_paths(graph, *pair)]
    paths += [[unit]] if unit in ends else []
    products = [np.prod([graph.edges[link]["share"] for link in networkx.utils.pairwise(path)]) for path in paths]
    if not paths:
        with pytest.raises(InvalidInputError, match="No path"):
            strongest_path(links, unit, towards=towards)
        return
    found = strongest_path(links, unit, towards=towards)
    assert found.strength == pytest.approx(max(products))
    assert found.units.tolist() in paths
    np.testing.assert_array_equal(links.source[found.lines], found.units[:-1])
    np.testing.assert_array_equal(links.target[found.lines], found.units[1:])


@given(st.lists(st.floats(0, 5), max_size=30))
def test_ranks_count_what_is_larger_or_as_large_and_before(values):
    values = np.array(values)
    wanted = [1 + int((values > v).sum() + (values[:i] == v).sum()) for i, v in enumerate(values)]
    assert ranks_from_top(values).tolist() == wanted


def test_the_path_to_a_class_of_a_full_network():
    links, _ = random_network((20, 10, 5))
    path = strongest_path(links, links.units.id("layer 2", 3), towards="input")
    assert links.units.layer_of(path.units).tolist() == [0, 1, 2]
    assert path.units[-1] == links.units.id("layer 2", 3)


def test_lines_of_a_network_say_the_same_as_their_own_arrays():
    network = sagging_network()
    by_lines = strongest_links(network.lines, 5)[0]
    importance = network.lines.line_arrays["importance"]
    into = np.flatnonzero(network.edges.target == 5)
    np.testing.assert_array_equal(by_lines.lines, into[np.argsort(-importance[into], kind="stable")])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: strongest_links(PolylineSet(np.zeros((0, 3)), [0]), 0), "no source and no target"),
        (lambda: strongest_path(PolylineSet(np.zeros((0, 3)), [0], {}, {"source": []}), 0), "got no target"),
        (lambda: strongest_links(edges(), -1), "numbered from 0, got -1"),
        (lambda: strongest_links(edges(), 0, n=0), "n must be at least 1, got 0"),
        (lambda: strongest_path(edges(), 0, towards="outputs"), "'output', 'input' or the number"),
        (lambda: strongest_path(edges(), 0, towards=-2), "got -2"),
        (lambda: strongest_path(edges(), 0, towards=1), "between the units 0 and 1"),
        (lambda: strongest_path(edges(), 99), "from unit 99 to an output"),
        (lambda: strongest_path(EdgeSet([], [], []), 0), "No path"),
        (lambda: Neighbours([0], [1, 2], [0.0], [0.0], [1]), "units has shape"),
        (lambda: NetworkPath([0, 1], [0], []), "shares has shape"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InvalidInputError, match=message):
        call()
