"""Going back to what a scene was, and being told of changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Camera, Scene, SceneSnapshot, SceneWatch, Selection, VolumeMode


def scene_of_two() -> Scene:
    values = np.random.default_rng(0).random((4, 6, 6))
    scene = Scene(title="two")
    scene.add_volume(values, name="a")
    scene.add_volume(values + 1, name="b", visible=False)
    return scene


def test_restore_puts_back_state_data_items_and_order() -> None:
    scene = scene_of_two()
    before = SceneSnapshot.of(scene)
    a, data = scene["a"], scene["a"].data
    a.mode, a.opacity = VolumeMode.MIP, 0.25
    a.data = scene["b"].data
    scene.arrange(["b", "a"])
    scene.remove("b")
    scene.add_image(np.zeros((2, 2, 3), np.uint8))
    scene.camera.azimuth = 40.0
    scene.selection = Selection(units=frozenset({("conv", 3)}))
    scene.background = "dark"
    assert not SceneSnapshot.of(scene).equals(before)

    before.restore(scene)

    assert SceneSnapshot.of(scene).equals(before)
    assert [item.name for item in scene] == ["a", "b"]
    assert scene["a"] is a, "items that stay are the same objects: panels keep listening"
    assert scene["a"].data is data


def test_restore_goes_both_ways_over_frames() -> None:
    scene = scene_of_two()
    plain = SceneSnapshot.of(scene)
    frames = [scene["a"].data, scene["b"].data]
    scene.set_frames("epoch", ["0", "1"], {"a": frames})
    scene.frame = 1
    playing = SceneSnapshot.of(scene)

    plain.restore(scene)
    assert len(scene.series) == 0
    assert not scene.frames
    playing.restore(scene)
    assert scene.frame == 1
    assert scene["a"].data is frames[1]
    scene.frame = 0
    assert scene["a"].data is frames[0], "the frames play again"


@given(
    st.lists(
        st.sampled_from(
            ["hide", "opaque", "camera", "remove", "image", "swap", "title", "select", "mode"],
        ),
        max_size=8,
    )
)
def test_any_sequence_of_changes_can_be_taken_back(changes: list[str]) -> None:
    scene = scene_of_two()
    taken = [SceneSnapshot.of(scene)]
    for number, change in enumerate(changes):
        _change(scene, change, number)
        taken.append(SceneSnapshot.of(scene))
    for snapshot in reversed(taken):
        snapshot.restore(scene)
        assert SceneSnapshot.of(scene).equals(snapshot)


def _change(scene: Scene, change: str, number: int) -> None:
    everything = {
        "hide": lambda: [setattr(item, "visible", not item.visible) for item in scene],
        "opaque": lambda: [setattr(item, "opacity", 1 / (number + 2)) for item in scene],
        "camera": lambda: setattr(scene, "camera", Camera(azimuth=number)),
        "remove": lambda: len(scene) and scene.remove(scene.items[0].name),
        "image": lambda: scene.add_image(np.zeros((2, 2, 3), np.uint8)),
        "swap": lambda: scene.arrange([item.name for item in reversed(scene.items)]),
        "title": lambda: setattr(scene, "title", f"title {number}"),
        "select": lambda: setattr(scene, "selection", Selection(units=frozenset({("a", number), ("b", 1)}))),
        "mode": lambda: "a" in scene and setattr(scene["a"], "mode", list(VolumeMode)[number % 4]),
    }
    everything[change]()


def test_arrange_needs_every_name_once() -> None:
    scene = scene_of_two()
    for names in (["a"], ["a", "a"], ["a", "c"]):
        with pytest.raises(InvalidInputError, match="each of"):
            scene.arrange(names)


def test_watch_tells_of_every_kind_of_change_until_closed() -> None:
    scene = scene_of_two()
    told: list[str] = []
    watch = SceneWatch([scene], lambda: told.append("scene"), lambda: told.append("camera"))

    def expect(what: str) -> None:
        assert set(told) == {what}
        told.clear()

    scene.title = "other"
    expect("scene")
    scene["a"].opacity = 0.5
    expect("scene")
    scene["a"].data = scene["b"].data
    expect("scene")
    scene.arrange(["b", "a"])
    expect("scene")
    image = scene.add_image(np.zeros((2, 2, 3), np.uint8))
    expect("scene")
    image.width = 2.0
    expect("scene")
    scene.remove(image.name)
    expect("scene")
    image.width = 3.0
    assert not told, "of an item that is gone nothing is told"
    scene.camera.azimuth = 10.0
    expect("camera")
    old = scene.camera
    scene.camera = Camera(azimuth=20.0)
    assert "camera" in told
    told.clear()
    old.azimuth = 30.0
    assert not told
    scene.camera.azimuth = 40.0
    expect("camera")

    watch.close()
    watch.close()
    scene.title = "again"
    scene["a"].opacity = 0.1
    scene.camera.azimuth = 50.0
    assert not told
