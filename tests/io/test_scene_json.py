"""Scenes come back with their data, or say which file is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from io_samples import small_scene, small_volume

from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.io import load, save
from cnnvis.scene import ITEM_KINDS, Scene, SceneGrid, Selection


def edited(path, change):
    """Change the JSON of a saved scene."""
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_scene_comes_back_with_its_data(tmp_path):
    scene = small_scene()
    scene.selection = Selection(units=frozenset({("features.0", 2)}), classes=frozenset({281}))
    scene.camera.azimuth = 30.0
    assert {item.kind for item in scene} == set(ITEM_KINDS)  # every kind is saved here
    back = load(save(scene, tmp_path / "s.json"))
    assert back.state() == scene.state()
    for item in scene:
        got, want = back[item.name].data, item.data
        values = "points" if item.kind in ("bundle", "glyphs") else "values"
        got, want = (getattr(data, values, data) for data in (got, want))
        for one, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(one, other)
    assert back["stack"].data.layer == "features.0"


def test_the_folder_can_be_moved(tmp_path):
    save(small_scene(), tmp_path / "old" / "s.json")
    (tmp_path / "old").rename(tmp_path / "new")
    assert len(load(tmp_path / "new" / "s.json")) == len(small_scene())


def test_data_entries_name_file_hash_and_array(tmp_path):
    document = json.loads(save(small_scene(), tmp_path / "s.json").read_text())
    assert (document["format"], document["version"]) == ("cnnvis-scene", 1)
    entry = document["data"]["stack"]
    assert entry["path"] == f"s.data/00-stack-{entry['sha256'][:8]}.vti"
    assert entry["array"] == "activation"


def test_frames_are_saved_once_each(tmp_path):
    scene = small_scene()
    frames = [scene["stack"].data, small_volume(1), small_volume(2)]
    scene.set_frames("epoch", ["0", "5", "10"], {"stack": frames})
    scene.frame = 2
    back = load(save(scene, tmp_path / "s.json"))
    assert len(list((tmp_path / "s.data").glob("*.vti"))) == 3
    assert (back.frame, back.series.labels) == (2, ("0", "5", "10"))
    np.testing.assert_array_equal(back["stack"].data.values, frames[2].values)
    back.frame = 0
    np.testing.assert_array_equal(back["stack"].data.values, frames[0].values)


def test_a_grid_comes_back(tmp_path):
    grid = SceneGrid([small_scene(1), small_scene(2)], link=("camera", "range"), columns=1)
    back = load(save(grid, tmp_path / "g.json"))
    assert isinstance(back, SceneGrid)
    assert back.state() == grid.state()


def test_saving_again_removes_the_old_data(tmp_path):
    path = save(small_scene(1), tmp_path / "s.json")
    (tmp_path / "s.data" / "notes.txt").write_text("mine")
    scene = Scene()
    scene.add_volume(small_volume(5), name="only")
    save(scene, path)
    assert sorted(file.suffix for file in (tmp_path / "s.data").iterdir()) == [".txt", ".vti"]


def test_changed_data_are_found_out(tmp_path):
    path = save(small_scene(), tmp_path / "s.json")
    piece = next((tmp_path / "s.data").glob("*.vti"))
    piece.write_bytes(piece.read_bytes().replace(b"mode", b"meth") + b" ")
    with pytest.raises(DataMismatchError, match=piece.name):
        load(path)


def test_missing_data_are_named(tmp_path):
    path = save(small_scene(), tmp_path / "s.json")
    piece = next((tmp_path / "s.data").glob("*.npy"))
    piece.unlink()
    with pytest.raises(MissingFileError, match=piece.name):
        load(path)


def test_unknown_keys_warn_at_every_depth(tmp_path, caplog):
    def change(document):
        document["extra"] = 1
        document["scene"]["fog"] = 1
        document["scene"]["camera"]["lens"] = 50
        document["scene"]["items"][0]["transfer"]["gamma"] = 2

    path = edited(save(small_scene(), tmp_path / "s.json"), change)
    assert load(path).state() == small_scene().state()
    for key in ("extra", "fog", "lens", "gamma"):
        assert f"the key {key!r} is not known" in caplog.text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=2), "version 2, this cnnvis reads 1"),
        (lambda d: d.update(version="new"), "version new"),
        (lambda d: d.pop("format"), 'lacks "format": "cnnvis-scene"'),
        (lambda d: d.pop("scene"), "not a scene this version can show: 'scene'"),
        (lambda d: d["scene"]["items"][0].update(kind="hologram"), "hologram"),
        (lambda d: d["scene"]["items"][0].update(opacity=7), "VolumeItem opacity: .* less than or equal to 1, got 7"),
        (lambda d: d["scene"].update(background="green"), "Scene background"),
        (lambda d: d["data"].pop("stack"), "stack"),
        (lambda d: d["data"].update(stack=d["data"]["image"]), "'stack'.*shows a Volume, got ndarray"),
        (lambda d: d["data"]["stack"].update(path="/etc/hostname"), "allowed are relative paths"),
        (
            lambda d: d["data"]["stack"].update(path="s.pickle"),
            "paths to .vti, .vtp, .npy, .safetensors files",
        ),
        (lambda d: d.update(scene=[]), "not a scene this version can show"),
    ],
)
def test_a_bad_scene_is_explained(change, message, tmp_path):
    path = edited(save(small_scene(), tmp_path / "s.json"), change)
    with pytest.raises(FileFormatError, match=message) as caught:
        load(path)
    assert str(Path("s.json")) in str(caught.value)


def test_what_is_no_scene_at_all(tmp_path):
    path = tmp_path / "s.json"
    for text in ("", "{", "[]", "\x00"):
        path.write_text(text)
        with pytest.raises(FileFormatError, match=r"s\.json is"):
            load(path)
    with pytest.raises(InvalidInputError, match="holds a Scene"):
        save(small_volume(), path)
