"""What users met: mistakes that must end in a sentence, and results that must repeat without further options."""

import numpy as np
import pytest
import torch
from torch import nn

import cnnvis
from cnnvis.cli import main
from cnnvis.core import FeatureMaps, Ordering, Volume
from cnnvis.core.errors import InvalidInputError, OutputError
from cnnvis.io import require_writable
from cnnvis.scene import Scene, SceneGrid, TransferFunction

STACK = np.random.default_rng(0).normal(size=(6, 8, 8)).astype(np.float32)


def test_the_rest_of_a_grid_is_paper():
    grid = SceneGrid([Scene.of(STACK, axes=False, legend=False) for _ in range(5)])
    picture = cnnvis.render(grid, size=(300, 200))
    assert (picture[110:, 210:] == 255).all()


def test_a_saved_grid_renders_to_the_same_picture_by_default(tmp_path):
    grid = SceneGrid([Scene.of(STACK), Scene.of(STACK[::-1])], size=(500, 220))
    cnnvis.save(grid, tmp_path / "scene.json")
    first = cnnvis.render(grid)
    assert first.shape == (220, 500, 3)
    assert main(["render", str(tmp_path / "scene.json"), str(tmp_path / "again.png"), "--quiet"]) == 0
    from PIL import Image

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


def test_maps_are_not_a_scene():
    with pytest.raises(InvalidInputError, match=r"got FeatureMaps.*Scene\.of"):
        cnnvis.render(FeatureMaps(STACK[None], "a"))


def test_an_order_names_the_axis_it_needs():
    order = Ordering(np.arange(6)[::-1], "reverse")
    with pytest.raises(InvalidInputError, match=r"maps\.volume\(ordering\)"):
        order.apply(FeatureMaps(STACK[None], "a"))
    with pytest.raises(InvalidInputError, match="axis=1"):
        order.apply(STACK[None])
    np.testing.assert_array_equal(order.apply(STACK[None], axis=1), STACK[None, ::-1])


def test_swapped_arguments_are_told_in_one_line():
    with pytest.raises(InvalidInputError, match="the layer is a name, got ndarray"):
        FeatureMaps("a", STACK)


def test_colour_maps_are_checked_where_they_are_named():
    with pytest.raises(ValueError, match="viridis"):
        TransferFunction(colour_map="virids")


def test_a_folder_that_cannot_be_written_is_known_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        require_writable(tmp_path / "file" / "out")
    require_writable(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()


def test_exported_programs_have_convolutions(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8)).eval()
    torch.export.save(torch.export.export(net, (torch.zeros(1, 3, 12, 12),)), tmp_path / "p.pt2")
    graph = cnnvis.trace(cnnvis.models.load(tmp_path / "p.pt2"))
    assert [layer.role for layer in graph.layers] == ["input", "convolution", "activation", "convolution"]
    assert graph.units.sizes == (8, 8)
