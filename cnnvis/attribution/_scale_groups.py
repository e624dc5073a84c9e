"""Many classes: as many at once as fit, taken up again where an earlier run stopped, and judged at the end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cnnvis.attribution._one_vs_rest import balanced_accuracy
from cnnvis.attribution._scale_checkpoint import ScaleCheckpoint
from cnnvis.attribution._scale_moments import LabelledMoments
from cnnvis.attribution._scale_training import ScaleState, ScaleTraining, Task
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress

GROUP_BYTES = 512 * 2**20
"""Memory for the values of the classes that train together, about; one class trains in any case."""

SAVE_EVERY = 20.0
"""Seconds between two saves of a checkpoint."""


def train_classes(
    task: Task, before: LabelledMoments, classes: Sequence[int], checkpoint: ScaleCheckpoint, progress: Progress
) -> dict[int, ScaleState]:
    """Return the trained state of each class, (1, n_values); those of other classes in the checkpoint are kept there.

    The checkpoint is written now and then, and whatever ends the work: done, an error, or an interrupt.
    """
    states = {label: ScaleTraining(task, [label]).start(before.one_vs_rest([label])) for label in classes}
    states |= checkpoint.load(before.logits)
    steps = task.options.steps
    ahead = [label for label in classes if states[label].step > steps]
    if ahead:
        raise InvalidInputError(
            f"Class {ahead[0]} in {checkpoint.path} has {states[ahead[0]].step} steps behind it, "
            f"more than steps={steps}. Name another file, or ask for as many."
        )
    for group in _groups(task, {label: states[label] for label in classes if states[label].step < steps}):
        training = ScaleTraining(task, group)
        state, saved = _joined([states[label] for label in group]), time.monotonic()
        others = sum(states[label].step for label in classes if label not in group)
        try:
            while state.step < steps:
                state = training.advance(state)
                if time.monotonic() - saved > SAVE_EVERY:
                    checkpoint.save(states | _apart(state, group))
                    saved = time.monotonic()
                progress(others + state.step * len(group), steps * len(classes))
        finally:
            states |= _apart(state, group)
            checkpoint.save(states)
    return {label: states[label] for label in classes}


@dataclass(frozen=True, slots=True)
class Judgement:
    """One-vs-rest balanced accuracy of each class, (K,): of the network as it is, with new scales, and with trained."""

    before: NDArray[np.float64]
    inserted: NDArray[np.float64]
    after: NDArray[np.float64]


def judge_classes(task: Task, before: LabelledMoments, states: Mapping[int, ScaleState]) -> Judgement:
    """Return how well the images are told apart, all of them, by fixed statistics."""
    classes = np.array(list(states))
    own = balanced_accuracy(before.margins(classes), task.labels, classes)
    inserted: list[NDArray[np.float64]] = []
    after: list[NDArray[np.float64]] = []
    for group in _groups(task, states):
        training = ScaleTraining(task, group)
        for found, state in (
            (inserted, training.start(before.one_vs_rest(group))),
            (after, _joined([states[label] for label in group])),
        ):
            margin = training.judge(state, training.settle(state))
            found.append(balanced_accuracy(margin, task.labels, np.array(group)))
    return Judgement(own, np.concatenate(inserted), np.concatenate(after))


def _groups(task: Task, states: Mapping[int, ScaleState]) -> list[list[int]]:
    """Return which classes to take together: those with as many steps behind them, no more than fit."""
    of_class = 2 * task.options.batch_size * max(task.network.bytes_per_image, 1)  # each value, and it normalised
    size, groups = max(1, int(GROUP_BYTES / of_class)), []
    for step in sorted({state.step for state in states.values()}):
        equal = [label for label, state in states.items() if state.step == step]
        groups += [equal[start : start + size] for start in range(0, len(equal), size)]
    return groups


def _joined(states: Sequence[ScaleState]) -> ScaleState:
    parts = ([getattr(state, part) for state in states] for part in ("values", "first", "second"))
    return ScaleState(states[0].step, *(torch.cat(part) for part in parts))


def _apart(state: ScaleState, classes: Sequence[int]) -> dict[int, ScaleState]:
    parts = (state.values.split(1), state.first.split(1), state.second.split(1))
    return {label: ScaleState(state.step, *rows) for label, rows in zip(classes, zip(*parts, strict=True), strict=True)}
