"""Writes a run while it goes on: each part whole, the manifest last."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.core import Recording
from cnnvis.core.atomic import AtomicWrite, save_bytes
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.training_run import PieceFacts, RunCheckpoint, RunFacts, RunState
from cnnvis.io import recording_safetensors
from cnnvis.io.run_manifest import ALIVE, CURVES, MANIFEST, RECORDINGS, SAMPLES, WEIGHTS, Manifest, piece
from cnnvis.io.run_table import HEADER, Row, append_rows
from cnnvis.models.predictions import class_probabilities


class RunWriter:
    """A run under way, in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    facts : RunFacts
    samples : (N, ...) ndarray
        As the network takes them.
    overwrite : bool
        Replace a run that is there; anything else in the folder is left alone.

    Raises
    ------
    InvalidInputError
        When there is a run already.
    OutputError
        When the folder cannot be written.
    """

    def __init__(self, folder: Path, facts: RunFacts, samples: NDArray[Any], *, overwrite: bool = False) -> None:
        from safetensors.numpy import save

        if (folder / MANIFEST).exists():
            if not overwrite:
                raise InvalidInputError(
                    f"{folder} holds a run already; name another folder, or pass overwrite=True to lose that run."
                )
            _remove_run(folder)
        self.folder = folder
        self._manifest = Manifest(replace(facts, run_id=secrets.token_hex(8)))
        save_bytes(save({"samples": np.ascontiguousarray(samples)}), folder / SAMPLES)
        save_bytes(HEADER.encode("ascii"), folder / CURVES)
        self.touch()
        self._manifest.save(folder)

    def touch(self) -> None:
        """Give a sign of life."""
        (self.folder / ALIVE).touch()

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Add measurements to the table."""
        append_rows(rows, self.folder / CURVES)

    def add_checkpoint(self, when: RunCheckpoint, weights: Mapping[str, Tensor], recording: Recording) -> None:
        """Keep weights, which nobody may change meanwhile, and what the network made of the samples with them.

        Parameters
        ----------
        when : RunCheckpoint
            Its number, step and epoch; the rest is filled in.
        weights : mapping of str to Tensor
            On the CPU, contiguous, none of them a view of another.
        recording : Recording
        """
        from safetensors.torch import save

        pieces = {}
        with AtomicWrite() as write:
            temporary = write.file(piece(self.folder, WEIGHTS, when.number))
            temporary.write_bytes(save(dict(weights), {"format": "pt"}))
            pieces[WEIGHTS] = _facts_of(temporary)
            temporary = write.file(piece(self.folder, RECORDINGS, when.number))
            recording_safetensors.save(recording, temporary)
            pieces[RECORDINGS] = _facts_of(temporary)
        found = replace(when, pieces=pieces, shapes=_shapes(weights, recording), **self._predictions(recording))
        self._replace(checkpoints=(*self._manifest.checkpoints, found))

    def add_problem(self, sentence: str) -> None:
        """Note what could not be taken."""
        self._replace(problems=(*self._manifest.problems, sentence))

    def end(self, state: RunState, error: str = "") -> None:
        """Say that nothing more comes."""
        self._replace(state=state, error=error)

    def _replace(self, **changes: Any) -> None:
        changed = replace(self._manifest, **changes)
        changed.save(self.folder)
        self._manifest = changed

    def _predictions(self, recording: Recording) -> dict[str, tuple[Any, ...]]:
        """Return what the samples are taken for; nothing where the network gives no finite class scores (N, K)."""
        logits, labels = recording.logits, self._manifest.facts.labels
        if logits is None or logits.shape[1] < 2 or not np.isfinite(logits).all():
            return {}
        shares = np.array([class_probabilities(values.astype(np.float64)) for values in logits])
        best = shares.argmax(axis=1)
        found = {"predicted": best, "probability": shares.max(axis=1)}
        if labels is not None and max(labels) < shares.shape[1]:
            found["truth"] = shares[np.arange(len(labels)), labels]
        return {name: tuple(values.tolist()) for name, values in found.items()}


def _facts_of(path: Path) -> PieceFacts:
    with path.open("rb") as file:
        return PieceFacts(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _shapes(weights: Mapping[str, Tensor], recording: Recording) -> str:
    """Return a hash of all names and shapes."""
    shapes: list[tuple[str, Sequence[int]]] = [(name, tuple(tensor.shape)) for name, tensor in weights.items()]
    shapes += [(name, maps.activations.shape) for name, maps in recording.maps.items()]
    return hashlib.sha256(repr(shapes).encode()).hexdigest()[:16]


def _remove_run(folder: Path) -> None:
    """Remove the files of a run, the manifest first: what is left of it then is no run any more."""
    for name in (MANIFEST, SAMPLES, CURVES, ALIVE):
        (folder / name).unlink(missing_ok=True)
    for kind in (WEIGHTS, RECORDINGS):
        for path in (folder / kind).glob("[0-9]*.safetensors"):
            path.unlink()
        with suppress(OSError):  # missing, or with files of somebody else
            (folder / kind).rmdir()
