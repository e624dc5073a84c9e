"""What a channel axis holds while a network is followed: channel spaces in the making."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import lcm, prod
from typing import NamedTuple

from cnnvis.core import Read


class Space:
    """Channels that belong together as far as is known by now; two spaces that meet become one (union-find).

    Parameters
    ----------
    size : int
        Number of channels.
    layer : str
        The layer whose output opens the space, if any.
    obstacle : str
        Why its channels cannot be removed one by one.
    network_input : str
        Name of the network's input that it is.
    """

    def __init__(self, size: int, *, layer: str = "", obstacle: str = "", network_input: str = "") -> None:
        self.size = size
        self.layers = [layer] if layer else []
        self.obstacles = [obstacle] if obstacle else []
        self.network_inputs = [network_input] if network_input else []
        self.reads: dict[Read, None] = {}
        self.is_output = False
        self.groups = 1
        self._into: Space | None = None

    @property
    def root(self) -> Space:
        """The space that this one is by now part of."""
        space = self
        while space._into is not None:
            space = space._into
        return space

    def join(self, other: Space) -> None:
        """Make one space of two of the same size."""
        one, two = self.root, other.root
        if one is two:
            return
        two._into = one
        one.layers += two.layers
        one.obstacles += two.obstacles
        one.network_inputs += two.network_inputs
        one.reads |= two.reads
        one.is_output |= two.is_output
        one.groups = lcm(one.groups, two.groups)


class Segment(NamedTuple):
    """A whole space along a channel axis, `block` entries per channel."""

    space: Space
    block: int = 1

    @property
    def length(self) -> int:
        """Number of entries."""
        return self.space.size * self.block


Content = tuple[Segment, ...]
"""What the channel axis of a value holds, from its first entry to its last."""


def length(content: Content) -> int:
    """Return the number of entries of the channel axis."""
    return sum(segment.length for segment in content)


def join(contents: Sequence[Content]) -> bool:
    """Make one of contents that are laid out alike, and return True; change nothing and return False for others."""
    layouts = {tuple((segment.space.size, segment.block) for segment in content) for content in contents}
    if len(layouts) > 1:
        return False
    for content in contents[1:]:
        for one, two in zip(contents[0], content, strict=True):
            one.space.join(two.space)
    return True


def forbid(content: Content, obstacle: str) -> None:
    """Note why channels of these spaces cannot be removed."""
    for segment in content:
        segment.space.root.obstacles.append(obstacle)


def cut(content: Content, groups: int) -> bool:
    """Note that a grouped convolution cuts these channels; False where they are more than one space, or blocks."""
    if len(content) != 1 or content[0].block != 1:
        return False
    space = content[0].space.root
    space.groups = lcm(space.groups, groups)
    return True


def stretches(content: Content, value: str, axis: int) -> Iterator[tuple[Space, Read]]:
    """Yield each space with its place along the channel axis of the value of this name that holds the content."""
    start = 0
    for segment in content:
        yield segment.space.root, Read(value, start, segment.block, axis)
        start += segment.length


def read(content: Content, value: str, axis: int) -> None:
    """Note that a layer reads these spaces along the channel axis of the value of this name."""
    for space, place in stretches(content, value, axis):
        space.reads[place] = None


def reshaped(
    content: Content, shape: Sequence[int], axis: int, new_shape: Sequence[int], new_axis: int
) -> Content | None:
    """Return what the axis `new_axis` holds after a reshape that keeps the order of all entries (row-major).

    A flattened (C, H, W) map has H * W entries per channel. None where the new axis holds not exactly
    the channels, for instance those of all tokens or of a group.
    """
    inner, new_inner = prod(shape[axis + 1 :]), prod(new_shape[new_axis + 1 :])
    if shape[axis] * inner != new_shape[new_axis] * new_inner:
        return None
    if any(segment.block * inner % new_inner for segment in content):
        return None
    return tuple(Segment(segment.space, segment.block * inner // new_inner) for segment in content)
