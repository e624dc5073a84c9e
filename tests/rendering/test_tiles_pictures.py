"""Tiles by their pixels: colours of values, folding, links, names, and the film between arrangements."""

import numpy as np
import pytest

from cnnvis.core import NetworkMaps
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import OffscreenWindow, film, render
from cnnvis.rendering.tile_links import NEGATIVE, POSITIVE
from cnnvis.scene import Camera, Scene, TilesItem

SIZE = (300, 200)
FRONT = {"view": "front", "parallel": True}


def maps_of(*stacks, **parts):
    names = tuple(f"layer{number}" for number in range(len(stacks)))
    defaults = {
        "depths": np.arange(len(stacks)),
        "flow": np.empty((0, 2), int),
        "roles": ("convolution",) * len(stacks),
    }
    return NetworkMaps(layers=names, values=stacks, **(defaults | parts))


def front(maps, **state):
    """Return a scene without legend, seen along the data flow."""
    scene = Scene(camera=Camera(**FRONT))
    scene.add_tiles(maps, legend=False, **state)
    return scene


def inked(picture, colour):
    """Return how many pixels have the hue of a thin line: between its colour and the white around it."""
    paper = 255 - picture.astype(float)
    ink = 255 * (1 - np.asarray(colour))
    share = (paper @ ink) / (ink @ ink)
    return int(((share > 0.3) & (np.abs(paper - share[..., None] * ink).max(axis=2) < 12)).sum())


def near(picture, colour, within=12):
    """Return which pixels have a colour (3,) of 0 to 1."""
    return np.abs(picture.astype(int) - np.round(255 * np.asarray(colour))).max(axis=2) <= within


def test_pixels_have_the_colours_of_their_values_upright():
    """Four pixels: 1 and 0.5 in the upper row, 0 and NaN in the lower."""
    scene = front(maps_of(np.array([[[1, 0.5], [0, np.nan]]])))
    picture = render(scene, size=SIZE)
    colours = scene["network"].transfer.colours(np.array([1, 0.5, 0], np.float32))
    places = [np.argwhere(near(picture, colour)).mean(axis=0) for colour in (*colours, MISSING_COLOUR)]
    one, half, none, missing = places
    assert one[0] < none[0]
    assert half[0] < missing[0]
    assert one[1] < half[1]
    assert none[1] < missing[1]
    areas = [near(picture, colour).sum() for colour in (*colours, MISSING_COLOUR)]
    assert min(areas) > 0.8 * max(areas) > 100


def test_soft_pixels_are_blended_and_square_ones_are_not():
    maps = maps_of(np.array([[[0, 1.0], [0, 1.0]]]))
    counts = []
    for pixels in ("square", "soft"):
        scene = front(maps, pixels=pixels)
        middle = scene["network"].transfer.colours(np.array([0, 1], np.float32)).mean(axis=0)
        counts.append(near(render(scene, size=SIZE), middle, 40).sum())
    assert counts[0] < 40 < 400 < counts[1]


def test_of_a_folded_layer_the_mean_is_drawn():
    maps = maps_of(np.stack([np.zeros((2, 2)), np.ones((2, 2)), np.full((2, 2), np.nan)]))
    for state in ({"depth": "slab"}, {"folded_layers": ("layer0",)}):
        scene = front(maps, **state)
        half = scene["network"].transfer.colours(np.array([0.5], np.float32))[0]
        picture = render(scene, size=SIZE)
        assert near(picture, half).sum() > 2000
        whole = scene["network"].transfer.colours(np.array([1.0], np.float32))[0]
        assert not near(picture, whole).any()


def test_reduced_are_the_strongest_and_it_is_said():
    stack = np.array([0.1, 0.9, 0.2, -1.0])[:, None, None] * np.ones((4, 3, 3))
    scene = front(maps_of(stack), depth="reduced", n_reduced=2)
    shown = scene["network"].shown()
    np.testing.assert_array_equal(shown.tile_of_map, [-1, 0, -1, 1])
    np.testing.assert_allclose(shown.stacks[0][:, 0, 0], [0.9, -1])
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        (artist,) = window.panes[0].drawn.shown
        assert "2 of 4 maps are drawn" in artist.notes()


def test_links_have_the_colour_of_their_sign_and_the_strength_of_their_weight():
    parts = {"link_ends": [[0, 1], [0, 3]], "link_weights": [1.0, -1.0], "caption": "links 2 of 4"}
    maps = maps_of(np.zeros((1, 2, 2)), np.zeros((4, 2, 2)), **parts)
    scene = Scene(camera=Camera(view="side", parallel=True))
    item = scene.add_tiles(maps, legend=False, rows=1)
    item.transfer = item.transfer.model_copy(update={"colour_points": ((0, "#ffffff"), (1, "#ffffff"))})
    with_links = render(scene, size=SIZE)
    item.links = False
    without = render(scene, size=SIZE)
    for colour in (POSITIVE, NEGATIVE):
        assert inked(with_links, colour) > 20 > inked(without, colour)


def test_links_of_maps_that_are_not_drawn_are_not_drawn():
    parts = {"link_ends": [[0, 2]], "link_weights": [1.0]}
    maps = maps_of(np.ones((1, 2, 2)), np.array([1, 0])[:, None, None] * np.ones((2, 2, 2)), **parts)
    scene = Scene(camera=Camera(view="side", parallel=True))
    item = scene.add_tiles(maps, legend=False, depth="reduced", n_reduced=1, rows=1)
    item.transfer = item.transfer.model_copy(update={"colour_points": ((0, "#ffffff"), (1, "#ffffff"))})
    assert inked(render(scene, size=SIZE), POSITIVE) < 20
    item.n_reduced = 2
    assert inked(render(scene, size=SIZE), POSITIVE) > 20


def test_moving_tiles_makes_no_new_texture():
    maps = maps_of(np.random.default_rng(0).random((9, 4, 4)))
    scene = front(maps)
    with OffscreenWindow(scene, SIZE) as window:
        before = window.draw().copy()
        (artist,) = window.panes[0].drawn.shown
        atlas = artist.atlas
        scene["network"].arrangement = 0.7
        moved = window.draw()
        assert artist.atlas is atlas
        assert (before != moved).any()
        scene["network"].depth = "slab"
        window.draw()
        assert artist.atlas is not atlas


def test_frames_of_a_series_share_their_limits():
    weak = maps_of(np.full((1, 2, 2), 0.5), limits=[1.0])
    strong = maps_of(np.ones((1, 2, 2)), limits=[1.0])
    scene = front(weak)
    scene.set_frames("epoch", ["0", "1"], {"network": [weak, strong]})
    colours = scene["network"].transfer.colours(np.array([0.5, 1], np.float32))
    for frame, colour in enumerate(colours):
        scene.frame = frame
        assert near(render(scene, size=SIZE), colour).sum() > 2000


def test_a_film_over_the_arrangements_leaves_them_as_they_were(tmp_path):
    scene = front(maps_of(np.ones((5, 2, 2))), arrangement=1.3)
    seen = []
    scene["network"].events.arrangement.connect(seen.append)
    film(scene, tmp_path / "a.gif", over="arrangement", frames=4, fps=4, size=(120, 80))
    assert seen[:4] == pytest.approx([2, 1, 0, 1])
    assert scene["network"].arrangement == 1.3
    with pytest.raises(InvalidInputError, match="no tiles"):
        film(Scene.of(np.ones((2, 3, 3))), tmp_path / "b.gif", over="arrangement")


def test_what_is_no_network_is_refused():
    with pytest.raises(InvalidInputError, match="Tiles show NetworkMaps, got ndarray"):
        Scene().add_tiles(np.ones((2, 3, 3)))
    with pytest.raises(InvalidInputError, match="no layer 'x' to fold"):
        front(maps_of(np.ones((1, 2, 2))), folded_layers=("x",))


def test_names_of_layers_are_written_below_their_tiles():
    scene = Scene.of_tiles(maps_of(np.ones((4, 2, 2)), np.ones((2, 1, 1))))
    with OffscreenWindow(scene, (800, 500)) as window:
        window.draw()
        props = window.panes[0].drawn._decorations
    texts = {prop.GetInput() for prop in props if hasattr(prop, "GetInput")}
    assert {"layer0 (4)", "layer1 (2)"} <= texts
    assert isinstance(scene["network"], TilesItem)


def test_brighter_maps_have_the_colours_of_larger_values_and_it_is_said():
    scene = front(maps_of(np.array([[[1.0, 0.25], [0.25, 0.25]]])))
    item = scene["network"]
    half, quarter = item.transfer.colours(np.array([0.5, 0.25], np.float32))
    assert near(render(scene, size=SIZE), quarter).sum() > 1000
    item.brightness = 2
    picture = render(scene, size=SIZE)
    assert near(picture, half).sum() > 1000
    assert not near(picture, quarter, 4).any()
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        assert "colours of 2 times the values" in window.panes[0].drawn.shown[0].notes()
