"""Importance by what a channel adds to a class, to first order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis.attribution.class_means import ClassMeans
from cnnvis.attribution.goals import Goal, Goals
from cnnvis.capture.axes import Axes
from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.filters import filter_layers
from cnnvis.capture.gradients import Tape, run
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.spaces import channel_spaces
from cnnvis.capture.state import differentiating
from cnnvis.capture.targets import Quantity, QuantityName, differentiable_scores, quantity_of, require_classes
from cnnvis.core import Importance, Read
from cnnvis.core.progress import Progress, silent


def by_taylor(
    model: Any,
    data: Any,
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
    target: int | str | None = None,
    of: QuantityName = "logit",
) -> Importance:
    """Return, for each channel, the mean over images of |sum over positions of activation x d f / d activation|.

    The first-order change of f when the channel fades where the layers after it see it: behind its norm and activation,
    and for a layer that ends in the addition of a residual stream behind that (`ChannelSpaces.sites`). A layer whose
    channels have no such place is scored at its own value.

    Molchanov et al., "Pruning convolutional neural networks for resource efficient inference" (2017).

    Parameters
    ----------
    model, data, layers, progress, target, of
        As for `by_gradient`.

    Returns
    -------
    Importance
        `per_class` as for `by_gradient`. `signed`: the mean of the sum itself; positive where the channel raises f.
        ``options["sites"]``: by layer, the value at which it was scored.

    Notes
    -----
    Cost: one forward and one backward pass, without the gradients of weights, and one run of `channel_spaces`.
    """
    goals = Goals(model, data, target=target, of=of, progress=progress)
    tree = ModuleTree(as_module(model))
    chosen = filter_layers(tree, layers)
    means, scorer = ClassMeans(), None
    with differentiating(tree):
        for goal in goals:
            if scorer is None:
                scorer = _Scorer(model, tree, _sites(model, goal.call, chosen), goals.of)
            means.add(scorer.scores(goal), goal.labels, scorer.n_classes)
    options = {**goals.options, "sites": {layer: read.value for layer, read in scorer.sites.items()}}
    return means.importance("taylor", model=model, options=options, is_signed=True)


def _sites(model: Any, call: ForwardCall, layers: Iterable[str]) -> dict[str, Read]:
    first = next(call.images())
    sites = channel_spaces(model, first.kwargs or first.args).sites
    return {layer: sites.get(layer, Read(layer)) for layer in layers}


class _Scorer:
    """Sums activation x gradient at the sites of one batch after another."""

    def __init__(self, model: Any, tree: ModuleTree, sites: Mapping[str, Read], of: Quantity) -> None:
        self.sites = sites
        self.n_classes = 0
        self._model = model
        self._tree = tree
        self._entries = {layer: _entries(tree.traced[layer], read) for layer, read in sites.items()}
        self._of = of
        self._selection = Selection(tree, {read.value for read in sites.values()})
        self._tape = Tape()
        self._values: dict[str, tuple[Tensor, Axes]] = {}
        self._ran: list[str] = []
        self._n_images = 0

    def scores(self, goal: Goal) -> dict[str, Tensor]:
        """Return the sums over positions, (n, C) by layer."""
        self._n_images, self._ran = goal.call.n_images, []
        with self._selection.listen(self._add):
            output = run(self._tree.model, goal.call)
        values, self._values = self._values, {}
        self._selection.check(values, self._ran)
        scores = differentiable_scores(self._model, output, self._n_images)
        self.n_classes = scores.shape[1]
        require_classes(goal.classes, self.n_classes)
        gradients = self._tape.gradients(quantity_of(scores, torch.from_numpy(goal.classes), self._of))
        sums = {name: _over_positions(value * gradients[name], axes) for name, (value, axes) in values.items()}
        return {
            layer: sums[read.value][:, self._entries[layer].to(output.device)].sum(2)
            for layer, read in self.sites.items()
        }

    def _add(self, call: Call) -> None:
        if not call.is_block:
            self._ran.append(call.name)
        for value in self._selection.values(call, self._n_images):
            self._tape.note(value.name, value.tensor, name=f"Layer {value.name!r}")
            # A copy: what follows may change the value in place.
            self._values[value.name] = value.tensor.detach().clone(), value.axes


def _over_positions(products: Tensor, axes: Axes) -> Tensor:
    """Return (n, C) sums."""
    products = channels_first(products, axes)
    return products.reshape(*products.shape[:2], -1).sum(2)


def _entries(layer: nn.Module, read: Read) -> Tensor:
    """Return where a layer's channels are on the channel axis of the value read, (C, block): a flat map has several."""
    n_channels = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    return torch.from_numpy(read.entries(np.arange(n_channels))).view(n_channels, read.block)
