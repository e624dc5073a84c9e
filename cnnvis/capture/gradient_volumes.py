"""Gradients of filters as volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from cnnvis.capture.filters import filters_first
from cnnvis.core import GradientCheck, Ordering, Recording, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, NoSpatialMapsError, did_you_mean

QUANTITY = "weight gradient"
"""What the values are, for legends."""

Inputs = Literal["mean", "norm", "blocks"] | int
"""What becomes of the input channels of a filter: their mean, which keeps the sign; their L2 norm; all of them, side by
side along the columns with a column of 0 between two; or one of them, by number."""


def gradient_volume(
    recording: Recording,
    layer: str,
    ordering: Ordering | None = None,
    *,
    image: int | None = None,
    inputs: Inputs = "mean",
    check: GradientCheck | None = None,
) -> Volume:
    """Return the weight gradients of a convolution as one stack: filter x kernel row x kernel column.

    Parameters
    ----------
    recording : Recording
        Made by `record` with a target.
    layer : str
        A 2-D convolution, transposed or not, by its module's name.
    ordering : Ordering, optional
        Of the layer's channels.
    image : int, optional
        One image of a recording with ``per_image=True``; None is the mean over images.
    inputs : {"mean", "norm", "blocks"} or int, default: "mean"
        See `Inputs`.
    check : GradientCheck, optional
        Its caption is kept among the notes of the provenance, and so in files.

    Returns
    -------
    Volume
        `quantity` is "weight gradient", or "norm of weight gradient". Notes of the provenance: what of which class was
        differentiated, what became of the input channels, the check.

    Raises
    ------
    LayerNotFoundError
        When the recording has no weight gradient of `layer`; near matches are listed.
    NoSpatialMapsError
        When the filters have no rows and columns: dense layers, norms, 1-D and 3-D convolutions.
    InvalidInputError
        For an image or an input channel that is not there.
    """
    gradients = _of_image(recording, layer, image)
    groups = recording.transposed.get(layer)
    filters = filters_first(torch.from_numpy(np.array(gradients))[None], groups)[0].numpy()
    if filters.ndim != 4:
        raise NoSpatialMapsError(
            f"The weights of {layer!r} have the shape {gradients.shape}; a volume needs filters with rows and columns "
            "(filter, input, row, column). Choose a 2-D convolution."
        )
    values, notes = _without_inputs(layer, filters, inputs)
    if check is not None:
        notes["gradient check"] = check.caption
    provenance = recording.provenance.noted(**notes)
    if image is not None and provenance.inputs:
        provenance = replace(provenance, inputs=(provenance.inputs[image],))
    volume = Volume(
        values=values,
        layer=layer,
        spacing=stack_spacing(filters.shape[:1] + filters.shape[2:]),
        quantity=f"norm of {QUANTITY}" if inputs == "norm" else QUANTITY,
        provenance=provenance,
    )
    return volume if ordering is None else volume.reordered(ordering)


def _of_image(recording: Recording, layer: str, image: int | None) -> NDArray[Any]:
    """Return the gradient of one image, or the mean, in the weight's own shape."""
    if layer not in recording.weight_gradients:
        hint = did_you_mean(layer, recording.weight_gradients, what="layers with weight gradients")
        if not recording.weight_gradients:
            hint = "Record with target=, and a layer that has weights."
        raise LayerNotFoundError(f"No weight gradient of {layer!r} was recorded. {hint}")
    gradients = recording.weight_gradients[layer]
    n_images = gradients.shape[0] if recording.per_image else 0
    if image is None:
        return gradients.mean(axis=0) if recording.per_image else gradients
    if not recording.per_image:
        raise InvalidInputError(
            f"The recording holds mean weight gradients over images, none of image {image}; record with per_image=True."
        )
    if not -n_images <= image < n_images:
        raise InvalidInputError(f"The recording holds {n_images} images, got image {image}.")
    return gradients[image]


def _without_inputs(layer: str, filters: NDArray[Any], inputs: Inputs) -> tuple[NDArray[Any], dict[str, str]]:
    """Return (filter, row, column) values of (filter, input, row, column), and what was done, in words."""
    n_inputs = filters.shape[1]
    if inputs == "mean":
        return filters.mean(axis=1), {"input channels": f"mean of {n_inputs}"}
    if inputs == "norm":
        return np.linalg.norm(filters, axis=1), {"input channels": f"L2 norm over {n_inputs}"}
    if inputs == "blocks":
        return _side_by_side(filters), {"input channels": f"{n_inputs} side by side"}
    if isinstance(inputs, str) or not 0 <= inputs < n_inputs:
        raise InvalidInputError(
            f'inputs must be "mean", "norm", "blocks" or the number of an input channel; the filters of {layer!r} have '
            f"{n_inputs}, from 0, got {inputs!r}."
        )
    return filters[:, inputs], {"input channels": f"number {inputs} of {n_inputs}"}


def _side_by_side(filters: NDArray[Any]) -> NDArray[Any]:
    """Return (filter, row, inputs * (columns + 1) - 1) with a column of 0, transparent, between two blocks."""
    n_filters, n_inputs, n_rows, n_columns = filters.shape
    blocks = np.zeros((n_filters, n_rows, n_inputs, n_columns + 1), dtype=filters.dtype)
    blocks[..., :-1] = filters.transpose(0, 2, 1, 3)
    return blocks.reshape(n_filters, n_rows, -1)[..., :-1]
