"""One door for every way to get a network in: `load`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis.core.errors import FileFormatError, InvalidInputError, ModelNotFoundError, did_you_mean
from cnnvis.models import checkpoints
from cnnvis.models._reason import first_sentence
from cnnvis.models.bundled import bundled_names, bundled_network
from cnnvis.models.exported import load_exported
from cnnvis.models.exporting import described, read_description
from cnnvis.models.factories import call_factory
from cnnvis.models.importers import is_keras, is_tensorflow, is_unity, read_unity
from cnnvis.models.network import Network
from cnnvis.models.packages import PACKAGES
from cnnvis.models.preprocessing import ImageSpec, imagenet_spec
from cnnvis.models.seeding import seeded

FORMS = (
    "a bundled name, file.py:factory, torchvision:NAME, timm:NAME, a torch.export program (.pt2), or a folder of the "
    "Unity CNN visualizer"
)


def load(
    source: str | os.PathLike[str] | nn.Module | Network,
    *,
    weights: str | os.PathLike[str] | None = None,
    device: str | torch.device = "auto",
    random_state: int = 0,
) -> Network:
    """Return a network ready to be looked at: in eval mode, on its device, with example input and preprocessing.

    Parameters
    ----------
    source : str, path, nn.Module or Network
        One of

        - a bundled name such as "efficientnet-lite0" (`bundled_names` lists them), or "fashion-cnn@3" for its
          checkpoint after epoch 3, where 0 is before training;
        - ``path/to/file.py:factory``, a function or class called without arguments. It returns an nn.Module (taken
          for an RGB image network with the usual ImageNet preprocessing, which is then shown as assumed), or
          ``(module, example)`` with a tensor or one tensor per input, or a `Network`, which can say everything;
        - ``torchvision:NAME`` or ``timm:NAME``, where installed; never downloads;
        - ``file.pt2``, a program saved by `torch.export.save`, or by `save_exported` with its preprocessing;
        - a folder of the Unity CNN visualizer, or "folder@3" for its epoch 3 (default the last);
        - an nn.Module or a Network, whose module is then put into eval mode and moved in place.
    weights : str or path, optional
        State dict to load: .pt, .pth or .safetensors. Without it, architectures from a file, torchvision or timm
        have random weights (`Network.weights` is "random") unless the factory returns a Network that says otherwise.
    device : str or torch.device, default "auto"
        "auto" takes CUDA where there is one, else the CPU, and leaves a module given directly where it is.
    random_state : int, default 0
        Seed of random weights. torch's global random state is untouched.

    Returns
    -------
    Network

    Raises
    ------
    ModelNotFoundError
        When there is no such name; near matches are listed.
    MissingDependencyError
        When torchvision or timm is not installed.
    CheckpointError
        When `weights` does not fit (every key is named) or is damaged.
    UnsafeFileError
        When a file wants to run code on loading.
    FileFormatError
        When a file is of no kind that can be loaded.
    InvalidInputError
        When a file is missing, the device unknown, or the factory's code raises.
    """
    target = None if device == "auto" and isinstance(source, (nn.Module, Network)) else _device(device)
    with seeded(random_state):
        network = _network(source)
    if weights is not None:
        path = Path(weights)
        _refuse_foreign_weights(path)
        checkpoints.load_state_dict(network.module, checkpoints.read_state_dict(path), path)
        network = replace(network, weights=path.name)
    return _placed(network, target)


def _network(source: str | os.PathLike[str] | nn.Module | Network) -> Network:
    """Return the network that `source` names, wherever it was built."""
    if isinstance(source, Network):
        return source
    if isinstance(source, nn.Module):
        return _wrapped(source, name=type(source).__name__, weights="", where="load() got a bare module")
    text = os.fspath(source)
    package, colon, name = text.partition(":")
    if colon and package in PACKAGES:
        return PACKAGES[package](name)
    bundled = bundled_network(text)
    if bundled:
        return bundled
    file, colon, factory = text.rpartition(":")
    if colon and file.endswith(".py"):
        return _from_factory(Path(file), factory)
    folder, at, epoch = text.rpartition("@")
    if at and epoch.isdecimal() and is_unity(Path(folder)):
        return read_unity(Path(folder)).network(int(epoch))
    return _from_file(Path(text))


def _from_factory(path: Path, factory: str) -> Network:
    made = call_factory(path, factory)
    name = f"{path.name}:{factory}"
    if isinstance(made, Network):
        # Named after its class unless the factory chose a name, then after the place it came from.
        return made if made.name != type(made.module).__name__ else replace(made, name=name)
    module, example = made if isinstance(made, (tuple, list)) and len(made) == 2 else (made, None)
    if not isinstance(module, nn.Module):
        raise InvalidInputError(
            f"{name} returned {type(made).__name__}; allowed are an nn.Module, (module, example tensors), or a "
            "cnnvis.models.Network."
        )
    return _wrapped(module, name=name, weights="random", where=f"{name} returned a bare module", example=example)


def _from_file(path: Path) -> Network:
    """Return the program in a .pt2 file; explain why any other file is not a network."""
    if path.suffix == ".py":
        raise InvalidInputError(f"{path} is a Python file: name the function that makes the network, {path}:FUNCTION.")
    if is_unity(path):
        return read_unity(path).network()
    _refuse_foreign_weights(path)
    known = path.suffix == ".pt2" or path.suffix in checkpoints.SUFFIXES
    if not path.exists():
        if known or len(path.parts) > 1:
            raise InvalidInputError(f"There is no file {path}.")
        hint = did_you_mean(path.name, bundled_names(), what="bundled networks")
        raise ModelNotFoundError(f"No network is called {str(path)!r}. {hint} Allowed are {FORMS}.")
    if path.suffix == ".onnx":
        raise FileFormatError(
            f"{path} is ONNX, which cnnvis does not read. Save a network of torch by torch.export.save (.pt2); make a "
            "module of any other, as the package onnx2pytorch does, in a file of yours: file.py:factory."
        )
    if not known or path.is_dir():
        raise FileFormatError(f"{path} is no network that can be loaded. Allowed are {FORMS}.")
    if path.suffix == ".pt2":
        return _from_program(path)
    n_tensors = len(checkpoints.read_state_dict(path))
    raise InvalidInputError(
        f"{path} is a state dict of {n_tensors} tensors, without an architecture. Give the code that builds the "
        f"network, file.py:factory, and this file as its weights (--weights {path})."
    )


def _refuse_foreign_weights(path: Path) -> None:
    """Raise InvalidInputError, which says how to import them, for weights under names of another program."""
    if is_tensorflow(path) or (is_keras(path) and path.exists()):
        raise InvalidInputError(
            f"{path} holds weights of TensorFlow or Keras, and needs the code of its network and a map of names: "
            f"cnnvis import {path} --structure file.py:factory --names MAP.json --out network.pt2."
        )


def _from_program(path: Path) -> Network:
    """Return an exported program; its preprocessing is the most likely one, unless cnnvis wrote it beside."""
    module, example = load_exported(path)
    network = Network(module, name=path.name, weights=path.name, example=example, image=_image_of(example))
    description = read_description(path)
    return network if description is None else described(network, description, path)


def _wrapped(module: nn.Module, *, name: str, weights: str, where: str, example: Any = None) -> Network:
    """Return a bare module with the preprocessing that is most likely, shown as assumed."""
    if example is not None:
        example = (example,) if isinstance(example, torch.Tensor) else example
        return Network(module, name=name, weights=weights, example=example, image=_image_of(example))
    stem = next((part for part in module.modules() if isinstance(part, nn.Conv2d)), None)
    if stem is None or stem.in_channels != 3:
        raise InvalidInputError(
            f"{where} whose input cannot be guessed: its first layer is no convolution of RGB images. "
            "Say what goes in: a factory returns (module, example tensors), or a cnnvis.models.Network."
        )
    return Network(module, name=name, weights=weights, image=imagenet_spec(assumed=True))


def _image_of(example: Any) -> ImageSpec | None:
    """Return the usual preprocessing for networks whose only input looks like one image, else None."""
    if not isinstance(example, (tuple, list)) or len(example) != 1 or getattr(example[0], "ndim", 0) != 4:
        return None
    channels, *size = example[0].shape[1:]
    if channels == 3:
        return imagenet_spec(tuple(size), assumed=True)
    return ImageSpec(tuple(size), colour="L", assumed=True) if channels == 1 else None


def _placed(network: Network, device: torch.device | None) -> Network:
    """Return the network in eval mode, with module and example on `device` (None: where the module is)."""
    module = network.module.eval()
    if device is not None:
        module = module.to(device)
    example = tuple(tensor.to(device or network.device) for tensor in network.example)
    return replace(network, module=module, example=example)


def _device(device: str | torch.device) -> torch.device:
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = first_sentence(error)
        raise InvalidInputError(f"No device {str(device)!r} here ({reason}). Allowed are auto, cpu, cuda.") from None
    return found
