"""What can be rendered, in which size, and what a window shows where no scene is."""

import numpy as np
import pytest
from PIL import Image

import cnnvis
from cnnvis.cli import main
from cnnvis.core import FeatureMaps, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.rendering import export_html
from cnnvis.scene import Scene, SceneGrid

STACK = np.random.default_rng(0).normal(size=(6, 8, 8)).astype(np.float32)


def test_the_rest_of_a_grid_is_paper():
    grid = SceneGrid([Scene.of(STACK, axes=False, legend=False) for _ in range(5)], columns=3)
    picture = cnnvis.render(grid, size=(300, 200))
    assert (picture[110:, 210:] == 255).all()


def test_a_saved_grid_renders_to_the_same_picture_by_default(tmp_path):
    grid = SceneGrid([Scene.of(STACK), Scene.of(STACK[::-1])], size=(500, 220))
    cnnvis.save(grid, tmp_path / "scene.json")
    first = cnnvis.render(grid)
    assert first.shape == (220, 500, 3)
    assert main(["render", str(tmp_path / "scene.json"), str(tmp_path / "again.png"), "--quiet"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "again.png")), first)


def test_a_scene_keeps_its_size(tmp_path):
    scene = Scene.of(STACK)
    scene.size = (320, 200)
    cnnvis.save(scene, tmp_path / "scene.json")
    assert cnnvis.load(tmp_path / "scene.json").size == (320, 200)
    assert cnnvis.render(scene).shape == (200, 320, 3)


@pytest.mark.parametrize("suffix", [".vtm", ".pvd"])
def test_several_volumes_can_be_rendered_from_their_file(tmp_path, suffix):
    source = tmp_path / f"several{suffix}"
    cnnvis.save({"a": Volume(STACK, layer="a"), "b": Volume(2 * STACK, layer="b")}, source)
    assert main(["render", str(source), str(tmp_path / "p.png"), "--size", "320x200", "--quiet"]) == 0
    assert (tmp_path / "p.png").stat().st_size > 1000


@pytest.mark.parametrize("size", [None, (320, 200)])
def test_maps_are_not_a_scene(size, tmp_path):
    maps = FeatureMaps(STACK[None], "a")
    with pytest.raises(InvalidInputError, match=r"got FeatureMaps.*Scene\.of"):
        cnnvis.render(maps, size=size)
    with pytest.raises(InvalidInputError, match=r"got FeatureMaps.*Scene\.of"):
        cnnvis.film(maps, tmp_path / "f.mp4", size=size)
    with pytest.raises(InvalidInputError, match=r"got FeatureMaps.*Scene\.of"):
        export_html(maps, tmp_path / "p.html")
