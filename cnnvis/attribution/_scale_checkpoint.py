"""Scales in training as a file: every class that was begun, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis.attribution._scale_training import ScaleState
from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.nested import tensors_in
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.core.run_facts import require_same_run

FORMAT = "cnnvis-scales"
VERSION = 1


@dataclass(frozen=True, slots=True)
class ScaleCheckpoint:
    """A .safetensors file with the state of each class, and the facts of the run as JSON in its header.

    Parameters
    ----------
    path : Path or None
        None keeps nothing.
    facts : mapping
        All that decides the result, but for the classes and the number of steps: another run may add to these.
    """

    path: Path | None
    facts: Mapping[str, Any]

    def save(self, states: Mapping[int, ScaleState]) -> None:
        """Write the state of every class, each (1, n_values); whole or not at all."""
        if self.path is None or not states:
            return
        from safetensors.torch import save

        tensors = {
            f"{label}/{part}": getattr(state, part).detach().cpu().contiguous()
            for label, state in states.items()
            for part in ("values", "first", "second")
        }
        steps = {str(label): state.step for label, state in states.items()}
        metadata = {
            "format": FORMAT,
            "version": str(VERSION),
            "facts": json.dumps(dict(self.facts)),
            "steps": json.dumps(steps),
        }
        save_bytes(save(tensors, metadata), self.path)

    def load(self, like: Tensor) -> dict[int, ScaleState]:
        """Return the states that are there, on the device and in the dtype of `like`; none where there is no file.

        Raises
        ------
        FileFormatError
            When the file is damaged, of a newer version, or something else.
        InvalidInputError
            When it belongs to another network, other images or other options; says which.
        """
        if self.path is None or not self.path.exists():
            return {}
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata() or {}
                self._check(metadata)
                return {
                    int(label): ScaleState(step, *(file.get_tensor(f"{label}/{part}").to(like) for part in _PARTS))
                    for label, step in json.loads(metadata["steps"]).items()
                }
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise FileFormatError(f"{self.path} holds no scales in training, or is damaged: {error}") from error

    def _check(self, metadata: Mapping[str, str]) -> None:
        if metadata.get("format") != FORMAT:
            raise FileFormatError(f"{self.path} is a .safetensors file, but holds no scales in training.")
        if int(metadata["version"]) > VERSION:
            raise FileFormatError(
                f"{self.path} is of version {metadata['version']}, this cnnvis reads {VERSION}; update cnnvis."
            )
        require_same_run(self.path, json.loads(metadata["facts"]), self.facts)


_PARTS = ("values", "first", "second")


def fingerprint(module: nn.Module) -> str:
    """Return a hash of all weights and buffers."""
    return _hash([tensor for _, tensor in sorted(module.state_dict().items()) if isinstance(tensor, Tensor)])


def fingerprint_images(images: ForwardCall) -> str:
    """Return a hash of all inputs."""
    return _hash([tensor for _, tensor in tensors_in((images.args, images.kwargs))])


def _hash(tensors: Sequence[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
