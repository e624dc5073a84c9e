"""The graph of a layer's channels: balls and tubes in the colours of groups, what is picked, what is selected."""

import numpy as np
import pytest
from network_shots import shots
from shots import shoot

import cnnvis
from cnnvis.core import ChannelGraph, EdgeSet, Units
from cnnvis.core.palette import NO_GROUP_COLOUR, group_colour
from cnnvis.rendering import LineHit, OffscreenWindow, Picker, UnitHit, export_html
from cnnvis.scene import BundleItem, GlyphsItem, Scene, Selection
from cnnvis.scene.graph_contents import BALL, SMALLEST, TUBE

SIZE = (400, 320)
PLACES = np.array([[-1, -0.6, 0], [-1, 0.6, 0], [1, -0.6, 0], [1, 0.6, 0], [0, 0, 0]])


def graph(**changes):
    """Return channels 0 and 1 in a group at the left, 2 and 3 in one at the right, and 4, alone, in the middle."""
    links = EdgeSet([0, 2, 0], [1, 3, 2], [1.0, 0.25, 0.01], units=Units(("conv",), (5,)), n_total=9, weight_total=2.52)
    fields = {"labels": [0, 0, 1, 1, 2], "sizes": [1, 1, 1, 0, 1], "links": links, "measured": "spread"} | changes
    return ChannelGraph("conv", PLACES, **fields)


def front(**changes):
    """Return its scene seen from the front, without what depth and light do to colours."""
    scene = Scene.of_graph(graph(**changes))
    scene.camera.update({"view": "front", "parallel": True})
    for name in ("links", "channels"):
        scene[name].update({"depth_opacity": 0.0, "depth_exponent": 0.0, "light": 0.0, "legend": False})
    scene.remove("groups")
    scene.title = " "
    return scene


def near(colour, wanted, tolerance=12):
    return np.abs(np.asarray(colour) - 255 * np.asarray(wanted)).max() < tolerance


def test_balls_have_the_colours_of_their_groups_and_grey_without_one():
    shot = shoot(front(), SIZE)
    for channel, wanted in enumerate([group_colour(0)] * 2 + [group_colour(1)] * 2 + [NO_GROUP_COLOUR]):
        assert near(shot.colour(*PLACES[channel]), wanted), channel


def test_balls_are_as_large_as_the_statistic_says():
    scene = front()
    shot = shoot(scene, SIZE)
    radius = BALL * 5 ** (-1 / 3)
    assert scene["channels"].size == pytest.approx(radius)
    just = 0.9 * radius  # to the right of the middle: inside the largest ball, outside the smallest one
    assert near(shot.colour(*(PLACES[2] + [just, 0, 0])), group_colour(1))
    assert near(shot.colour(*(PLACES[3] + [just, 0, 0])), (1, 1, 1))
    assert near(shot.colour(*(PLACES[3] + [0.7 * SMALLEST * radius, 0, 0])), group_colour(1))


def test_tubes_are_thicker_and_fuller_the_heavier_the_link():
    scene = front()
    shot = shoot(scene, SIZE)
    left, right, between = (shot.colour(x, y, 0) for x, y in ((-1, 0), (1, 0), (0, -0.6)))
    assert near(left, group_colour(0))
    paleness = [255 * 3 - colour.sum() for colour in (left, right, between)]
    assert paleness[0] > 1.5 * paleness[1] > 1.5 * paleness[2]
    half = TUBE * BALL * 5 ** (-1 / 3)
    assert near(shot.colour(-1 + 0.8 * half, 0, 0), group_colour(0), 40)
    assert near(shot.colour(1 + 0.8 * half, 0, 0), (1, 1, 1))  # a quarter as heavy, a quarter as thick


def test_the_picture_says_what_is_drawn():
    scene = Scene.of_graph(graph())
    tubes, balls, numbers = scene.items
    assert isinstance(tubes, BundleItem)
    assert isinstance(balls, GlyphsItem)
    assert scene.title == "conv · 5 channels in 2 groups"
    assert tubes.caption == "links 3 of 9, weight kept 50.0 % · balls: spread · grey: 1 in no group"
    assert (tubes.class_title, tubes.class_names) == ("group", ("0 (2)", "1 (2)"))
    assert numbers.texts == ("0", "1")
    away = np.linalg.norm(numbers.data, axis=1)
    assert (away > np.linalg.norm(PLACES, axis=1).max() - 0.2).all()  # beyond the group, where no ball hides them


def test_a_ball_that_is_picked_is_its_channel_and_a_tube_both_ends():
    with OffscreenWindow(front(), SIZE) as window:
        window.draw()
        picker, shot = Picker(window.panes[0].drawn), shoot(front(), SIZE)

        def at(*point):
            row, column = shot.at(*point)
            return picker.at(round(column), round(SIZE[1] - 1 - row))

        ball, tube, alone = at(*PLACES[3]), at(-1, 0, 0), at(*PLACES[4])
    assert isinstance(ball, UnitHit)
    assert ball.selection == Selection(units={("conv", 3)})
    assert ball.text == f"conv #3 · size {SMALLEST:g} · group 1 (2) (100%)"
    assert alone.text == "conv #4 · size 1"
    assert isinstance(tube, LineHit)
    assert tube.selection.units == {("conv", 0), ("conv", 1)}
    assert tube.text.startswith("conv #0 → conv #1 · weight 1 · strength 1 · rank 1 of 3 · group 0 (2)")


def test_what_is_selected_stands_out():
    scene = front()
    plain, chosen, elsewhere = shots(
        scene,
        [
            lambda: setattr(scene, "selection", Selection(units={("conv", 0)})),
            lambda: setattr(scene, "selection", Selection(units={("another", 0)})),
        ],
        size=SIZE,
    )
    assert near(chosen.colour(*PLACES[0]), group_colour(0))
    assert chosen.colour(*PLACES[2]).sum() > plain.colour(*PLACES[2]).sum() + 100
    assert near(elsewhere.colour(*PLACES[2]), group_colour(1))


def test_it_is_saved_and_exported_as_any_scene_is(tmp_path):
    scene = front()
    cnnvis.save(scene, tmp_path / "graph.json")
    again = cnnvis.load(tmp_path / "graph.json")
    np.testing.assert_array_equal(shoot(again, SIZE).pixels, shoot(scene, SIZE).pixels)
    page = export_html(scene, tmp_path / "graph.html")
    assert page.stat().st_size > 10_000


def test_channels_without_groups_and_without_links_are_drawn():
    none = EdgeSet([], [], [], units=Units(("conv",), (5,)))
    scene = front(labels=[0, 1, 2, 3, 4], links=none)
    assert scene["links"].shown_class == "none"
    shot = shoot(scene, SIZE)
    assert all(shot.colour(*place).sum() < 300 for place in PLACES)


def test_one_group_can_be_shown_alone():
    scene = front()
    for name in ("links", "channels"):
        scene[name].shown_class = "1 (2)"
    shot = shoot(scene, SIZE)
    assert near(shot.colour(*PLACES[2]), group_colour(1))
    for place in (*PLACES[:2], (-1, 0, 0), PLACES[4]):  # balls and the tube of the other group, and the one in none
        assert near(shot.colour(*place), (1, 1, 1), 3)
