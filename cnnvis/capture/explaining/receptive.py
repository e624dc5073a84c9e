"""Which pixels of the input a value of a layer depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.explaining.explain import _first
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.core.receptive_fields import ReceptiveFields

BATCH = 16
"""Probes in one forward pass."""


def receptive_fields(model: Any, image: Any, layer: str, *, progress: Progress = silent) -> ReceptiveFields:
    """Return for each position of a layer the box of pixels of the input that its value can depend on.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        With one input of images, (N, C, H, W).
    image : image file, or tensor or ndarray (1, C, H, W), or None
        As for `explain`.
    layer : str
        A name as in `trace`.
    progress : callable, optional
        progress(done, total), in probes.

    Returns
    -------
    ReceptiveFields
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
    Cost: H + W forward passes up to the layer: 10 ms for a network of 28 x 28, seconds for one of 224 x 224.
    """
    module = as_module(model)
    call, _ = _first(model, image)
    tensors = [value for value in (*call.args, *call.kwargs.values()) if isinstance(value, Tensor)]
    if len(tensors) != 1 or tensors[0].ndim != 4 or not tensors[0].is_floating_point():
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors) or "no tensor"
        raise InvalidInputError(f"receptive_fields needs one input of images (1, C, H, W), got {shapes}.")
    image_tensor = tensors[0]
    height, width = image_tensor.shape[2:]
    reach = _Reach(module, layer)
    total, spans = height + width, []
    tree = ModuleTree(module)
    with evaluating(tree), _plain_convolutions():
        for axis, size in ((2, height), (3, width)):
            done = 0 if axis == 2 else height
            found = []
            for start in range(0, size, BATCH):
                lines = range(start, min(start + BATCH, size))
                found.append(reach.of(_probes(image_tensor, axis, lines), call, axis))
                progress(done + lines.stop, total)
            spans.append(_spans(np.concatenate(found)))
    return ReceptiveFields(layer, (height, width), *spans)


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
    """Runs probes as far as a layer."""

    def __init__(self, module: Any, layer: str) -> None:
        self._module, self._layer = module, layer
        self._value: Tensor | None = None

    def of(self, probes: Tensor, call: ForwardCall, axis: int) -> NDArray[np.bool_]:
        """Return which lines of the layer's maps each probe reaches, (n, lines)."""
        given = ForwardCall(
            tuple(probes if isinstance(value, Tensor) else value for value in call.args),
            {name: probes if isinstance(value, Tensor) else value for name, value in call.kwargs.items()},
        )
        selection = Selection(ModuleTree(self._module), self._layer)
        ran: list[str] = []
        try:
            with selection.listen(self._listener(ran)):
                self._module(*given.args, **given.kwargs)
        except _Reached:
            pass
        else:
            selection.check((), ran)
        assert self._value is not None
        return self._lines(self._value, axis)

    def _listener(self, ran: list[str]) -> Callable[[Call], None]:
        def listen(call: Call) -> None:
            ran.append(call.name)
            if call.name == self._layer and call.values:
                self._value = channels_first(call.values[0].tensor, call.values[0].axes)
                raise _Reached

        return listen

    @staticmethod
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
