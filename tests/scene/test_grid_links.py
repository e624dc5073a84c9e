"""What linked panes keep in common: look, range and order, and where they cannot."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from cnnvis.core import Ordering, PolylineSet, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import ClipBox, Scene, SceneGrid, Slices, TransferFunction
from cnnvis.scene.links import look_alike

CLASSES = ("cat", "dog", "owl")

LINEAR = TransferFunction(clip=(0, 100))


def lines(n: int = 2, classes: int = 3) -> PolylineSet:
    points = np.zeros((2 * n, 3), np.float32)
    return PolylineSet(
        points,
        np.arange(0, 2 * n + 1, 2),
        {"class_shares": np.full((2 * n, classes), 1 / classes, np.float32)},
        {"source": np.zeros(n, np.int64), "target": np.ones(n, np.int64)},
    )


def network(classes: tuple[str, ...] = CLASSES, sizes: tuple[int, ...] = (1, 2), **look: object) -> Scene:
    scene = Scene()
    fields = {"class_names": classes, "shown_class": "all", "layers": ("a", "b"), "layer_sizes": sizes}
    scene.add_bundle(lines(classes=len(classes)), **fields | look)
    return scene


def volume(high: float = 1.0, *, n: int = 4, quantity: str = "activation") -> Scene:
    values = np.linspace(0, high, n * 4, dtype=np.float32).reshape(n, 2, 2)
    return Scene.of(Volume(values, layer="conv", quantity=quantity), transfer=LINEAR)


def test_networks_look_as_the_first_and_follow_each_other() -> None:
    first, second = network(shown_class="dog", blend=0.25, size=0.5), network(size=0.1)
    grid = SceneGrid([first, second, network()], link=["look"])
    for scene in grid:
        item = scene["bundle"]
        assert (item.shown_class, item.blend, item.size) == ("dog", 0.25, 0.5)
    second["bundle"].update(
        {"shown_class": "owl", "mode": "lines", "importance_threshold": 0.5, "hidden_layers": ("a",)}
    )
    for scene in grid:
        item = scene["bundle"]
        assert (item.shown_class, item.mode, item.importance_threshold) == ("owl", "lines", 0.5)
        assert item.hidden_layers == ("a",)


def test_what_is_of_the_network_itself_stays_its_own() -> None:
    first, second = network(caption="one"), network(caption="two")
    grid = SceneGrid([first, second], link=["look"])
    first["bundle"].legend = False
    assert second["bundle"].legend
    assert second["bundle"].caption == "two"
    assert len(grid) == 2


def test_classes_and_sizes_are_shared_only_where_they_mean_the_same() -> None:
    first, second = network(shown_class="dog", size=0.5), network(("bus", "car"), (3, 3), size=0.125)
    grid = SceneGrid([first, second], link=["look"])
    first["bundle"].update({"shown_class": 2, "blend": 0.5, "size": 0.75})
    other = grid.scenes[1]["bundle"]
    assert (other.shown_class, other.blend, other.size) == ("all", 0.5, 0.125)


def test_items_that_come_later_look_alike_too() -> None:
    first, second = network(), network(blend=0.75)
    second.remove("bundle")
    grid = SceneGrid([first, second], link=["look"])
    first["bundle"].blend = 0.5
    second.add_bundle(lines(), class_names=CLASSES)
    assert second["bundle"].blend == 0.5
    second["bundle"].blend = 0.125
    assert grid.scenes[0]["bundle"].blend == 0.125


def test_volumes_share_planes_and_curves_but_not_ranges() -> None:
    first, second, other = volume(1), volume(5), volume(3, quantity="gradient")
    grid = SceneGrid([first, second, other], link=["look"])
    curve = ((0.0, 0.0), (1.0, 0.5))
    first["conv"].update({"mode": "slices", "slices": Slices(channel=2), "clip_box": ClipBox(row=(0, 1))})
    first["conv"].transfer = TransferFunction(opacity=curve, span=(0, 2))
    for scene in grid:
        assert (scene["conv"].mode, scene["conv"].slices.channel) == ("slices", 2)
    assert second["conv"].transfer.opacity == curve
    assert second["conv"].transfer.span is None
    assert other["conv"].transfer.opacity != curve, "gradients have colours of their own"


def test_planes_stay_apart_where_shapes_differ() -> None:
    first, second = volume(), volume(n=2)
    grid = SceneGrid([first, second], link=["look"])
    first["conv"].update({"mode": "slices", "slices": Slices(channel=3)})
    assert grid.scenes[1]["conv"].mode == "slices"
    assert grid.scenes[1]["conv"].slices == Slices()


def test_ranges_follow_each_other() -> None:
    first, second, other = volume(1), volume(5), volume(3, quantity="gradient")
    grid = SceneGrid([first, second, other], link=["range"])
    assert [scene["conv"].transfer.span for scene in grid] == [(0, 5), (0, 5), (0, 3)]
    second["conv"].fix_span((1, 2))
    assert [scene["conv"].transfer.span for scene in grid] == [(1, 2), (1, 2), (0, 3)]
    first["conv"].transfer = first["conv"].transfer.with_changes(span=None)
    assert [scene["conv"].transfer.span for scene in grid] == [(0, 5), (0, 5), (0, 3)], "found anew from both"


def test_layers_of_one_scene_keep_ranges_of_their_own() -> None:
    scenes = []
    for high in (1, 2):
        scene = volume(high)
        scene.add_volume(Volume(np.linspace(0, 30 * high, 16).reshape(4, 2, 2), layer="next"), transfer=LINEAR)
        scenes.append(scene)
    grid = SceneGrid(scenes, link=["range"])
    assert [item.transfer.span for item in grid.volumes] == [(0, 2), (0, 60)] * 2
    scenes[1]["next"].fix_span((3, 4))
    assert [item.transfer.span for item in grid.volumes] == [(0, 2), (3, 4)] * 2
    removed = scenes[1]["next"]
    scenes[1].remove("next")
    removed.fix_span((8, 9))
    scenes[0]["conv"].fix_span((5, 6))
    assert [item.transfer.span for item in grid.volumes] == [(5, 6), (3, 4), (5, 6)]


def test_orders_follow_each_other_in_every_frame() -> None:
    values = np.arange(48, dtype=np.float32).reshape(3, 4, 2, 2)
    first = Scene.of_series("epoch", ["0", "1", "2"], [Volume(each, layer="conv") for each in values])
    second = volume()
    grid = SceneGrid([second, first], link=["order"])
    order = Ordering(np.array([3, 1, 0, 2]), method="pca", groups=np.array([0, 0, 1, 1]))
    second["conv"].data = second["conv"].data.reordered(order)
    first.frame = 2
    assert grid.volumes[1].data.channels.tolist() == [3, 1, 0, 2]
    np.testing.assert_array_equal(grid.volumes[1].data.values, values[2][[3, 1, 0, 2]])
    np.testing.assert_array_equal(grid.volumes[1].data.groups, second["conv"].data.groups)
    assert second["conv"].data.channels.tolist() == [3, 1, 0, 2], "a frame brought no old order back"


def test_links_end_with_the_grid() -> None:
    first, second = volume(1), volume(5)
    grid = SceneGrid([first, second], link=["look", "range", "order"])
    del grid
    gc.collect()
    first["conv"].update({"opacity": 0.5, "transfer": TransferFunction(span=(7, 8))})
    first["conv"].data = first["conv"].data.reordered(Ordering(np.array([3, 1, 0, 2]), method="x"))
    assert second["conv"].opacity == 1
    assert second["conv"].transfer.span == (0, 5)
    assert second["conv"].data.method != "x"


@pytest.mark.parametrize(
    ("scenes", "alike"),
    [
        ([network(), network()], True),
        ([network(), network(blend=0.5)], False),
        ([network(), network(shown_class="dog")], False),
        ([network(), network(legend=False)], True),
        ([volume(1), volume(5)], True),
        ([volume(), network()], False),
        ([Scene(), Scene()], False),
        ([network(), network(), volume()], False),
    ],
)
def test_what_looks_alike(scenes: list[Scene], alike: bool) -> None:
    assert look_alike(scenes) is alike


def test_other_links_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"\['looks'\]; allowed are camera, range, order, selection, look"):
        SceneGrid([Scene()], link=["looks"])
