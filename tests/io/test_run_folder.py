"""A run is read: while another process writes it, after that was killed, with pieces missing or damaged."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import cnnvis
from cnnvis.core import RunState
from cnnvis.core.errors import CheckpointError, DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.io import run_folder
from cnnvis.io.run_table import HEADER, Row, RunTable, append_rows
from cnnvis.models import Network
from cnnvis.training import Watcher

PROGRAM = Path(__file__).parents[1] / "training" / "watched_nets.py"
SAMPLES = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def net():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))


@pytest.fixture
def folder(tmp_path):
    """Return a run of epochs 0 to 3."""
    with Watcher(net(), tmp_path / "run", samples=SAMPLES, labels=[0, 1, 1]) as watching:
        for epoch in range(3):
            watching.step(loss=epoch)
            watching.epoch(loss=epoch)
    return tmp_path / "run"


def start(folder, epochs, end="end"):
    return subprocess.Popen([sys.executable, str(PROGRAM), str(folder), str(epochs), end])


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


# -- in another process ----------------------------------------------------------------------------


def test_a_run_is_followed_while_another_process_writes_it(tmp_path):
    process = start(tmp_path / "run", 8)
    try:
        wait_for((tmp_path / "run" / "run.json").exists)
        seen = []
        for run in cnnvis.load(tmp_path / "run").follow(poll=0.02):
            seen.append((run.epochs, len(run.curves)))
            assert run.problems == ()
            for epoch in run.epochs[-1:]:  # whatever is listed can be read whole at once
                assert len(run.recording(epoch)["0"]) == 3
                assert run.state_dict(epoch)["0.weight"].shape == (3, 1, 3, 3)
    finally:
        assert process.wait(60) == 0
    assert run.finished
    assert run.epochs == tuple(range(9))
    assert len(run.curves) == 24
    assert len(seen) > 3  # it was seen growing, and never shrinking
    assert seen == sorted(seen, key=lambda pair: (len(pair[0]), pair[1]))
    assert all(epochs == tuple(range(len(epochs))) for epochs, _ in seen)


def test_a_writer_that_was_killed_leaves_what_it_had_written(tmp_path, monkeypatch):
    process = start(tmp_path / "run", 3, "wait")
    try:
        wait_for((tmp_path / "run" / "run.json").exists)
        run = cnnvis.load(tmp_path / "run")
        wait_for(lambda: run.refresh() and run.epochs == (0, 1, 2, 3) and len(run.epoch_curves) == 3)
        assert run.state is RunState.TRAINING
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    monkeypatch.setattr(run_folder, "SILENT_AFTER", 0.3)
    wait_for(lambda: run.state is RunState.CRASHED)
    assert not run.finished
    again = cnnvis.load(tmp_path / "run")
    assert again.epochs == (0, 1, 2, 3)
    assert again.problems == ()
    assert len(again.curves) == 9
    assert [each.epochs for each in again.follow()] == [(0, 1, 2, 3)]  # nothing more will come: it ends
    (tmp_path / "run" / "alive").unlink()
    assert again.state is RunState.CRASHED


def test_looking_again_is_cheap_where_nothing_happened(folder, monkeypatch):
    run = cnnvis.load(folder)
    monkeypatch.setattr(run_folder, "read_manifest", None)
    assert not run.refresh()


def test_a_run_replaced_by_another_is_read_anew(folder):
    run = cnnvis.load(folder)
    assert run.samples.shape == (3, 1, 4, 4)
    with Watcher(net(), folder, samples=SAMPLES[:2], overwrite=True) as watching:
        watching.step(loss=9)
    assert run.refresh()
    assert (run.epochs, run.curves.loss.tolist(), run.samples.shape) == ((0,), [9], (2, 1, 4, 4))


def test_a_run_that_vanished(folder):
    run = cnnvis.load(folder)
    (folder / "run.json").unlink()
    with pytest.raises(MissingFileError, match="no run"):
        run.refresh()
    assert run.epochs == (0, 1, 2, 3)


# -- pieces ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["weights", "recordings"])
def test_a_missing_piece_is_named_and_its_epoch_left_out(folder, kind):
    (folder / kind / "000002.safetensors").unlink()
    run = cnnvis.load(folder)
    assert run.epochs == (0, 1, 3)
    assert run.problems == (f"epoch 2 is left out: {kind}/000002.safetensors is missing.",)
    with pytest.raises(FileFormatError, match=r"000002.*missing"):
        run.recording(2)
    assert run.predictions.numbers.tolist() == [0, 1, 3]


def test_a_truncated_piece_is_named(folder):
    path = folder / "weights" / "000001.safetensors"
    path.write_bytes(path.read_bytes()[:-4])
    run = cnnvis.load(folder)
    assert run.epochs == (0, 2, 3)
    assert "another size" in run.problems[0]


@pytest.mark.parametrize("kind", ["weights", "recordings"])
def test_one_changed_byte_is_found(folder, kind):
    path = folder / kind / "000001.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    run = cnnvis.load(folder)
    with pytest.raises(DataMismatchError, match="000001"):
        run.recording(1) if kind == "recordings" else run.state_dict(1)


def test_a_piece_lost_after_opening(folder):
    run = cnnvis.load(folder)
    (folder / "recordings" / "000001.safetensors").unlink()
    (folder / "samples.safetensors").unlink()
    with pytest.raises(MissingFileError, match=r"recordings/000001"):
        run.recording(1)
    with pytest.raises(MissingFileError, match="samples"):
        _ = run.samples


def test_damaged_samples(folder):
    (folder / "samples.safetensors").write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="samples"):
        _ = cnnvis.load(folder).samples


def test_an_epoch_of_other_shapes_is_left_out_by_majority(folder):
    manifest = json.loads((folder / "run.json").read_text())
    manifest["checkpoints"][0]["shapes"] = "another"
    (folder / "run.json").write_text(json.dumps(manifest))
    run = cnnvis.load(folder)
    assert run.epochs == (1, 2, 3)
    assert "other shapes" in run.problems[0]
    with pytest.raises(FileFormatError, match="epoch 0 is left out"):
        run.network(0, net())


@pytest.mark.parametrize("missing", ["facts", "state", "checkpoints", "format"])
def test_a_manifest_that_lacks_something(folder, missing):
    manifest = json.loads((folder / "run.json").read_text())
    del manifest[missing]
    (folder / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(FileFormatError, match=r"run\.json"):
        cnnvis.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": "other"}', "null", '{"format":'])
def test_a_manifest_that_is_none(folder, content):
    (folder / "run.json").write_text(content)
    with pytest.raises(FileFormatError, match=r"run\.json"):
        cnnvis.load(folder)


def test_a_manifest_of_a_newer_version(folder):
    manifest = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(manifest | {"version": 99}))
    with pytest.raises(FileFormatError, match="version 99"):
        cnnvis.load(folder)


def test_a_folder_that_is_no_run(tmp_path):
    with pytest.raises(MissingFileError, match="run_of_checkpoints"):
        cnnvis.load(tmp_path)


def test_an_epoch_that_was_not_kept(folder):
    run = cnnvis.load(folder)
    for epoch in (4, -2):
        with pytest.raises(InvalidInputError, match="kept are 0, 1, 2, 3"):
            run.recording(epoch)
    assert run.recording(-1).provenance.weights == "epoch 3"


# -- networks --------------------------------------------------------------------------------------


def test_the_network_needs_an_architecture_that_fits(folder):
    run = cnnvis.load(folder)
    with pytest.raises(InvalidInputError, match="pass the architecture"):
        run.network(1)
    given_net = net()
    before = given_net[0].weight.detach().clone()
    found = run.network(1, given_net)
    assert torch.equal(found.module[0].weight, run.state_dict(1)["0.weight"])
    assert torch.equal(given_net[0].weight, before)
    assert not found.module.training
    assert (found.name, found.weights) == ("Sequential", "epoch 1 of run")
    of_network = run.network(1, Network(given_net, example=SAMPLES[:1], class_names=("a", "b")))
    assert of_network.class_names == ("a", "b")
    with pytest.raises(CheckpointError, match="does not fit"):
        run.network(1, nn.Linear(2, 2))


def test_a_network_that_comes_along_needs_none(tmp_path):
    network = cnnvis.models.load("mnist-mlp")
    with Watcher(network, tmp_path, samples=torch.rand(2, 1, 28, 28)):
        pass
    found = cnnvis.load(tmp_path).network(0)
    assert found.class_names == network.class_names
    assert found.sha256 == network.sha256


# -- the table -------------------------------------------------------------------------------------

numbers = st.one_of(st.none(), st.floats())
rows = st.lists(
    st.builds(Row, st.sampled_from(["step", "epoch"]), st.integers(0, 10**9), st.integers(0, 10**6), numbers, numbers)
)


def assert_holds(table, written):
    """Assert that the table holds exactly these rows, NaN for what was not given."""
    for of in ("step", "epoch"):
        rows = [row for row in written if row.of == of]
        curve = table.curve(of)
        assert curve.steps.tolist() == [row.step for row in rows]
        assert curve.epochs.tolist() == [row.epoch for row in rows]
        for name in ("loss", "accuracy"):
            values = [getattr(row, name) for row in rows]
            expected = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
            assert np.array_equal(getattr(curve, name), expected, equal_nan=True)


@given(written=rows, cut=st.floats(0, 1))
def test_whole_rows_are_read_wherever_the_writer_was_killed(tmp_path_factory, written, cut):
    path = tmp_path_factory.mktemp("table") / "curves.csv"
    path.write_text(HEADER)
    append_rows(written, path)
    content = path.read_bytes()
    end = int(cut * len(content))
    path.write_bytes(content[:end])
    table = RunTable(path)
    table.refresh()
    n_whole = max(content[:end].count(b"\n") - 1, 0)
    assert_holds(table, written[:n_whole])
    assert table.problems == []
    path.write_bytes(content)  # and it goes on where it was
    assert table.refresh() == (end < len(content))
    assert_holds(table, written)
    assert not table.refresh()


def test_damaged_lines_are_named_and_left_out(tmp_path):
    path = tmp_path / "curves.csv"
    lines = [
        HEADER.encode(),
        b"step,1,0,0.5,\n",
        b"step,2,0\n",
        b"step,x,0,1,1\n",
        b"step,1,99999999999999999999,1,1\n",
    ]
    path.write_bytes(b"".join([*lines, b"other,1,1,1,1\n", b"\xff\xfe\n", b"epoch,4,1,,0.25\n"]))
    table = RunTable(path)
    table.refresh()
    assert_holds(table, [Row("step", 1, 0, 0.5), Row("epoch", 4, 1, None, 0.25)])
    assert [problem.split()[1] for problem in table.problems] == ["3", "4", "5", "6", "7"]


def test_a_missing_table_is_a_problem_not_an_error(folder):
    (folder / "curves.csv").unlink()
    run = cnnvis.load(folder)
    assert (len(run.curves), run.problems) == (0, ("The table curves.csv is missing: there are no losses.",))
