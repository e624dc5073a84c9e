"""Importance of every unit of a drawn network, so that its layers compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import ChannelSpaces, Importance, Units
from cnnvis.core.errors import InvalidInputError

Scores = NDArray[np.float64]

_NAMED = 5
"""Layers that an error lists by name."""


def unit_importance(
    units: Units,
    importance: Importance | Mapping[str, NDArray[Any]] | None = None,
    *,
    spaces: ChannelSpaces | None = None,
) -> tuple[Scores, Scores | None]:
    """Return the importance of every unit, and by class: each layer divided by its largest, as nn_vis does.

    The last layer stands for the classes: where it has a unit for each, every unit counts 1 for its own class and 0
    for the others, whatever its scores. Of layers without scores, it and the inputs count 1, for all classes alike;
    any other takes the mean of the layers that share its channels (a depthwise convolution, a second call), if
    `spaces` are given.

    Parameters
    ----------
    units : Units
        As of `cnnvis.connect`; the units of a folded block have the importance that they have in their layers.
    importance : Importance, or mapping of layer to (C,) array, optional
        Without it all units count 1.
    spaces : ChannelSpaces, optional
        As found by `cnnvis.capture.channel_spaces`.

    Returns
    -------
    scores : (U,) ndarray of float
        0 to 1; of each layer, divided by its largest.
    profiles : (U, n_classes) ndarray of float, or None
        0 to 1; of each layer, divided by the largest over units and classes. None where the importance has no classes.

    Raises
    ------
    InvalidInputError
        When a hidden layer has no importance, or another number of scores than units, or scores are not finite; the
        message names the layer.
    """
    if importance is None:
        return np.ones(len(units)), None
    scaled = (importance if isinstance(importance, Importance) else Importance(importance, method="scores")).scaled()
    parts = units.parts
    scores, profiles = [np.zeros(0)], [np.zeros((0, _n_classes(scaled)))]
    for index, (layer, size) in enumerate(parts):
        is_last = index == len(parts) - 1
        found = _of_layer(scaled, layer, size, spaces)
        if found is None and not (is_last or index < units.n_inputs):
            raise InvalidInputError(
                f"There is no importance of the hidden layer {layer!r}, but of {', '.join(list(scaled)[:_NAMED])}. "
                "Score it too, or pass the channel spaces of the network where a layer that shares its channels has "
                "scores."
            )
        own, by_class = _ones(scaled, size) if found is None else found
        one_hot = _classes_of(scaled, size) if is_last else None
        scores.append(own if one_hot is None else np.ones(size))
        profiles.append(by_class if one_hot is None else one_hot)
    return np.concatenate(scores), None if scaled.per_class is None else np.concatenate(profiles)


def _n_classes(importance: Importance) -> int:
    return len(importance.classes)


def _ones(importance: Importance, size: int) -> tuple[Scores, Scores]:
    return np.ones(size), np.ones((size, _n_classes(importance)))


def _classes_of(importance: Importance, size: int) -> Scores | None:
    """Return 1 for the own class of each of the last layer's units, 0 for the others; None where they are no classes.

    Where only some classes were scored, those are the columns.
    """
    classes = importance.classes
    are_named = "classes" in importance.options
    if not classes or (size != len(classes) and not (are_named and max(classes) < size)):
        return None
    return (np.arange(size)[:, None] == np.array(classes)).astype(np.float64)


def _of_layer(
    importance: Importance, layer: str, size: int, spaces: ChannelSpaces | None
) -> tuple[Scores, Scores] | None:
    """Return the scores and profiles of a layer's units; None where neither it nor one that shares them has any."""
    if layer in importance:
        members = [layer]
    elif spaces is not None and layer in spaces.names:
        space = spaces.of(layer)
        members = [name for name in space.layers if name in importance]
    else:
        members = []
    for name in members:
        if importance[name].size != size:
            raise InvalidInputError(
                f"The importance of {name!r} has {importance[name].size} scores, but {layer!r} has {size} units; it "
                "was made for another network."
            )
    if not members:
        return None
    scores = np.mean([importance[name] for name in members], axis=0)
    profiles = np.mean([_profiles(importance, name) for name in members], axis=0)
    return scores / (scores.max() or 1.0), profiles / (profiles.max(initial=0.0) or 1.0)


def _profiles(importance: Importance, layer: str) -> Scores:
    """Return the scores by class, (C, K); a layer without any serves all classes alike."""
    by_class = (importance.per_class or {}).get(layer)
    return np.repeat(importance[layer][:, None], _n_classes(importance), axis=1) if by_class is None else by_class
