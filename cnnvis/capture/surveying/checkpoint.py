"""A survey under way as a file, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from cnnvis.capture.surveying.convergence import ConvergenceCurve
from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.plan import SurveyPlan
from cnnvis.core import SkippedImage
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.core.run_facts import require_same_run

FORMAT = "cnnvis-survey-checkpoint"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SurveyCheckpoint:
    """A .safetensors file with everything seen so far, and the facts of the run as JSON in its header.

    Parameters
    ----------
    path : Path
    facts : mapping
        All that decides the result.
    """

    path: Path
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path, module: nn.Module, plan: SurveyPlan, n_images: int | None) -> SurveyCheckpoint:
        """Return the checkpoint of a run: network, layers, options and number of images must be the same."""
        facts = {"values": dict(plan.values), "n_classes": plan.n_classes, "n_images": n_images}
        return cls(path, {**facts, **asdict(plan.options), "weights": _hash_of(module)})

    def save(self, taken: NetworkAccumulator, curve: ConvergenceCurve, n_shards: int) -> None:
        """Write the state after `n_shards` shards; whole or not at all."""
        from safetensors.numpy import save

        arrays = {f"taken/{name}": np.ascontiguousarray(array) for name, array in taken.arrays().items()}
        arrays |= {f"before/{name}": array for name, array in curve.before.items()}
        state = {
            "n_shards": n_shards,
            "skipped": [[image.name, image.reason] for image in taken.skipped],
            "points": curve.points,
            "change": curve.change,
        }
        metadata = {"format": FORMAT, "version": str(VERSION), "facts": json.dumps(dict(self.facts))}
        save_bytes(save(arrays, {**metadata, "state": json.dumps(state)}), self.path)

    def restore(self, taken: NetworkAccumulator, curve: ConvergenceCurve) -> int:
        """Put back what was saved, and return how many shards it holds; 0 where there is no file.

        Raises
        ------
        FileFormatError
            When the file is damaged, of a newer version, or something else.
        InvalidInputError
            When it belongs to another network, other layers, options or images; says which.
        """
        if not self.path.exists():
            return 0
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="numpy") as file:
                metadata = file.metadata() or {}
                self._check(metadata)
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            state = json.loads(metadata["state"])
            taken.restore(_part("taken", arrays))
            taken.skipped = [SkippedImage(*pair) for pair in state["skipped"]]
            curve.points, curve.change, curve.before = state["points"], state["change"], _part("before", arrays)
            return int(state["n_shards"])
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise FileFormatError(f"{self.path} holds no survey under way, or is damaged: {error}") from error

    def _check(self, metadata: Mapping[str, str]) -> None:
        if metadata.get("format") != FORMAT:
            raise FileFormatError(f"{self.path} is a .safetensors file, but holds no survey under way.")
        if int(metadata["version"]) > VERSION:
            raise FileFormatError(
                f"{self.path} is of version {metadata['version']}, this cnnvis reads {VERSION}; update cnnvis."
            )
        require_same_run(self.path, json.loads(metadata["facts"]), self.facts)


def _part(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{prefix}/"): array for name, array in arrays.items() if name.startswith(f"{prefix}/")}


def _hash_of(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if isinstance(tensor, Tensor):
            digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().reshape(-1).numpy().tobytes())
    return digest.hexdigest()[:16]
