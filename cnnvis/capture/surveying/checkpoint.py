"""A survey under way as a file, so that an interrupted one goes on where it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cnnvis.capture.fingerprints import fingerprint
from cnnvis.capture.surveying.convergence import ConvergenceCurve
from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.plan import SurveyPlan
from cnnvis.capture.surveying.shards import ShardSource
from cnnvis.core import SkippedImage
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError
from cnnvis.core.file_format import FileFormat
from cnnvis.core.run_facts import require_run, run_header

KIND = FileFormat("cnnvis-survey-checkpoint", 1, "survey under way")


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
    def of(cls, path: Path, module: nn.Module, plan: SurveyPlan, source: ShardSource) -> SurveyCheckpoint:
        """Return the checkpoint of a run: network, layers, options and images must be the same."""
        facts = {"values": dict(plan.values), "n_classes": plan.n_classes, "n_images": source.n_images}
        facts |= asdict(plan.options)
        return cls(path, {**facts, "weights": fingerprint(module), "images": source.fingerprint()})

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
        save_bytes(save(arrays, {**run_header(KIND, self.facts), "state": json.dumps(state)}), self.path)

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
                require_run(self.path, metadata, KIND, self.facts)
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            state = json.loads(metadata["state"])
            taken.restore(_part("taken", arrays))
            taken.skipped = [SkippedImage(*pair) for pair in state["skipped"]]
            curve.points, curve.change, curve.before = state["points"], state["change"], _part("before", arrays)
            return int(state["n_shards"])
        except (SafetensorError, KeyError, json.JSONDecodeError) as error:
            raise FileFormatError(f"{self.path} holds no survey under way, or is damaged: {error}") from error


def _part(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name.removeprefix(f"{prefix}/"): array for name, array in arrays.items() if name.startswith(f"{prefix}/")}
