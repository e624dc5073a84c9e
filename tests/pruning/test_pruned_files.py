"""Pruned networks on disk: used without the original, without its code."""

import json
import subprocess
import sys

import numpy as np
import pruning_nets
import pytest
import torch
from safetensors.torch import load_file, save_file

from cnnvis.attribution import importance
from cnnvis.core.errors import (
    CheckpointError,
    DataMismatchError,
    FileFormatError,
    InvalidInputError,
    MissingFileError,
)
from cnnvis.models import ImageSpec, Network, load
from cnnvis.pruning import load_pruned, prune, save_pruned

SPEC = ImageSpec((16, 16), mean=(0.1, 0.2, 0.3), std=0.5)
FRESH = """
import sys
import numpy as np, torch
from cnnvis.models import load
network = load(sys.argv[1] + "/network.pt2")
assert "pruning_nets" not in sys.modules
with torch.no_grad():
    np.save(sys.argv[2], network.module(torch.from_numpy(np.load(sys.argv[3]))).numpy())
print(network.name, network.class_names, network.image)
"""


def pruned(family="resnet", seed=0, **options):
    model = Network(pruning_nets.make(family, seed), name=family, image=SPEC, class_names=tuple("abcde"))
    return prune(model, importance(model, method="weight"), **options)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    result = pruned()
    folder = tmp_path_factory.mktemp("pruned")
    save_pruned(result, folder)
    return result, folder


def outputs(network, n=3):
    with torch.no_grad():
        return network.module(pruning_nets.images(seed=5, n=n)).numpy()


def test_a_fresh_process_without_the_code_computes_the_same(saved, tmp_path):
    result, folder = saved
    np.save(tmp_path / "in.npy", pruning_nets.images(seed=5, n=3).numpy())
    command = [sys.executable, "-c", FRESH, folder, tmp_path / "out.npy", tmp_path / "in.npy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), outputs(result.network), atol=1e-6)
    assert done.stdout.split(" (")[0] == "resnet pruned"
    assert repr(SPEC) in done.stdout


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("door", [load_pruned, lambda folder: load(folder / "network.pt2")])
def test_any_number_of_images_goes_in(saved, door, n):
    result, folder = saved
    network = door(folder)
    np.testing.assert_allclose(outputs(network, n), outputs(result.network, n), atol=1e-6)
    assert network.example[0].shape == (1, 3, 16, 16)
    assert (network.name, network.class_names, network.image) == ("resnet pruned", tuple("abcde"), SPEC)


@pytest.mark.parametrize("family", pruning_nets.FAMILIES)
def test_every_family_is_rebuilt_from_its_architecture(family, tmp_path):
    result = pruned(family, keep=0.4)
    save_pruned(result, tmp_path)
    stranger = Network(pruning_nets.make(family, seed=9), image=SPEC)
    rebuilt = load_pruned(tmp_path, architecture=stranger)
    assert type(rebuilt.module) is pruning_nets.FAMILIES[family]
    ours, theirs = rebuilt.module.state_dict(), result.network.module.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    np.testing.assert_allclose(outputs(rebuilt), outputs(result.network), atol=1e-6)
    np.testing.assert_allclose(outputs(load_pruned(tmp_path)), outputs(result.network), atol=1e-6)
    assert (rebuilt.name, rebuilt.class_names) == (f"{family} pruned", tuple("abcde"))


def test_the_files_are_smaller_and_say_what_was_removed(saved):
    result, folder = saved
    about = json.loads((folder / "description.json").read_text())
    assert about["original"] == "resnet"
    assert about["parameters"] == list(result.n_parameters)
    assert about["removed"] == {name: channels.tolist() for name, channels in result.removed.items()}
    assert about["options"]["method"] == "weight"
    stored = sum(tensor.numel() for tensor in load_file(folder / "tensors.safetensors").values())
    assert stored < 0.5 * sum(tensor.numel() for tensor in pruning_nets.make("resnet").state_dict().values())
    assert sorted(path.name for path in folder.iterdir()) == [
        "description.json", "network.pt2", "tensors.safetensors"
    ]  # fmt: skip


def test_all_files_may_be_read_by_the_same_people(saved):
    assert len({path.stat().st_mode for path in saved[1].iterdir()}) == 1


def test_half_precision_is_kept(tmp_path):
    model = Network(pruning_nets.make("vgg").bfloat16(), image=SPEC)
    result = prune(model, importance(model, method="weight"))
    save_pruned(result, tmp_path)
    assert load_pruned(tmp_path).dtype == torch.bfloat16


def test_another_architecture_is_refused(saved):
    _, folder = saved
    with pytest.raises(InvalidInputError, match="was pruned from resnet; other has no such channels in stem"):
        load_pruned(folder, architecture=Network(pruning_nets.make("vgg"), name="other", image=SPEC))
    wider = pruning_nets.make("resnet")
    wider.fc = torch.nn.Linear(12, 7)
    with pytest.raises(CheckpointError, match=r"fc\.bias: 5 in the file, 7 in the network"):
        load_pruned(folder, architecture=Network(wider, image=SPEC))


def copied(saved, tmp_path):
    _, folder = saved
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.mark.parametrize("name", ["network.pt2", "tensors.safetensors", "description.json"])
def test_a_missing_or_damaged_file_is_named(saved, tmp_path, name):
    folder = copied(saved, tmp_path)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises((CheckpointError, FileFormatError), match=name):
        load_pruned(folder)
    (folder / name).unlink()
    with pytest.raises(MissingFileError, match=name):
        load_pruned(folder)


def test_files_of_two_networks_are_not_taken_for_one(saved, tmp_path):
    folder = copied(saved, tmp_path)
    state = load_file(folder / "tensors.safetensors")
    state["fc.bias"][0] += 1
    save_file(state, folder / "tensors.safetensors")
    with pytest.raises(DataMismatchError, match=r"not of one network: fc\.bias differ"):
        load_pruned(folder)


@pytest.mark.parametrize(
    ("change", "message"), [({"format": "x"}, "does not describe a pruned network"), ({"version": 9}, "has version 9")]
)
def test_other_descriptions_are_refused(saved, tmp_path, change, message):
    folder = copied(saved, tmp_path)
    about = json.loads((folder / "description.json").read_text())
    (folder / "description.json").write_text(json.dumps(about | change))
    with pytest.raises(FileFormatError, match=message):
        load_pruned(folder)


def test_a_network_that_cannot_be_exported_leaves_no_file(tmp_path):
    result = pruned("vgg")

    class Deciding(torch.nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return self.inner(x) if x.sum() > 0 else self.inner(-x)

    import dataclasses

    network = dataclasses.replace(result.network, module=Deciding(result.network.module))
    with pytest.raises(InvalidInputError, match="cannot be exported"):
        save_pruned(dataclasses.replace(result, network=network), tmp_path / "new")
    assert not (tmp_path / "new").exists()
