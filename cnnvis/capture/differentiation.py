"""The part of recording that takes gradients: of the values recorded, and of the weights of their layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, Value, channels_first
from cnnvis.capture.filters import transposed_groups
from cnnvis.capture.gradients import Tape, Weights
from cnnvis.capture.sinks import stored_dtype
from cnnvis.capture.store import GRADIENTS, WEIGHT_GRADIENTS, RecordingWriter
from cnnvis.capture.targets import Target, differentiable_scores
from cnnvis.core import Recording


class Differentiation:
    """Takes the gradients of each batch and hands them to a writer; keeps the mean of those of weights.

    Parameters
    ----------
    model : nn.Module or Network
    target : Target
    writer : RecordingWriter
    per_image : bool
        Keep the weight gradients of each forward pass, which holds one image, in place of their mean.
    """

    def __init__(self, model: Any, target: Target, writer: RecordingWriter, *, per_image: bool) -> None:
        self._model = model
        self._target = target
        self._writer = writer
        self._per_image = per_image
        self._tape = Tape()
        self._weights = Weights(self._tape)
        self._axes: dict[str, Axes] = {}
        self._sums: dict[str, Tensor] = {}
        self._dtypes: dict[str, torch.dtype] = {}
        self._transposed: dict[str, int] = {}

    def note(self, call: Call, values: Iterable[Value]) -> None:
        """Note the recorded values of a call, and the weight of its module."""
        for value in values:
            self._tape.note(value.name, value.tensor, name=f"Layer {value.name!r}")
            self._axes[value.name] = value.axes
        if not call.is_block and isinstance(call.origin, nn.Module):
            name, groups = call.module or call.name, transposed_groups(call.origin)
            self._weights.note(name, call.origin)
            if groups is not None:
                self._transposed[name] = groups

    def take(self, output: Any, start: int, n_images: int) -> None:
        """Take the gradients of a forward pass that returned `output` for images from `start` on."""
        scores = differentiable_scores(self._model, output, n_images)
        found = self._tape.gradients(self._target.values(scores, start))
        for name, axes in self._axes.items():
            self._writer.append(name, channels_first(found[name], axes), GRADIENTS)
        for name, gradient in self._weights.gradients(found).items():
            if self._per_image:
                self._writer.append(name, gradient[None], WEIGHT_GRADIENTS)
            else:
                self._dtypes[name] = gradient.dtype
                self._sums[name] = self._sums.get(name, 0) + gradient.cpu().double()

    def add_to(self, facts: Recording, n_images: int) -> Recording:
        """Return `facts` of a recording with those of its gradients."""
        self._target.require_count(n_images)
        means = {name: self._mean(name, n_images) for name in self._sums}
        return replace(
            facts,
            target=self._target.classes,
            weight_gradients=means,
            per_image=self._per_image,
            transposed=self._transposed,
            provenance=facts.provenance.noted(**{"gradient of": self._target.of, "target": self._target.name}),
        )

    def _mean(self, name: str, n_images: int) -> NDArray[Any]:
        mean = (self._sums[name] / n_images).numpy()
        return np.asarray(mean, dtype=stored_dtype(self._dtypes[name]))
