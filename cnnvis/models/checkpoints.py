"""State dicts: read from a file without running any of its code, and put into a module."""

from __future__ import annotations

import contextlib
import copy
import pickle
import pickletools
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis.core.errors import CheckpointError, FileFormatError, InvalidInputError, UnsafeFileError
from cnnvis.models._reason import first_sentence

SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
"""What a state dict is called; any other name is tried as a torch file too."""

StateDict = dict[str, torch.Tensor]

_WRAPPERS = ("state_dict", "model_state_dict", "model")  # Lightning and timm, the PyTorch tutorials, DETR and its like
_PREFIXES = ("module.", "_orig_mod.")  # DataParallel, torch.compile


def read_state_dict(path: Path) -> StateDict:
    """Return the tensors of a checkpoint by name, on the CPU.

    Checkpoints wrapped as ``{"state_dict": ...}``, ``{"model_state_dict": ...}`` or ``{"model": ...}`` are unwrapped.

    Parameters
    ----------
    path : Path
        ``.safetensors``, or what `torch.save` wrote.

    Raises
    ------
    InvalidInputError
        When there is no such file.
    UnsafeFileError
        When the file is a pickle that wants to import more than tensors, such as a whole module.
    FileFormatError
        When the file is a TorchScript archive.
    CheckpointError
        When the file is damaged, no checkpoint, or holds no state dict.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "missing"
        raise InvalidInputError(f"The checkpoint {path} is {what}; name a .pt, .pth or .safetensors file.")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    return _unwrapped(content, path)


def load_state_dict(module: nn.Module, state: Mapping[str, torch.Tensor], path: Path) -> None:
    """Put `state` into `module`, all of it or nothing.

    The prefixes that DataParallel and torch.compile put before every name are removed.

    Raises
    ------
    CheckpointError
        When keys are missing or unexpected or a shape differs: all of them are named, and `module` is as before.
    """
    state = _without_prefix(state, module)
    complaint = _complaint(module, state)
    if complaint and not _loads(copy.deepcopy(module), state):  # modules may know the names of their older versions
        raise CheckpointError(f"{path} does not fit {type(module).__name__}:\n{complaint}")
    module.load_state_dict(dict(state))


def _read_safetensors(path: Path) -> StateDict:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read as safetensors ({error}); it may be damaged.") from error


def _read_torch(path: Path) -> Any:
    if "constants.pkl" in _records(path):
        raise FileFormatError(
            f"{path} is a TorchScript archive, whose layers cannot be recorded. Give the network's code as "
            "file.py:factory with its state dict as weights, or an exported program (torch.export.save, .pt2)."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickles of other versions, which it then refuses
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = _unsafe_imports(path)
        if not wanted:
            raise CheckpointError(f"{path} is no checkpoint that torch or safetensors wrote, or is damaged.") from error
        raise UnsafeFileError(
            f"{path} is a pickle that wants to run code on loading ({', '.join(wanted)}); it was refused. Save the "
            "tensors alone, torch.save(module.state_dict(), FILE), and load them as file.py:factory with weights=FILE."
        ) from error
    except Exception as error:  # torch raises nearly anything on damaged files: RuntimeError, EOFError, KeyError ...
        reason = first_sentence(error, default="it ends too early")
        raise CheckpointError(f"{path} cannot be read as a checkpoint ({reason}); it may be damaged.") from error


def _records(path: Path) -> list[str]:
    """Return the names of the records in a torch archive; none for a file of another kind."""
    try:
        return torch.PyTorchFileReader(str(path)).get_all_records()
    except (RuntimeError, ValueError):
        return []


def _unsafe_imports(path: Path) -> list[str]:
    """Return what the pickle in `path` wants to import beyond tensors, found without running it."""
    wanted: dict[str, None] = {}
    with contextlib.suppress(Exception):  # where a damaged file stops being a pickle
        if _records(path):
            return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
        with path.open("rb") as file:
            while file.peek(1):  # torch's older format is several pickles in a row
                wanted.update(dict.fromkeys(_imports(pickletools.genops(file))))
    return list(wanted)


def _imports(operations: Iterable[tuple[Any, Any, Any]]) -> Iterable[str]:
    """Yield "module.name" of everything that the operations of a pickle import."""
    texts: list[str] = []
    for operation, argument, _ in operations:
        if operation.name == "GLOBAL":
            yield argument.replace(" ", ".")
        elif operation.name == "STACK_GLOBAL":
            yield ".".join(texts[-2:])
        elif isinstance(argument, str):
            texts.append(argument)


def _unwrapped(content: Any, path: Path) -> StateDict:
    """Return the mapping of names to tensors within `content`."""
    for key in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds a {type(content).__name__}; a state dict (names to tensors) is needed.")
    strangers = [f"{key} ({type(value).__name__})" for key, value in content.items() if not torch.is_tensor(value)]
    if strangers or not content:
        found = ", ".join(strangers[:8]) if strangers else "nothing"
        raise CheckpointError(
            f"{path} is no state dict: it holds {found}. Allowed are names with tensors, by themselves or under "
            f"one of the keys {', '.join(_WRAPPERS)}."
        )
    return dict(content)


def _without_prefix(state: Mapping[str, torch.Tensor], module: nn.Module) -> Mapping[str, torch.Tensor]:
    for prefix in _PREFIXES:
        if all(name.startswith(prefix) for name in state) and not hasattr(module, prefix.rstrip(".")):
            state = {name.removeprefix(prefix): tensor for name, tensor in state.items()}
    return state


def _loads(module: nn.Module, state: Mapping[str, torch.Tensor]) -> bool:
    try:
        module.load_state_dict(dict(state))
    except RuntimeError:
        return False
    return True


def _complaint(module: nn.Module, state: Mapping[str, torch.Tensor]) -> str:
    """Return one line per key that does not fit, grouped; "" when all fit."""
    own = module.state_dict()
    # Batch norms count their batches since 2018; torch fills the counter in where it is missing.
    missing = [name for name in own if name not in state and not name.endswith(".num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    shapes = [
        f"{name}: {_shape(state[name])} in the file, {_shape(own[name])} in the network"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    groups = {"missing in the file": missing, "unexpected in the file": unexpected, "of another shape": shapes}
    return "\n".join("\n  ".join([f"{len(lines)} {title}:", *lines]) for title, lines in groups.items() if lines)


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
