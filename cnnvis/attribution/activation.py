"""Importance by how strongly a channel answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cnnvis.capture import RunningStatistics, record
from cnnvis.capture.labelled import image_batches
from cnnvis.core import Importance
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
        for name in recording:
            maps = recording[name]
            seen.setdefault(name, RunningStatistics(maps.n_channels)).update(np.abs(maps.activations))
        done += call.n_images
        progress(done, batches.n_images or 0)
    scores = {name: np.nan_to_num(statistics.mean, nan=0.0) for name, statistics in seen.items()}
    return Importance(scores=scores, method="activation")
