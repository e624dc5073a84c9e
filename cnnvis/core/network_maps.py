"""A network as the maps that its layers make of one input: what an architecture scene is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_integers, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.graph import LayerRole
from cnnvis.core.pixel_links import PixelLinks
from cnnvis.core.provenance import Provenance
from cnnvis.core.units import Units


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class NetworkMaps:
    """What every layer of a network made of one input, and how the data flowed.

    Parameters
    ----------
    layers : tuple of str
        In order of execution, each once.
    roles : tuple of LayerRole
        One per layer.
    values : tuple of (C, H, W) float32
        One per layer: its maps. A unit of a dense layer is a map of one pixel. NaN and infinity are missing.
    depths : (L,) int64
        How many of these layers the longest way of the data to each has passed; layers of one depth are branches.
    flow : (F, 2) int64
        Data flow from the first to the second of these layers, by number.
    limits : (L,) float64 or None
        |value| of each layer that has the full colour; those of a series share them, so that its frames compare.
        None: the largest of each.
    link_ends : (E, 2) int64
        From which map to which, numbered through, layer after layer.
    link_weights : (E,) float64
        At most 1, negative for a kernel that is so on the whole.
    pixel_links : tuple of PixelLinks
        What layers read pixel by pixel, of those whose rule is known.
    caption : str
        Which links these are, in words.
    quantity : str
        What the values are.
    provenance : Provenance

    Raises
    ------
    InvalidInputError
        Where the parts do not fit each other.
    """

    layers: tuple[str, ...]
    roles: tuple[LayerRole, ...]
    values: tuple[NDArray[np.float32], ...]
    depths: NDArray[np.int64]
    flow: NDArray[np.int64]
    limits: NDArray[np.float64] | None = None
    link_ends: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    link_weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    pixel_links: tuple[PixelLinks, ...] = ()
    caption: str = ""
    quantity: str = "activation"
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        n_layers = len(self.layers)
        if not n_layers or not n_layers == len(self.roles) == len(self.values):
            raise InvalidInputError(
                f"NetworkMaps needs one role and one stack of maps per layer, and a layer at least; got {n_layers} "
                f"layers, {len(self.roles)} roles, {len(self.values)} stacks."
            )
        object.__setattr__(self, "roles", tuple(LayerRole(role) for role in self.roles))
        values = tuple(frozen_array(stack, dtype=np.float32) for stack in self.values)
        for layer, stack in zip(self.layers, values, strict=True):
            require_shape(f"maps of {layer!r}", stack, (None, None, None))
            if not stack.size:
                raise InvalidInputError(f"NetworkMaps: layer {layer!r} has no values, its shape is {stack.shape}.")
        object.__setattr__(self, "values", values)
        limits = [_largest(stack) for stack in values] if self.limits is None else self.limits
        parts = {
            "depths": frozen_integers("depths", self.depths),
            "flow": frozen_integers("flow", self.flow),
            "link_ends": frozen_integers("link_ends", self.link_ends),
            "limits": frozen_array(limits, dtype=np.float64),
            "link_weights": frozen_array(self.link_weights, dtype=np.float64),
        }
        shapes = {"depths": (n_layers,), "flow": (None, 2), "limits": (n_layers,), "link_ends": (None, 2)}
        shapes["link_weights"] = (len(parts["link_ends"]),)
        for name, array in parts.items():
            require_shape(name, array, shapes[name])
            require_finite(name, array)
            object.__setattr__(self, name, array)
        _require_numbers("flow", parts["flow"], n_layers)
        _require_numbers("link_ends", parts["link_ends"], len(self.units))
        for links in self.pixel_links:
            self._require_fit(links)

    def _require_fit(self, links: PixelLinks) -> None:
        _require_numbers("pixel_links", np.array([links.source, links.target]), len(self.layers))
        for side, layer in enumerate((links.source, links.target)):
            _require_numbers(f"pixel_links of {self.layers[layer]!r}", links.maps[:, side], len(self.values[layer]))
        read, made = self.values[links.source].shape[1:], self.values[links.target].shape[1:]
        if links.shape != made or any(
            table.max(initial=-1) >= size for table, size in zip((links.rows, links.columns), read, strict=True)
        ):
            raise InvalidInputError(
                f"NetworkMaps: pixel links of {self.layers[links.target]!r} are of maps {links.shape}, shown "
                f"are {made}, and what they read is {read}."
            )

    @property
    def units(self) -> Units:
        """The numbering of the maps: of each layer as many as it has."""
        return Units(self.layers, tuple(len(stack) for stack in self.values))

    def normalised(self) -> tuple[NDArray[np.float32], ...]:
        """Return the values as shares of their layer's limit: within -1 and 1 but for what lies beyond it."""
        assert self.limits is not None
        return tuple(
            np.asarray(stack / (limit or 1.0), np.float32)
            for stack, limit in zip(self.values, self.limits, strict=True)
        )


def _largest(stack: NDArray[np.float32]) -> float:
    return float(np.abs(stack[np.isfinite(stack)]).max(initial=0.0))


def _require_numbers(name: str, numbers: NDArray[np.int64], n: int) -> None:
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < n:
        raise InvalidInputError(
            f"NetworkMaps: {name} holds numbers from 0 to {n - 1}, got {numbers.min()} to {numbers.max()}."
        )
