"""A pruned network on disk: a program that runs by itself, its tensors, and what was removed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from cnnvis.capture import channel_spaces, trace
from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.models import Network, load
from cnnvis.models.checkpoints import load_state_dict, read_state_dict
from cnnvis.models.exporting import describe, described, exported
from cnnvis.pruning.removal import remove_channels
from cnnvis.pruning.structural import Pruned

PROGRAM, TENSORS, DESCRIPTION = "network.pt2", "tensors.safetensors", "description.json"
FORMAT = "cnnvis pruned network"
VERSION = 1


def save_pruned(result: Pruned, folder: str | Path) -> tuple[Path, ...]:
    """Write a pruned network into `folder`, so that it can be used without the original and without its code.

    Of a `MergedNetwork`, pass its `pruned`.

    - ``network.pt2``: a `torch.export` program, which `cnnvis.models.load` opens;
    - ``tensors.safetensors``: all parameters and buffers, under the names of the original's;
    - ``description.json``: what was removed from which network, by which method, and what it saves.

    All three appear, or none.

    Returns
    -------
    tuple of Path

    Raises
    ------
    InvalidInputError
        When torch cannot export the network.
    OutputError
        When the files cannot be written.
    """
    folder = Path(folder)
    with AtomicWrite() as write:
        write.file(folder / PROGRAM).write_bytes(exported(result.network))
        # The library's own save_file would let nobody but the owner read the file.
        write.file(folder / TENSORS).write_bytes(save(_tensors(result.network.module)))
        write.file(folder / DESCRIPTION).write_text(json.dumps(_description(result), indent=2), encoding="utf-8")
    return folder / PROGRAM, folder / TENSORS, folder / DESCRIPTION


def load_pruned(folder: str | Path, *, architecture: Any = None) -> Network:
    """Return the network that `save_pruned` wrote into `folder`.

    Parameters
    ----------
    folder : str or path
    architecture : Network, nn.Module or str, optional
        The original's architecture, whatever its weights, or what `cnnvis.models.load` makes it of. With it, the
        network has layers of its class again, and can be trained on; without it, the saved program is returned.

    Returns
    -------
    Network
        Named, with classes and preprocessing, as it was saved; on the CPU.

    Raises
    ------
    MissingFileError, FileFormatError
        When the folder does not hold what `save_pruned` writes.
    DataMismatchError
        When program and tensors are not those of one network.
    InvalidInputError, CheckpointError
        When the architecture is another one.
    """
    folder = Path(folder)
    about, state = _read_description(folder / DESCRIPTION), read_state_dict(_existing(folder / TENSORS))
    if architecture is not None:
        return described(_rebuilt(load(architecture, device="cpu"), about, state, folder), about["network"], folder)
    network = load(_existing(folder / PROGRAM), device="cpu")
    _require_same(_tensors(network.module), state, folder)
    return network


def _rebuilt(original: Network, about: dict[str, Any], state: Mapping[str, Tensor], folder: Path) -> Network:
    """Return a copy of the original with the same channels removed, and the tensors saved."""
    module = copy.deepcopy(original.module)
    removed = {name: np.asarray(channels, dtype=np.int64) for name, channels in about["removed"].items()}
    spaces = channel_spaces(module, original.example)
    sizes = {space.name: space.size for space in spaces}
    strangers = [name for name, gone in removed.items() if gone.max(initial=0) >= sizes.get(name, 0)]
    if strangers:
        raise InvalidInputError(
            f"{folder} was pruned from {about['original']}; {original.name} has no such channels in "
            f"{', '.join(strangers)}. Give the architecture that it was cut from."
        )
    remove_channels(module, trace(module, original.example), spaces, removed)
    _give_biases(module, state)
    load_state_dict(module, state, folder / TENSORS)
    return replace(original, module=module.eval())


def _give_biases(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a bias to each layer that got one when channels were merged."""
    for name, layer in module.named_modules():
        bias = state.get(f"{name}.bias")
        if bias is not None and "bias" in layer._parameters and layer._parameters["bias"] is None:
            layer.register_parameter("bias", nn.Parameter(torch.empty_like(bias)))


def _description(result: Pruned) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "original": result.original,
        "network": describe(result.network),
        "removed": {name: channels.tolist() for name, channels in result.removed.items()},
        "left_whole": dict(result.left_whole),
        "parameters": result.n_parameters,
        "multiply_adds": result.multiply_adds,
        "largest_difference": result.largest_difference,
        "options": dict(result.options),
    }


def _read_description(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path} is no JSON ({error}); it may be damaged.") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise FileFormatError(f"{path} does not describe a pruned network.")
    if found.get("version") != VERSION:
        raise FileFormatError(f"{path} has version {found.get('version')}; this cnnvis reads version {VERSION}.")
    return found


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingFileError(
            f"There is no file {path}; a pruned network is a folder with {PROGRAM}, {TENSORS} and {DESCRIPTION}."
        )
    return path


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return parameters and buffers on the CPU, each with memory of its own, as safetensors wants it."""
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in module.state_dict().items()}


def _require_same(found: Mapping[str, Tensor], saved: Mapping[str, Tensor], folder: Path) -> None:
    different = [name for name in saved if name not in found or not torch.equal(found[name], saved[name])]
    if different:
        raise DataMismatchError(
            f"{PROGRAM} and {TENSORS} in {folder} are not of one network: {', '.join(different[:5])} differ."
        )
