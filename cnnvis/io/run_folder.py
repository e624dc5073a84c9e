"""A run as it is read: a training that has ended, has crashed, or goes on in another process."""

from __future__ import annotations

import copy
import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Recording
from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, MissingFileError
from cnnvis.core.training_run import RunCheckpoint, RunFacts, RunMoment, RunState, SamplePredictions, TrainingCurve
from cnnvis.io import recording_safetensors
from cnnvis.io.run_manifest import (
    ALIVE,
    CURVES,
    MANIFEST,
    RECORDINGS,
    SAMPLES,
    WEIGHTS,
    Manifest,
    piece,
    read_manifest,
)
from cnnvis.io.run_table import RunTable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from cnnvis.models import Network

SILENT_AFTER = 10.0
"""Seconds without a sign of life after which a run that nobody ended counts as crashed."""


class StoredRun:
    """A training that `cnnvis.Watcher` wrote, or still writes; `cnnvis.load(folder)` opens it.

    It changes only in `refresh`. Not for several threads at once.

    Parameters
    ----------
    folder : path

    Raises
    ------
    MissingFileError, FileFormatError
        When the folder holds no run, or its manifest is damaged. Damaged and missing pieces besides are no error:
        `problems` names them, and `epochs` leaves them out.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._begin()

    def _begin(self) -> None:
        self._seen = _stamp(self.folder / MANIFEST)  # before reading: what is replaced meanwhile is read once more
        self._take(read_manifest(self.folder))
        self._table = RunTable(self.folder / CURVES)
        self._table.refresh()
        self.__dict__.pop("samples", None)

    def __repr__(self) -> str:
        epochs = self.epochs
        span = f"{self.unit}s {epochs[0]} to {epochs[-1]}" if epochs else f"no {self.unit} yet"
        return f"StoredRun({str(self.folder)!r}, {self.facts.name}, {span}, {self.state})"

    # -- what is there ---------------------------------------------------------------------------

    @property
    def facts(self) -> RunFacts:
        """What was known before the training began: names, labels, layers, graph."""
        return self._manifest.facts

    @property
    def unit(self) -> str:
        """What `epochs` count: "epoch", or "step" where the Watcher was told to keep every so many steps."""
        return self.facts.unit

    @property
    def epochs(self) -> tuple[int, ...]:
        """Numbers of the checkpoints that can be read, rising; 0 is before training."""
        return tuple(self._good)

    @property
    def checkpoints(self) -> tuple[RunCheckpoint, ...]:
        """The same with step, epoch and what the samples were taken for."""
        return tuple(self._good.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for everything that is missing, damaged or of other shapes, and therefore left out."""
        return (*self._manifest.problems, *self._bad.values(), *self._table.problems)

    @property
    def state(self) -> RunState:
        """How far the training is. Cost: one call of stat."""
        state = self._manifest.state
        if state is not RunState.TRAINING:
            return state
        try:
            silent = time.time() - (self.folder / ALIVE).stat().st_mtime > SILENT_AFTER
        except OSError:
            silent = True
        return RunState.CRASHED if silent else RunState.TRAINING

    @property
    def finished(self) -> bool:
        """Whether the training came to its end."""
        return self.state is RunState.FINISHED

    @property
    def error(self) -> str:
        """What ended the training or the watching, where an error did."""
        return self._manifest.error

    @property
    def curves(self) -> TrainingCurve:
        """Loss and accuracy of each step."""
        return self._table.curve("step")

    @property
    def epoch_curves(self) -> TrainingCurve:
        """Loss and accuracy of each epoch, as the training loop measured them."""
        return self._table.curve("epoch")

    @property
    def predictions(self) -> SamplePredictions | None:
        """What the samples were taken for at each of `epochs`; None where the network gives no class scores."""
        found = [checkpoint for checkpoint in self.checkpoints if checkpoint.predicted]
        if not found:
            return None
        return SamplePredictions(
            numbers=np.array([checkpoint.number for checkpoint in found]),
            predicted=np.array([checkpoint.predicted for checkpoint in found]),
            probability=np.array([checkpoint.probability for checkpoint in found]),
            truth=np.array([checkpoint.truth for checkpoint in found]) if all(c.truth for c in found) else None,
            labels=None if self.facts.labels is None else np.array(self.facts.labels),
        )

    @cached_property
    def samples(self) -> NDArray[Any]:
        """The sample images as the network takes them, (N, ...)."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(self.folder / SAMPLES)["samples"]
        except FileNotFoundError as error:
            raise MissingFileError(f"The run {self.folder} has lost its {SAMPLES}.") from error
        except (SafetensorError, KeyError, OSError) as error:
            raise FileFormatError(f"{self.folder / SAMPLES} is damaged: {error}") from error

    def moment(self) -> RunMoment:
        """Return what is known now, as data that no `refresh` changes; lost samples are one of its problems."""
        samples, lost = None, ()
        try:
            samples = self.samples
        except (MissingFileError, FileFormatError) as error:
            lost = (str(error),)
        return RunMoment(
            facts=self.facts,
            checkpoints=self.checkpoints,
            curves=self.curves,
            epoch_curves=self.epoch_curves,
            predictions=self.predictions,
            samples=samples,
            state=self.state,
            error=self.error,
            problems=(*self.problems, *lost),
        )

    # -- one epoch -------------------------------------------------------------------------------

    def recording(self, epoch: int) -> Recording:
        """Return what layers and network made of the samples then.

        Parameters
        ----------
        epoch : int
            One of `epochs`; -1 is the last.

        Raises
        ------
        InvalidInputError
            When there is no such checkpoint.
        FileFormatError, MissingFileError, DataMismatchError
            When its file is damaged, missing, or another one than was written.
        """
        return recording_safetensors.load(self._piece(RECORDINGS, epoch))

    def state_dict(self, epoch: int) -> dict[str, Tensor]:
        """Return the weights and buffers of then, on the CPU; parameters and errors as for `recording`."""
        from cnnvis.models.checkpoints import read_state_dict

        return read_state_dict(self._piece(WEIGHTS, epoch))

    def network(self, epoch: int, model: Network | nn.Module | str | None = None) -> Network:
        """Return the network as it was then.

        Parameters
        ----------
        epoch : int
            One of `epochs`; -1 is the last.
        model : Network, nn.Module or str, optional
            Its architecture, of which a copy is filled; a name as for `cnnvis.models.load`. May be left out for a
            network that comes with cnnvis. Code that the run itself names is never run.

        Raises
        ------
        InvalidInputError
            When the architecture is needed, or there is no such checkpoint.
        CheckpointError
            When the weights do not fit it.
        """
        from cnnvis.models.checkpoints import load_state_dict

        found = self._checkpoint(epoch)
        network = self._architecture(model)
        path = piece(self.folder, WEIGHTS, found.number)
        load_state_dict(network.module, self.state_dict(epoch), path)
        weights = f"{self.unit} {found.number} of {self.folder.name}"
        return replace(network, module=network.module.eval(), name=self.facts.name, weights=weights)

    def _architecture(self, model: Network | nn.Module | str | None) -> Network:
        from cnnvis.models import Network, load
        from cnnvis.models.bundled import bundled_network

        if isinstance(model, Network):
            return replace(model, module=copy.deepcopy(model.module))
        if isinstance(model, str):
            return load(model)
        if model is not None:
            import torch

            example = torch.from_numpy(np.array(self.samples[:1]))
            return Network(copy.deepcopy(model), example=example, class_names=self.facts.class_names)
        network = bundled_network(self.facts.name)
        if network is None:
            raise InvalidInputError(
                f"The run {self.folder} holds weights of {self.facts.name!r} but no code: pass the architecture, "
                "run.network(epoch, model) with a module, or a name such as my_net.py:build."
            )
        return network

    def _checkpoint(self, epoch: int) -> RunCheckpoint:
        number = self.epochs[-1] if epoch == -1 and self._good else epoch
        if number in self._good:
            return self._good[number]
        if number in self._bad:
            raise FileFormatError(f"{self.folder}: {self._bad[number]}")
        kept = ", ".join(map(str, self.epochs)) or "none yet"
        raise InvalidInputError(f"The run {self.folder} kept no {self.unit} {epoch}; kept are {kept}.")

    def _piece(self, kind: str, epoch: int) -> Path:
        """Return where a piece lies, once it is known to be the one that was written."""
        found = self._checkpoint(epoch)
        path = piece(self.folder, kind, found.number)
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise MissingFileError(f"The run {self.folder} has lost {kind}/{path.name}.") from error
        if digest != found.pieces[kind].sha256:
            raise DataMismatchError(f"{path} is damaged: it is not what was written (its sha256 differs).")
        return path

    # -- while it goes on ------------------------------------------------------------------------

    def refresh(self) -> bool:
        """Read what was written since; return whether there was anything. Cost: two calls of stat where not.

        A run that another one has replaced in the same folder is read from its beginning.

        Raises
        ------
        MissingFileError, FileFormatError
            When the run is gone, or its manifest damaged; what was read before is kept.
        """
        stamp = _stamp(self.folder / MANIFEST)
        if stamp != self._seen:
            manifest = read_manifest(self.folder)
            if manifest.facts.run_id != self.facts.run_id:
                self._begin()
                return True
            self._seen = stamp
            self._take(manifest)
            self._table.refresh()
            return True
        return self._table.refresh()

    def follow(self, *, poll: float = 0.5) -> Iterator[StoredRun]:
        """Yield this run, now and whenever there was something new, until nobody writes it any more.

        Parameters
        ----------
        poll : float
            Seconds between two looks.
        """
        yield self
        while True:
            state = self.state  # before the last look, which then misses nothing
            if self.refresh():
                yield self
            elif state is not RunState.TRAINING:
                return
            else:
                time.sleep(poll)

    def _take(self, manifest: Manifest) -> None:
        """Take a manifest, and part its checkpoints into those that can be read and those that cannot."""
        self._manifest = manifest
        self._good: dict[int, RunCheckpoint] = {}
        self._bad: dict[int, str] = {}
        usual = Counter(checkpoint.shapes for checkpoint in manifest.checkpoints).most_common(1)
        for checkpoint in manifest.checkpoints:
            problem = self._problem(checkpoint, usual[0][0])
            if problem:
                self._bad[checkpoint.number] = problem
            else:
                self._good[checkpoint.number] = checkpoint

    def _problem(self, checkpoint: RunCheckpoint, shapes: str) -> str:
        """Return what is wrong with a checkpoint, as far as can be seen without reading it; "" for nothing."""
        name = f"{self.facts.unit} {checkpoint.number}"
        for kind in (WEIGHTS, RECORDINGS):
            path = piece(self.folder, kind, checkpoint.number)
            if kind not in checkpoint.pieces or not path.is_file():
                return f"{name} is left out: {kind}/{path.name} is missing."
            if path.stat().st_size != checkpoint.pieces[kind].n_bytes:
                return f"{name} is left out: {kind}/{path.name} is damaged, it has another size than was written."
        if checkpoint.shapes != shapes:
            return f"{name} is left out: its weights or maps have other shapes than those of the other {self.unit}s."
        return ""


def load(folder: Path) -> StoredRun:
    """Return the run in a folder; errors as for `StoredRun`."""
    return StoredRun(folder)


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what differs between any two files that stood at `path` one after the other."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
