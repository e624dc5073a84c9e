"""Several stacks in one picture: no text covers another, or the stack that stands in front."""

from itertools import combinations

import numpy as np
import pytest
from scipy.spatial import Delaunay

from cnnvis.core import Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.rendering import OffscreenWindow, _vtk
from cnnvis.rendering.artist import box_corners
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import THEMES
from cnnvis.scene.layer_row import scene_of_layers

SIZE = (640, 520)
SHAPES = {"first": (16, 30, 30), "second": (24, 15, 15), "third": (32, 8, 8)}


def row_of(n, azimuth):
    volumes = [
        Volume(np.ones(shape, np.float32), layer=name, spacing=stack_spacing(shape))
        for name, shape in list(SHAPES.items())[:n]
    ]
    scene = scene_of_layers(volumes, legend=False)
    scene.camera.azimuth = azimuth
    return scene


def boxes_of_texts(renderer):
    """Left, right, bottom and top of each text in pixels, by what it says; those of the title left out."""
    found = []
    actors = renderer.GetViewProps()
    actors.InitTraversal()
    for _ in range(actors.GetNumberOfItems()):
        actor = actors.GetNextProp()
        if isinstance(actor, _vtk.vtkTextActor) and actor.GetTextProperty().GetJustification() == 1:
            x, y = actor.GetActualPositionCoordinate().GetComputedViewportValue(renderer)
            box = [0.0] * 4
            actor.GetBoundingBox(renderer, box)
            found.append((actor.GetInput(), np.array([x + box[0], x + box[1], y + box[2], y + box[3]])))
    return found


def on_screen(projection, bounds):
    return projection(box_corners(bounds)) * SIZE[1] + np.array(SIZE) / 2


@pytest.mark.parametrize("azimuth", [0.0, 15.0, -20.0, 40.0, 75.0, 150.0])
@pytest.mark.parametrize("n", [2, 3])
def test_texts_of_stacks_in_a_row_cover_neither_each_other_nor_the_nearer_stack(n, azimuth):
    scene = row_of(n, azimuth)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        drawn = window.panes[0].drawn
        texts = boxes_of_texts(drawn.renderer)
        projection = Projection.of(drawn.renderer, SIZE[0] / SIZE[1])
        artists = sorted(drawn.shown, key=lambda each: projection.depth(each.bounds().mean(axis=0)[None])[0])
        nearest = Delaunay(on_screen(projection, artists[0].bounds()))
    assert len(texts) >= 8
    for (one, a), (other, b) in combinations(texts, 2):
        apart = max(a[0] - b[1], b[0] - a[1], a[2] - b[3], b[2] - a[3])
        assert apart >= -2, (one, other)
    for text, (left, right, bottom, top) in texts:
        middle = [[(left + right) / 2, (bottom + top) / 2]]
        assert nearest.find_simplex(middle)[0] < 0, text


def test_the_nearest_stack_keeps_all_its_texts():
    both, alone = row_of(2, 0.0), row_of(2, 0.0)
    alone["second"].axes = False
    said = []
    for scene in (both, alone):
        with OffscreenWindow(scene, SIZE) as window:
            window.draw()
            said.append([text for text, _ in boxes_of_texts(window.panes[0].drawn.renderer)])
    assert set(said[1]) <= set(said[0])
    assert len(said[0]) > len(said[1])


def test_what_lies_on_a_box_by_hand():
    texts = ScreenTexts(Pane.of(*SIZE, THEMES["light"]), Margins(0, 0, 0, 0))
    square = np.array([[x, y] for x in (0.0, 1.0) for y in (0.0, 1.0)])
    corners = np.concatenate([square, square + 0.5])  # a box seen from a corner: two squares and what is between
    assert not texts.covered(np.array([[0.5, 0.5]])).any()
    texts.stay_beside(corners)
    inside = np.array([[0.5, 0.5], [1.2, 1.2], [1.2, 0.4], [0.1, 0.9]])
    outside = np.array([[-0.1, 0.5], [1.4, 0.2], [0.1, 1.4], [1.6, 1.6]])
    assert texts.covered(inside).all()
    assert not texts.covered(outside).any()
