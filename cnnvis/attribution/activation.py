"""Importance by how strongly a channel answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cnnvis.capture import RunningStatistics, record
from cnnvis.capture.inputs import as_batches, as_module, with_images
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

BATCH_SIZE = 32
"""Images of a tensor that are run and held at a time; an iterable brings its own batches."""


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
    if data is None:
        raise InvalidInputError('Method "activation" needs data: a tensor of images, (inputs, labels) or a DataLoader.')
    images, _ = with_images(model, data, ())
    batches = as_batches(as_module(model), images[0] if isinstance(images, tuple) else images, BATCH_SIZE)
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
