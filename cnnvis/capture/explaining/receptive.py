"""Which pixels of the input a value of a layer depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.explaining.explain import first_call
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.core.receptive_fields import ReceptiveFields

BATCH = 16
"""Probes in one forward pass."""


def receptive_fields(
    model: Any, image: Any, layers: str | Iterable[str], *, progress: Progress = silent
) -> dict[str, ReceptiveFields]:
    """Return for each position of layers the box of pixels of the input that its value can depend on.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        With one input of images, (N, C, H, W).
    image : image file, or tensor or ndarray (1, C, H, W), or None
        As for `explain`.
    layers : str or iterable of str
        Names as in `trace`; several cost as much as the last of them.
    progress : callable, optional
        progress(done, total), in probes.

    Returns
    -------
    dict of str to ReceptiveFields
        Boxes are exact whatever the layers before are, branches, dilation and global layers included; only where a
        layer mixes an image with itself by place (a window that is shifted round the edge) is a box larger than what
        it holds.

    Raises
    ------
    LayerNotFoundError, LayerNotRunError
        As for `record`.
    InvalidInputError
        For another input than images.

    Notes
    -----
    A row of the input is NaN, and then a column: values that become NaN depend on it. That holds for every function
    torch has, weights of 0 and closed ReLUs included, so it is the reach of the architecture, not of these weights.
    Convolutions run without oneDNN and NNPACK, whose fast algorithms spread a NaN over its tile.
    Cost: H + W forward passes up to the last of the layers: 10 ms for a network of 28 x 28, seconds for one of 224.
    """
    module = as_module(model)
    names = tuple(dict.fromkeys([layers] if isinstance(layers, str) else layers))
    call, _ = first_call(model, image, "receptive_fields")
    tensors = [value for value in (*call.args, *call.kwargs.values()) if isinstance(value, Tensor)]
    if len(tensors) != 1 or tensors[0].ndim != 4 or not tensors[0].is_floating_point():
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors) or "no tensor"
        raise InvalidInputError(f"receptive_fields needs one input of images (1, C, H, W), got {shapes}.")
    size = (tensors[0].shape[2], tensors[0].shape[3])
    reach = _Reach(module, names)
    spans: dict[str, list[NDArray[np.int64]]] = {name: [] for name in names}
    with evaluating(ModuleTree(module)), _plain_convolutions():
        for axis in (2, 3):
            found: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in names}
            for start in range(0, size[axis - 2], BATCH):
                lines = range(start, min(start + BATCH, size[axis - 2]))
                for name, reached in reach.of(_probes(tensors[0], axis, lines), call, axis).items():
                    found[name].append(reached)
                progress((size[0] if axis == 3 else 0) + lines.stop, sum(size))
            for name in names:
                spans[name].append(_spans(np.concatenate(found[name])))
    return {name: ReceptiveFields(name, size, *spans[name]) for name in names}


@contextmanager
def _plain_convolutions() -> Iterator[None]:
    """Convolve value by value. Not by the `flags` of torch, which warn on machines without an Intel GPU."""
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False
    try:
        with torch.backends.nnpack.flags(enabled=False):
            yield
    finally:
        torch.backends.mkldnn.enabled = before


def _probes(image: Tensor, axis: int, lines: range) -> Tensor:
    """Return the image once for each line along an axis, that line NaN."""
    probes = image.repeat(len(lines), 1, 1, 1)
    for place, line in enumerate(lines):
        probes[place].select(axis - 1, line).fill_(float("nan"))
    return probes


class _Reached(BaseException):
    """Ends a forward pass at the layer; no Exception, so that no network catches it."""


class _Reach:
    """Runs probes as far as the last of some layers."""

    def __init__(self, module: Any, layers: tuple[str, ...]) -> None:
        self._module, self._layers = module, layers

    def of(self, probes: Tensor, call: ForwardCall, axis: int) -> dict[str, NDArray[np.bool_]]:
        """Return which lines of the layers' maps each probe reaches, (n, lines)."""
        found: dict[str, NDArray[np.bool_]] = {}
        ran: list[str] = []

        def listen(done: Call) -> None:
            ran.append(done.name)
            if done.name in self._layers and done.values:
                value = done.values[0]
                found[done.name] = _lines(channels_first(value.tensor, value.axes), axis)
                if len(found) == len(self._layers):
                    raise _Reached

        selection = Selection(ModuleTree(self._module), self._layers)
        args = tuple(probes if isinstance(value, Tensor) else value for value in call.args)
        kwargs = {name: probes if isinstance(value, Tensor) else value for name, value in call.kwargs.items()}
        try:
            with selection.listen(listen):
                self._module(*args, **kwargs)
        except _Reached:
            return found
        selection.check(found, ran)
        return found


def _lines(value: Tensor, axis: int) -> NDArray[np.bool_]:
    reached = torch.isnan(value)
    if value.ndim == 4:  # maps: any channel, any place along the other axis
        return np.asarray(reached.any(dim=1).any(dim=2 if axis == 2 else 1).cpu().numpy())
    return np.asarray(reached.flatten(1).any(dim=1, keepdim=True).cpu().numpy())


def _spans(reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return by line of the layer from which to behind which line of the input it reaches, (lines, 2); 0 for none."""
    any_line = reached.any(axis=0)
    first = np.argmax(reached, axis=0)
    behind = len(reached) - np.argmax(reached[::-1], axis=0)
    return np.where(any_line[:, None], np.stack([first, behind], axis=1), 0)
