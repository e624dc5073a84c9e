"""The frames of a training: one sample at each kept epoch, in one order, under one range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cnnvis.analysis import OrderMethodName, order
from cnnvis.core import NetworkMaps, Ordering, RunFacts, Volume
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.scene import TilesItem, TransferFunction
from cnnvis.scene.transfer import SOLID

ORDER: OrderMethodName = "kmeans"
"""Method that channels are put in order by, of the newest epoch's maps."""


def chosen_layer(name: str, facts: RunFacts) -> str:
    """Return the layer that is asked for, else the second with maps, or the only one: the first changes little.

    Raises
    ------
    LayerNotFoundError
        When the run did not keep it.
    InvalidInputError
        When it kept none with maps.
    """
    kept, mapped = facts.layers, facts.layers_with_maps
    if name:
        if name not in kept:
            raise LayerNotFoundError(f"The run kept no layer {name!r}. {did_you_mean(name, kept, what='kept layers')}")
        return name
    if not mapped:
        raise InvalidInputError(
            f"None of the layers that the run kept ({', '.join(kept)}) has maps (channel, row, column). Tell the "
            "Watcher which to keep: layers=."
        )
    return mapped[:2][-1]


def order_of(volume: Volume, method: OrderMethodName = ORDER, *, random_state: int = 0) -> Ordering:
    """Return the order of the channels by the maps of one sample."""
    return order(volume.values, method, random_state=random_state, normalize="zscore")


def in_one_order(made: Mapping[int, Volume], like: Volume | None = None) -> dict[int, Volume]:
    """Return volumes in the network's own order in that of `like`, else of the newest epoch's maps."""
    if not made:
        return {}
    if like is not None:
        return {epoch: volume.in_order_of(like) for epoch, volume in made.items()}
    ordering = order_of(made[max(made)])
    return {epoch: volume.reordered(ordering) for epoch, volume in made.items()}


def shared_transfer(volumes: Sequence[Volume]) -> TransferFunction:
    """Return colours that suit all volumes alike, their range fixed."""
    values = np.stack([volume.values for volume in volumes])
    return TransferFunction.preset("linear", values=values).with_span(values)


def tiles_transfer(frames: Iterable[NetworkMaps]) -> TransferFunction:
    """Return opaque colours up to the limits of layers, to both sides of 0 where any value is negative."""
    values = np.array([TilesItem.values_of(maps).min() for maps in frames])
    low = -1.0 if (values < 0).any() else 0.0
    return TransferFunction.preset("linear", values=np.array([low, 1.0]), span=(low, 1.0), opacity=SOLID)


def with_limits(frames: Mapping[int, NetworkMaps]) -> dict[int, NetworkMaps]:
    """Return the same maps with the largest limits of all, layer by layer: so their colours compare."""
    limits = np.max([maps.limits for maps in frames.values()], axis=0)
    return {
        epoch: maps if np.array_equal(maps.limits, limits) else replace(maps, limits=limits)
        for epoch, maps in frames.items()
    }


def spread(epochs: Sequence[int], most: int) -> tuple[int, ...]:
    """Return at most about `most` of some epochs, evenly chosen: the first, every k-th, and the last."""
    step = max(1, -(-len(epochs) // max(most, 1)))
    chosen = tuple(epochs[::step])
    return chosen if not chosen or chosen[-1] == epochs[-1] else (*chosen, epochs[-1])
