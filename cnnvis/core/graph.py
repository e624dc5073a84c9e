"""A network as data: layers, their output shapes, and how data flows between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from cnnvis.core.checks import frozen_mapping
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.units import Units


class LayerRole(StrEnum):
    """What a layer does to the data, as far as drawing and recording care."""

    INPUT = "input"
    CONVOLUTION = "convolution"
    DENSE = "dense"
    NORM = "norm"
    ACTIVATION = "activation"
    POOLING = "pooling"
    MERGE = "merge"  # add, concatenation, multiplication of several inputs
    RESHAPE = "reshape"  # flatten, view, permute: the same values, another shape
    IDENTITY = "identity"  # dropout in eval mode and its like
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LayerNode:
    """One layer as it ran.

    Parameters
    ----------
    name : str
        Dotted qualified name as in the code, `name_1` for a second call; a functional operation
        is named after the module that calls it and the operation: `layer1.0.add`.
    type : str
        Class name of the module ("Conv2d"), or the function's name ("add").
    role : LayerRole
    shape : tuple of int
        Output shape of one image: (C, *S), channel axis first, batch axis left out.
    parameters : int
        Number of parameters of this layer's own (a second call counts them again as 0).
    module : str or None
        Dotted name of the module behind the layer; None for a functional operation.
    attributes : mapping
        kernel_size, stride, padding, groups ... as far as the layer has them; JSON-able values.
    recordable : bool
        Whether `record` can capture its values; False for outputs that are no tensor.
    """

    name: str
    type: str
    role: LayerRole
    shape: tuple[int, ...]
    parameters: int = 0
    module: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    recordable: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "role", LayerRole(self.role))
        object.__setattr__(self, "shape", tuple(int(size) for size in self.shape))
        object.__setattr__(self, "attributes", frozen_mapping(self.attributes))

    @property
    def channels(self) -> int:
        """Number of channels or neurons; 0 for a layer without values."""
        return self.shape[0] if self.shape else 0

    @property
    def has_maps(self) -> bool:
        """Whether the output is a stack of (row, column) maps."""
        return len(self.shape) == 3


@dataclass(frozen=True, slots=True)
class LayerLink:
    """Data flows from layer `source` into layer `target`; `argument` is its place among target's inputs."""

    source: str
    target: str
    argument: int = 0


@dataclass(frozen=True, slots=True)
class ModelGraph:
    """Layers in the order they ran, and the links between them, skip connections included.

    Parameters
    ----------
    layers : tuple of LayerNode
        In order of execution; inputs first.
    links : tuple of LayerLink
        Sorted by target, then argument.
    model : str
        Name of the network's class.
    """

    layers: tuple[LayerNode, ...]
    links: tuple[LayerLink, ...]
    model: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "links", tuple(self.links))
        names = self.names
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InvalidInputError(f"ModelGraph: layer names occur twice: {', '.join(twice)}.")
        known = set(names)
        for link in self.links:
            if link.source not in known or link.target not in known:
                raise InvalidInputError(f"ModelGraph: link {link.source} -> {link.target} names an unknown layer.")

    def __getitem__(self, name: str) -> LayerNode:
        for layer in self.layers:
            if layer.name == name:
                return layer
        hint = did_you_mean(name, self.names, what="layers")
        raise LayerNotFoundError(f"No layer {name!r} in {self.model or 'the network'}. {hint}")

    def __contains__(self, name: object) -> bool:
        return any(layer.name == name for layer in self.layers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all layers in order of execution."""
        return tuple(layer.name for layer in self.layers)

    @property
    def units(self) -> Units:
        """Numbering of the units of the inputs and of every convolution and dense layer, see `unit_layers`."""
        from cnnvis.core.unit_layers import input_units, unit_layers

        sizes = {entry.name: entry.size for entry in input_units(self)}
        n_inputs = len(sizes)
        sizes |= {layer.name: layer.channels for layer in unit_layers(self)}
        return Units(tuple(sizes), tuple(sizes.values()), n_inputs)

    def match(self, pattern: str) -> tuple[str, ...]:
        """Return the names that `pattern` (a name or a glob such as ``features.*``) selects.

        Raises
        ------
        LayerNotFoundError
            When nothing matches; near matches are listed.
        """
        if pattern in self:
            return (pattern,)
        found = tuple(name for name in self.names if fnmatchcase(name, pattern))
        if not found:
            hint = did_you_mean(pattern, self.names, what="layers")
            raise LayerNotFoundError(f"No layer {pattern!r} in {self.model or 'the network'}. {hint}")
        return found

    def sources(self, name: str) -> tuple[str, ...]:
        """Return the layers that feed `name`, in order of its arguments."""
        links = sorted((link for link in self.links if link.target == name), key=lambda link: link.argument)
        return tuple(link.source for link in links)

    def targets(self, name: str) -> tuple[str, ...]:
        """Return the layers that `name` feeds, in order of execution."""
        return tuple(link.target for link in self.links if link.source == name)
