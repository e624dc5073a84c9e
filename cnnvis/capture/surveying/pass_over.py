"""One shard through the network: what a survey takes in of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.state import evaluating
from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.plan import SurveyPlan
from cnnvis.capture.surveying.shards import Shard
from cnnvis.capture.targets import require_classes


def survey_shard(
    model: Any, plan: SurveyPlan, shard: Shard, *, done: Callable[[int], None] = lambda _: None
) -> NetworkAccumulator:
    """Return the statistics of the images of one shard.

    Parameters
    ----------
    model : nn.Module or Network
    plan : SurveyPlan
    shard : Shard
    done : callable
        Told how many images a batch had; may raise to cancel.

    Raises
    ------
    LayerNotRunError
        For a layer that the images do not go through.
    InvalidInputError
        For a label that is that of no class.
    """
    module = as_module(model)
    tree = ModuleTree(module)
    selection = Selection(tree, list(dict.fromkeys(plan.values.values())))
    taken = NetworkAccumulator(plan)
    listener = _Listener(selection, taken)
    with evaluating(tree), selection.listen(listener.add):
        for batch in shard.batches(model):
            taken.skip(batch.skipped)
            if batch.labelled is not None:
                call, labels = batch.labelled
                listener.begin(call.n_images)
                scores = _scores(module(*call.args, **call.kwargs), plan.n_scores)
                labels = labels if plan.n_classes else None
                if labels is not None:
                    require_classes(labels, plan.n_classes)
                listener.end(batch.images, labels)
                taken.note(batch.images, labels, scores)
            done(batch.images.size + len(batch.skipped))
    return taken


class _Listener:
    """Reduces each value to averages as soon as the layer has run: what follows may change it in place."""

    def __init__(self, selection: Selection, taken: NetworkAccumulator) -> None:
        self._selection = selection
        self._taken = taken
        self._layers: dict[str, list[str]] = {}
        for name, value in taken.plan.values.items():
            self._layers.setdefault(value, []).append(name)
        self._n_images = 0
        self._averages: dict[str, NDArray[np.float64]] = {}
        self._ran: list[str] = []

    def begin(self, n_images: int) -> None:
        self._n_images, self._averages, self._ran = n_images, {}, []

    def add(self, call: Call) -> None:
        if not call.is_block:
            self._ran.append(call.name)
        for value in self._selection.values(call, self._n_images):
            tensor = channels_first(value.tensor.detach(), value.axes)
            for name in self._layers[value.name]:
                self._averages[name] = self._taken.layers[name].take(tensor)

    def end(self, images: NDArray[np.int64], labels: NDArray[np.int64] | None) -> None:
        self._selection.check([self._taken.plan.values[name] for name in self._averages], self._ran)
        for name, averages in self._averages.items():
            self._taken.layers[name].update(averages, images, labels)


def _scores(output: Any, n_scores: int) -> NDArray[np.float64] | None:
    """Return the (n, K) class scores of a batch, None where the network gives none."""
    if not n_scores or not isinstance(output, Tensor) or output.ndim != 2:
        return None
    return np.asarray(output.detach().double().cpu().numpy(), np.float64)
