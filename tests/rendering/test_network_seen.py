"""Lines and units that are seen from nowhere are left out, and nobody sees it."""

import numpy as np
import pytest
from network_shots import flat_scene, lines_of, units_at
from shots import shoot

from cnnvis.rendering import OffscreenWindow, network_actor
from cnnvis.rendering.network_geometry import network_geometry
from cnnvis.rendering.network_seen import SEEN, seen_pairs
from cnnvis.scene import Scene, Stance


def across(y):
    return [[-3, y, 0], [3, y, 0]]


def seen(*, importance, stances=None, shares=None, **look):
    """Return which of some lines are drawn."""
    places = [across(y) for y in range(len(importance))]
    arrays = {} if shares is None else {"class_shares": np.repeat(shares, 2, axis=0)}
    scene = flat_scene(lines_of(*places, importance=importance, **arrays), **look)
    geometry = network_geometry([scene["bundle"].data])
    if stances is not None:
        geometry.set_stances(0, np.array(stances, np.uint8))
    geometry.set_class(0, scene["bundle"].class_index)
    found = seen_pairs(geometry, geometry.pairs, [scene["bundle"]])
    return sorted(geometry.bundled[found[:, 0], 1].astype(int).tolist())


def test_what_is_not_important_enough_has_no_opacity():
    assert seen(importance=[0.05, 0.0909, 0.093, 0.5], importance_opacity=1.1) == [2, 3]  # 1.1 * 0.093 - 0.1 = 0.0023
    assert seen(importance=[0.05, 0.0909, 0.093, 0.5], importance_opacity=1.0) == [0, 1, 2, 3]


def test_a_base_opacity_shows_all_above_the_threshold():
    state = {"importance_opacity": 1.1, "importance_threshold": 0.02}
    assert seen(importance=[0.01, 0.05, 0.5], base_opacity=0.1, **state) == [1, 2]
    assert seen(importance=[0.01, 0.05, 0.5], base_opacity=SEEN / 2, **state) == [2]


def test_the_opacity_of_the_item_and_depth_hide_nothing():
    """What is faint alone adds up."""
    assert seen(importance=[0.5], opacity=0.001, depth_opacity=1.0) == [0]


def test_stances():
    stances = [Stance.HIDDEN, Stance.FADED, Stance.PLAIN, Stance.CHOSEN, Stance.MARKED]
    assert seen(importance=[0.5] * 5, stances=stances) == [1, 2, 3, 4]
    assert seen(importance=[0.001] * 5, stances=stances, importance_threshold=0.0) == [
        3,
        4,
    ]  # what is chosen has the square root: 0.03
    assert seen(importance=[0.001] * 5, stances=stances, importance_threshold=0.01) == [4]


def test_the_class_that_is_shown_counts():
    shares = [[1.0, 0.0], [0.001, 0.999], [0.5, 0.5]]
    state = {"importance": [1.0] * 3, "shares": shares, "class_names": ("a", "b")}
    assert seen(shown_class="a", **state) == [0, 2]
    assert seen(shown_class="all", **state) == [0, 1, 2]


def random_scene(seed):
    rng = np.random.default_rng(seed)
    ends = rng.uniform(-4, 4, (400, 3, 3))
    units = units_at(rng.uniform(-4, 4, (30, 3)), importance=rng.random(30) ** 3)
    scene = flat_scene(
        lines_of(*ends, importance=rng.random(400) ** 3),
        units,
        importance_opacity=float(rng.uniform(0.9, 1.5)),
        importance_threshold=float(rng.uniform(0, 0.1)),
        unit_state={"importance_opacity": 1.2, "importance_threshold": 0.05},
    )
    scene.camera.azimuth = float(rng.uniform(0, 360))
    return scene


@pytest.mark.parametrize("seed", range(4))
def test_pictures_are_the_same_without_them(monkeypatch, seed):
    scene = random_scene(seed)
    with OffscreenWindow(scene, (240, 200)) as window:
        pixels = window.draw().astype(int)
        actor = window.panes[0].drawn.network
        assert 0 < actor.pieces < len(actor.geometry.pairs)
    monkeypatch.setattr(network_actor, "seen_pairs", lambda geometry, pairs, items: pairs)
    # The steps in which depths are told apart are others with other pieces, so that a few neighbours change places.
    differs = np.abs(shoot(scene).pixels.astype(int) - pixels).max(axis=2) > 2
    assert differs.mean() < 0.002


def test_what_was_seen_from_nowhere_comes_back():
    scene = flat_scene(lines_of(across(-3), across(0), across(3), importance=[0.2, 1.0, 0.2]), importance_threshold=0.5)
    with OffscreenWindow(scene, (240, 200)) as window:
        window.draw()
        network = window.panes[0].drawn.network
        assert network.pieces == 1
        scene["bundle"].importance_threshold = 0.0
        again = window.draw()
        assert network.pieces == 3
        assert network.builds == 1
    np.testing.assert_array_equal(again, shoot(scene).pixels)


def test_nothing_is_cut_off_that_the_frame_before_left_out():
    """The camera's planes are settled before it is known what will be drawn."""
    deep = [[[-1, -1, -40], [1, -1, -40]], [[-1, 0, 0], [1, 0, 0]], [[-1, 1, 40], [1, 1, 40]]]
    scene = flat_scene(lines_of(*deep, importance=[0.2, 1.0, 0.2]), importance_threshold=0.5)
    with OffscreenWindow(scene, (240, 200)) as window:
        window.draw()
        scene["bundle"].importance_threshold = 0.0
        after = window.draw()
    np.testing.assert_array_equal(after, shoot(scene).pixels)
    assert len(np.unique(np.nonzero((after < 200).any(axis=2))[0] // 20)) >= 3


def test_nothing_is_seen_of_nothing():
    geometry = network_geometry([])
    assert seen_pairs(geometry, geometry.pairs, []).shape == (0, 2)
    scene = Scene()
    scene.add_bundle(lines_of(across(0), importance=0.0), legend=False)
    assert shoot(scene).ink()[60:].sum() == 0
