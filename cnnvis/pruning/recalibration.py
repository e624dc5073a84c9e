"""Statistics of batch norms taken anew, as of what they receive now."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.labelled import image_batches
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import Network


def recalibrated(model: Any, data: Any) -> Network | nn.Module:
    """Return a copy of `model` whose batch norms have the mean and variance of what they receive of `data`.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    data : pair (inputs, labels), inputs alone, or a DataLoader
        Training or validation images, never test images; labels are not read. Batches of some hundred images, as they
        come from arrays: a batch norm's statistics are the means over batches.

    Returns
    -------
    Network or nn.Module
        As `model`; no weight is changed.

    Raises
    ------
    InvalidInputError
        When there is no batch norm that keeps statistics, or a batch has a single value per channel.

    Notes
    -----
    Cost: one forward pass. Norms behind others see the others normalise each batch by its own statistics.
    """
    changed = copy.deepcopy(as_module(model))
    calls = image_batches(model, data)
    require_norms(changed)
    recalibrate(changed, calls)
    return replace(model, module=changed) if isinstance(model, Network) else changed


def recalibrate(module: nn.Module, calls: Iterable[ForwardCall]) -> None:
    """Take the statistics of the batch norms of `module` anew, in place; see `recalibrated`."""
    norms = _norms(module)
    momenta = [norm.momentum for norm in norms]
    training = {part: part.training for part in module.modules()}
    module.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.training = True
    try:
        with torch.no_grad():
            for call in calls:
                module(*call.args, **call.kwargs)
    except ValueError as error:  # torch's own, of a batch norm that sees one value
        raise InvalidInputError(f"Batch norms cannot take statistics of these images: {error}") from error
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for part, flag in training.items():
            part.training = flag


def require_norms(module: nn.Module) -> None:
    """Raise InvalidInputError for a network without batch norms that keep statistics."""
    if not _norms(module):
        raise InvalidInputError(
            f"{type(module).__name__} has no batch norm that keeps statistics; there is nothing to recalibrate."
        )


def _norms(module: nn.Module) -> list[_BatchNorm]:
    return [part for part in module.modules() if isinstance(part, _BatchNorm) and part.track_running_stats]
