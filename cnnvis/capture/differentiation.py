"""The part of recording that takes gradients: of the values recorded, and of the weights of their layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, Value, channels_first
from cnnvis.capture.gradients import Tape
from cnnvis.capture.sinks import stored_dtype
from cnnvis.capture.store import GRADIENTS, WEIGHT_GRADIENTS, RecordingWriter
from cnnvis.capture.targets import Target, class_scores
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
        self._axes: dict[str, Axes] = {}
        self._weights: dict[str, list[Tensor]] = {}
        self._sums: dict[str, Tensor] = {}
        self._dtypes: dict[str, torch.dtype] = {}
        self._transposed: dict[str, int] = {}

    def note(self, call: Call, values: Iterable[Value]) -> None:
        """Note the recorded values of a call, and the weight of its module."""
        for value in values:
            self._tape.note(value.name, value.tensor, name=f"Layer {value.name!r}")
            self._axes[value.name] = value.axes
        if not call.is_block and isinstance(call.origin, nn.Module):
            self._note_weight(call.module or call.name, call.origin)

    def _note_weight(self, name: str, module: nn.Module) -> None:
        weight = getattr(module, "weight", None)
        if not isinstance(weight, Tensor) or not weight.is_floating_point():
            return
        weights = self._weights.setdefault(name, [])  # old-style weight norm makes another one in each call
        if all(weight is not other for other in weights):
            weights.append(weight)
            self._tape.note((name, len(weights)), weight, name=f"The weight of {name!r}")
        self._dtypes[name] = weight.dtype
        if isinstance(module, _ConvTransposeNd):
            self._transposed[name] = module.groups

    def take(self, output: Any, start: int, n_images: int) -> None:
        """Take the gradients of a forward pass that returned `output` for images from `start` on."""
        scores = class_scores(self._model, output, n_images)
        of_weights: dict[str, Tensor] = {}
        for key, gradient in self._tape.gradients(self._target.values(scores, start)).items():
            if isinstance(key, str):
                self._writer.append(key, channels_first(gradient, self._axes[key]), GRADIENTS)
            else:
                of_weights[key[0]] = of_weights.get(key[0], 0) + gradient
        self._weights.clear()
        for name, gradient in of_weights.items():
            if self._per_image:
                self._writer.append(name, gradient[None], WEIGHT_GRADIENTS)
            else:
                self._sums[name] = self._sums.get(name, 0) + gradient.cpu().double()

    def add_to(self, facts: Recording, n_images: int) -> Recording:
        """Return `facts` of a recording with those of its gradients."""
        self._target.require_count(n_images)
        means = {name: self._mean(name, n_images) for name in self._sums}
        return replace(
            facts,
            target=self._target.classes,
            weight_gradients=means,
            transposed=self._transposed,
            provenance=facts.provenance.noted(**{"gradient of": self._target.of, "target": self._target.name}),
        )

    def _mean(self, name: str, n_images: int) -> NDArray[Any]:
        mean = (self._sums[name] / n_images).numpy()
        return np.asarray(mean, dtype=stored_dtype(self._dtypes[name]))
