"""The signed difference of two scenes: by hand, whatever the orders, and what cannot be subtracted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cnnvis.core import Ordering, PointSet, PolylineSet, Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Scene
from cnnvis.scene.differences import difference, lines_difference, points_difference, volume_difference


def volume(values: object, layer: str = "conv") -> Volume:
    return Volume(np.asarray(values, np.float32), layer=layer)


def lines(links: dict[tuple[int, int], float]) -> PolylineSet:
    n = len(links)
    points = np.array([[(s, 0, 0), (t, 0, 1)] for s, t in links], np.float32).reshape(-1, 3)
    strength = np.array(list(links.values()), np.float32)
    ends = np.array(list(links)).reshape(n, 2)
    return PolylineSet(
        points,
        np.arange(0, 2 * n + 1, 2),
        {"t": np.tile([0.0, 1.0], n).astype(np.float32), "importance": np.repeat(strength, 2)},
        {"source": ends[:, 0], "target": ends[:, 1], "importance": strength},
    )


def test_volumes_are_subtracted_channel_by_channel_whatever_their_orders() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 5, 3, 4)).astype(np.float32)
    first = volume(a).reordered(Ordering(np.array([4, 2, 0, 1, 3]), method="pca"))
    second = volume(b).reordered(Ordering(np.array([1, 0, 3, 2, 4]), method="leaf"))
    found = volume_difference(first, second)
    np.testing.assert_array_equal(found.channels, first.channels)
    np.testing.assert_allclose(found.values, (b - a)[first.channels], rtol=1e-6)
    assert found.quantity == "difference of activation"


@pytest.mark.parametrize(
    ("first", "second", "caption"),
    [("", "", ""), ("before", "after", "after − before"), ("", "after", "after − unknown")],
)
def test_the_caption_names_both_networks_or_nothing(first, second, caption) -> None:
    volumes = [replace(volume(np.ones((2, 3, 3))), provenance=Provenance(model=model)) for model in (first, second)]
    assert volume_difference(*volumes).provenance.caption == caption


def test_a_scene_minus_itself_is_nothing() -> None:
    scene = Scene.of(volume(np.random.default_rng(0).random((3, 4, 4))))
    (item,) = difference(scene, scene)
    assert not item.data.values.any()


def test_links_by_hand() -> None:
    first = lines({(0, 5): 1.0, (1, 5): 0.5, (2, 6): 0.25})
    second = lines({(1, 5): 2.0, (0, 5): 1.0, (3, 6): 0.5})  # largest 2: 1, 0.5, 0.25
    found = lines_difference(first, second)
    ends = list(zip(found.line_arrays["source"].tolist(), found.line_arrays["target"].tolist(), strict=True))
    assert ends == [(0, 5), (1, 5), (2, 6), (3, 6)]
    np.testing.assert_allclose(found.line_arrays["importance"], [0.5, 0.5, 0.25, 0.25])
    shares = found.point_arrays["class_shares"][::2]
    np.testing.assert_array_equal(shares, [[1, 0], [0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(found.points[:6], first.points)
    np.testing.assert_array_equal(found.points[6:], second.points[4:])


def test_links_of_nothing_and_of_equal_networks() -> None:
    nothing, some = lines({}), lines({(0, 1): 1.0, (1, 1): 0.5})
    np.testing.assert_allclose(lines_difference(nothing, some).line_arrays["importance"], [1.0, 0.5])
    np.testing.assert_allclose(lines_difference(some, nothing).line_arrays["importance"], [1.0, 0.5])
    equal = lines_difference(some, some)
    assert not equal.line_arrays["importance"].any()
    np.testing.assert_array_equal(equal.point_arrays["class_shares"], 0.5)


def test_units_are_paired_by_number() -> None:
    places = np.zeros((3, 3), np.float32)
    layer = np.zeros(3, np.int64)
    first = PointSet(places, {"unit": np.arange(3), "layer": layer, "importance": np.array([1.0, 0.5, 0.0])})
    second = PointSet(places, {"unit": np.array([2, 1, 0]), "layer": layer, "importance": np.array([4.0, 2.0, 0.0])})
    found = points_difference(first, second)
    np.testing.assert_allclose(found.arrays["importance"], [1, 0, 1])
    np.testing.assert_array_equal(found.arrays["class_shares"], [[1, 0], [0.5, 0.5], [0, 1]])


def test_networks_become_a_scene_of_two_colours() -> None:
    scenes = []
    for title, links in (("before", {(0, 5): 1.0}), ("after", {(0, 5): 1.0, (1, 5): 0.5})):
        scene = Scene(title=f"{title} · 2 layers")
        scene.add_bundle(lines(links), mode="lines", layers=("a", "b"), layer_sizes=(5, 1))
        scenes.append(scene)
    found = difference(*scenes)
    shown = found["bundle"]
    assert (shown.class_title, shown.class_names) == ("more in", ("first", "second"))
    assert found.title == "second − first"
    assert shown.caption.startswith("after − before")
    assert shown.mode == "lines"
    assert shown.layers == ("a", "b"), "its units can be selected"
    scenes[1]["bundle"].update({"layers": ("a", "c")})
    with pytest.raises(InvalidInputError, match="same layers"):
        difference(*scenes)


def test_a_difference_is_named_by_both() -> None:
    first, second = Scene.of(volume(np.zeros((2, 3, 3)))), Scene.of(volume(np.ones((2, 3, 3))))
    assert difference(first, second).title == "second − first"
    first.title, second.title = "epoch: 0 · 5 layers", "epoch: 4"
    assert difference(first, second).title == "epoch: 4 − epoch: 0"
    second.title = "epoch: 0"
    assert difference(first, second).title == "second − first"


def test_what_cannot_be_subtracted_says_so() -> None:
    one = Scene.of(volume(np.zeros((2, 3, 3))))
    with pytest.raises(InvalidInputError, match="nothing in common"):
        difference(one, Scene.of(volume(np.zeros((2, 3, 3)), layer="other")))
    with pytest.raises(InvalidInputError, match=r"\(2, 3, 3\).*\(4, 3, 3\)"):
        difference(one, Scene.of(volume(np.zeros((4, 3, 3)))))
    bare = PolylineSet(np.zeros((2, 3), np.float32), np.array([0, 2]))
    with pytest.raises(InvalidInputError, match="lack the arrays"):
        lines_difference(bare, bare)
