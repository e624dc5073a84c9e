"""What a selection and hidden layers mean for each line and unit, against what can be said by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_samples import sagging_network
from pydantic import ValidationError

import cnnvis
from cnnvis.core import BundledNetwork, EdgeSet, Layout, PointSet, PolylineSet
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Scene, Selection, Stance, stances

HIDDEN, FADED, PLAIN, CHOSEN, MARKED = Stance

LINKS = [(0, 2), (1, 2), (0, 3), (2, 4), (3, 4)]
"""Of layers a (units 0, 1), b (2, 3) and c (4)."""

SHARES = [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]]


def scene(**state):
    """Return a scene of a network of three layers: one straight line of two points for each of the links."""
    places = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 2]], np.float32)
    ends = np.array(LINKS)
    lines = PolylineSet(
        places[ends].reshape(-1, 3),
        2 * np.arange(len(LINKS) + 1),
        {"class_shares": np.repeat(SHARES, 2, axis=0)},
        {"source": ends[:, 0], "target": ends[:, 1]},
    )
    found = Scene()
    known = {"layers": ("a", "b", "c"), "layer_sizes": (2, 2, 1), "class_names": ("cat", "dog")} | state
    found.add_bundle(lines, **known)
    found.add_glyphs(PointSet(places, {"unit": np.arange(5), "class_shares": np.array(SHARES)}), **known)
    return found


def names(item, selection):
    return [Stance(each).name[0] for each in stances(item, selection)]


@pytest.mark.parametrize(
    ("selection", "lines", "units"),
    [
        ({}, "PPPPP", "PPPPP"),
        ({"units": {("b", 0)}}, "CCFCF", "FFMFF"),  # its links both ways
        ({"units": {("a", 1), ("c", 0)}}, "FCFCC", "FMFFM"),
        ({"layers": {"a"}}, "CCCFF", "CCFFF"),
        ({"layers": {"b"}}, "CCCCC", "FFCCF"),
        ({"classes": {1}}, "FCFCF", "FCFCF"),
        ({"classes": {1}, "units": {("c", 0)}}, "FCFCC", "FCFCM"),
        ({"units": {("a", 0), ("b", 1)}, "links": {(("a", 0), ("b", 1))}}, "FFMFF", "MFFMF"),  # not the others of a #0
        ({"units": {("z", 0)}}, "PPPPP", "PPPPP"),  # of another network
        ({"units": {("a", 7)}}, "FFFFF", "FFFFF"),  # of this one, but there is no such unit
        ({"units": {("z", 0), ("a", 1)}}, "FCFFF", "FMFFF"),
    ],
)
def test_what_stands_out(selection, lines, units):
    drawn, chosen = scene(), Selection(**selection)
    assert "".join(names(drawn["bundle"], chosen)) == lines
    assert "".join(names(drawn["units"], chosen)) == units


def test_a_path_is_its_units_and_the_links_between_them():
    path = Selection.of_path([("a", 0), ("b", 1), ("c", 0)])
    drawn = scene()
    assert "".join(names(drawn["bundle"], path)) == "FFMFM"
    assert "".join(names(drawn["units"], path)) == "MFFMM"


def test_a_hidden_layer_hides_its_units_and_the_lines_that_touch_it():
    drawn = scene(hidden_layers=("a",))
    assert "".join(names(drawn["bundle"], Selection())) == "HHHPP"
    assert "".join(names(drawn["units"], Selection())) == "HHPPP"
    assert "".join(names(drawn["bundle"], Selection(units={("b", 0)}))) == "HHHCF"


@given(st.sets(st.tuples(st.sampled_from("abc"), st.integers(0, 1))), st.sets(st.sampled_from("abc")))
def test_a_line_stands_out_exactly_where_one_of_its_ends_is_selected(units, layers):
    drawn, selection = scene(), Selection(units=units, layers=layers)
    of_units = stances(drawn["units"], selection) >= CHOSEN
    of_lines = stances(drawn["bundle"], selection) >= CHOSEN
    np.testing.assert_array_equal(of_lines, [bool(of_units[a] or of_units[b]) for a, b in LINKS])


def test_lines_without_known_units_stay_plain():
    lines = PolylineSet(np.zeros((2, 3)), [0, 2])
    drawn = Scene()
    item = drawn.add_bundle(lines)
    assert item.units is None
    assert stances(item, Selection(units={("a", 0)})).tolist() == [PLAIN]


def test_nothing_drawn_has_no_stances():
    drawn = Scene()
    item = drawn.add_bundle(
        PolylineSet(np.zeros((0, 3)), [0], {"class_shares": np.zeros((0, 2))}), class_names=("a", "b")
    )
    assert stances(item, Selection(classes={0})).shape == (0,)


# -- layers as state -------------------------------------------------------------------------------


def test_a_network_brings_its_layers_along():
    network = sagging_network((4, 3, 2))
    drawn = Scene.of_network(network)
    for name in ("bundle", "units"):
        assert drawn[name].layers == ("fc0", "fc1", "fc2")
        assert drawn[name].layer_sizes == (4, 3, 2)
        assert drawn[name].units.id("fc1", 2) == 6


@pytest.mark.parametrize(("layer_of_unit", "layers"), [([0, 0, 1], ("0", "1")), ([0, 1, 0], ())])
def test_plain_graphs_have_layers_where_units_are_numbered_by_them(layer_of_unit, layers):
    edges = EdgeSet([0], [1], [1.0])
    network = BundledNetwork(edges, Layout(np.eye(3), layer_of_unit), PolylineSet(np.eye(3)[:2], [0, 2]))
    assert Scene.of_network(network)["bundle"].layers == layers


def test_layers_hidden_layers_and_selection_are_kept_in_files(tmp_path):
    drawn = Scene.of_network(sagging_network())
    drawn["bundle"].hidden_layers = ("fc1",)
    drawn.selection = Selection.of_path([("fc0", 1), ("fc1", 0)])
    back = cnnvis.load(cnnvis.save(drawn, tmp_path / "s.json"))
    assert back.selection == drawn.selection
    assert back.state() == drawn.state()
    assert back["bundle"].hidden_layers == ("fc1",)


def test_older_files_know_no_layers(tmp_path):
    path = cnnvis.save(Scene.of_network(sagging_network()), tmp_path / "s.json")
    document = json.loads(path.read_text())
    for item in document["scene"]["items"]:
        for field in ("layers", "layer_sizes", "hidden_layers"):
            item.pop(field, None)
    del document["scene"]["selection"]["links"]
    path.write_text(json.dumps(document))
    back = cnnvis.load(path)
    assert back["bundle"].layers == ()
    assert set(stances(back["bundle"], Selection(units={("fc0", 0)}))) == {PLAIN}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"hidden_layers": ("bb",)}, "no layer 'bb' to hide"),
        ({"layer_sizes": (2, 2)}, "3 layers but 2 sizes"),
        ({"layer_sizes": (2, 0, 3)}, "at least one unit"),
        ({"layers": ("a", "a", "c")}, "occur twice: a"),
    ],
)
def test_layers_that_do_not_fit_are_refused(state, message):
    with pytest.raises((ValidationError, InvalidInputError), match=message):
        scene(**state)


def test_units_beyond_the_layers_are_refused():
    with pytest.raises(InvalidInputError, match="units 0 to 2, got"):
        scene(layer_sizes=(1, 1, 1))


@pytest.mark.parametrize(
    ("selection", "text"),
    [
        ({}, ""),
        ({"units": {("fc1", 3)}}, "fc1 #3"),
        ({"units": {("fc1", 3), ("fc1", 4)}, "layers": {"a"}}, "2 units, layer a"),
        ({"classes": {1, 2}}, "2 classes"),
        ({"links": {(("a", 0), ("b", 1))}}, "a #0 → b #1"),
        (
            {"units": {("a", 0), ("b", 1)}, "links": {(("a", 0), ("b", 1)), (("b", 1), ("c", 0))}, "classes": {2}},
            "2 units, 2 links, class 2",
        ),
    ],
)
def test_selections_in_words(selection, text):
    assert Selection(**selection).text == text
    assert bool(Selection(**selection)) == bool(text)
