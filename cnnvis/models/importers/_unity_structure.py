"""The layers of the Unity visualizer's files as layers of torch: padding and windows settled from the shapes.

The files have the shape of every kernel, of every image behind a pooling and of the inputs of every dense layer, but
neither padding nor strides nor windows. The visualizer's converter writes networks whose convolutions keep the size of
their maps with a stride of 1, and whose poolings take the maximum of 2 x 2 pixels (nn_data_gen/cnn_model.py of
stefsietz/nn-visualizer). That is taken where it gives all the shapes that are stored; where it does not, convolutions
without padding and other windows as wide as their stride are tried, and the one set that fits is taken. Several that
fit, or none, are an error.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cnnvis.core.errors import FileFormatError
from cnnvis.models.importers._fitting import shown
from cnnvis.models.importers._weights import Shape


class Kind(StrEnum):
    """What a layer is, by what its name contains, in the order in which the visualizer asks."""

    CONVOLUTION = "conv"
    INPUT = "input"
    DENSE = "fc"
    POOLING = "maxpool"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, name: str) -> Kind:
        """Return the kind of the layer of that name."""
        return next((kind for kind in cls if kind in name), cls.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Layer:
    """A row of the structure.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Input (N, H, W, C), kernel (H, W, in, out) or (in, out), or (H, W) behind a pooling.
    """

    name: str
    shape: Shape

    @property
    def kind(self) -> Kind:
        """What it is."""
        return Kind.of(self.name)

    @property
    def is_output(self) -> bool:
        """Whether it gives the answer, to which no ReLU is applied."""
        return self.kind is Kind.DENSE and "out" in self.name

    @property
    def value(self) -> str:
        """Name of the module whose output the stored activations of this layer are: behind the ReLU."""
        rectified = self.kind is Kind.CONVOLUTION or (self.kind is Kind.DENSE and not self.is_output)
        return f"{self.name}_relu" if rectified else self.name


@dataclass(frozen=True, slots=True)
class Setting:
    """How a convolution or pooling goes over its maps.

    Parameters
    ----------
    padded : bool
        Whether there is a value for every pixel, and for windows that stick out.
    window : int
        Of a pooling, and its stride; 1 for a convolution.
    """

    padded: bool
    window: int = 1

    def __str__(self) -> str:
        padding = "padded" if self.padded else "not padded"
        return padding if self.window == 1 else f"{self.window} x {self.window}, {padding}"


_USUAL = {Kind.CONVOLUTION: Setting(padded=True), Kind.POOLING: Setting(padded=False, window=2)}

_MOST_INPUTS = 1 << 26
"""Values of an image, more than which no network takes: 256 MB."""

_RANKS = {Kind.INPUT: 4, Kind.CONVOLUTION: 4, Kind.POOLING: 2, Kind.DENSE: 2}


def module_of(layers: Sequence[Layer], values: Mapping[str, NDArray], where: str) -> nn.Sequential:
    """Return the network that the layers describe; its weights are not set. No layer has a bias: none is stored.

    Parameters
    ----------
    layers : sequence of Layer
        Of known kinds (`require_known`); the first one is the input.
    values : mapping of str to (N, H, W, C) or (N, C) ndarray
        Stored activations by layer, which take part in settling it; may be empty.
    where : str
        File, for messages.

    Raises
    ------
    FileFormatError
        When a layer does not fit the one before it, or can be meant in several ways.
    """
    settings = _settled(layers, values, where)
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    flat = False
    for layer in layers[1:]:
        if layer.kind is Kind.CONVOLUTION:
            rows, columns, inputs, outputs = layer.shape
            padding = "same" if settings[layer.name].padded else "valid"
            parts[layer.name] = nn.Conv2d(inputs, outputs, (rows, columns), padding=padding, bias=False)
        elif layer.kind is Kind.POOLING:
            setting = settings[layer.name]
            parts[layer.name] = nn.MaxPool2d(setting.window, ceil_mode=setting.padded)
        else:
            if not flat:
                parts["flatten"], flat = nn.Flatten(), True
            parts[layer.name] = nn.Linear(*layer.shape, bias=False)
        if layer.value != layer.name:
            parts[layer.value] = nn.ReLU()
    return nn.Sequential(parts)


def require_known(layers: Sequence[Layer], where: str) -> None:
    """Raise FileFormatError unless each layer is of a known kind, and its shape of as many numbers as its kind has."""
    if not layers or layers[0].kind is not Kind.INPUT:
        raise FileFormatError(f"{where} does not begin with a layer called input.")
    if math.prod(layers[0].shape) > _MOST_INPUTS:
        raise FileFormatError(f"{where} has an input of {shown(layers[0].shape)} values; the file may be damaged.")
    for layer in layers:
        if layer.kind is Kind.UNKNOWN or (layer.kind is Kind.INPUT and layer is not layers[0]):
            raise FileFormatError(
                f"{where} has a layer {layer.name!r} of an unknown kind: names contain conv, maxpool or fc, and the "
                "first one is input. No network can be made of it; its values can be read all the same."
            )
        if len(layer.shape) != _RANKS[layer.kind]:
            raise FileFormatError(
                f"{where}: {layer.name} has the shape {shown(layer.shape)}; {_RANKS[layer.kind]} numbers are needed."
            )


def _settled(layers: Sequence[Layer], values: Mapping[str, NDArray], where: str) -> dict[str, Setting]:
    """Return the one way in which all layers fit."""
    found: list[tuple[Shape, dict[str, Setting]]] = [(layers[0].shape[1:], {})]
    for before, layer in pairwise(layers):
        following = []
        for shape, settings in found:
            for setting, after in _ways(layer, shape):
                if _fits(layer, setting, after, before, values):
                    following.append((after, settings | ({layer.name: setting} if setting else {})))
        if not following:
            raise FileFormatError(_misfit(layer, [shape for shape, _ in found], where))
        found = following
    ways = [settings for _, settings in found]
    usual = {layer.name: _USUAL[layer.kind] for layer in layers if layer.kind in _USUAL}
    if usual in ways:
        return usual
    if len(ways) > 1:
        name = next(name for name in ways[0] if len({way[name] for way in ways}) > 1)
        meant = " or ".join(sorted({str(way[name]) for way in ways}))
        raise FileFormatError(
            f"{where}: {name} can be meant in several ways ({meant}), and the stored shapes do not say in which. Build "
            "the network yourself, and take the weights alone."
        )
    return ways[0]


def _ways(layer: Layer, shape: Shape) -> Iterator[tuple[Setting | None, Shape]]:
    """Yield how a layer may go over an input (H, W, C) or (C,), and the shape that comes out."""
    if layer.kind is Kind.DENSE:
        if math.prod(shape) == layer.shape[0]:
            yield None, layer.shape[1:]
    elif len(shape) == 3 and layer.kind is Kind.CONVOLUTION and shape[2] == layer.shape[2]:
        for setting in (Setting(padded=True), Setting(padded=False)):
            cut = (0, 0) if setting.padded else (layer.shape[0] - 1, layer.shape[1] - 1)
            if shape[0] > cut[0] and shape[1] > cut[1]:
                yield setting, (shape[0] - cut[0], shape[1] - cut[1], layer.shape[3])
    elif len(shape) == 3 and layer.kind is Kind.POOLING:
        for window, padded in product(range(2, max(shape[:2]) + 1), (False, True)):
            sides = tuple(-(-side // window) if padded else side // window for side in shape[:2])
            # Of several rows that stick out TensorFlow puts some above the maps, which torch cannot.
            sticks_out = [-side % window for side in shape[:2]]
            if sides == layer.shape and (not padded or max(sticks_out) == 1):
                yield Setting(padded, window), (*sides, shape[2])


def _fits(layer: Layer, setting: Setting | None, after: Shape, before: Layer, values: Mapping[str, NDArray]) -> bool:
    """Return whether the stored activations are of this shape, and are the maxima that they should be."""
    if layer.name not in values:
        return True
    stored = values[layer.name]
    if stored.shape[1:] != after:
        return False
    if layer.kind is not Kind.POOLING or setting is None or before.name not in values:
        return True
    return np.array_equal(_maxima(values[before.name][:1], setting, after), stored[:1])


def _maxima(maps: NDArray, setting: Setting, after: Shape) -> NDArray:
    """Return the maxima of windows of (N, H, W, C) maps."""
    window, (rows, columns, _) = setting.window, after
    padded = np.full((len(maps), rows * window, columns * window, maps.shape[3]), -np.inf, maps.dtype)
    height, width = min(maps.shape[1], rows * window), min(maps.shape[2], columns * window)
    padded[:, :height, :width] = maps[:, :height, :width]
    return padded.reshape(len(maps), rows, window, columns, window, -1).max(axis=(2, 4))


def _misfit(layer: Layer, shapes: Sequence[Shape], where: str) -> str:
    given = " or ".join(sorted({shown(shape) for shape in shapes}))
    return (
        f"{where}: {layer.name} of shape {shown(layer.shape)} does not fit what comes before it, {given} (height, "
        "width, channels), with any padding and window, or not the values that are stored with it."
    )
