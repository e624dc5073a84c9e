"""Switch units of a running network off, where the layers behind read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.intervene import intervene
from cnnvis.capture.masking import Masking, read_means
from cnnvis.capture.spaces import channel_spaces
from cnnvis.core import ChannelSpace, ChannelSpaces
from cnnvis.core.errors import InvalidInputError

Channels = Sequence[int] | NDArray[np.int64] | NDArray[np.bool_]
"""Channels of a layer: their numbers, or (C,) bool."""


@contextmanager
def switch_off(
    model: Any,
    units: Mapping[str, Channels],
    *,
    spaces: ChannelSpaces | None = None,
    example: Any = None,
    to: Literal["zero", "mean"] | float = "zero",
    data: Any = None,
) -> Iterator[None]:
    """Switch units of `model` off in every forward pass inside the ``with`` block.

    A unit is off where the layers behind it read it: after norm and activation, for a residual stream after
    each addition. So all layers that share the channel (`ChannelSpace`) are off with it, and zero is the same as
    removing it. `record`, gradients and training see the changed values.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    units : mapping of str to sequence of int or (C,) bool
        By layer, or value of an input: numbers of the channels that are off, or True where one is.
    spaces : ChannelSpaces, optional
        Found from one run of `example` otherwise.
    example : tensor or ndarray, tuple or dict of these, optional
        As for `trace`; a Network brings its own.
    to : {"zero", "mean"} or float, default: "zero"
        What takes the place of its values: 0; its mean over images and positions of `data`; or the values times a
        factor, once, in the layer's site (`ChannelSpaces.sites`).
    data : as the inputs of `record`, optional
        For "mean" only.

    Raises
    ------
    LayerNotFoundError
        For a layer without channels of its own; near matches are listed.
    InvalidInputError
        For a channel that is not there, an unknown `to`, missing data.

    Notes
    -----
    A unit at zero is 0 also where it was NaN. Cost: a copy of each value in which units are off, besides what it
    takes to follow the pass, see `Masking`. Hooks are gone on exit, also after an error.
    """
    spaces = channel_spaces(model, example) if spaces is None else spaces
    off = {layer: _as_mask(spaces.of(layer), layer, channels) for layer, channels in units.items()}
    if not isinstance(to, str):
        with intervene(model, _factors(spaces, off, float(to))):
            yield
        return
    if to not in ("zero", "mean"):
        raise InvalidInputError(f'Units are switched off to "zero", "mean" or a factor, got {to!r}.')
    if not off:
        yield
        return
    if to == "mean" and data is None:
        raise InvalidInputError('To switch units off to their "mean", pass the images to take it over as data.')
    means = read_means(model, data, spaces, layers=off) if to == "mean" else None
    with Masking(model, spaces, layers=off, means=means) as masking:
        masking.keep({layer: ~mask for layer, mask in off.items()})
        yield


def _as_mask(space: ChannelSpace, layer: str, channels: Channels) -> NDArray[np.bool_]:
    """Return (C,) bool, True where a unit is off."""
    channels = np.asarray(channels)
    if channels.dtype == np.bool_ and channels.shape == (space.size,):
        return channels
    if channels.size == 0:
        return np.zeros(space.size, dtype=bool)
    if channels.dtype.kind not in "iu" or channels.ndim != 1:
        raise InvalidInputError(
            f"Units of {layer!r} are given by their numbers or as ({space.size},) bool, "
            f"got {channels.shape} {channels.dtype}."
        )
    wrong = channels[(channels < 0) | (channels >= space.size)]
    if wrong.size:
        raise InvalidInputError(
            f"Layer {layer!r} has {space.size} units, numbered from 0; there is no unit {wrong[0]}."
        )
    mask = np.zeros(space.size, dtype=bool)
    mask[channels] = True
    return mask


def _factors(spaces: ChannelSpaces, off: Mapping[str, NDArray[np.bool_]], factor: float) -> dict[str, dict[int, float]]:
    """Return what `intervene` takes: entries of the layers' sites, and the factor."""
    factors: dict[str, dict[int, float]] = {}
    for layer, mask in off.items():
        site = spaces.sites[layer]
        entries = site.entries(np.flatnonzero(mask)).tolist()
        factors.setdefault(site.value, {}).update(dict.fromkeys(entries, factor))
    return factors
