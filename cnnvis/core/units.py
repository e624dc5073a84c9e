"""The one numbering of all units of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import frozen_mapping
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean


@dataclass(frozen=True, slots=True)
class Units:
    """Numbers every channel or neuron of the drawn layers from 0 to U - 1, layer after layer.

    Parameters
    ----------
    layers : tuple of str
        Dotted layer names, in data-flow order, each once.
    sizes : tuple of int
        Number of units in each layer, at least 1.
    n_inputs : int, default: 0
        How many of the layers, the first ones, hold the network's inputs.
    members : mapping of str to mapping of str to int
        By folded block: the layers whose units it holds, one after another, and how many each has. Empty where no
        block is folded.
    """

    layers: tuple[str, ...]
    sizes: tuple[int, ...]
    n_inputs: int = 0
    members: Mapping[str, Mapping[str, int]] = field(default_factory=dict, hash=False)
    offsets: NDArray[np.int64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        layers, sizes = tuple(self.layers), tuple(int(size) for size in self.sizes)
        if len(layers) != len(sizes):
            raise InvalidInputError(f"Units got {len(layers)} layers but {len(sizes)} sizes.")
        if len(set(layers)) != len(layers):
            twice = sorted({name for name in layers if layers.count(name) > 1})
            raise InvalidInputError(f"Units: layer names occur twice: {', '.join(twice)}.")
        if any(size < 1 for size in sizes):
            raise InvalidInputError(f"Units: every layer needs at least one unit, got sizes {sizes}.")
        if not 0 <= self.n_inputs <= len(layers):
            raise InvalidInputError(f"Units: {self.n_inputs} of {len(layers)} layers cannot hold inputs.")
        members = {block: frozen_mapping(parts) for block, parts in self.members.items()}
        for block, parts in members.items():
            if sum(parts.values()) != dict(zip(layers, sizes, strict=True)).get(block):
                raise InvalidInputError(f"Units: {block!r} has not as many units as {', '.join(parts)} together.")
        object.__setattr__(self, "members", frozen_mapping(members))
        offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        offsets.flags.writeable = False
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "sizes", sizes)
        object.__setattr__(self, "offsets", offsets)

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Layer and number of units of each stretch of the numbering, folded blocks taken apart."""
        together = zip(self.layers, self.sizes, strict=True)
        return tuple(part for layer, size in together for part in self.members.get(layer, {layer: size}).items())

    def index(self, layer: str) -> int:
        """Return the position of `layer` among the layers."""
        try:
            return self.layers.index(layer)
        except ValueError:
            hint = did_you_mean(layer, self.layers, what="layers")
            raise LayerNotFoundError(f"No layer {layer!r} among the units. {hint}") from None

    def id(self, layer: str, channel: int) -> int:
        """Return the number of the unit `channel` of `layer`."""
        position = self.index(layer)
        size = self.sizes[position]
        if not 0 <= channel < size:
            raise InvalidInputError(f"Layer {layer!r} has channels 0 to {size - 1}, got {channel}.")
        return int(self.offsets[position]) + int(channel)

    def split(self, unit: int) -> tuple[str, int]:
        """Return (layer, channel) of the unit number `unit`."""
        if not 0 <= unit < len(self):
            raise InvalidInputError(f"Units are numbered 0 to {len(self) - 1}, got {unit}.")
        position = int(np.searchsorted(self.offsets, unit, side="right")) - 1
        return self.layers[position], int(unit) - int(self.offsets[position])

    def range(self, layer: str) -> slice:
        """Return the slice of unit numbers that belong to `layer`."""
        position = self.index(layer)
        return slice(int(self.offsets[position]), int(self.offsets[position + 1]))

    def layer_of(self, units: ArrayLike) -> NDArray[np.int64]:
        """Return the layer index of each unit number, same shape as `units`."""
        units = np.asarray(units)
        if np.any((units < 0) | (units >= len(self))):
            raise InvalidInputError(f"Units are numbered 0 to {len(self) - 1}, got {units.min()} to {units.max()}.")
        return np.searchsorted(self.offsets, units, side="right") - 1
