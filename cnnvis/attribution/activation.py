"""Importance by how strongly a channel answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cnnvis.capture import RunningStatistics, record
from cnnvis.capture.labelled import image_batches
from cnnvis.core import Importance, Recording
from cnnvis.core.progress import Progress, silent


def by_activation(
    model: Any,
    data: Any,
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
) -> Importance:
    """Return the mean |activation| of each channel over images and positions.

    NaN and infinite values are left out; a channel without finite values scores 0. Default
    layers are those of `record`. Cost: the forward passes and the activations of one batch in memory.

    Parameters
    ----------
    model, data, layers, progress
        As for `importance`; labels are not used.
    """
    batches = image_batches(model, data)
    seen: dict[str, RunningStatistics] = {}
    done = 0
    for call in batches:
        recording = record(model, call.kwargs or call.args, layers, batch_size=call.n_images)
        _add(seen, recording)
        done += call.n_images
        progress(done, batches.n_images or 0)
    return _scored(seen)


def activation_of_recording(recording: Recording) -> Importance:
    """Return the same of what is recorded already: no second pass through the network."""
    seen: dict[str, RunningStatistics] = {}
    _add(seen, recording)
    return _scored(seen)


def _add(seen: dict[str, RunningStatistics], recording: Recording) -> None:
    for name in recording:
        maps = recording[name]
        seen.setdefault(name, RunningStatistics(maps.n_channels)).update(np.abs(maps.activations))


def _scored(seen: dict[str, RunningStatistics]) -> Importance:
    scores = {name: np.nan_to_num(statistics.mean, nan=0.0) for name, statistics in seen.items()}
    return Importance(scores=scores, method="activation")
