"""A scene holds items with their data, tells of every change once, and turns into JSON and back."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from cnnvis.core import FeatureMaps, Importance, NetworkMaps, Ordering, PointSet, PolylineSet, Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.scene import (
    ITEM_KINDS,
    Camera,
    ClipBox,
    ImageItem,
    Scene,
    Selection,
    Slices,
    TransferFunction,
    VolumeItem,
)

RNG = np.random.default_rng(0)


def volume(seed=0, shape=(3, 4, 5), **fields):
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return Volume(values, **{"layer": "conv", **fields})


def full_scene():
    """One item of every kind, each with state that is not the default."""
    scene = Scene(title="all", background="dark", camera=Camera(view="side", azimuth=10, zoom=2, parallel=True))
    scene.add_volume(volume(), mode="slices", slices=Slices(row=2), clip_box=ClipBox(channel=(0, 1)), density=3)
    scene.add_matrix(
        [[1.0, np.nan], [-2.0, 4.0]], rows=("a", "b"), style="bars", n_cells=3, cell=(2, 1), row_name="class"
    )
    scene.add_image(np.zeros((2, 3, 3), np.uint8), width=4, opacity=0.5, origin=(1, 2, 3))
    scene.add_labels([[0, 0, 1]], ["here"], size=20, visible=False)
    lines = PolylineSet(np.eye(3), [0, 3], {"class_shares": np.eye(3)})
    scene.add_bundle(lines, class_names=("a", "b", "c"), shown_class="b", mode="lines", blend=0.5, base_opacity=0.1)
    scene.add_glyphs(PointSet(np.eye(3)), mode="points", size=0.1)
    maps = NetworkMaps(
        layers=("a",), roles=("dense",), values=(np.ones((2, 1, 1)),), depths=[0], flow=np.empty((0, 2), int)
    )
    scene.add_tiles(maps, arrangement=0.5, rows=2, folded_layers=("a",))
    scene.selection = Selection(units={("conv", 2), ("conv", 1), ("a", 5)}, layers={"b", "a"}, classes={9, 1})
    return scene


def heard(owner):
    """Return the list to which the owner's events are added as (name, new value)."""
    events = []
    owner.events.connect(lambda info: events.append((info.signal.name, info.args[0])))
    return events


# -- events ----------------------------------------------------------------------------------------


def test_a_change_is_told_once_and_no_change_never():
    scene = Scene()
    item = scene.add_volume(volume(), mode="raycast")
    of_scene, of_item, of_camera = heard(scene), heard(item), heard(scene.camera)
    scene.title = scene.title = "new"
    item.opacity = 0.5
    item.mode = "raycast"  # as it was
    item.transfer = TransferFunction.preset("linear", values=item.data.values)  # equal, another object
    item.slices = Slices(channel=1)
    item.slices = Slices(channel=1)
    scene.camera.azimuth = 30.0
    assert of_scene == [("title", "new")]
    assert of_item == [("opacity", 0.5), ("slices", Slices(channel=1))]
    assert of_camera == [("azimuth", 30.0)]


def test_new_data_are_told_once():
    item = Scene().add_volume(volume())
    calls = []
    item.data_changed.connect(lambda: calls.append(1))
    item.data = volume(1)
    assert calls == [1]


def test_items_come_and_go_with_an_event_each():
    scene, events = Scene(), []
    scene.item_added.connect(lambda item: events.append(("+", item.name)))
    scene.item_removed.connect(lambda item: events.append(("-", item.name)))
    scene.add_volume(volume())
    scene.add_image(np.zeros((1, 1, 3), np.uint8))
    scene.remove("conv")
    assert events == [("+", "conv"), ("+", "image"), ("-", "conv")]
    assert "conv" not in scene
    assert [item.name for item in scene] == ["image"]


# -- names and checks ------------------------------------------------------------------------------


def test_taken_names_get_a_number():
    scene = Scene()
    names = [scene.add_volume(volume(), name=name).name for name in ("", "", "conv 2", "")]
    assert names == ["conv", "conv 2", "conv 2 2", "conv 3"]
    assert scene.add_volume(np.zeros((2, 2, 2))).name == "volume"
    assert [scene.add_labels([], []).name for _ in range(2)] == ["labels", "labels 2"]
    assert len(scene) == 7


def test_an_item_keeps_its_name():
    scene = Scene()
    item = scene.add_volume(volume())
    with pytest.raises(ValidationError, match="frozen"):
        item.name = "other"
    with pytest.raises(InvalidInputError, match="an item 'conv' already"):
        scene.add(VolumeItem(name="conv"), volume())
    assert scene["conv"] is item


def test_unknown_items_list_near_ones():
    with pytest.raises(InvalidInputError, match=r"'cnov'.*Did you mean: conv"):
        full_scene()["cnov"]
    with pytest.raises(InvalidInputError, match="no items"):
        Scene().remove("conv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: Scene(fog=1), "fog"),
        (lambda: Scene(background="green"), "background"),
        (lambda: VolumeItem(name="x", colour="red"), "colour"),
        (lambda: VolumeItem(name=""), "at least 1 character"),
        (lambda: VolumeItem(name="x", opacity=1.5), "less than or equal to 1"),
        (lambda: VolumeItem(name="x", density=0), "greater than 0"),
        (lambda: VolumeItem(name="x", density=np.inf), "finite"),
        (lambda: VolumeItem(name="x", isovalues=(np.nan,)), "finite"),
        (lambda: VolumeItem(name="x", mode="hologram"), "raycast"),
        (lambda: VolumeItem(name="x", clip_box={"depth": (0, 1)}), "depth"),
        (lambda: ClipBox(row=(0, np.inf)), "finite"),
        (lambda: Camera(zoom=0), "greater than 0"),
        (lambda: Camera(azimuth=np.nan), "finite"),
        (lambda: Camera(lens=50), "lens"),
        (lambda: Selection(colours={1}), "colours"),
        (lambda: ImageItem(name="x", kind="volume"), "image"),
    ],
)
def test_unknown_fields_and_bad_values_are_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        change()


def test_bad_values_are_refused_on_assignment_and_nothing_changes():
    item = Scene().add_volume(volume())
    with pytest.raises(ValidationError):
        item.opacity = -1
    with pytest.raises(ValidationError):
        item.fog = 1
    assert item.opacity == 1


def test_data_must_fit_the_item():
    scene = full_scene()
    with pytest.raises(InvalidInputError, match=r"'conv' \(volume\) shows a Volume, got ndarray"):
        scene["conv"].data = np.zeros((2, 2, 2))
    for image in (np.zeros((2, 2), np.uint8), np.zeros((2, 2, 3)), np.zeros((0, 2, 3), np.uint8)):
        with pytest.raises(InvalidInputError, match=r"needs \(H, W, 3\) uint8"):
            scene["image"].data = image
        with pytest.raises(InvalidInputError, match=r"needs \(H, W, 3\) uint8"):
            scene.add_image(image)
    for points in (np.zeros((2, 3)), np.zeros(3), np.full((1, 3), np.nan)):
        with pytest.raises(InvalidInputError, match="1 texts need as many finite points"):
            scene["labels"].data = points
    assert len(scene) == 7  # what could not be shown was not added


# -- volumes ---------------------------------------------------------------------------------------


def test_anything_with_maps_becomes_a_volume():
    maps = FeatureMaps(RNG.random((2, 3, 4, 5)), "conv")
    scene = Scene()
    for given in (maps, maps.volume(), maps.activations, maps.activations[0], maps.activations[0].tolist()):
        item = scene.add_volume(given, Ordering([2, 1, 0], "x"))
        np.testing.assert_allclose(item.data.values, maps.activations[0, ::-1], rtol=1e-6)
        assert item.data.channels.tolist() == [2, 1, 0]
        assert item.data.spacing == maps.volume().spacing


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((2, 3)), np.zeros((1, 1, 2, 2, 2)), [["a"]], None])
def test_what_has_no_maps_is_refused(wrong):
    with pytest.raises(InvalidInputError, match=r"\(C, H, W\)"):
        Scene().add_volume(wrong)


def test_importance_drives_the_opacity_in_whatever_order_is_shown():
    item = Scene().add_volume(volume(), Ordering([2, 0, 1], "x"), importance=[1.0, 2.0, 4.0])
    assert item.drive == "importance"
    assert item.data.weights.tolist() == [4, 1, 2]
    assert item.channel_factors().tolist() == item.transfer.weight_at([4, 1, 2]).tolist()
    again = Scene().add_volume(item.data, importance=Importance({"conv": [1.0, 2.0, 4.0]}, "weight"), drive="none")
    assert again.data.weights.tolist() == [4, 1, 2]
    assert again.channel_factors().tolist() == [1, 1, 1]


def test_importance_of_other_channels_or_layers_is_refused():
    with pytest.raises(InvalidInputError, match=r"importance has shape \(2,\); allowed is \(3\)"):
        Scene().add_volume(volume(), importance=[1.0, 2.0])
    for maps in (volume(), np.zeros((3, 4, 5))):
        with pytest.raises(LayerNotFoundError, match="fc"):
            Scene().add_volume(maps, importance=Importance({"fc": [1, 2, 3]}, "weight"))


def test_groups_drive_the_opacity():
    item = Scene().add_volume(volume(groups=[0, 1, -1]), drive="group", shown_groups=(0, -1), context=0.25)
    assert item.channel_factors().tolist() == [1, 0.25, 1]


def test_drives_that_lack_their_array_say_so():
    scene = Scene()
    with pytest.raises(InvalidInputError, match=r"'conv'.*weights"):
        scene.add_volume(volume(), drive="importance").channel_factors()
    with pytest.raises(InvalidInputError, match=r"'conv 2'.*groups.*kmeans"):
        scene.add_volume(volume(), drive="group").channel_factors()


# -- frames ----------------------------------------------------------------------------------------


def series(scene=None):
    scene = scene or full_scene()
    frames = [volume(seed) for seed in range(3)]
    scene.set_frames("epoch", [0, 5, 10], {"conv": frames})
    return scene, frames


def test_frames_share_one_range_and_switch_the_data_once():
    scene, frames = series()
    item = scene["conv"]
    spans = [TransferFunction.preset("linear", values=frame.values).span_of(frame.values) for frame in frames]
    assert item.transfer.span == (min(low for low, _ in spans), max(high for _, high in spans))
    assert (scene.series.axis, scene.series.labels, scene.frame) == ("epoch", ("0", "5", "10"), 0)
    assert item.data is frames[0]
    shown = []
    item.data_changed.connect(lambda: shown.append(item.data))
    scene.frame = 2
    assert [id(data) for data in shown] == [id(frames[2])]


def test_a_fixed_range_stays():
    scene = Scene()
    scene.add_volume(volume(), transfer=TransferFunction(span=(0, 9)))
    assert series(scene)[0]["conv"].transfer.span == (0, 9)


@pytest.mark.parametrize("wrong", [3, -1])
def test_there_is_no_other_frame(wrong):
    scene, frames = series()
    scene.frame = 1
    with pytest.raises(ValidationError, match=f"frames 0 to 2, got {wrong}"):
        scene.frame = wrong
    assert scene.frame == 1
    assert scene["conv"].data is frames[1]
    with pytest.raises(ValidationError, match="frames 0 to 0, got 1"):
        Scene(frame=1)


def test_a_new_series_starts_at_its_first_frame():
    scene, _ = series()
    scene.frame = 2
    shown = []
    scene["conv"].data_changed.connect(lambda: shown.append(scene["conv"].data))
    frames = [volume(7), volume(8)]
    scene.set_frames("class", ["cat", "dog"], {"conv": frames})
    assert (scene.frame, len(scene.series)) == (0, 2)
    assert [id(data) for data in shown] == [id(frames[0])]


@pytest.mark.parametrize(
    ("labels", "frames", "message"),
    [
        ([], {}, "at least one frame"),
        (["a"], {"conv": [volume(), volume()]}, "'conv' has 2 frames but there are 1 labels"),
        (["a"], {"other": [volume()]}, "No item 'other'"),
        (["a"], {"conv": [np.zeros((3, 4, 5))]}, "shows a Volume, got ndarray"),
    ],
)
def test_frames_that_do_not_fit_change_nothing(labels, frames, message):
    scene, _ = series()
    scene.frame = 1
    before = scene.state()
    with pytest.raises(InvalidInputError, match=message):
        scene.set_frames("image", labels, {"conv": [volume(9)] * len(labels), **frames})
    assert scene.state() == before


def test_removed_items_leave_the_series():
    scene, _ = series()
    scene.remove("conv")
    scene.frame = 1
    assert scene.frames == {}


# -- state -----------------------------------------------------------------------------------------


def test_every_kind_comes_back_from_its_state():
    scene, frames = series()
    scene.frame = 1
    assert {item.kind for item in scene} == set(ITEM_KINDS)
    state = json.loads(json.dumps(scene.state(), allow_nan=False))
    back = Scene.from_state(state, {item.name: item.data for item in scene}, {"conv": frames})
    assert back.state() == scene.state()
    assert back["conv"].data is frames[1]
    assert back["conv"].slices == Slices(row=2)
    assert back.selection == scene.selection


def test_every_kind_can_be_added_by_name():
    for kind, item in ITEM_KINDS.items():
        assert callable(getattr(Scene, f"add_{kind}"))
        assert item(name="x").kind == kind


def test_states_that_do_not_fit_are_refused():
    scene, frames = series()
    data = {item.name: item.data for item in scene}
    state = scene.state()
    state["items"][0]["kind"] = "hologram"
    with pytest.raises(InvalidInputError, match="'conv' is a 'hologram'; this version knows volume, matrix, bundle"):
        Scene.from_state(state, data)
    with pytest.raises(InvalidInputError, match="2 frames but there are 3 labels"):
        Scene.from_state(scene.state(), data, {"conv": frames[:2]})


def test_equal_selections_are_equal_text():
    units = [("conv", number) for number in range(40)]
    texts = {
        Selection(units=frozenset(order), layers=frozenset("abc")).model_dump_json() for order in (units, units[::-1])
    }
    assert len(texts) == 1
    found = json.loads(texts.pop())
    assert found["units"] == [["conv", number] for number in range(40)]
    assert found["layers"] == ["a", "b", "c"]
    assert Selection(**found).units == frozenset(units)
    assert Selection(layers={"a"})
    assert not Selection()
