"""Gradients of filters: one number for each image, or their sum over images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.filters import filters_first, transposed_groups
from cnnvis.capture.gradients import Tape, Weights, run
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.targets import Quantity, differentiable_scores, quantity_of, require_classes
from cnnvis.capture.weight_uses import Use, filter_norms, filter_products
from cnnvis.capture.weight_watch import Shapes, WeightWatch

_Closed = Callable[[Sequence[Use], Sequence[Tensor]], Tensor]
_Open = Callable[[Tensor, Tensor], Tensor]


class FilterGradients:
    """d f / d filter of some layers, batch by batch; to be used inside `differentiating`.

    Parameters
    ----------
    model : nn.Module or Network
    layers : mapping of str to nn.Module
        Convolutions and dense layers by name.
    of : Quantity
        f, of one class per image.

    Attributes
    ----------
    n_classes : int
        Number of scores the network gave; 0 before the first batch.
    """

    def __init__(self, model: Any, layers: Mapping[str, nn.Module], of: Quantity) -> None:
        self._model = model
        self._module = as_module(model)
        self._layers = layers
        self._of = of
        self._alone: Shapes | None = None
        self.n_classes = 0

    @property
    def filters(self) -> dict[str, Tensor]:
        """The filters themselves, (C, values per filter) by layer."""
        return {name: _flat(layer, layer.weight.detach()[None])[0] for name, layer in self._layers.items()}

    def norms(self, call: ForwardCall, classes: NDArray[np.int64]) -> dict[str, Tensor]:
        """Return the L2 norm of each filter's gradient for each image, (n, C) by layer.

        Notes
        -----
        In closed form (`weight_uses`), without the gradients of all images at once, where a weight is used by dense
        layers or convolutions only, and the images lie along one axis of what these are fed with. Other layers
        (computed weights, several images folded into one axis) are run image by image.
        """
        return self._each(call, classes, filter_norms, lambda gradient, _: gradient.norm(dim=1))

    def products(self, call: ForwardCall, classes: NDArray[np.int64]) -> dict[str, Tensor]:
        """Return the product of each filter with its gradient for each image, (n, C) by layer; else as `norms`."""
        return self._each(call, classes, filter_products, lambda gradient, filters: (gradient * filters).sum(1))

    def sums(self, call: ForwardCall, classes: NDArray[np.int64]) -> dict[str, Tensor]:
        """Return the gradients summed over the images, (C, values per filter) by layer: one backward pass."""
        tape = Tape()
        weights = Weights(tape)
        with ExitStack() as hooks:
            for name, layer in self._layers.items():
                if isinstance(layer.weight, nn.Parameter):
                    weights.note(name, layer)  # whoever uses it
                hooks.callback(layer.register_forward_hook(partial(_note, weights, name)).remove)
            output = run(self._module, call)
        found = weights.gradients(tape.gradients(self._value(output, call, classes)))
        unused = {name: torch.zeros_like(layer.weight) for name, layer in self._layers.items() if name not in found}
        return {name: _flat(layer, (found | unused)[name][None])[0] for name, layer in self._layers.items()}

    def _each(self, call: ForwardCall, classes: NDArray[np.int64], closed: _Closed, slow: _Open) -> dict[str, Tensor]:
        found = {}
        for name, pairs in self._pairs(call, classes).items():
            with torch.no_grad():
                found[name] = closed(*zip(*pairs, strict=True)) if pairs else self._zeros(name, call)
        missing = {name: layer for name, layer in self._layers.items() if name not in found}
        if missing:
            rows = self._image_by_image(missing, call, classes, slow)
            found |= {name: torch.stack([row[name] for row in rows]) for name in missing}
        return {name: found[name] for name in self._layers}

    def _image_by_image(
        self, layers: Mapping[str, nn.Module], call: ForwardCall, classes: NDArray[np.int64], reduce: _Open
    ) -> list[dict[str, Tensor]]:
        single = FilterGradients(self._model, layers, self._of)
        filters, rows = single.filters, []
        for number, image in enumerate(call.images()):
            gradients = single.sums(image, classes[[number]])
            rows.append({name: reduce(gradients[name], filters[name]) for name in layers})
        return rows

    def _pairs(self, call: ForwardCall, classes: NDArray[np.int64]) -> dict[str, list[tuple[Use, Tensor]]]:
        """Return how each weight is used, and the gradient of the result; without the layers that are not followed."""
        if self._alone is None:
            with WeightWatch(self._layers) as watch:
                run(self._module, next(call.images()).copy())
            self._alone = watch.shapes
        with WeightWatch(self._layers) as watch:
            output = run(self._module, call.copy())
        deltas = watch.tape.gradients(self._value(output, call, classes))
        followed = watch.followed(call.n_images, self._alone)
        return {name: [use.pair(deltas[use.key]) for use in uses] for name, uses in followed.items()}

    def _value(self, output: Any, call: ForwardCall, classes: NDArray[np.int64]) -> Tensor:
        scores = differentiable_scores(self._model, output, call.n_images)
        self.n_classes = scores.shape[1]
        require_classes(classes, self.n_classes)
        return quantity_of(scores, torch.from_numpy(classes), self._of)

    def _zeros(self, name: str, call: ForwardCall) -> Tensor:
        """Return the numbers of a layer that did not run."""
        return torch.zeros(call.n_images, len(self.filters[name]))


def _note(weights: Weights, name: str, layer: nn.Module, _args: Any, _output: Any) -> None:
    weights.note(name, layer)


def _flat(layer: nn.Module, weights: Tensor) -> Tensor:
    """Return (N, *shape of the weight) as (N, C, values per filter)."""
    return filters_first(weights, transposed_groups(layer)).flatten(2)
