"""Scales in training as a file: every class that was begun, so that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from cnnvis.attribution._scale_training import ScaleState
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.core.file_format import FileFormat
from cnnvis.core.run_facts import require_run, run_header

KIND = FileFormat("cnnvis-scales", 1, "scales in training")


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
        save_bytes(save(tensors, {**run_header(KIND, self.facts), "steps": json.dumps(steps)}), self.path)

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
                require_run(self.path, metadata, KIND, self.facts)
                return {
                    int(label): ScaleState(step, *(file.get_tensor(f"{label}/{part}").to(like) for part in _PARTS))
                    for label, step in json.loads(metadata["steps"]).items()
                }
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise FileFormatError(f"{self.path} holds no scales in training, or is damaged: {error}") from error


_PARTS = ("values", "first", "second")
