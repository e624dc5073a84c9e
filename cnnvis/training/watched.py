"""What of a network is watched: samples, layers, graph; and a copy of all of it as it is now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from cnnvis.capture import record, store, trace
from cnnvis.capture.inputs import as_module
from cnnvis.core import LayerRole, Provenance, Recording
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.training_run import RunFacts, Unit
from cnnvis.models import Network

KEPT_ROLES = (LayerRole.CONVOLUTION, LayerRole.DENSE)
"""Roles of the layers that are kept where none are named."""


class WatchedNetwork:
    """A network and the samples that show what becomes of it. The network is never changed.

    Parameters
    ----------
    model : nn.Module or Network
        With one tensor as its input.
    samples : (N, ...) tensor or array
        As the network takes them.
    labels : (N,) array_like of int, optional
    layers : str or iterable of str, optional
        As for `cnnvis.record`. Default: all convolutions and dense layers.
    names : sequence of str, optional
        One per sample.

    Raises
    ------
    InvalidInputError, LayerNotFoundError, LayerNotRunError
        When samples, labels or layers do not fit the network.
    """

    def __init__(
        self,
        model: nn.Module | Network,
        samples: Tensor | NDArray[Any],
        *,
        labels: ArrayLike | None = None,
        layers: str | Iterable[str] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self.module = as_module(model)
        if not isinstance(samples, Tensor | np.ndarray) or samples.ndim < 2 or len(samples) == 0:
            found = tuple(samples.shape) if hasattr(samples, "shape") else type(samples).__name__
            raise InvalidInputError(f"Samples are a tensor or array (N, ...) of at least one image, got {found}.")
        kept = torch.as_tensor(samples).detach().cpu()
        self.samples = kept.float() if kept.dtype == torch.bfloat16 else kept.clone()  # NumPy has no bfloat16
        self._names = tuple(names) or tuple(f"sample {index}" for index in range(len(self.samples)))
        self._labels = None if labels is None else tuple(np.asarray(labels).astype(np.int64).tolist())
        self._name = model.name if isinstance(model, Network) else type(self.module).__name__
        self._classes = model.class_names if isinstance(model, Network) else None
        self._graph = trace(self.module, self.samples[:1])
        if layers is None:  # where there are neither, all are kept
            found = [layer.name for layer in self._graph.layers if layer.role in KEPT_ROLES and layer.recordable]
            layers = found or None
        with _without_notes():
            self._layers = tuple(record(self.module, self.samples, layers).maps)

    def facts(self, unit: Unit) -> RunFacts:
        """Return what is known before the training begins."""
        return RunFacts(
            name=self._name,
            samples=self._names,
            layers=self._layers,
            unit=unit,
            labels=self._labels,
            class_names=self._classes,
            graph=self._graph,
        )

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of all weights and buffers, on the CPU."""
        state = self.module.state_dict()
        tensors = {name: value.detach() for name, value in state.items() if isinstance(value, Tensor)}
        return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}

    def recording(self, when: str) -> Recording:
        """Return what the layers make of the samples now; one forward pass in eval mode.

        Parameters
        ----------
        when : str
            Said of the weights: "epoch 3".
        """
        with _without_notes():
            found = record(self.module, self.samples, self._layers, names=self._names)
        origin = Provenance(self._name, weights=when, inputs=self._names)
        maps = {name: replace(layer, provenance=origin) for name, layer in found.maps.items()}
        return replace(found, maps=maps, provenance=origin)


@contextmanager
def _without_notes() -> Iterator[None]:
    """Keep `record` from logging what each recording needs: between the lines of a training that says nothing."""
    logger = logging.getLogger(store.__name__)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
