"""Labelled images in memory as a whole, for a method that draws from all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.inputs import ForwardCall, as_call, with_images
from cnnvis.capture.targets import as_labels
from cnnvis.core.errors import InvalidInputError


def all_labelled(model: Any, module: nn.Module, data: Any) -> tuple[ForwardCall, NDArray[np.int64]]:
    """Return every image as one call, on the device and in the dtype of `module`, and the labels (N,).

    Parameters
    ----------
    model : nn.Module or Network
        As the user gave it: a Network preprocesses image files.
    module : nn.Module
    data : pair (inputs, labels), or an iterable of batches, each inputs followed by labels

    Raises
    ------
    InvalidInputError
        When there are no labels, not one for each image, or they are no whole numbers from 0.
    """
    if isinstance(data, tuple) and len(data) == 2:
        inputs, labels = data
    else:
        inputs, labels = _joined(data)
    images = as_call(module, with_images(model, inputs, ())[0])
    found = as_labels(labels)
    if found.size != images.n_images:
        raise InvalidInputError(f"There are {found.size} labels for {images.n_images} images; give one for each.")
    return images, found


def _joined(data: Any) -> tuple[Any, Any]:
    """Return inputs and labels of all batches of a loader."""
    if data is None or isinstance(data, (str, bytes, Tensor, np.ndarray, dict)):
        raise InvalidInputError(
            f'Method "batchnorm" needs images and their labels: (inputs, labels) or a DataLoader, '
            f"got {type(data).__name__}."
        )
    batches = [tuple(batch) if isinstance(batch, (tuple, list)) else (batch,) for batch in data]
    if not batches or min(len(batch) for batch in batches) < 2:
        raise InvalidInputError(
            f"The {type(data).__name__} gives no labels; each batch must be (inputs, labels)."
            if batches
            else f"There are zero images: the {type(data).__name__} gave no batch."
        )
    columns = [torch.cat([torch.as_tensor(part) for part in parts]) for parts in zip(*batches, strict=True)]
    return tuple(columns[:-1]), columns[-1]
