"""The architecture study: its files, its page, the verb and the script."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import cnnvis
from cnnvis.cli import main
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import load
from cnnvis.studies import ArchitectureStudy, architecture

SMALL = {"size": (320, 200), "frames": 2}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("architecture")
    return architecture.run(ArchitectureStudy(image="7", **SMALL), out, command="cnnvis architecture"), out


def test_every_file_is_there_and_the_page_shows_it(done):
    result, out = done
    names = {path.relative_to(out).as_posix() for path in result.files}
    pictures = {"grid.png", "circle.png", "stack.png", "line.png", "position.png", "calculations.png"}
    assert names == pictures | {"arrangements.mp4", "positions.mp4", "maps.safetensors", "scene.json", "index.html"}
    page = (out / "index.html").read_text(encoding="utf-8")
    for text in (result.answer.name, "fashion-mnist test 0007", "conv3", "cnnvis architecture", "<video"):
        assert text in page
    assert page.count("<img") == 6
    found = [np.asarray(Image.open(out / name).convert("RGB")).astype(int) for name in sorted(pictures)]
    assert all(np.abs(one - other).mean() > 1 for one, other in itertools.pairwise(found))


def test_the_scene_and_the_maps_can_be_read_back(done):
    result, out = done
    maps, scene = cnnvis.load(out / "maps.safetensors"), cnnvis.load(out / "scene.json")
    assert maps.layers == result.maps.layers
    assert maps.provenance.inputs == ("fashion-mnist test 0007",)
    assert (scene["network"].arrangement, scene["network"].turn) == (2, 1), "as it was before the pictures"
    network = load("fashion-cnn")
    with torch.no_grad():
        scores = network.module(torch.tensor(np.array(maps.values[0]))[None])
    np.testing.assert_allclose(maps.values[-1][:, 0, 0], scores[0], rtol=1e-4, atol=1e-5)


def test_the_verb_says_what_it_made_and_what_is_wrong(tmp_path, capsys):
    words = ["architecture", "--frames", "0", "--size", "320x200", "--out", str(tmp_path / "out")]
    assert main([*words, "--layer", "conv*", "--links", "5"]) == 0
    said = capsys.readouterr().out
    assert "fashion-mnist test 0000: Ankle boot" in said
    assert "arrangements" not in said
    assert main([*words, "--image", "99999"]) == 1
    assert "test images 0 to" in capsys.readouterr().err
    assert main([*words, "--layer", "conf1"]) == 1
    assert "conv1" in capsys.readouterr().err


def test_a_size_that_cannot_be_drawn_is_refused():
    with pytest.raises(InvalidInputError, match="pixels on each side"):
        ArchitectureStudy(size=(4, 4))


def test_the_script_runs(tmp_path):
    script = Path(__file__).parents[2] / "pipelines" / "architecture.py"
    command = [sys.executable, str(script), "--frames", "0", "--size", "320x200", "--out", str(tmp_path), "--quiet"]
    subprocess.run(command, check=True, timeout=120)
    assert (tmp_path / "index.html").exists()
