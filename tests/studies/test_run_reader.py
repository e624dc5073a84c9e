"""A run as frames: order, range, limits and memory; with the architecture and without; what is wrong with it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cnnvis
from cnnvis.core import LayerRole, NetworkMaps
from cnnvis.core.errors import CancelledError, CheckpointError, InvalidInputError
from cnnvis.io.run_manifest import is_run
from cnnvis.scene.run_view import RunLook, RunView
from cnnvis.studies import RunReader, run_reader, show_run
from cnnvis.studies.run_frames import spread, tiles_transfer, with_limits

sys.path.append(str(Path(__file__).parents[1] / "viewer"))
from watched_run import SAMPLES, Training, network

LAYER, NETWORK = RunLook.LAYER, RunLook.NETWORK
CODE = """
import sys
sys.path.append({folder!r})
from watched_run import network
def build():
    return network()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    Training(path).epochs(3).end()
    return path


def frames(reader, view, *known, **options):
    return reader.frames(view, reader.look().epochs, *known, **options)


def test_frames_of_a_layer_are_the_recorded_values_in_one_order(folder):
    run, found = cnnvis.load(folder), frames(RunReader(folder), RunView(LAYER, "2", 1))
    assert tuple(found.frames) == (0, 1, 2, 3)
    newest = cnnvis.order(run.recording(3)["2"].activations[1], "kmeans", normalize="zscore")
    for epoch, volume in found.frames.items():
        np.testing.assert_array_equal(volume.channels, newest.permutation)
        np.testing.assert_array_equal(volume.values, run.recording(epoch)["2"].activations[1][newest.permutation])
    every = np.stack([volume.values for volume in found.frames.values()])
    low, high = np.percentile(every, 1), np.percentile(every, 99)
    assert found.transfer.span[0] <= low < high <= found.transfer.span[1]


def test_later_epochs_get_the_order_of_those_that_are_known(folder):
    reader, view = RunReader(folder), RunView(LAYER, "2", 0)
    first = reader.frames(view, [0, 1])
    grown = frames(reader, view, first.frames)
    assert grown.frames[0] is first.frames[0], "nothing is made anew"
    np.testing.assert_array_equal(grown.frames[3].channels, first.frames[0].channels)
    assert grown.transfer.span != first.transfer.span


def test_tiles_without_code_are_what_was_recorded(folder):
    run, found = cnnvis.load(folder), frames(RunReader(folder), RunView(NETWORK, "", 2))
    for epoch, maps in found.frames.items():
        assert maps.layers[1:] == ("0", "2", "4")
        assert maps.roles[0] is LayerRole.INPUT
        np.testing.assert_array_equal(maps.values[0], SAMPLES[2])
        for name, values in zip(maps.layers[1:], maps.values[1:], strict=True):
            np.testing.assert_array_equal(values, run.recording(epoch)[name].activations[2].reshape(values.shape))
        assert maps.depths.tolist() == [0, 1, 2, 3]
        assert maps.flow.tolist() == [[0, 1], [1, 2], [2, 3]]
        assert not len(maps.link_ends)
    largest = max(float(np.abs(run.recording(epoch)["2"].activations[2]).max()) for epoch in run.epochs)
    assert {maps.limits[2] for maps in found.frames.values()} == {largest}


def test_tiles_with_code_are_what_the_network_makes_now(folder, tmp_path):
    code = tmp_path / "my_net.py"
    code.write_text(CODE.format(folder=str(Path(__file__).parents[1] / "viewer")))
    found = frames(RunReader(folder, f"{code}:build"), RunView(NETWORK, "", 1))
    made = network()
    made.module[2].weight.data.mul_(1.5**3)
    made.module[2].bias.data.mul_(1.5**3)
    expected = cnnvis.network_maps(made, SAMPLES[1:2])
    assert found.frames[3].layers == expected.layers
    for one, other in zip(found.frames[3].values, expected.values, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    assert len(found.frames[3].link_ends)
    assert found.frames[3].provenance.inputs == ("sample 1",)


def test_recordings_are_read_once_and_not_all_kept(folder, monkeypatch):
    reader, read = RunReader(folder), []
    taken = reader._run.recording
    monkeypatch.setattr(reader._run, "recording", lambda epoch: read.append(epoch) or taken(epoch))
    for view in (RunView(LAYER, "2", 0), RunView(LAYER, "0", 1), RunView(NETWORK, "", 2)):
        frames(reader, view)
    assert read == [0, 1, 2, 3]
    monkeypatch.setattr(run_reader, "KEPT_BYTES", 1)
    again = RunReader(folder)
    frames(again, RunView(LAYER, "2", 0))
    assert list(again._kept) == [3]


def test_of_more_epochs_than_fit_some_are_left_out(folder, monkeypatch):
    size = 6 * 6 * 6 * 4
    monkeypatch.setattr(run_reader, "FRAME_BYTES", 3 * size + 1)
    reader, view = RunReader(folder), RunView(LAYER, "2", 0)
    found = frames(reader, view)
    assert tuple(found.frames) == (0, 1, 3)
    again = frames(reader, view, reader.frames(view, [0, 1, 2]).frames)
    assert tuple(again.frames) == (0, 1, 3), "it begins anew"


@given(st.lists(st.integers(0, 999), unique=True).map(sorted), st.integers(-1, 40))
def test_a_spread_has_both_ends_and_is_even(epochs, most):
    found = spread(epochs, most)
    assert set(found) <= set(epochs)
    assert len(found) <= max(most, 1) + 1
    if epochs:
        assert (found[0], found[-1]) == (epochs[0], epochs[-1])
    if len(epochs) <= most:
        assert list(found) == epochs


def test_limits_are_the_largest_of_all_epochs():
    def maps(first, second):
        values = (np.full((1, 1, 1), first), np.full((1, 1, 1), second))
        return NetworkMaps(layers=("a", "b"), roles=("input", "dense"), values=values, depths=[0, 1], flow=[[0, 1]])

    found = with_limits({0: maps(1, -5), 1: maps(3, 2)})
    assert [each.limits.tolist() for each in found.values()] == [[3, 5], [3, 5]]
    assert tiles_transfer(found.values()).span == (-1, 1)
    assert tiles_transfer([maps(1, 0)]).span == (0, 1)


def test_a_script_gets_the_same_scene(folder):
    scene = show_run(folder, look="network", sample=2).target
    assert (scene.series.axis, len(scene.series), scene.frame) == ("epoch", 4, 3)
    assert scene.title == "tiny: cat"
    assert show_run(folder).target.items[0].data.layer == "2"


@pytest.mark.parametrize(
    ("view", "text"),
    [
        (RunView(LAYER, "4", 0), "no maps of '4'; it kept those of 0, 2"),
        (RunView(LAYER, "9", 0), "no maps of '9'"),
        (RunView(LAYER, "2", 3), "samples 0 to 2, got 3"),
    ],
)
def test_what_a_run_cannot_show_is_named(folder, view, text):
    with pytest.raises(InvalidInputError, match=text):
        frames(RunReader(folder), view)


def test_an_architecture_that_does_not_fit_is_an_error_at_once(folder):
    with pytest.raises(CheckpointError):
        RunReader(folder, "fashion-cnn")


def test_reading_can_be_cancelled(folder):
    def stop(done, total):
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        frames(RunReader(folder), RunView(LAYER, "2", 0), progress=stop)


def test_a_look_is_the_very_same_where_nothing_is_new(folder, tmp_path):
    reader = RunReader(folder)
    assert reader.look() is reader.look()
    assert is_run(folder)
    assert is_run(folder / "run.json")
    (tmp_path / "run.json").write_text("{}")
    assert not is_run(tmp_path / "run.json")
    assert not is_run(tmp_path / "missing")


def test_lost_samples_are_a_problem_and_no_end(folder, tmp_path):
    import shutil

    path = shutil.copytree(folder, tmp_path / "copy")
    (path / "samples.safetensors").unlink()
    moment = RunReader(path).look()
    assert moment.samples is None
    assert "samples.safetensors" in moment.problems[-1]
    assert frames(RunReader(path), RunView(NETWORK, "", 0)).frames[0].layers == ("0", "2", "4")
