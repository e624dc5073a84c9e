"""Every form of a network's name, and what a wrong one gets."""

import sys
from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis.core.errors import (
    CheckpointError,
    FileFormatError,
    InvalidInputError,
    ModelNotFoundError,
    UnsafeFileError,
)
from cnnvis.models import ImageSpec, Network, bundled_names, load

FACTORIES = """
import torch
from torch import nn
from neighbour import WIDTH
from cnnvis.models import ImageSpec, Network

def rgb():
    return nn.Sequential(nn.Conv2d(3, WIDTH, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(WIDTH, 2))

class Rgb(nn.Conv2d):
    def __init__(self):
        super().__init__(3, 2, 1)

def digits():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), torch.zeros(1, 1, 28, 28)

class Two(nn.Module):
    def forward(self, left, right):
        return left + right

def two():
    return Two(), (torch.zeros(1, 4), torch.ones(1, 4))

def whole():
    return Network(rgb(), name="my net", weights="trained", image=ImageSpec((32, 48)), class_names=["a", "b"])

def unguessable():
    return nn.Linear(4, 2)

def nothing():
    return None

def broken():
    layer = None
    return layer.weight

def with_argument(width):
    return nn.Linear(width, 2)

def late():
    from late_neighbour import make
    return make()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.py").write_text(FACTORIES)
    (tmp_path / "neighbour.py").write_text("WIDTH = 4\n")
    (tmp_path / "late_neighbour.py").write_text("from torch import nn\ndef make():\n    return nn.Conv2d(3, 2, 1)\n")
    return tmp_path


@pytest.fixture(scope="module")
def lite0():
    return load("efficientnet-lite0")


# ------------------------------------------------------------------------------------------------ bundled


@pytest.mark.parametrize("name", ["EfficientNet-Lite0", "efficientnet_lite0", "EFFICIENTNET_LITE0"])
def test_bundled_names_are_tolerant(name):
    assert load(name).name == "efficientnet-lite0"


def test_every_bundled_network_says_whether_it_is_trained_and_runs():
    for name in bundled_names():
        network = load(name)
        assert network.weights == ("random" if "untrained" in name else "trained")
        with torch.inference_mode():
            output = network.module(*network.example)
        assert output.shape == (1, len(network.class_names))


@pytest.mark.parametrize(
    ("photo", "expected"),
    [("coffee", {"espresso": (967, 0.95)}), ("chelsea", {"tiger cat": (282, 0.40), "Egyptian cat": (285, 0.35)})],
)
def test_efficientnet_lite0_knows_the_sample_photos(lite0, photo, expected):
    found = {p.name: (p.index, p.probability) for p in lite0.predict(photo)}
    for name, (index, probability) in expected.items():
        assert found[name] == (index, pytest.approx(probability, abs=0.01))


def test_efficientnet_lite0_default_layers_are_the_stem_and_the_first_expansion(lite0):
    shapes = {}
    for name in lite0.default_layers:
        layer = lite0.module.get_submodule(name)
        layer.register_forward_hook(lambda module, args, out, name=name: shapes.__setitem__(name, tuple(out.shape)))
    with torch.inference_mode():
        lite0.module(*lite0.example)
    for name in lite0.default_layers:
        lite0.module.get_submodule(name)._forward_hooks.clear()
    assert shapes == {"_conv_stem": (1, 32, 112, 112), "_blocks.1._expand_conv": (1, 96, 112, 112)}


def test_loading_and_running_print_nothing(capfd):
    network = load("efficientnet-lite0")
    network.predict("coffee")
    assert capfd.readouterr() == ("", "")


def test_an_unknown_name_lists_near_matches_and_the_allowed_forms():
    with pytest.raises(ModelNotFoundError, match=r"'efficientnet-lite'.*efficientnet-lite0.*file\.py:factory"):
        load("efficientnet-lite")


# ------------------------------------------------------------------------------------------------ factories


def test_a_factory_returning_a_module(folder):
    network = load(f"{folder}/net.py:rgb")
    assert (network.name, network.weights) == ("net.py:rgb", "random")
    assert network.image.assumed
    assert network.example[0].shape == (1, 3, 224, 224)
    assert not network.module.training


def test_a_class_is_a_factory_too(folder):
    assert type(load(f"{folder}/net.py:Rgb").module).__name__ == "Rgb"


def test_a_factory_returning_module_and_example(folder):
    network = load(folder.joinpath("net.py").as_posix() + ":digits")
    assert network.example[0].shape == (1, 1, 28, 28)
    assert network.image == ImageSpec((28, 28), colour="L", assumed=True)
    assert network.preprocess(np.zeros((28, 28))).shape == (1, 1, 28, 28)


def test_a_factory_of_a_network_with_two_inputs(folder):
    network = load(f"{folder}/net.py:two")
    assert [tensor.shape for tensor in network.example] == [(1, 4), (1, 4)]
    assert network.module(*network.example).tolist() == [[1, 1, 1, 1]]
    with pytest.raises(InvalidInputError, match="states no image preprocessing"):
        network.preprocess("coffee")


def test_a_factory_returning_a_network_says_everything(folder):
    network = load(f"{folder}/net.py:whole")
    assert (network.name, network.weights, network.class_names) == ("my net", "trained", ("a", "b"))
    assert network.preprocess("coffee").shape == (1, 3, 32, 48)


def test_a_factory_may_import_its_neighbours_when_called(folder):
    assert load(f"{folder}/net.py:late").n_parameters == 8


def test_sys_path_and_the_neighbours_are_gone_afterwards(folder):
    before = list(sys.path)
    load(f"{folder}/net.py:late")
    (folder / "rude.py").write_text("import sys\nsys.path[:] = ['/nowhere']\nraise ValueError\n")
    with pytest.raises(InvalidInputError, match="rude"):
        load(f"{folder}/rude.py:make")
    assert sys.path == before
    assert not {"net", "neighbour", "late_neighbour"} & set(sys.modules)


def test_files_of_the_same_name_in_two_folders_do_not_meet(folder):
    other = folder / "other"
    other.mkdir()
    (other / "net.py").write_text(FACTORIES)
    (other / "neighbour.py").write_text("WIDTH = 7\n")
    widths = [load(f"{place}/net.py:rgb").module[0].out_channels for place in (folder, other, folder)]
    assert widths == [4, 7, 4]


def test_an_edited_file_is_read_again(folder):
    load(f"{folder}/net.py:rgb")
    (folder / "net.py").write_text(FACTORIES.replace("Conv2d(3, WIDTH, 3)", "Conv2d(3, WIDTH, 11)"))
    assert load(f"{folder}/net.py:rgb").module[0].kernel_size == (11, 11)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("broken", r"net\.py:35: AttributeError while calling broken\(\).*'NoneType'"),
        ("with_argument", r"TypeError while calling with_argument\(\) without arguments.*'width'"),
        ("nothing", r"net\.py:nothing returned NoneType; allowed are an nn\.Module"),
        ("unguessable", r"net\.py:unguessable returned a bare module whose input cannot be guessed"),
    ],
)
def test_a_factory_that_fails_is_explained(folder, factory, message):
    with pytest.raises(InvalidInputError, match=message):
        load(f"{folder}/net.py:{factory}")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1\nraise RuntimeError('boom')\n", r"bad\.py:2: RuntimeError while importing it: boom"),
        ("x = 1\n\ndef (:\n", r"bad\.py:3: SyntaxError"),
        ("import sys\nsys.exit(2)\n", r"bad\.py:2: SystemExit"),
        ("import no_such_package\n", r"bad\.py:1: ModuleNotFoundError"),
    ],
)
def test_a_file_that_cannot_be_imported_names_its_line(tmp_path, code, message):
    (tmp_path / "bad.py").write_text(code)
    with pytest.raises(InvalidInputError, match=message):
        load(f"{tmp_path}/bad.py:make")


def test_an_unknown_factory_lists_near_matches(folder):
    with pytest.raises(ModelNotFoundError, match=r"no function or class 'rbg'.*rgb"):
        load(f"{folder}/net.py:rbg")


def test_a_python_file_alone_and_a_missing_one_are_explained(folder):
    with pytest.raises(InvalidInputError, match=r"name the function.*net\.py:FUNCTION"):
        load(folder / "net.py")
    with pytest.raises(InvalidInputError, match=r"no file .*nowhere\.py"):
        load(f"{folder}/nowhere.py:make")


# ------------------------------------------------------------------------------------------------ weights


def test_weights_are_loaded_and_named(folder):
    trained = load(f"{folder}/net.py:rgb", random_state=5)
    torch.save(trained.module.state_dict(), folder / "best.pt")
    network = load(f"{folder}/net.py:rgb", weights=folder / "best.pt")
    assert network.weights == "best.pt"
    assert network.sha256 == trained.sha256
    assert "RANDOM" not in network.provenance().caption


def test_random_weights_are_said(folder):
    assert "RANDOM WEIGHTS" in load(f"{folder}/net.py:rgb").provenance(["coffee.png"]).caption


def test_weights_that_do_not_fit_are_an_error(folder):
    torch.save({"0.weight": torch.zeros(1)}, folder / "other.pt")
    with pytest.raises(CheckpointError, match=r"other\.pt does not fit Sequential:\n3 missing"):
        load(f"{folder}/net.py:rgb", weights=folder / "other.pt")


def test_a_state_dict_alone_is_explained(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "best.pt")
    with pytest.raises(InvalidInputError, match=r"state dict of 2 tensors, without an architecture.*--weights"):
        load(tmp_path / "best.pt")


def test_a_whole_pickled_network_is_refused(tmp_path):
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pt")
    with pytest.raises(UnsafeFileError, match=r"whole\.pt"):
        load(tmp_path / "whole.pt")


@pytest.mark.parametrize("name", ["nowhere.pt", "nowhere.pt2", "some/nowhere.onnx"])
def test_a_missing_file_is_named(name):
    with pytest.raises(InvalidInputError, match=rf"no file {name}"):
        load(name)


def test_a_file_of_another_kind_and_a_folder_are_named(tmp_path):
    (tmp_path / "notes.md").touch()
    for path in (tmp_path / "notes.md", tmp_path):
        with pytest.raises(FileFormatError, match="Allowed are a bundled name"):
            load(path)


# ------------------------------------------------------------------------------------------------ random state


def test_the_same_seed_gives_the_same_weights(folder):
    one, same, other = (load(f"{folder}/net.py:rgb", random_state=seed).sha256 for seed in (1, 1, 2))
    assert one == same != other


def test_the_global_random_state_is_untouched(folder):
    torch.manual_seed(3)
    state = torch.get_rng_state()
    load(f"{folder}/net.py:rgb")
    with pytest.raises(InvalidInputError, match="unguessable"):  # has drawn its weights by then
        load(f"{folder}/net.py:unguessable")
    assert torch.equal(torch.get_rng_state(), state)


# ------------------------------------------------------------------------------------------------ modules, devices


def test_a_module_is_wrapped_where_it_is():
    module = nn.Sequential(nn.Conv2d(3, 2, 1)).double()
    network = load(module)
    assert network.module is module
    assert (network.name, network.weights) == ("Sequential", "")
    assert network.example[0].dtype == network.preprocess("coffee").dtype == torch.float64


def test_a_network_passes_through():
    network = Network(nn.Linear(4, 2), example=torch.zeros(1, 4))
    assert load(network).module is network.module


def test_a_module_whose_input_is_unknown_is_explained():
    with pytest.raises(InvalidInputError, match=r"load\(\) got a bare module whose input cannot be guessed"):
        load(nn.Linear(4, 2))


@pytest.mark.parametrize("device", ["fpga", "cuda:99", "gpu"])
def test_an_unknown_device_is_named(device):
    with pytest.raises(InvalidInputError, match=rf"No device '{device}' here.*auto, cpu, cuda"):
        load("efficientnet-lite0", device=device)


def test_auto_takes_the_best_device():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    network = load("efficientnet-lite0", device="auto")
    assert network.device.type == expected == network.example[0].device.type == network.preprocess("coffee").device.type


def test_module_example_and_images_meet_on_another_device():
    network = load(Network(nn.Conv2d(3, 2, 1), image=ImageSpec((8, 8))), device="meta")
    assert network.device.type == network.example[0].device.type == network.preprocess("coffee").device.type == "meta"


# ------------------------------------------------------------------------------------------------ Network


def _unchanged(module):
    return module


def _other_value(module):
    module.conv.weight.data.mul_(2)
    return module


def _other_buffer(module):
    module.bn.running_mean.add_(1)
    return module


def _other_shape(module):
    module.conv.weight = nn.Parameter(module.conv.weight.reshape(3, 2, 1, 1))
    return module


def _other_name(module):
    return nn.Sequential(OrderedDict(first=module.conv, bn=module.bn))


def _other_type(module):
    return module.to(torch.bfloat16)


def test_the_hash_depends_on_values_buffers_shapes_names_and_types():
    def hashed(change):
        torch.manual_seed(0)
        module = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 2, 1), bn=nn.BatchNorm2d(2)))
        return Network(change(module), example=torch.zeros(1, 3, 2, 2)).sha256

    changes = [_unchanged, _other_value, _other_buffer, _other_shape, _other_name, _other_type]
    assert len({hashed(change) for change in changes}) == len(changes)
    assert hashed(_unchanged) == hashed(_unchanged)


def test_predict_leaves_the_modes_of_the_module_alone():
    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    module.train()
    module[1].eval()
    network = Network(module, image=ImageSpec((8, 8)))
    before = network.module.state_dict()["1.running_mean"].clone()
    network.predict("coffee", k=1)
    assert [part.training for part in module] == [True, False, True, True]
    assert module.training
    assert torch.equal(module[1].running_mean, before)


def test_predict_takes_a_tensor_and_names_classes():
    network = Network(nn.Identity(), class_names=("a", "b"), example=torch.zeros(1, 2))
    assert network.predict(torch.tensor([[0.0, 9.0]]), k=1)[0].name == "b"


def test_an_output_that_is_no_tensor_is_explained():
    class Two(nn.Module):
        def forward(self, x):
            return {"logits": x}

    with pytest.raises(InvalidInputError, match="Two returns dict, not one tensor"):
        Network(Two(), example=torch.zeros(1, 2)).predict(torch.zeros(1, 2))


def test_the_example_is_the_same_every_time():
    examples = [Network(nn.Conv2d(3, 1, 1), image=ImageSpec((4, 4))).example[0] for _ in range(2)]
    assert torch.equal(*examples)


@pytest.mark.parametrize("example", [None, "photo", [1, 2], ()])
def test_a_network_needs_an_example(example):
    with pytest.raises(InvalidInputError, match="needs an example input"):
        Network(nn.Linear(2, 2), example=example)


def test_a_network_needs_a_module():
    with pytest.raises(InvalidInputError, match=r"needs a torch\.nn\.Module, got function"):
        Network(load, example=torch.zeros(1))


def test_provenance_says_what_was_done(lite0):
    provenance = lite0.provenance(["chelsea.png"])
    assert provenance.inputs == ("chelsea.png",)
    assert provenance.model_sha256 == lite0.sha256
    assert provenance.preprocessing == lite0.image.describe()
    assert provenance.caption == "efficientnet-lite0 · chelsea.png"


def test_onnx_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"")
    with pytest.raises(FileFormatError, match=r"torch\.export\.save"):
        load(tmp_path / "net.onnx")
