"""Results check what they are made of, and nobody changes them afterwards."""

import numpy as np
import pytest

from cnnvis.core import (
    BundledNetwork,
    EdgeSet,
    FeatureMaps,
    Importance,
    Layout,
    Ordering,
    PolylineSet,
    Provenance,
    Recording,
    Units,
    Volume,
)
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, NoSpatialMapsError

NAN, INF = float("nan"), float("inf")


def maps(images=2, channels=3, *, layer="conv"):
    values = np.arange(images * channels * 4 * 5, dtype=np.float32).reshape(images, channels, 4, 5)
    return FeatureMaps(values, layer)


BAD = {
    "an order with an index twice": (lambda: Ordering([0, 0, 2], "x"), "not a permutation"),
    "an order from 1": (lambda: Ordering([1, 2, 3], "x"), "not a permutation"),
    "an order of fractions": (lambda: Ordering([0.0, 1.5], "x"), "permutation must be whole numbers"),
    "an order with NaN": (lambda: Ordering([0.0, NAN], "x"), "whole numbers"),
    "an order with infinity": (lambda: Ordering([0.0, INF], "x"), "whole numbers"),
    "an order of two dimensions": (lambda: Ordering([[0, 1]], "x"), r"shape \(1, 2\)"),
    "groups of another length": (lambda: Ordering([0, 1], "x", groups=[0]), r"groups has shape \(1,\)"),
    "groups of fractions": (lambda: Ordering([0, 1], "x", groups=[0.5, 1]), "groups must be whole numbers"),
    "scores of another length": (lambda: Ordering([0, 1], "x", scores=[0.1]), "scores has shape"),
    "constant of another length": (lambda: Ordering([0, 1], "x", constant=[True]), "constant has shape"),
    "a volume of one map": (lambda: Volume(np.zeros((4, 5))), r"\(any, any, any\)"),
    "a volume without channels": (lambda: Volume(np.zeros((0, 4, 5)), layer="conv"), "'conv' is empty"),
    "a volume without rows": (lambda: Volume(np.zeros((3, 0, 5))), "empty"),
    "too few channel numbers": (lambda: Volume(np.zeros((3, 4, 5)), channels=[0, 1]), "channels has shape"),
    "a channel twice": (lambda: Volume(np.zeros((3, 4, 5)), channels=[0, 1, 1]), "distinct"),
    "a negative channel": (lambda: Volume(np.zeros((3, 4, 5)), channels=[0, 1, -1]), "not negative"),
    "volume groups of another length": (lambda: Volume(np.zeros((3, 4, 5)), groups=[0]), "groups has shape"),
    "NaN weights": (lambda: Volume(np.zeros((2, 4, 5)), weights=[1, NAN]), "weights holds 1 values"),
    "negative weights": (lambda: Volume(np.zeros((2, 4, 5)), weights=[1, -0.5]), r"not be negative, got -0\.5"),
    "weights of another length": (lambda: Volume(np.zeros((2, 4, 5)), weights=[1]), "weights has shape"),
    "flat spacing": (lambda: Volume(np.zeros((2, 4, 5)), spacing=(1, 1)), "three positive numbers"),
    "zero spacing": (lambda: Volume(np.zeros((2, 4, 5)), spacing=(1, 1, 0)), "three positive numbers"),
    "NaN spacing": (lambda: Volume(np.zeros((2, 4, 5)), spacing=(1, 1, NAN)), "three positive numbers"),
    "maps without channels": (lambda: FeatureMaps(np.zeros(4), "conv"), r"'conv' need an array \(N, C, \*S\)"),
    "gradients of another shape": (
        lambda: FeatureMaps(np.zeros((1, 2, 3, 3)), "conv", np.zeros((1, 2, 3, 4))),
        "gradients of 'conv'",
    ),
    "layers with different images": (
        lambda: Recording({"a": maps(1), "b": maps(2)}),
        r"different numbers of images: \[1, 2\]",
    ),
    "negative importance": (lambda: Importance({"conv": [1, -2]}, "x"), "'conv' must not be negative, got -2"),
    "NaN importance": (lambda: Importance({"conv": [1, NAN]}, "x"), "1 values that are NaN"),
    "flat importance": (lambda: Importance({"conv": [[1, 2]]}, "x"), "shape"),
    "classes of other channels": (
        lambda: Importance({"conv": [1, 2]}, "x", per_class={"conv": np.ones((3, 4))}),
        r"per_class of 'conv' has shape \(3, 4\); allowed is \(2, any\)",
    ),
    "classes of an unknown layer": (
        lambda: Importance({"conv": [1, 2]}, "x", per_class={"fc": np.ones((2, 4))}),
        "without scores: fc",
    ),
    "names of other classes": (
        lambda: Importance({"conv": [1, 2]}, "x", per_class={"conv": np.ones((2, 3))}, class_names=("a", "b")),
        r"per_class of 'conv' has shape \(2, 3\); allowed is \(2, 2\)",
    ),
    "signed scores of other channels": (
        lambda: Importance({"conv": [1, 2]}, "x", signed={"conv": [1]}),
        r"signed importance of 'conv' has shape \(1,\)",
    ),
    "links of different lengths": (lambda: EdgeSet([0, 1], [1], [1.0, 1.0]), "target has shape"),
    "negative link weight": (lambda: EdgeSet([0], [1], [-1.0]), "not be negative"),
    "NaN link weight": (lambda: EdgeSet([0], [1], [NAN]), "weight holds 1"),
    "infinite link importance": (lambda: EdgeSet([0], [1], [1.0], importance=[np.inf]), "importance holds 1"),
    "importance of other links": (lambda: EdgeSet([0], [1], [1.0], importance=[1, 2]), "importance has shape"),
    "negative unit": (lambda: EdgeSet([-1], [1], [1.0]), "not be negative"),
    "half a unit": (lambda: EdgeSet([0.5], [1], [1.0]), "source must be whole numbers"),
    "flat layout": (lambda: Layout(np.zeros((3, 2)), np.zeros(3)), r"\(any, 3\)"),
    "layout without layers": (lambda: Layout(np.zeros((3, 3)), np.zeros(2)), "layer_of_unit has shape"),
    "NaN position": (lambda: Layout([[0, 0, NAN]], [0]), "positions holds 1"),
    "offsets that fall": (lambda: PolylineSet(np.zeros((3, 3)), [0, 2, 1, 3]), "never fall"),
    "offsets that end early": (lambda: PolylineSet(np.zeros((3, 3)), [0, 2]), "number of points 3"),
    "no offsets": (lambda: PolylineSet(np.zeros((0, 3)), []), "must start at 0"),
    "point array of another length": (
        lambda: PolylineSet(np.zeros((3, 3)), [0, 3], {"a": [1]}),
        r"point_arrays\['a'\]",
    ),
    "line array without length": (lambda: PolylineSet(np.zeros((3, 3)), [0, 3], {}, {"w": 1.0}), r"line_arrays\['w'\]"),
    "a layer twice": (lambda: Units(("a", "b", "a"), (1, 2, 3)), "occur twice: a"),
    "a layer without units": (lambda: Units(("a", "b"), (1, 0)), "at least one unit"),
    "a block of other units": (lambda: Units(("a",), (3,), members={"a": {"a.1": 2}}), "'a' has not as many units"),
    "more inputs than layers": (lambda: Units(("a",), (1,), n_inputs=2), "2 of 1 layers cannot hold inputs"),
    "more layers than sizes": (lambda: Units(("a", "b"), (1,)), "2 layers but 1 sizes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused(case):
    make, message = BAD[case]
    with pytest.raises(InvalidInputError, match=message):
        make()


def test_arrays_inside_are_read_only_while_the_caller_keeps_writing():
    values, weights = np.zeros((2, 3, 3), np.float32), np.ones(2)
    permutation = np.array([1, 0])
    volume = Volume(values, weights=weights)
    order = Ordering(permutation, "x", groups=np.array([0, 1]))
    feature_maps = FeatureMaps(values[None])
    inside = [volume.values, volume.weights, volume.channels, order.permutation, order.groups, order.constant]
    inside += [feature_maps.activations, feature_maps.stack(), Importance({"a": weights}, "x")["a"]]
    inside += [Units(("a",), (2,)).offsets, EdgeSet([0], [1], [1.0]).layer]
    for array in inside:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 1
    values[:] = 5
    weights[:] = 7
    assert np.shares_memory(volume.values, values)  # a view, and the caller's own array stays writeable
    assert np.shares_memory(feature_maps.activations, values)


def test_fields_and_mappings_cannot_be_replaced():
    order = Ordering([0], "x", options={"row": 3})
    with pytest.raises(AttributeError):
        order.method = "y"
    with pytest.raises(TypeError):
        order.options["row"] = 4
    recording = Recording({"conv": maps()})
    with pytest.raises(TypeError):
        recording.maps["other"] = maps()


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [
        (np.float16, np.float32),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.uint8, np.float32),
        (">f4", "f4"),
    ],
)
def test_volumes_hold_single_or_double_precision(dtype, kept):
    assert Volume(np.ones((1, 2, 2), dtype)).values.dtype == np.dtype(kept)


def test_half_precision_maps_stay_as_recorded():
    assert FeatureMaps(np.ones((1, 2, 2, 2), np.float16)).activations.dtype == np.float16
    assert FeatureMaps(np.ones((1, 2, 2, 2), np.int8)).activations.dtype == np.float32


def test_missing_values_are_counted_not_refused():
    values = np.array([[[1.0, NAN], [INF, -INF]], [[2.0, 3.0], [4.0, 5.0]]])
    assert Volume(values).n_missing == 3
    assert Volume(values).finite_range == (1.0, 5.0)
    assert FeatureMaps(values[None]).n_missing == 3
    assert np.isnan(Volume(np.full((1, 2, 2), NAN)).finite_range).all()


def test_maps_of_one_image_become_a_volume_that_remembers_where_it_came_from():
    recorded = FeatureMaps(maps().activations, "conv", provenance=Provenance(inputs=("a.png", "b.png")))
    volume = recorded.volume(Ordering([2, 0, 1], "pca"), image=1, importance=np.array([0.0, 1.0, 2.0]))
    assert (volume.layer, volume.method, volume.provenance.inputs) == ("conv", "pca", ("b.png",))
    assert volume.weights.tolist() == [2, 0, 1]
    np.testing.assert_array_equal(volume.values, recorded.activations[1][[2, 0, 1]])
    assert np.shares_memory(recorded.volume().values, recorded.activations)


def test_maps_without_rows_and_columns_or_image_are_explained():
    with pytest.raises(NoSpatialMapsError, match=r"'fc'.*\(10,\).*before the flatten"):
        FeatureMaps(np.zeros((2, 10)), "fc").volume()
    with pytest.raises(InvalidInputError, match="holds 2 images, got image 2"):
        maps().volume(image=2)
    with pytest.raises(InvalidInputError, match="holds 0 images"):
        FeatureMaps(np.zeros((0, 3, 4, 4)), "conv").stack()


def test_recordings_and_importance_name_near_layers():
    recording = Recording({"features.conv1": maps(), "features.conv2": maps()})
    assert recording.layers == ("features.conv1", "features.conv2")
    assert "features.conv1" in recording
    assert len(recording) == 2
    with pytest.raises(LayerNotFoundError, match=r"'features\.conv3'.*features\.conv"):
        recording["features.conv3"]
    with pytest.raises(LayerNotFoundError, match="Available layers with importance: a"):
        Importance({"a": [1.0]}, "x")["zzz"]


def test_captions_say_what_is_drawn():
    edges = EdgeSet([0, 1, 2, 3], [4, 4, 4, 4], [4, 3, 2, 1], importance=[1, 2, 3, 2])
    assert edges.caption == "edges 4 of 4, importance kept 100.0 %"
    some = edges.take(np.array([1, 2]))
    assert some.caption == "edges 2 of 4, importance kept 62.5 %"
    assert some.importance.tolist() == [2, 3]
    assert some.take([False, True]).caption == "edges 1 of 4, importance kept 37.5 %"
    by_weight = EdgeSet([0, 1], [2, 2], [1, 3])
    assert by_weight.take([True, False]).caption == "edges 1 of 2, weight kept 25.0 %"
    assert EdgeSet([], [], []).caption == "edges 0 of 0, weight kept 100.0 %"


def test_class_profiles_follow_the_units():
    importance = Importance(
        {"a": [1, 2], "b": [3]}, "gradient", per_class={"a": [[1, 2, 3], [4, 5, 6]], "b": [[7, 8, 9]]}
    )
    assert importance.profiles(Units(("b", "a"), (1, 2))).tolist() == [[7, 8, 9], [1, 2, 3], [4, 5, 6]]
    with_inputs = Units(("x", "a"), (2, 2), n_inputs=1)
    assert importance.profiles(with_inputs).tolist() == [[1, 1, 1], [1, 1, 1], [1, 2, 3], [4, 5, 6]]
    with pytest.raises(LayerNotFoundError, match="'c'"):
        importance.profiles(Units(("a", "c"), (2, 1)))
    with pytest.raises(InvalidInputError, match=r"allowed is \(5, 3\)"):
        importance.profiles(Units(("a",), (5,)))
    with pytest.raises(InvalidInputError, match="'weight' has no classes"):
        Importance({"a": [1]}, "weight").profiles(Units(("a",), (1,)))


def test_orders_apply_along_any_axis_of_their_own_length():
    order = Ordering([2, 0, 1], "x", groups=[-1, 0, 1])
    assert order.apply(np.array([10, 11, 12])).tolist() == [12, 10, 11]
    assert order.apply(np.array([[10, 11, 12]]), axis=1).tolist() == [[12, 10, 11]]
    assert order.inverse.tolist() == [1, 2, 0]
    assert order.n_groups == 2
    assert Ordering([0], "x").n_groups == 0
    with pytest.raises(InvalidInputError, match=r"has 3 channels, the values have shape \(4,\), taken along axis 0"):
        order.apply(np.zeros(4))


def test_lines_are_taken_with_their_arrays_in_the_order_asked_for():
    arrays = {"t": np.arange(6.0)}, {"source": np.array([7, 8, 9])}
    lines = PolylineSet(np.arange(18).reshape(6, 3), [0, 3, 4, 6], *arrays)
    taken = lines.take(np.array([2, 0]))
    assert taken.offsets.tolist() == [0, 2, 5]
    assert taken.point_arrays["t"].tolist() == [4, 5, 0, 1, 2]
    np.testing.assert_array_equal(taken.points, lines.points[[4, 5, 0, 1, 2]])
    assert taken.line_arrays["source"].tolist() == [9, 7]
    assert len(lines.take(np.zeros(3, bool))) == 0
    np.testing.assert_array_equal(lines.take(np.array([True, False, True])).points, lines.points[[0, 1, 2, 4, 5]])


@pytest.mark.parametrize(
    ("importance", "scaled"), [([4, 1, 0], [1, 0.25, 0]), ([0.2, 0.1, 0.2], [1, 0.5, 1]), ([0] * 3, [0] * 3)]
)
def test_units_have_an_importance_of_at_most_one(importance, scaled):
    edges = EdgeSet([0, 1], [2, 2], [1.0, 1.0])
    layout = Layout(np.eye(3), [0, 0, 1])
    lines = PolylineSet(np.zeros((4, 3)), [0, 2, 4])
    network = BundledNetwork(edges, layout, lines, importance=importance)
    assert network.points.arrays["importance"].tolist() == scaled
    assert network.importance.tolist() == importance
    unknown = BundledNetwork(edges, layout, lines).points.arrays["importance"]
    assert unknown.tolist() == [1, 1, 1]
