"""Watches how weights are used while a network runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from cnnvis.capture.filters import transposed_groups
from cnnvis.capture.gradients import Tape
from cnnvis.capture.nested import tensors_in
from cnnvis.capture.weight_uses import USE_OF, ConvolutionUse, DenseUse, Use

Shapes = Mapping[str, Sequence[tuple[int, ...]]]
"""By layer, the shape that is fed in at each use of its weight."""


class Followed(NamedTuple):
    """A use whose batch axis is known, and what the gradient of its result is called on the tape."""

    use: Use
    key: tuple[str, int]
    axis: int

    def pair(self, delta: Tensor) -> tuple[Use, Tensor]:
        """Return the use and the gradient of its result, images along the first axis."""
        if self.axis == 0:
            return self.use, delta
        return DenseUse(self.use.fed.movedim(self.axis, 0), self.use.weight), delta.movedim(self.axis, 0)


class _Noted(NamedTuple):
    use: Use
    version: int  # of what was fed in: a later change in place would make it worthless


class WeightWatch(TorchFunctionMode):
    """Context in which a network runs once; notes what is made of the weights of some layers.

    Parameters
    ----------
    layers : mapping of str to nn.Module
        Convolutions and dense layers. Weights that are computed, not parameters, are not followed.

    Attributes
    ----------
    tape : Tape
        Holds the result of each use.
    """

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.tape = Tape()
        self._layers = layers
        self._noted: dict[str, list[_Noted]] = {name: [] for name in layers}
        self._lost = {name for name, layer in layers.items() if not isinstance(layer.weight, nn.Parameter)}
        self._names: dict[int, list[str]] = {}
        for name in layers.keys() - self._lost:
            self._names.setdefault(id(layers[name].weight), []).append(name)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        names = {name for _, tensor in tensors_in([args, kwargs]) for name in self._names.get(id(tensor), ())}
        use = USE_OF[func](*args, **kwargs) if names and func in USE_OF else None
        if use is not None or (names and any(tensor.requires_grad for _, tensor in tensors_in(result))):
            for name in names:
                self._note(name, use, result)
        return result

    def _note(self, name: str, use: Use | None, result: Any) -> None:
        layer, noted = self._layers[name], self._noted[name]
        is_weight = use is not None and use.weight.data_ptr() == layer.weight.data_ptr()
        if not is_weight or not _is_own(layer, use):
            self._lost.add(name)
            return
        self.tape.note((name, len(noted)), result, name=f"Layer {name!r}")
        noted.append(_Noted(use, use.fed._version))

    @property
    def shapes(self) -> Shapes:
        """What is fed in at each use."""
        return {name: [tuple(use.fed.shape) for use, _ in noted] for name, noted in self._noted.items()}

    def followed(self, n_images: int, alone: Shapes) -> dict[str, list[Followed]]:
        """Return the uses of each weight of which all are known image by image; to be asked when the run is over.

        Parameters
        ----------
        n_images : int
        alone : Shapes
            Those of a run of one image: the axis that has 1 there and `n_images` here holds the images.
        """
        found = {}
        for name, noted in self._noted.items():
            if name in self._lost or len(noted) != len(alone[name]):
                continue
            axes = [_image_axis(use, n_images, shape) for (use, _), shape in zip(noted, alone[name], strict=True)]
            if None not in axes and all(use.fed._version == version for use, version in noted):
                found[name] = [Followed(use, (name, number), axes[number]) for number, (use, _) in enumerate(noted)]
        return found


def _is_own(layer: nn.Module, use: Use) -> bool:
    """Whether the weight is used as its own layer uses it: then its filters are what the layer's are."""
    if isinstance(use, ConvolutionUse):
        is_image = use.fed.ndim == use.weight.ndim
        return (
            is_image
            and not isinstance(layer, nn.Linear)
            and use.is_transposed == (transposed_groups(layer) is not None)
        )
    return isinstance(layer, nn.Linear)


def _image_axis(use: Use, n_images: int, alone: Sequence[int]) -> int | None:
    shape = tuple(use.fed.shape)
    axes = (0,) if isinstance(use, ConvolutionUse) else range(len(shape) - 1)
    for axis in axes:
        if alone[axis] == 1 and shape == (*alone[:axis], n_images, *alone[axis + 1 :]):
            return axis
    return None
