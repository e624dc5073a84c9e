"""A training of which only checkpoints are left, as a run."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import CnnvisError, InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.core.training_run import RunCheckpoint, RunState
from cnnvis.io.run_folder import StoredRun
from cnnvis.io.run_table import Row
from cnnvis.io.run_writer import RunWriter
from cnnvis.models import Network
from cnnvis.models.checkpoints import SUFFIXES, load_state_dict, read_state_dict
from cnnvis.training.watched import WatchedNetwork

BATCH_SIZE = 250


def run_of_checkpoints(  # noqa: PLR0913 - the public call is flat
    model: nn.Module | Network,
    checkpoints: str | Path | Iterable[str | Path],
    folder: str | Path,
    *,
    samples: Any,
    labels: ArrayLike | None = None,
    layers: str | Iterable[str] | None = None,
    names: Sequence[str] = (),
    data: tuple[Tensor, Tensor] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> StoredRun:
    """Make the run that `cnnvis.Watcher` would have written of a training whose state dicts were kept.

    Parameters
    ----------
    model : nn.Module or Network
        The architecture; it stays as it is.
    checkpoints : path, or iterable of paths
        State dicts (.pt, .pth, .bin, .ckpt, .safetensors), each with its epoch as the last number of its name; or the
        folder they lie in. No code in them is run.
    folder : path
        Of the run.
    samples, labels, layers, names, overwrite
        As for `cnnvis.Watcher`.
    data : (inputs, labels), optional
        Images on which loss and accuracy of each epoch are measured, as for `cnnvis.training.train`.
    progress : callable
        Counts checkpoints.

    Returns
    -------
    StoredRun
        A file that is damaged or does not fit the architecture is left out, and named among its `problems`.

    Raises
    ------
    InvalidInputError
        When there is no checkpoint, none that fits, a name without a number, or two with the same one; and as from
        `cnnvis.Watcher`.
    OutputError
        When the run cannot be written.
    """
    numbered = _numbered(checkpoints)
    source = model if isinstance(model, Network) else Network(model, example=torch.as_tensor(samples)[:1])
    network = replace(source, module=copy.deepcopy(source.module))
    watched = WatchedNetwork(network, samples, labels=labels, layers=layers, names=names)
    writer = RunWriter(Path(folder), watched.facts("epoch"), watched.samples.numpy(), overwrite=overwrite)
    for done, (number, path) in enumerate(numbered.items(), start=1):
        try:
            load_state_dict(network.module, read_state_dict(path), path)
        except CnnvisError as error:
            writer.add_problem(f"epoch {number} is left out: {error}")
        else:
            when = RunCheckpoint(number, step=number, epoch=number)
            writer.add_checkpoint(when, watched.weights(), watched.recording(f"epoch {number}"))
            if data is not None:
                writer.add_rows([Row("epoch", number, number, *_loss_and_accuracy(network.module, data))])
        progress(done, len(numbered))
    writer.end(RunState.FINISHED)
    run = StoredRun(folder)
    if not run.epochs:
        raise InvalidInputError(f"None of {len(numbered)} checkpoints can be taken. {run.problems[0]}")
    return run


def _numbered(checkpoints: str | Path | Iterable[str | Path]) -> dict[int, Path]:
    """Return the files by their epochs, rising."""
    if isinstance(checkpoints, str | Path):
        if not Path(checkpoints).is_dir():
            raise InvalidInputError(f"{checkpoints} is no folder of checkpoints; several files are named as a list.")
        paths = sorted(path for path in Path(checkpoints).iterdir() if path.suffix in SUFFIXES)
    else:
        paths = [Path(path) for path in checkpoints]
    found: dict[int, Path] = {}
    for path in paths:
        digits = re.findall(r"\d+", path.stem)
        if not digits:
            raise InvalidInputError(f"Of which epoch is {path.name}? A name needs a number, such as epoch_003.pt.")
        number = int(digits[-1])
        if number in found:
            raise InvalidInputError(
                f"{found[number].name} and {path.name} are both of epoch {number}, as the last number of a name says. "
                "Pass a list of those that belong together."
            )
        found[number] = path
    if not found:
        raise InvalidInputError(f"There are no checkpoints in {checkpoints}; they end in {', '.join(SUFFIXES)}.")
    return dict(sorted(found.items()))


def _loss_and_accuracy(module: nn.Module, data: tuple[Tensor, Tensor]) -> tuple[float, float]:
    """Return the mean cross-entropy in nats and the share of images that are right, in eval mode."""
    inputs, labels = data
    loss, hits = 0.0, 0
    with evaluating(ModuleTree(module)):
        for images, wanted in zip(inputs.split(BATCH_SIZE), labels.split(BATCH_SIZE), strict=True):
            logits = module(images)
            loss += float(cross_entropy(logits, wanted, reduction="sum"))
            hits += int((logits.argmax(1) == wanted).sum())
    return loss / len(inputs), hits / len(inputs)
