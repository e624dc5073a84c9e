"""State of bundles and units: ranges, classes, what data fit, and what a network brings with it."""

import numpy as np
import pytest
from pydantic import ValidationError

from cnnvis.core import BundledNetwork, EdgeSet, Layout, PointSet, PolylineSet, Provenance, Units
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import place, random_network, straight_lines
from cnnvis.scene import BundleItem, GlyphsItem, Scene

RANGES = {
    "size": 1,
    "base_opacity": 1,
    "importance_opacity": 2,
    "depth_opacity": 1,
    "depth_exponent": 10,
    "importance_threshold": 1,
}
"""Upper ends of nn_vis's ranges; the lower ones are 0."""


def lines(importance=(0.5, 1.0), **arrays):
    return PolylineSet(np.eye(3)[:2], [0, 2], {"importance": np.float32(importance), **arrays})


def network(**fields):
    units = Units(("a", "b"), (2, 1))
    edges = EdgeSet([0, 1], [2, 2], [1.0, 0.5], units=units, n_total=4, weight_total=2.0)
    layout = Layout([[0, 0, 0], [1, 0, 0], [0.5, 0, 1]], [0, 0, 1], layers=("a", "b"))
    return BundledNetwork(edges, layout, PolylineSet(np.zeros((4, 3)), [0, 2, 4]), **fields)


@pytest.mark.parametrize("kind", [BundleItem, GlyphsItem])
@pytest.mark.parametrize(("name", "top"), RANGES.items())
def test_the_six_parameters_have_the_ranges_of_nn_vis(kind, name, top):
    item = kind(name="x")
    for value in (0, top):
        setattr(item, name, value)
    for value in (-0.01, top + 0.01, np.nan):
        with pytest.raises(ValidationError, match=name):
            setattr(item, name, value)
    assert getattr(item, name) == top


def test_each_change_is_told():
    item, heard = BundleItem(name="x"), []
    item.events.connect(lambda info: heard.append(info.signal.name))
    for name in RANGES:
        setattr(item, name, 0.123)
    assert heard == list(RANGES)


@pytest.mark.parametrize(
    ("shown", "index"), [("none", None), ("all", None), ("dog", 1), (0, 0), (2, 2), ("2", None), (3, None), (-1, None)]
)
def test_classes_go_by_name_or_number(shown, index):
    item = BundleItem(name="x", class_names=("cat", "dog", "eel"))
    if shown in ("2", 3, -1):
        with pytest.raises(ValidationError, match=r"'none', 'all', or one of 3 classes"):
            item.shown_class = shown
        return
    item.shown_class = shown
    assert item.class_index == index


def test_near_names_of_classes_are_named():
    with pytest.raises(ValidationError, match="zebra"):
        BundleItem(name="x", class_names=("zebra", "horse"), shown_class="zebrra")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"importance": np.array([0.5, np.nan])}, "importance must be one finite number"),
        ({"importance": np.array([0.5, -0.1])}, "importance must be one finite number"),
        ({"importance": np.ones((2, 2))}, "importance must be one finite number"),
        ({"class_shares": np.ones(2)}, "class_shares must be"),
        ({"class_shares": np.ones((2, 5))}, r"class_shares must be \(P, 3\), one column per class, got shape \(2, 5\)"),
        ({}, "shown_class='b' needs the array 'class_shares'"),
    ],
)
def test_data_must_have_what_is_shown(arrays, message):
    state = {"class_names": ("a", "b", "c"), "shown_class": "b"}
    with pytest.raises(InvalidInputError, match=message):
        BundleItem(name="x", **state).data = PolylineSet(np.eye(3)[:2], [0, 2], arrays)
    with pytest.raises(InvalidInputError, match=message):
        GlyphsItem(name="x", **state).data = PointSet(np.eye(3)[:2], arrays)


@pytest.mark.parametrize("add", ["add_bundle", "add_glyphs"])
def test_only_lines_and_units_can_be_added(add):
    with pytest.raises(InvalidInputError, match="BundledNetwork, got ndarray"):
        getattr(Scene(), add)(np.eye(3))


def test_large_importances_are_scaled_and_others_are_left():
    scene = Scene()
    own = PolylineSet(np.eye(3)[:2], [0, 2], {"importance": np.array([2.0, 4.0])}, {"importance": np.array([3.0])})
    data = scene.add_bundle(own).data
    np.testing.assert_allclose(data.point_arrays["importance"], [0.5, 1.0])
    np.testing.assert_allclose(data.line_arrays["importance"], [0.75])
    small = lines((0.1, 0.2))
    assert scene.add_bundle(small).data is small
    points = scene.add_glyphs(PointSet(np.eye(3), {"importance": np.array([0, 5, 10])})).data
    np.testing.assert_allclose(points.arrays["importance"], [0, 0.5, 1])


def test_classes_without_names_are_numbered():
    item = Scene().add_bundle(lines(class_shares=np.ones((2, 3))), shown_class=2)
    assert item.class_names == ("0", "1", "2")


def test_a_network_becomes_lines_units_and_names_of_layers():
    scene = Scene.of_network(network(provenance=Provenance(model="toy")), size=0.1)
    assert [item.name for item in scene] == ["bundle", "units", "layers"]
    assert scene.title == "toy · 2 layers"
    assert scene["bundle"].caption == "edges 2 of 4, weight kept 75.0 %"
    assert (scene["bundle"].shown_class, scene["bundle"].size, scene["units"].size) == ("none", 0.1, 0.04)
    assert scene["layers"].texts == ("a (2)", "b (1)")
    assert "units" not in Scene.of_network(network(), units=False)


def test_a_network_with_classes_shows_all_of_them_or_one():
    profiles = np.array([[1, 0], [0, 1], [1, 1.0]])
    drawn = network(profiles=profiles, class_names=("cat", "dog"))
    shares = {"class_shares": np.tile([0.5, 0.5], (4, 1))}
    drawn = BundledNetwork(
        drawn.edges,
        drawn.layout,
        PolylineSet(drawn.lines.points, drawn.lines.offsets, shares),
        profiles=profiles,
        class_names=("cat", "dog"),
    )
    assert [item.shown_class for item in list(Scene.of_network(drawn))[:2]] == ["all", "all"]
    one = Scene.of_network(drawn, shown_class="dog")
    assert [item.class_index for item in list(one)[:2]] == [1, 1]
    assert one["units"].class_names == ("cat", "dog")


def side_by_side(n, importance, width):
    """Return n lines from z = 0 to z = 1 over a width along x."""
    x = np.repeat(np.linspace(0, width, n), 2)
    points = np.stack([x, np.zeros(2 * n), np.tile([0.0, 1.0], n)], axis=1)
    arrays = {"importance": np.full(2 * n, importance), "layer": np.tile([0.0, 1.0], n)}
    return PolylineSet(points, np.arange(0, 2 * n + 1, 2), arrays)


def test_the_fuller_a_gap_the_thinner_its_lines():
    """The crowd is the sum of squared importance over the width; from 100 on the radius falls with its 0.75th power."""
    radius = [Scene().add_bundle(side_by_side(*of)).size for of in ((100, 1, 1), (1600, 1, 1), (1600, 0.25, 1))]
    assert radius == pytest.approx([0.02, 0.02 / 8, 0.02])
    assert Scene().add_bundle(side_by_side(1600, 1, 16)).size == pytest.approx(16 * 0.02 / 8)
    assert Scene().add_bundle(side_by_side(1600, 1, 1), size=0.01).size == 0.01


def test_units_of_a_full_layer_are_small_enough_to_stand_beside_each_other():
    places = np.stack(np.meshgrid(np.linspace(0, 1, 50), np.linspace(0, 1, 50), [0.0]), axis=-1).reshape(-1, 3)
    arrays = {"importance": np.ones(2500), "layer": np.zeros(2500, np.int64)}
    assert Scene().add_glyphs(PointSet(places, arrays)).size == pytest.approx(1 / np.sqrt(2500 * np.pi))
    few = PointSet(places[[0, 49, 2499]], {name: array[:3] for name, array in arrays.items()})
    assert Scene().add_glyphs(few).size == 0.04


def test_lines_and_units_of_a_wider_network_are_as_much_larger(caplog):
    edges, profiles = random_network([100, 40, 10])
    sizes = []
    said = []
    for scale in (1, 5, 1e6):
        layout = place(edges)
        layout = Layout(scale * layout.positions / 0.9, layout.layer_of_unit)  # of 10 columns: layers 1 wide
        drawn = BundledNetwork(edges, layout, straight_lines(edges, layout, profiles=profiles), profiles=profiles)
        sizes.append([item.size for item in list(Scene.of_network(drawn))[:2]])
        said.append(caplog.text)
    assert sizes[1] == pytest.approx([5 * size for size in sizes[0]], rel=1e-5)
    assert sizes[2] == [1, 1]
    assert said[1] == ""
    for what in ("lines", "units"):
        assert f"A layer is 1e+06 scene units wide, and {what} are drawn 1 thick at most" in said[2]
    assert "divide the positions of the layout by 1e+06" in said[2]


@pytest.mark.parametrize(("name", "n_named"), [("l", 15), ("features_of_a_block_", 4)])
def test_of_many_layers_as_many_are_named_as_there_is_room_for(name, n_named):
    """Of 110 letters, "l39 (1)" takes 7, so that 15 fit; "features_of_a_block_39 (1)" takes 26, and 4 fit."""
    count = 40
    units = Units(tuple(f"{name}{layer}" for layer in range(count)), (1,) * count)
    layout = Layout(np.arange(3 * count).reshape(count, 3), np.arange(count), layers=units.layers)
    empty = EdgeSet(np.zeros(0, int), np.zeros(0, int), np.zeros(0), units=units)
    labels = Scene.of_network(BundledNetwork(empty, layout, PolylineSet(np.zeros((0, 3)), [0])))["layers"]
    assert len(labels.texts) == len(labels.data) == n_named
    assert (labels.texts[0], labels.texts[-1]) == (f"{name}0 (1)", f"{name}{count - 1} (1)")
    np.testing.assert_allclose(labels.data[-1][[0, 2]], layout.positions[-1][[0, 2]])
