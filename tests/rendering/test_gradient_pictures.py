"""Gradients of filters as volumes: signed colours, voxels as they are, and which frame of a series is shown."""

from dataclasses import replace

import numpy as np
import pytest
from shots import shoot

from cnnvis.core import FeatureMaps, Importance, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.rendering import SceneRenderer, _vtk
from cnnvis.rendering.legend import Title
from cnnvis.rendering.pane import Pane
from cnnvis.rendering.style import THEMES
from cnnvis.scene import Camera, Scene, TransferFunction

BARE = {"axes": False, "legend": False}


def filters(values):
    values = np.asarray(values, np.float32)
    return Volume(values, layer="conv", quantity="weight gradient", spacing=stack_spacing(values.shape))


def scene_of(values, *, view="front", **state):
    scene = Scene(camera=Camera(view=view, parallel=True))
    scene.add_volume(filters(values), **(BARE | state))
    return scene


def test_signs_have_their_colours_and_nothing_is_seen_of_zero():
    kernel = np.array([[[1.0, 0.0, -1.0], [0.5, -0.5, 0.0], [0.0, 1.0, -1.0]]])
    shot = shoot(scene_of(kernel, density=30))
    for row, column in np.ndindex(3, 3):
        red, _, blue = shot.colour(column, row, 0)
        value = kernel[0, row, column]
        assert np.sign(red - blue) == np.sign(value)
        if value == 0:
            assert shot.colour(column, row, 0).tolist() == [255, 255, 255]
    strong, weak = (255 - shot.colour(*at).min() for at in [(0, 0, 0), (0, 1, 0)])
    assert strong > weak > 10  # opacity by magnitude


@pytest.mark.parametrize("shape", [(1, 3, 3), (4, 3, 3), (2, 11, 11)])
@pytest.mark.parametrize("mode", ["raycast", "mip"])
def test_every_voxel_of_a_kernel_is_drawn_whole_and_unblended(shape, mode):
    values = np.zeros(shape)
    values[:, 0, 0] = values[:, -1, -1] = 1.0
    transfer = TransferFunction(span=(0, 1), opacity=((0, 0), (0.01, 1), (1, 1)), colour_map="gray_r")
    shot = shoot(scene_of(values, mode=mode, transfer=transfer, density=30))
    last = shape[1] - 1
    for corner in (0, last):
        middle = shot.colour(corner, corner, 0)
        for x, y in [(-0.42, -0.42), (0.42, -0.42), (-0.42, 0.42), (0.42, 0.42)]:
            np.testing.assert_allclose(shot.colour(corner + x, corner + y, 0), middle, atol=3)
    assert shot.colour(last, 0, 0).tolist() == [255, 255, 255]
    assert shot.colour(0.6, 0, 0).tolist() == [255, 255, 255]


def test_a_single_thin_filter_is_seen_whole_at_an_angle():
    values = np.zeros((32, 3, 3))
    values[16] = 1.0
    transfer = TransferFunction(span=(0, 1), opacity=((0, 0), (1, 1)), colour_map="gray_r")
    shot = shoot(scene_of(values, view="three_quarter", transfer=transfer, density=0.3))
    depth = 16 * stack_spacing(values.shape)[2]
    face = [shot.colour(x, y, depth)[0] for x in np.linspace(0, 2, 40) for y in np.linspace(0, 2, 40)]
    assert max(face) - min(face) < 10  # few samples on a ray leave it striped
    assert max(face) < 150


def test_slices_and_notes_name_the_axes_of_filters():
    scene = scene_of(np.ones((4, 3, 3)), mode="slices", slices={"channel": 2, "row": 1})
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    renderer.refresh(300, 200)
    assert renderer._notes(list(scene)) == ["slices: filter #2, kernel row 1"]
    renderer.close()


def test_the_frame_shown_is_a_headline_in_the_second_line():
    gradient = filters(np.ones((4, 3, 3)))
    scene = Scene.of_series("case", ("right", "wrong"), [gradient, replace(gradient, values=-gradient.values)])
    scene.frame = 1
    renderer = SceneRenderer(scene, _vtk.vtkRenderer())
    lines = renderer._title(list(scene))
    assert lines == ["conv: weight gradient", "case: wrong"]
    renderer.close()
    sizes = [size for _, size, _ in Title([*lines, "caption"], Pane.of(640, 400, THEMES["light"]), large=2).lines]
    assert sizes[0] == sizes[1] > sizes[2]


def test_a_series_keeps_its_range_so_that_frames_can_be_compared():
    strong = filters(np.full((1, 2, 2), -1.0))
    frames = [strong, replace(strong, values=0.5 * strong.values)]
    scene = Scene.of_series(
        "case", ("a", "b"), frames, **BARE, transfer=TransferFunction(centre=0, colour_map="RdBu_r")
    )
    scene.camera.update({"view": "front", "parallel": True})
    first = shoot(scene).colour(0, 0, 0)
    scene.frame = 1
    second = shoot(scene).colour(0, 0, 0)
    assert second.mean() > first.mean() + 30


def test_one_class_drives_the_opacity_of_the_channels():
    maps = FeatureMaps(np.ones((1, 2, 4, 4), np.float32), "conv")
    importance = Importance(
        {"conv": [1.0, 1.0]}, "gradient", per_class={"conv": [[1.0, 0.0], [0.0, 1.0]]}, class_names=("Shirt", "Bag")
    )
    colours = {}
    for name in ("Shirt", "Bag"):
        scene = Scene(camera=Camera(view="side", parallel=True))
        transfer = TransferFunction(span=(0, 1), colour_map="gray_r", opacity=((0, 0), (1, 1)))
        scene.add_volume(maps, importance=importance.of_class(name), transfer=transfer, interpolation="nearest", **BARE)
        shot, depth = shoot(scene), scene["conv"].data.spacing[2]
        colours[name] = [shot.colour(3, 1.5, channel * depth)[0] for channel in (0, 1)]
    assert colours["Shirt"][0] < 80 < 250 < colours["Shirt"][1]
    assert colours["Bag"][1] < 80 < 250 < colours["Bag"][0]
