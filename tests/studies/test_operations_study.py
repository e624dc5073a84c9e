"""The study of operations: its files, its page, the verb and the script."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from cnnvis.cli import main
from cnnvis.studies import OperationStudy, operations


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("explain")
    return operations.run(OperationStudy(image="7", frames=5), out, command="cnnvis explain"), out


def test_one_operation_of_each_kind_in_order(done):
    result, out = done
    assert [operation.layer for operation in result.operations] == ["conv1", "bn1", "relu1", "pool1", "fc", "softmax"]
    names = {path.relative_to(out).as_posix() for path in result.files}
    pictures = {"01_conv1.png", "02_bn1.png", "03_relu1.png", "04_pool1.png", "05_fc.png", "06_softmax.png"}
    assert names == pictures | {"positions.mp4", "scaling.png", "index.html"}
    assert all(unit.error < 1e-4 for unit in result.units)
    assert result.units[-1].channel == result.answer.index
    assert result.units[-1].value == pytest.approx(result.answer.probability, rel=1e-5)
    page = (out / "index.html").read_text(encoding="utf-8")
    for text in ("A convolution lays", "exponential", "Shirt", "fashion-mnist test 0007", "<video"):
        assert text in page
    assert page.count("<img") == 7


def test_the_film_has_one_picture_for_each_position(done):
    _, out = done
    reader = imageio_ffmpeg.read_frames(str(out / "positions.mp4"))
    size = next(reader)["size"]
    frames = [np.frombuffer(frame, np.uint8).reshape(size[1], size[0], 3) for frame in reader]
    assert len(frames) == 5
    assert all((one != other).any() for one, other in itertools.pairwise(frames))


def test_scaling_by_one_is_the_network_itself(done):
    result, _ = done
    row = result.probabilities[operations.FACTORS.index(1.0)]
    assert row[result.answer.index] == pytest.approx(result.answer.probability, rel=1e-5)


def test_the_verb_takes_layer_channel_and_position(tmp_path, capsys):
    words = ["explain", "--frames", "0", "--out", str(tmp_path / "out")]
    layers = ["--layer", "conv2", "--layer", "softmax"]
    assert main([*words, *layers, "--channel", "5", "--position", "4", "7"]) == 0
    assert "01_conv2.png" in capsys.readouterr().out
    assert not (tmp_path / "out" / "positions.mp4").exists()
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert re.search("conv2: Conv2d", page)
    for arguments, said in (
        (["--layer", "conf2"], "conv2"),
        (["--layer", "input"], "nothing computes"),
        (["--layer", "conv1", "--channel", "16"], "no channel 16"),
        (["--layer", "conv1", "--position", "28", "0"], "28 x 28"),
    ):
        assert main([*words, *arguments]) == 1
        assert said in capsys.readouterr().err


def test_a_network_without_maps(tmp_path):
    study = OperationStudy(model="mnist-mlp", frames=3)
    result = operations.run(study, tmp_path)
    assert [operation.layer for operation in result.operations][-2:] == ["fc3", "softmax"]
    assert not (tmp_path / "positions.mp4").exists()


def test_the_pipeline_runs(tmp_path):
    script = Path(__file__).parents[2] / "pipelines" / "explain_operations.py"
    command = [sys.executable, str(script), "--frames", "0", "--out", str(tmp_path), "--quiet"]
    subprocess.run(command, check=True, timeout=120)
    assert (tmp_path / "index.html").exists()
