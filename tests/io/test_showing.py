"""What files hold becomes a scene or a grid, and what cannot be shown says why."""

import numpy as np
import pytest
from io_samples import small_lines, small_recording, small_scene, small_volume
from network_samples import sagging_network

from cnnvis.core import Importance, PointSet, Volume
from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.io import save
from cnnvis.io.showing import Shown, load_to_show, scene_of
from cnnvis.scene import Scene, SceneGrid


def kinds(scene):
    return [item.kind for item in scene]


def test_a_saved_scene_comes_back_with_its_state(tmp_path):
    scene = small_scene()
    shown = load_to_show(save(scene, tmp_path / "s.json"))
    assert shown.target.state() == scene.state()
    assert shown.networks == (None,)
    assert shown.scenes == (shown.target,)


def test_a_saved_grid_comes_back_as_a_grid(tmp_path):
    grid = SceneGrid([small_scene(0), small_scene(1)], link=("range",))
    shown = load_to_show(save(grid, tmp_path / "g.json"))
    assert shown.target.state() == grid.state()
    assert shown.networks == (None, None)


def test_a_network_comes_with_what_it_was_made_of(tmp_path):
    network = sagging_network()
    shown = load_to_show(save(network, tmp_path / "net.safetensors"))
    (behind,) = shown.networks
    np.testing.assert_array_equal(behind.lines.points, network.lines.points)
    assert shown.target.state() == Scene.of_network(network).state()


def test_lines_and_units_of_a_network_alone_know_no_network(tmp_path):
    network = sagging_network()
    shown = load_to_show(save(network, tmp_path / "net.vtm"))
    assert kinds(shown.target) == ["bundle", "glyphs"]
    assert shown.networks == (None,)
    assert [item.shown_class for item in shown.target] == ["all", "all"]
    assert kinds(load_to_show(save(small_lines(), tmp_path / "lines.vtp")).target) == ["bundle"]


def test_volumes_by_name_stand_side_by_side_and_one_alone_is_a_scene(tmp_path):
    volumes = {"a": small_volume(0, layer="a"), "b": small_volume(1, layer="b")}
    grid = load_to_show(save(volumes, tmp_path / "two.vtm")).target
    assert [scene.items[0].data.layer for scene in grid] == ["a", "b"]
    assert set(grid.link) == {"camera", "selection"}  # other layers, other ranges
    alone = load_to_show(save({"a": volumes["a"]}, tmp_path / "one.vtm")).target
    assert isinstance(alone, Scene)
    assert alone.items[0].data.layer == "a"


def test_a_series_is_played(tmp_path):
    frames = {"first": small_volume(0), "second": small_volume(1)}
    scene = load_to_show(save(frames, tmp_path / "s.pvd")).target
    assert scene.series.labels == ("first", "second")
    scene.frame = 1
    np.testing.assert_array_equal(scene.items[0].data.values, frames["second"].values)


def test_several_volumes_of_one_layer_share_their_range(tmp_path):
    values = np.random.default_rng(0).random((3, 4, 5))
    paths = [save(Volume(values * factor, layer="conv"), tmp_path / f"{factor}.vti") for factor in (1, 10)]
    shown = load_to_show(*paths)
    assert set(shown.target.link) == {"camera", "range", "selection", "look"}
    spans = {item.transfer.span for item in shown.target.volumes}
    assert len(spans) == 1
    assert spans.pop()[1] > 9


def test_several_files_each_become_a_scene_with_its_network(tmp_path):
    network = save(sagging_network(), tmp_path / "net.safetensors")
    grid = save(SceneGrid([small_scene(0), small_scene(1)]), tmp_path / "g.json")
    shown = load_to_show(network, save(small_volume(), tmp_path / "v.vti"), grid)
    assert [kinds(scene)[0] for scene in shown.target] == ["bundle", "volume", "volume", "volume"]
    assert [each is not None for each in shown.networks] == [True, False, False, False]
    assert shown.target.link == ("selection",)  # a network is looked at from elsewhere than a volume


def test_cameras_that_differ_are_left_as_they_were_saved(tmp_path):
    paths = []
    for azimuth in (0.0, 40.0):
        scene = small_scene()
        scene.camera.azimuth = azimuth
        paths.append(save(scene, tmp_path / f"{azimuth}.json"))
    assert [scene.camera.azimuth for scene in load_to_show(*paths).target] == [0.0, 40.0]


def test_recordings_importance_and_arrays_are_shown_layer_by_layer(tmp_path):
    conv_only = load_to_show(save(small_recording(), tmp_path / "r.safetensors")).target
    assert [item.data.layer for item in conv_only] == ["conv"]  # the dense layer has no maps
    scores = Importance({"a": np.arange(4.0), "b": np.arange(3.0)}, "weight")
    for name in ("i.safetensors", "i.csv"):
        grid = load_to_show(save(scores, tmp_path / name)).target
        assert [np.nansum(scene.items[0].data) for scene in grid] == [6, 3]
    stack, table = np.random.default_rng(0).random((3, 4, 5)), np.eye(3)
    assert load_to_show(save(stack, tmp_path / "v.npy")).target.items[0].data.shape == (3, 4, 5)
    np.testing.assert_array_equal(load_to_show(save(table, tmp_path / "t.npy")).target["matrix"].data, table)


def test_a_folder_lists_what_could_be_named(tmp_path):
    with pytest.raises(FileFormatError, match=r"is a folder; name a file in it\. None of its files"):
        load_to_show(tmp_path)
    for number in range(7):
        save(small_volume(), tmp_path / f"{number}.vti")
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(FileFormatError, match=r"It has 0\.vti, 1\.vti, 2\.vti, 3\.vti, 4\.vti and 2 more"):
        load_to_show(tmp_path)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("v.vti", small_volume),
        ("net.safetensors", sagging_network),
        ("lines.vtp", small_lines),
        ("s.json", small_scene),
        ("two.vtm", lambda: {"a": small_volume(), "b": small_volume(1)}),
        ("s.pvd", lambda: {"a": small_volume(), "b": small_volume(1)}),
    ],
)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_truncated_file_is_named(name, held, share, tmp_path):
    path = save(held(), tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises((FileFormatError, DataMismatchError, MissingFileError), match=name):
        load_to_show(path)


def test_what_cannot_be_shown_says_why(tmp_path):
    with pytest.raises(FileFormatError, match=r"table\.npy: It holds an array of shape \(3,\); what can be"):
        load_to_show(save(np.zeros(3), tmp_path / "table.npy"))
    with pytest.raises(FileFormatError, match=r"suffix '\.txt'"):
        load_to_show(tmp_path / "a.txt")
    with pytest.raises(MissingFileError, match=r"missing\.vti"):
        load_to_show(tmp_path / "missing.vti")
    with pytest.raises(InvalidInputError, match="at least one"):
        load_to_show()
    with pytest.raises(InvalidInputError, match="It holds str"):
        scene_of("text")
    with pytest.raises(InvalidInputError, match="It holds dict"):
        scene_of({})
    with pytest.raises(InvalidInputError, match="1 scenes to show, got 2 networks"):
        Shown(scene_of(PointSet(np.eye(3))), (None, None))
