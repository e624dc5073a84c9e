"""Checkpoints alone become a run: sorted by number, measured, bad ones named, no code run."""

import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy
from watched_nets import images, net

import cnnvis
from cnnvis.core.errors import InvalidInputError
from cnnvis.training import accuracy, run_of_checkpoints


@pytest.fixture
def checkpoints(tmp_path):
    """Return a folder with epochs 0, 1, 2 and 10, as different files."""
    folder = tmp_path / "kept"
    folder.mkdir()
    torch.save(net(seed=0).state_dict(), folder / "epoch_0.pt")
    torch.save({"model_state_dict": net(seed=1).state_dict()}, folder / "epoch_1.pth")
    save_file(net(seed=2).state_dict(), folder / "epoch_2.safetensors")
    torch.save(net(seed=10).state_dict(), folder / "epoch_10.pt")
    (folder / "notes 5.txt").write_text("not a checkpoint")
    return folder


def convert(checkpoints, folder, **options):
    samples, labels = images()
    options = {"samples": samples[:3], "labels": labels[:3]} | options
    return run_of_checkpoints(net(seed=7), checkpoints, folder, **options)


def test_files_become_a_run_in_the_order_of_their_numbers(checkpoints, tmp_path):
    data, seen = images(), []
    run = convert(checkpoints, tmp_path / "run", data=data, progress=lambda *at: seen.append(at))
    assert run.epochs == (0, 1, 2, 10)
    assert run.finished
    assert run.problems == ()
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for at, epoch in enumerate(run.epochs):
        module = net(seed=epoch).eval()
        with torch.no_grad():
            logits = module(data[0])
        assert np.isclose(run.epoch_curves.loss[at], cross_entropy(logits, data[1]).item())
        assert run.epoch_curves.accuracy[at] == accuracy(module, data)
        assert np.allclose(run.recording(epoch).logits, logits[:3].numpy(), atol=1e-6)
    assert cnnvis.load(tmp_path / "run").epoch_curves.epochs.tolist() == [0, 1, 2, 10]


def test_the_architecture_stays_as_it_is(checkpoints, tmp_path):
    module = net(seed=7).train()
    samples, _ = images()
    run_of_checkpoints(module, checkpoints, tmp_path / "run", samples=samples)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), net(seed=7).parameters(), strict=True))
    assert module.training


class Code:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_bad_files_are_named_and_left_out_and_no_code_runs(checkpoints, tmp_path, capsys):
    torch.save(net(channels=5).state_dict(), checkpoints / "epoch_3.pt")
    (checkpoints / "epoch_4.pt").write_bytes(b"damaged")
    (checkpoints / "epoch_5.pt").write_bytes(pickle.dumps(Code()))
    run = convert(checkpoints, tmp_path / "run")
    assert run.epochs == (0, 1, 2, 10)
    assert [problem.split(" is left out")[0] for problem in run.problems] == ["epoch 3", "epoch 4", "epoch 5"]
    assert "does not fit" in run.problems[0]
    assert "refused" in run.problems[2]
    assert "must not run" not in capsys.readouterr().out


def test_files_that_cannot_be_sorted(checkpoints, tmp_path):
    torch.save(net().state_dict(), checkpoints / "other_10.pt")
    with pytest.raises(InvalidInputError, match=r"epoch_10\.pt and other_10\.pt"):
        convert(checkpoints, tmp_path / "run")
    torch.save(net().state_dict(), checkpoints / "last.pt")
    with pytest.raises(InvalidInputError, match=r"last\.pt"):
        convert([checkpoints / "last.pt"], tmp_path / "run")


def test_no_checkpoints(tmp_path):
    with pytest.raises(InvalidInputError, match="no checkpoints"):
        convert(tmp_path, tmp_path / "run")
    with pytest.raises(InvalidInputError, match="is no folder"):
        convert(tmp_path / "missing", tmp_path / "run")


def test_none_that_fits(tmp_path):
    torch.save(net(channels=5).state_dict(), tmp_path / "1.pt")
    with pytest.raises(InvalidInputError, match="None of 1 checkpoints"):
        convert([tmp_path / "1.pt"], tmp_path / "run")
