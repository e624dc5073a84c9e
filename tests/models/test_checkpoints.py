"""State dicts: what fits is loaded, what does not is named, what wants to run code is refused."""

import contextlib
import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cnnvis.core.errors import CheckpointError, FileFormatError, InvalidInputError, UnsafeFileError
from cnnvis.models.checkpoints import load_state_dict, read_state_dict


def make_net():
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), bn=nn.BatchNorm2d(4), fc=nn.Linear(4, 2)))


@pytest.fixture
def net():
    torch.manual_seed(7)
    return make_net()


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("suffix", ["pt", "pth", "ckpt", "bin", "safetensors", "weights"])
def test_a_state_dict_is_read_whatever_its_suffix(net, tmp_path, suffix):
    path = tmp_path / f"net.{suffix}"
    (save_file if suffix == "safetensors" else torch.save)(net.state_dict(), path)
    assert_same(read_state_dict(path), net.state_dict())


def test_the_older_torch_format_is_read(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert_same(read_state_dict(tmp_path / "old.pt"), net.state_dict())


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_a_wrapped_state_dict_is_unwrapped(net, tmp_path, key):
    torch.save({key: net.state_dict(), "epoch": 3}, tmp_path / "net.pt")
    assert_same(read_state_dict(tmp_path / "net.pt"), net.state_dict())


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_prefixes_of_wrappers_are_removed(net, tmp_path, prefix):
    state = {prefix + name: tensor for name, tensor in net.state_dict().items()}
    fresh = make_net()
    load_state_dict(fresh, state, tmp_path / "net.pt")
    assert_same(fresh.state_dict(), net.state_dict())


def test_a_network_whose_own_part_is_called_module_keeps_its_names(tmp_path):
    fresh, trained = (nn.Sequential(OrderedDict(module=nn.Linear(2, 2))) for _ in range(2))
    load_state_dict(fresh, trained.state_dict(), tmp_path / "net.pt")
    assert_same(fresh.state_dict(), trained.state_dict())


def test_every_key_that_does_not_fit_is_named_and_nothing_is_loaded(net, tmp_path):
    state = net.state_dict()
    for name in ("conv.weight", "fc.bias"):
        del state[name]
    state["head.weight"] = state["head.bias"] = torch.zeros(1)
    state["fc.weight"] = torch.zeros(5, 4)
    state["bn.bias"] = torch.full((4,), 9.0)  # fits, and must not be loaded either
    fresh = make_net()
    before = {name: tensor.clone() for name, tensor in fresh.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_state_dict(fresh, state, tmp_path / "net.pt")
    assert str(caught.value).splitlines() == [
        f"{tmp_path / 'net.pt'} does not fit Sequential:",
        "2 missing in the file:",
        "  conv.weight",
        "  fc.bias",
        "2 unexpected in the file:",
        "  head.weight",
        "  head.bias",
        "1 of another shape:",
        "  fc.weight: 5x4 in the file, 2x4 in the network",
    ]
    assert_same(fresh.state_dict(), before)


def test_a_batch_counter_may_be_missing(net, tmp_path):
    state = net.state_dict()
    del state["bn.num_batches_tracked"]
    load_state_dict(make_net(), state, tmp_path / "net.pt")


class Renamed(nn.Linear):
    """A layer that knows the old name of its weight, as several of torchvision do."""

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if f"{prefix}kernel" in state_dict:
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}kernel")
        super()._load_from_state_dict(state_dict, prefix, *args)


def test_names_of_older_versions_that_a_module_knows_are_accepted(tmp_path):
    layer = Renamed(2, 2)
    load_state_dict(layer, {"kernel": torch.eye(2), "bias": torch.zeros(2)}, tmp_path / "old.pt")
    assert torch.equal(layer.weight, torch.eye(2))


@pytest.mark.parametrize("form", ["torch", "older torch", "wrapped", "plain pickle", "plain pickle, protocol 0"])
def test_a_pickle_that_wants_to_run_code_is_refused_and_does_not(tmp_path, form):
    proof, path = tmp_path / "it ran", tmp_path / "bomb.pt"
    bomb = {"state_dict": {"w": torch.zeros(2)}, "extra": Bomb(proof)} if form == "wrapped" else Bomb(proof)
    if form.startswith("plain"):
        path.write_bytes(pickle.dumps(bomb, protocol=0 if form.endswith("0") else None))
    else:
        torch.save(bomb, path, _use_new_zipfile_serialization=form != "older torch")
    with pytest.raises(UnsafeFileError, match=r"bomb\.pt .*\(posix\.mkdir|nt\.mkdir\).*refused.*state_dict\(\)"):
        read_state_dict(path)
    assert not proof.exists()
    # The same file is a bomb indeed: a test that cannot fail would prove nothing.
    torch.load(path, weights_only=False) if not form.startswith("plain") else pickle.loads(path.read_bytes())
    assert proof.exists()


def test_a_whole_pickled_module_is_refused_with_a_way_out(net, tmp_path):
    torch.save(net, tmp_path / "whole.pt")
    with pytest.raises(UnsafeFileError, match=r"torch\.nn\.modules.*torch\.save\(module\.state_dict\(\), FILE\)"):
        read_state_dict(tmp_path / "whole.pt")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused_with_a_way_out(net, tmp_path):
    torch.jit.save(torch.jit.script(net), tmp_path / "script.pt")
    with pytest.raises(FileFormatError, match=r"TorchScript.*file\.py:factory"):
        read_state_dict(tmp_path / "script.pt")


@pytest.mark.parametrize("suffix", ["pt", "old.pt", "safetensors"])
@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_named(net, tmp_path, suffix, kept):
    path = tmp_path / f"cut.{suffix}"
    if suffix == "safetensors":
        save_file(net.state_dict(), path)
    else:
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=suffix == "pt")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(CheckpointError, match=rf"cut\.{suffix}"):
        read_state_dict(path)


@pytest.mark.parametrize(
    "content", [b"hello world", b"<!DOCTYPE html>", b"version https://git-lfs", b"\x80\x02", b"PK"]
)
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_file_that_is_no_checkpoint_is_named(tmp_path, content, suffix):
    path = tmp_path / f"notes.{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"notes\.{suffix}"):
        read_state_dict(path)


@pytest.mark.slow
def test_damaged_bytes_never_raise_anything_else(net, tmp_path):
    path = tmp_path / "damaged.pt"
    for seed in range(300):
        rng = np.random.default_rng(seed)
        torch.save(net.state_dict(), path, _use_new_zipfile_serialization=bool(seed % 2))
        content = bytearray(path.read_bytes())
        for position in rng.integers(0, len(content), 8):
            content[position] = rng.integers(0, 256)
        path.write_bytes(content)
        with contextlib.suppress(CheckpointError, UnsafeFileError, FileFormatError):
            load_state_dict(make_net(), read_state_dict(path), path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(2)], "holds a list"),
        (torch.zeros(2), "holds a Tensor"),
        ({}, "holds nothing"),
        ({"epoch": 3, "lr": 0.1}, r"it holds epoch \(int\), lr \(float\)"),
        ({"state_dict": {"w": [1.0]}}, r"w \(list\)"),
    ],
)
def test_what_is_no_state_dict_is_explained(tmp_path, content, message):
    torch.save(content, tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=message):
        read_state_dict(tmp_path / "other.pt")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(InvalidInputError, match=r"nowhere\.pt is missing"):
        read_state_dict(tmp_path / "nowhere.pt")
    with pytest.raises(InvalidInputError, match="is a folder"):
        read_state_dict(tmp_path)
