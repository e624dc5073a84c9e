"""Which layers share their channels, and where the channels are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_mapping
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean


@dataclass(frozen=True, slots=True)
class Read:
    """A stretch of one value's channel axis that holds the channels of one space.

    Parameters
    ----------
    value : str
        Name of the layer, as in the graph, that gives the value.
    start : int, default: 0
        First entry of the stretch: behind a concatenation, not every space begins at 0.
    block : int, default: 1
        Entries per channel: a flattened (C, H, W) map has H * W.
    axis : int, default: 1
        Channel axis of the value: 1 in (N, C, *S), the last one in tokens (N, T, C).
    """

    value: str
    start: int = 0
    block: int = 1
    axis: int = 1

    def entries(self, channels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the entries of the value's channel axis that hold `channels`, in their order."""
        first = self.start + np.asarray(channels, dtype=np.int64) * self.block
        return (first[:, None] + np.arange(self.block)).reshape(-1)


@dataclass(frozen=True, slots=True)
class ChannelSpace:
    """Channels that several layers share: what must be switched off, or removed, together.

    A convolution or dense layer opens a space. Norms, activations, pooling and depthwise convolutions
    keep it; an addition or product makes one space of those it merges (a residual stream); the next
    layer that mixes channels reads it.

    Parameters
    ----------
    layers : tuple of str
        Convolutions and dense layers whose output channels these are, depthwise ones included, in order of execution.
        Empty for the channels of an input.
    size : int
        Number of channels C.
    reads : tuple of Read
        Where layers that mix channels read them, and where they leave the network. A channel that is 0 in all of these
        is gone: the network computes what it would without it.
    is_output : bool
        Whether the network returns these channels: its classes.
    obstacle : str
        Why channels cannot be removed from the network; "" where they can.
    held : tuple of Read
        Every value whose channel axis holds them, norms and activations on the way included.
    groups : int, default 1
        Equal stretches into which grouped convolutions cut the channels: where some are removed, each of these must
        lose as many as the others.
    """

    layers: tuple[str, ...]
    size: int
    reads: tuple[Read, ...]
    is_output: bool = False
    obstacle: str = ""
    held: tuple[Read, ...] = ()
    groups: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "reads", tuple(self.reads))
        object.__setattr__(self, "held", tuple(self.held))
        if not self.layers and not self.reads:
            raise InvalidInputError("A channel space needs layers, or values in which it is read; got neither.")
        if self.size < 1:
            raise InvalidInputError(f"The channel space of {self.name!r} needs at least one channel, got {self.size}.")

    @property
    def name(self) -> str:
        """First of its layers; of an input, the first value read."""
        return self.layers[0] if self.layers else self.reads[0].value


@dataclass(frozen=True, slots=True)
class ChannelSpaces:
    """The channel spaces of a network, in order of execution.

    Parameters
    ----------
    spaces : tuple of ChannelSpace
        Those of the inputs come first.
    sites : mapping of str to Read
        By layer: the value in which the layers after it see this layer's channels: behind its norm and
        activation, and behind the addition where it feeds a residual stream. Of each input value read, itself.
    """

    spaces: tuple[ChannelSpace, ...]
    sites: Mapping[str, Read] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spaces", tuple(self.spaces))
        object.__setattr__(self, "sites", frozen_mapping(self.sites))

    def __iter__(self) -> Iterator[ChannelSpace]:
        return iter(self.spaces)

    def __len__(self) -> int:
        return len(self.spaces)

    def of(self, layer: str) -> ChannelSpace:
        """Return the space of the output channels of `layer`, or of the input value of that name.

        Raises
        ------
        LayerNotFoundError
            Near matches are listed.
        """
        for space in self.spaces:
            if layer in space.layers or (not space.layers and any(read.value == layer for read in space.reads)):
                return space
        hint = did_you_mean(layer, self.names, what="layers with channels of their own")
        raise LayerNotFoundError(f"No channels of {layer!r} to switch off. {hint}")

    @property
    def names(self) -> tuple[str, ...]:
        """Every layer that has a space; input values first."""
        found: dict[str, Any] = {}
        for space in self.spaces:
            found.update(dict.fromkeys(space.layers or (read.value for read in space.reads)))
        return tuple(found)

    @property
    def hidden(self) -> tuple[ChannelSpace, ...]:
        """The spaces that are neither an input's nor the classes."""
        return tuple(space for space in self.spaces if space.layers and not space.is_output)
