"""What a layer does, in numbers: the rule by which each of its values follows from those before it.

A rule knows the weights and where its windows lie; `LayerOperation.at` applies it at one unit and returns the working,
every intermediate number of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.operation_rules import Rule
from cnnvis.core.operation_workings import Working
from cnnvis.core.provenance import Provenance


@dataclass(frozen=True, slots=True, eq=False)
class LayerValues:
    """The values of one layer for one image.

    Parameters
    ----------
    name : str
    type : str
        Class of the module, or name of the operation.
    values : (C, *S) float32
    """

    name: str
    type: str
    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen_array(self.values, dtype=np.float32))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class UnitOperation:
    """How one value of a layer came about.

    Parameters
    ----------
    layer, type : str
    channel : int
    position : tuple of int
        Of the value in its map: (row, column); () for a unit of a dense layer.
    value : float
        As the network computed it.
    working : Working or None
        How it follows from the values before; None where the layer's rule is not known.
    following : tuple of (name, type, value)
        What norm and activation behind the layer make of it, in order.
    """

    layer: str
    type: str
    channel: int
    position: tuple[int, ...]
    value: float
    working: Working | None
    following: tuple[tuple[str, str, float], ...] = ()

    @property
    def error(self) -> float:
        """How far the working's result, in float64, lies from the network's own value; NaN without a working."""
        return float("nan") if self.working is None else abs(self.working.result - self.value)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class LayerOperation:
    """One layer of a network as it ran on one image: what it read, what it made, and by which rule.

    Parameters
    ----------
    output : LayerValues
        What the layer made, (K, *S).
    sources : tuple of LayerValues
        What it read, in order of its arguments. A dense layer behind a flatten has the maps that were flattened.
    rule : Rule or None
        None for a layer whose rule is not known; `note` says so then.
    following : tuple of LayerValues
        Norm and activation behind it that give each unit a value of its own.
    class_names : tuple of str
        Of the channels, where they are the network's classes.
    note : str
        What a reader should know, in words.
    provenance : Provenance

    Raises
    ------
    InvalidInputError
        When what follows has another shape than the output.
    """

    output: LayerValues
    sources: tuple[LayerValues, ...] = ()
    rule: Rule | None = None
    following: tuple[LayerValues, ...] = ()
    class_names: tuple[str, ...] = ()
    note: str = ""
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        for behind in self.following:
            require_shape(f"values of {behind.name!r}, behind {self.layer!r}", behind.values, self.shape)

    @property
    def layer(self) -> str:
        """Name of the layer."""
        return self.output.name

    @property
    def type(self) -> str:
        """Class of the layer's module, or name of the operation."""
        return self.output.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what the layer made, (K, *S)."""
        return self.output.values.shape

    def at(self, channel: int | None = None, position: tuple[int, ...] | None = None) -> UnitOperation:
        """Return how one value came about.

        Parameters
        ----------
        channel : int, optional
            Default: that of the layer's largest value.
        position : tuple of int, optional
            One index per axis of the layer's maps. Default: where the channel is largest.
            Largest is what the layer hands on: behind its norm and activation, where it has them.

        Raises
        ------
        InvalidInputError
            When there is no such unit.

        Notes
        -----
        Cost: the values of one window; a rule is never applied to the whole layer.
        """
        channel, position = self._checked(channel, position)
        place = (channel, *position)
        sources = tuple(source.values for source in self.sources)
        return UnitOperation(
            layer=self.layer,
            type=self.type,
            channel=channel,
            position=position,
            value=float(self.output.values[place]),
            working=None if self.rule is None else self.rule.at(sources, channel, position),
            following=tuple((behind.name, behind.type, float(behind.values[place])) for behind in self.following),
        )

    def positions(self) -> list[tuple[int, ...]]:
        """Return every position of the layer's maps, row by row."""
        return [tuple(int(i) for i in place) for place in np.ndindex(self.shape[1:])]

    def _checked(self, channel: int | None, position: tuple[int, ...] | None) -> tuple[int, tuple[int, ...]]:
        handed_on = (self.following or (self.output,))[-1].values
        if channel is None:
            channel = _largest(handed_on)[0]
        if not 0 <= channel < self.shape[0]:
            raise InvalidInputError(
                f"Layer {self.layer!r} has {self.shape[0]} channels, numbered from 0; there is no channel {channel}."
            )
        if position is None:
            return int(channel), _largest(handed_on[channel])
        position = tuple(int(index) for index in position)
        size = self.shape[1:]
        if len(position) != len(size) or not all(0 <= index < n for index, n in zip(position, size, strict=True)):
            allowed = " x ".join(map(str, size)) or "one value per channel, so position ()"
            raise InvalidInputError(f"Layer {self.layer!r} has no position {position}: its maps have {allowed}.")
        return int(channel), position


def _largest(values: NDArray[np.float32]) -> tuple[int, ...]:
    """Return the place of the largest finite value, the first of equal ones."""
    finite = np.where(np.isfinite(values), values, -np.inf)
    return tuple(int(index) for index in np.unravel_index(int(np.argmax(finite)), values.shape))
