"""`cnnvis render`: the same pixels as `cnnvis.render`, and films and pages by suffix."""

import imageio.v3 as iio
import numpy as np
import pytest
from network_samples import sagging_network
from PIL import Image

from cnnvis.cli import main
from cnnvis.core import Volume
from cnnvis.io import save
from cnnvis.rendering import render
from cnnvis.scene import Scene


@pytest.fixture
def saved(tmp_path):
    scene = Scene(background="dark")
    scene.add_volume(Volume(np.random.default_rng(0).random((5, 8, 8)), layer="conv"), mode="mip")
    scene.camera.azimuth = 25.0
    return scene, save(scene, tmp_path / "s.json")


def test_a_saved_scene_gives_the_pixels_of_render(saved, tmp_path, capsys):
    scene, path = saved
    target = tmp_path / "x.png"
    assert main(["render", str(path), str(target), "--size", "160x100"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(target)), render(scene, size=(160, 100)))
    assert capsys.readouterr().out == f"{target}\n"


def test_volumes_films_and_pages(saved, tmp_path, capsys):
    scene, path = saved
    vti = save(scene["conv"].data, tmp_path / "v.vti")
    assert main(["render", str(vti), str(tmp_path / "v.png"), "--size", "160x100", "--quiet"]) == 0
    plain = Scene()
    plain.add_volume(scene["conv"].data)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "v.png")), render(plain, size=(160, 100)))
    assert main(["render", str(path), str(tmp_path / "x.gif"), "--size", "64x64", "--frames", "3", "--quiet"]) == 0
    assert len(iio.imread(tmp_path / "x.gif")) == 3
    assert main(["render", str(path), str(tmp_path / "x.html"), "--quiet"]) == 0
    assert "<canvas" in (tmp_path / "x.html").read_text()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["net.safetensors", "net.vtm", "lines.vtp", "units.vtp", "stages.pvd"])
def test_files_of_networks_become_pages_and_gltf(name, tmp_path, capsys):
    network = sagging_network()
    held = {"net": network, "lines": network.lines, "units": network.points}
    held["stages"] = {"straight": network.lines.blended(0), "bundled": network.lines}
    source = save(held[name.partition(".")[0]], tmp_path / name)
    for suffix in (".html", ".glb"):
        assert main(["render", str(source), str(tmp_path / f"x{suffix}"), "--quiet"]) == 0
    assert (tmp_path / "x.glb").read_bytes().startswith(b"glTF")
    page = (tmp_path / "x.html").read_text()
    assert '"shownClass": "all"' in page
    assert ('"axis": "frame", "labels": ["straight", "bundled"]' in page) == (name == "stages.pvd")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing.json", "x.png"], 1, "missing.json"),
        (["s.json", "x.docx"], 1, "Cannot write a picture as 'x.docx'"),
        (["table.npy", "x.png"], 1, "holds an array of shape (3,); what can be shown is a scene"),
        (["s.json", "x.gif", "--over", "series"], 1, "no series to film"),
        (["s.json", "x.gif", "--over", "walk"], 2, "walk"),
        (["s.json", "x.gif", "--frames", "0"], 2, "--frames"),
        (["s.json", "x.glb"], 1, "no visible bundle or units"),
        (["s.json", "x.png", "--size", "huge"], 2, "WIDTHxHEIGHT"),
        (["s.json", "x.png", "--size", "8x8"], 1, "16 to 16384"),
        (["s.json"], 2, "TARGET"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(arguments, code, message, saved, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(np.zeros(3), tmp_path / "table.npy")
    before = sorted(tmp_path.iterdir())
    assert main(["render", *arguments]) == code
    *progress, error = capsys.readouterr().err.splitlines()
    assert message in error
    assert error.startswith("cnnvis render: error: ")
    assert len(progress) <= 1
    assert sorted(tmp_path.iterdir()) == before
