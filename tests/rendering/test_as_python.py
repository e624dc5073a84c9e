"""A scene as Python: what the text builds is the same scene, and the same picture."""

import ast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_samples import sagging_network
from PIL import Image

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.io import save
from cnnvis.rendering import render
from cnnvis.scene import ClipBox, Scene, SceneGrid, Selection, TransferFunction, scene_of_layers
from cnnvis.scene._python_source import literal
from cnnvis.scene.as_python import as_python

SIZE = (160, 100)


def volume(seed=0, layer="conv"):
    values = np.random.default_rng(seed).standard_normal((5, 8, 8))
    return Volume(values, layer=layer, weights=np.arange(5.0))


def of_volume():
    scene = Scene(background="dark", size=SIZE, title='a "quoted" title')
    item = scene.add_volume(volume(), drive="importance")
    item.transfer = item.transfer.model_copy(
        update={"opacity": ((0, 0), (0.3, 0.1), (0.7, 0.9), (1, 1)), "clip": (5, 95)}
    )
    item.clip_box = ClipBox(channel=(1, 3))
    item.opacity = 0.8
    scene.camera.update({"azimuth": 33.3, "elevation": 1 / 3, "zoom": 1.2})
    return scene


def of_network():
    scene = Scene.of_network(sagging_network(), shown_class=1, blend=0.25)
    scene.size = SIZE
    scene["bundle"].importance_threshold = 0.2
    scene["units"].size = 0.07
    scene["layers"].visible = False
    scene.selection = Selection(units={("fc0", 1), ("fc1", 2)}, classes={2})
    scene.camera.update({"view": "custom", "position": (3.1, -2.0, -4.0), "view_up": (0.0, -1.0, 0.1)})
    return scene


def of_matrix():
    scene = Scene(size=SIZE)
    names = [f"class {number}" for number in range(20)]
    values = np.random.default_rng(1).random((2, 20))
    values[0, 3] = np.nan
    scene.add_matrix(values, rows=("a", "b"), columns=names, transfer=TransferFunction(span=(0, 2), colour_map="magma"))
    scene.camera.update({"view": "three_quarter", "parallel": False})  # as a new camera is, but no matrix's
    return scene


def of_frames():
    scene = Scene.of_series("epoch", ["0", "5", "10"], [volume(seed) for seed in range(3)], mode="mip")
    scene.size = SIZE
    scene.frame = 2
    (item,) = scene
    item.transfer = item.transfer.model_copy(update={"span": None})
    return scene


def of_layers():
    scene = scene_of_layers([volume(0, "a"), volume(1, "b"), volume(2, "a")])
    scene.size = SIZE
    scene.add_image(np.full((4, 6, 3), (200, 0, 0), np.uint8), origin=(0.0, 9.0, 0.0))
    scene.add_labels([[0, 0, 0], [1, 2, 3]], ["it's", "b\\"], size=20)
    scene.remove("b")
    return scene


def of_grid():
    scenes = [Scene.of(volume(seed), name=f"seed {seed}") for seed in range(3)]
    grid = SceneGrid(scenes, columns=2, size=(240, 160))
    scenes[1].camera.azimuth = 50.0
    (item,) = scenes[2]
    item.transfer = item.transfer.model_copy(update={"span": (-1.0, 1.0)})  # after the grid had linked them
    return grid


CASES = [of_volume, of_network, of_matrix, of_frames, of_layers, of_grid]


def run(text, folder, monkeypatch):
    monkeypatch.chdir(folder)
    names = {}
    exec(compile(text, "as_python", "exec"), names)
    return names


@pytest.mark.parametrize("make", CASES)
def test_the_text_builds_the_same_scene_and_the_same_picture(make, tmp_path, monkeypatch):
    target = make()
    save(target, tmp_path / "s.json")
    before = target.state()
    text = as_python(target, "s.json")
    assert target.state() == before
    names = run(text, tmp_path, monkeypatch)
    built = names["grid" if isinstance(target, SceneGrid) else "scene"]
    assert built.state() == before
    assert built is not names["saved"]
    pixels = np.asarray(Image.open(tmp_path / "s.png"))
    assert np.ptp(pixels) > 100
    np.testing.assert_array_equal(pixels, render(target))


@pytest.mark.parametrize("make", CASES)
def test_the_state_is_in_the_text_not_in_the_file(make, tmp_path, monkeypatch):
    """Of a file whose state is another, the text takes the data only."""
    target = make()
    save(target, tmp_path / "s.json")
    text = as_python(target, "s.json")
    for scene in target if isinstance(target, SceneGrid) else (target,):
        scene.camera.update({"azimuth": 123.0})
        scene.background = "light" if scene.background == "dark" else "dark"
        for item in scene:
            item.update({"visible": not item.visible, "opacity": 0.1})
    changed = target.state()
    save(target, tmp_path / "s.json")
    names = run(text, tmp_path, monkeypatch)
    built = names["grid" if isinstance(target, SceneGrid) else "scene"]
    assert built.state() != changed
    assert built.state() == make().state()


def test_only_what_differs_is_written():
    scene = Scene.of(volume())
    calls = [node.value for node in ast.parse(as_python(scene)).body if isinstance(node, ast.Expr)]
    assert [ast.unparse(call) for call in calls] == [
        "scene.add_volume(saved['conv'].data, name='conv')",
        "cnnvis.render(scene, 'scene.png')",
    ]
    scene["conv"].mode = "mip"
    assert 'scene.add_volume(saved["conv"].data, name="conv", mode="mip")\n' in as_python(scene)


def test_a_scene_without_a_file_says_that_it_has_to_be_saved(tmp_path, monkeypatch):
    scene = of_volume()
    text = as_python(scene)
    assert text.startswith("# Save the scene as scene.json first")
    save(scene, tmp_path / "scene.json")
    assert run(text, tmp_path, monkeypatch)["scene"].state() == scene.state()
    assert not as_python(scene, "s.json").startswith("#")


@pytest.mark.parametrize("name", ["net.safetensors", "net.vtm", "v.vti"])
def test_data_also_come_from_the_file_that_was_opened(name, tmp_path, monkeypatch):
    held = volume() if name == "v.vti" else sagging_network()
    scene = Scene.of(held) if name == "v.vti" else Scene.of_network(held)
    if name == "net.vtm":  # which holds lines and units by other names, and no labels
        scene = Scene()
        scene.add_bundle(held.lines, name="lines")
        scene.add_glyphs(held.points, name="units")
    scene.items[0].opacity = 0.7
    scene.size = SIZE
    save(held, tmp_path / name)
    names = run(as_python(scene, name), tmp_path, monkeypatch)
    assert names["scene"].state() == scene.state()
    np.testing.assert_array_equal(render(names["scene"]), render(scene))


def test_long_lists_of_names_stay_in_the_file():
    text = as_python(of_matrix())
    assert 'columns=saved["matrix"].columns' in text
    assert 'rows=("a", "b")' in text


@pytest.mark.parametrize("make", CASES)
def test_lines_can_be_read(make):
    assert max(map(len, as_python(make(), "s.json").splitlines())) <= 120


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        st.lists,
    )
)
def test_values_are_written_so_that_python_reads_them_back(value):
    text = literal(value)
    assert ast.literal_eval(text) == value
    assert ast.literal_eval(literal((value,))) == (value,)
    assert ast.literal_eval(literal({"key": value})) == {"key": value}


def test_what_is_no_scene_is_refused():
    with pytest.raises(InvalidInputError, match="Scene or a SceneGrid, got Volume"):
        as_python(volume())
