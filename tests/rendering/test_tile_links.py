"""Links of tiles in the picture: from maps to pixels, from one position to all, marked, counted, in colour."""

import numpy as np
import pytest
from test_tiles_pictures import inked, maps_of, near

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.pixel_links import PixelLinks
from cnnvis.rendering import OffscreenWindow, film, render
from cnnvis.rendering.tile_links import NEGATIVE, POSITIVE
from cnnvis.scene import Camera, Scene, Selection

SIZE = (300, 200)


def linked(**state):
    """Return a scene of an image of 4 x 4 and two maps of 2 x 2, the first of which reads windows of 2 x 2."""
    rows = np.array([[0, 1], [2, 3]])
    links = PixelLinks(
        source=0,
        target=1,
        maps=[[0, 0], [0, 0], [0, 1]],
        places=[[0, 0], [1, 1], [0, 1]],
        weights=[1.0, -1.0, 0.5],
        rows=rows,
        columns=rows,
        n_entries=8,
    )
    stacks = np.ones((1, 4, 4)), np.ones((2, 2, 2))
    maps = maps_of(*stacks, pixel_links=(links,), link_ends=[[0, 1], [0, 2]], link_weights=[1.0, 1.0])
    scene = Scene(camera=Camera(view="side", parallel=True))
    scene.add_tiles(maps, legend=False, **({"rows": 1, "arrangement": 2.0} | state))
    return scene


def drawn(scene):
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        (artist,) = window.panes[0].drawn.shown
        return artist.drawn_links, artist.tiles(), artist.notes()


def test_from_the_middle_of_maps_to_the_pixels_of_a_window():
    for expansion in (1.0, 1.5, 2.0):
        (between_maps, lines), tiles, _ = drawn(linked(expansion=expansion, row=0.0, column=0.9))
        if expansion == 1:
            assert len(lines.points) == 0
            assert len(between_maps.points) == 2
            continue
        assert len(between_maps.points) == 0
        assert len(lines.points) == 3
        strongest = lines.points[-1] if lines.strengths[-1] > 0 else lines.points[-2]
        share = expansion - 1
        # the window at row 0, column 1 reads column 2 of row 0 by its first place: (2.5 / 4, 0.5 / 4) of the tile
        offset = share * np.array([2.5 / 4 - 0.5, 0.5 / 4 - 0.5, 0]) * [*tiles.sides[0], 0]
        np.testing.assert_allclose(strongest[0], tiles.centres[0] + offset)
        offset = share * np.array([1.5 / 2 - 0.5, 0.5 / 2 - 0.5, 0]) * [*tiles.sides[1], 0]
        np.testing.assert_allclose(strongest[-1], tiles.centres[1] + offset)


def test_all_positions_begin_at_the_one_and_end_at_their_own():
    (_, start), _, _ = drawn(linked(expansion=2.0 + 1e-9, row=0.0, column=0.0))
    (_, end), tiles, notes = drawn(linked(expansion=3.0))
    assert len(start.points) == len(end.points) == 12
    assert len(np.unique(start.points.round(6), axis=0)) == 3
    assert len(np.unique(end.points.round(6), axis=0)) == 12
    own = end.points[:, -1][end.ends[:, 1] == 1] - tiles.centres[1]
    assert {tuple(row) for row in np.sign(own[:, :2]).astype(int)} == {(-1, -1), (1, -1), (-1, 1), (1, 1)}
    assert "the 12 strongest of 32 products at all positions" in " ".join(notes)


def test_there_are_never_more_than_asked_for_and_it_is_said():
    (_, lines), _, notes = drawn(linked(expansion=3.0, most_links=5))
    assert len(lines.points) == 5
    assert "the 5 strongest of 32 products" in " ".join(notes)
    (_, lines), _, notes = drawn(linked(expansion=2.0, most_links=2))
    assert np.abs(lines.strengths).tolist() == [1, 1]
    assert "the 2 strongest of 8 products at one position" in " ".join(notes)


def test_colours_go_by_the_weight_or_by_what_it_makes_of_the_pixel():
    scene = linked(expansion=2.0)
    item = scene["network"]
    item.transfer = item.transfer.model_copy(update={"colour_points": ((0, "#ffffff"), (1, "#ffffff"))})
    picture = render(scene, size=SIZE)
    assert inked(picture, POSITIVE) > 10
    assert inked(picture, NEGATIVE) > 10
    item.links_by = "product"
    (_, lines), _, notes = drawn(scene)
    assert "orange: positive product" in " ".join(notes)
    assert sorted(lines.strengths) == [-1, 0.5, 1]
    item.link_brightness = 0
    assert inked(render(scene, size=SIZE), POSITIVE) == 0


def test_links_of_a_selected_map_are_marked_and_the_others_step_back():
    scene = linked(expansion=2.0)
    item = scene["network"]
    item.transfer = item.transfer.model_copy(update={"colour_points": ((0, "#ffffff"), (1, "#ffffff"))})
    both = render(scene, size=SIZE)
    scene.selection = Selection(units={("layer1", 1)})  # which only the third weight feeds
    one = render(scene, size=SIZE)
    assert inked(one, NEGATIVE) < inked(both, NEGATIVE)
    assert inked(one, POSITIVE) > 0
    scene.selection = Selection()
    np.testing.assert_array_equal(render(scene, size=SIZE), both)


def test_an_input_of_three_maps_is_a_picture_in_colour_or_three_maps():
    stack = np.zeros((3, 2, 2))
    stack[0, 0], stack[1, 1, 0], stack[2, 1, 1] = 1, 1, 1
    maps = maps_of(stack, roles=("input",))
    scene = Scene(camera=Camera(view="front", parallel=True))
    item = scene.add_tiles(maps, legend=False)
    picture = render(scene, size=SIZE)
    counts = [near(picture, colour).sum() for colour in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    assert counts[0] > 1.8 * counts[1] > 1000
    assert min(counts[1:]) > 0.9 * max(counts[1:])
    assert np.argwhere(near(picture, (1, 0, 0)))[:, 0].mean() < np.argwhere(near(picture, (0, 1, 0)))[:, 0].mean()
    item.in_colour = False
    assert near(render(scene, size=SIZE), (0, 1, 0)).sum() == 0
    np.testing.assert_array_equal(item.shown().tile_of_map, [0, 1, 2])


def test_a_film_over_positions_leaves_the_item_as_it_was(tmp_path):
    scene = linked(expansion=1.0, row=0.25)
    film(scene, tmp_path / "positions.gif", over="position", frames=4, size=(160, 120))
    item = scene["network"]
    assert (item.expansion, item.row, item.column) == (1.0, 0.25, 0.5)
    with pytest.raises(InvalidInputError, match="'position'"):
        film(scene, tmp_path / "x.gif", over="nowhere")


def test_pixel_links_must_fit_the_maps():
    good = linked()["network"].data.pixel_links[0]
    with pytest.raises(InvalidInputError, match="pixel links of 'layer1'"):
        maps_of(np.ones((1, 4, 4)), np.ones((2, 3, 3)), pixel_links=(good,))
    with pytest.raises(InvalidInputError, match="0 to 0"):
        maps_of(np.ones((1, 4, 4)), np.ones((1, 2, 2)), pixel_links=(good,))


def test_a_layer_to_enlarge_must_be_there():
    with pytest.raises(InvalidInputError, match="to fold or enlarge"):
        linked(enlarged_layers=("layer7",))
