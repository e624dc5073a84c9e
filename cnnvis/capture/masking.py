"""Masks on a running network: units that are switched off and on again, as often as you like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call, Listener, Value
from cnnvis.capture.inputs import as_batches, as_module, with_images
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.naming import called_module
from cnnvis.capture.spaces import channel_spaces
from cnnvis.capture.state import evaluating
from cnnvis.capture.statistics import RunningStatistics
from cnnvis.capture.taps import ModuleTaps
from cnnvis.capture.tracer import Tracer
from cnnvis.core import ChannelSpace, ChannelSpaces, Read
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, LayerNotRunError, did_you_mean

BATCH_SIZE = 100
"""Images per forward pass when means are taken."""


class Masking:
    """Context manager under which units of a model can be switched off and on as often as you like.

    >>> with Masking(model, spaces) as masking:
    ...     masking.keep({"conv1": kept})  # (C,) bool; every other space is whole
    ...     model(images)

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    spaces : ChannelSpaces, optional
        Found from one run of the Network's example otherwise.
    layers : iterable of str, optional
        Layers whose units may be switched off; default: those of every space but inputs and classes.
    means : mapping of Read to (C,) ndarray, optional
        What takes the place of a unit, see `read_means`; default 0.

    Raises
    ------
    LayerNotFoundError
        For a layer without channels of its own; near matches are listed.

    Notes
    -----
    Switching costs microseconds, a forward pass one copy of each value in which units are off. Where all
    values are those of modules, these alone get a hook. Where some are those of operations (an addition) or inputs, the
    whole pass is followed, about 0.1 ms per layer and operation. Forward raises LayerNotRunError where it does not
    reach a value in which units are off, and InvalidInputError where that has not as many channels:
    the spaces are those of another network then.
    """

    def __init__(
        self,
        model: Any,
        spaces: ChannelSpaces | None = None,
        *,
        layers: Iterable[str] | None = None,
        means: Mapping[Read, NDArray[np.float64]] | None = None,
    ) -> None:
        self.spaces = channel_spaces(model) if spaces is None else spaces
        self._maskable = _chosen(self.spaces, layers)
        self._means = means
        self._off: dict[str, _Patch] = {}
        self._reached: set[str] = set()
        values = dict.fromkeys(read.value for space in self._maskable for read in space.reads)
        self._listening = listen_to(ModuleTree(as_module(model)), values, self._change, self._check)

    def __enter__(self) -> Masking:
        self._listening.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listening.__exit__(*exception)

    def keep(self, kept: Mapping[str, NDArray[np.bool_]]) -> None:
        """Switch off the units that are False in `kept`, and all others on.

        Parameters
        ----------
        kept : mapping of str to (C,) ndarray of bool
            By space, or any of its layers; of several layers of one space, a unit must be kept by all.

        Raises
        ------
        LayerNotFoundError, InvalidInputError
            For a space that was not chosen when this was made, or a mask that is not (C,) bool.
        """
        patches: dict[str, _Patch] = {}
        for name, mask in kept.items():
            space = self._of(name)
            channels = np.flatnonzero(~_checked_mask(space, name, mask))
            for read in space.reads if channels.size else ():
                fill = None if self._means is None else self._means[read]
                patches.setdefault(read.value, _Patch(read.axis)).add(read, channels, fill)
        self._off = patches

    def _of(self, name: str) -> ChannelSpace:
        space = self.spaces.of(name)
        if space not in self._maskable:
            hint = did_you_mean(name, [space.name for space in self._maskable], what="spaces chosen")
            raise LayerNotFoundError(f"{name!r} is not among the layers chosen to be switched off. {hint}")
        return space

    def _change(self, call: Call) -> Tensor | None:
        patch = None if call.is_block else self._off.get(call.name)
        if patch is None:
            return None
        self._reached.add(call.name)
        return patch.apply(call.values[0])

    def _check(self) -> None:
        missed, self._reached = self._off.keys() - self._reached, set()
        if missed:
            raise LayerNotRunError(
                f"Units are off in {min(missed)!r}, which this forward pass did not reach: "
                "the channel spaces are those of another network, or of another path through it."
            )


class _Patch:
    """The entries of one value that are off, and what takes their place."""

    def __init__(self, axis: int) -> None:
        self._axis = axis
        self._entries: list[NDArray[np.int64]] = []
        self._fills: list[NDArray[np.float64]] = []
        self._made: tuple[Tensor, Tensor] | None = None

    def add(self, read: Read, channels: NDArray[np.int64], fill: NDArray[np.float64] | None) -> None:
        self._entries.append(read.entries(channels))
        self._fills.append(np.zeros(0) if fill is None else np.repeat(fill[channels], read.block))

    def apply(self, value: Value) -> Tensor:
        if self._made is None:
            self._made = self._make(value)
        off, fill = self._made
        return torch.where(off, fill, value.tensor)

    def _make(self, value: Value) -> tuple[Tensor, Tensor]:
        """Return (1, entries, 1 ...) bool and what to put there, for tensors like this one."""
        tensor, entries = value.tensor, torch.from_numpy(np.concatenate(self._entries))
        size = tensor.shape[self._axis] if tensor.ndim > self._axis else 0
        if int(entries.max()) >= size:
            raise InvalidInputError(
                f"{value.name!r} has {size} entries along axis {self._axis}, but units are off up to entry "
                f"{int(entries.max())}: the channel spaces are those of another network."
            )
        shape = [size if axis == self._axis else 1 for axis in range(tensor.ndim)]
        off = torch.zeros(size, dtype=torch.bool)
        off[entries] = True
        fill = torch.zeros(size, dtype=tensor.dtype)
        fills = torch.from_numpy(np.concatenate(self._fills))
        if fills.numel():
            fill[entries] = fills.to(tensor.dtype)
        return off.view(shape).to(tensor.device), fill.view(shape).to(tensor.device)


def read_means(
    model: Any, data: Any, spaces: ChannelSpaces, *, layers: Iterable[str] | None = None
) -> dict[Read, NDArray[np.float64]]:
    """Return the mean of each channel over images and positions, in each value in which it is read.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Runs in eval mode, and is left as it was.
    data : as the inputs of `record`
    spaces : ChannelSpaces
    layers : iterable of str, optional
        As for `Masking`.

    Returns
    -------
    dict of Read to (C,) ndarray of float64
        NaN and infinite values are left out; a channel without finite values has 0.
    """
    module = as_module(model)
    reads = {read: space.size for space in _chosen(spaces, layers) for read in space.reads}
    wanted = {read.value: read.axis for read in reads}
    seen: dict[str, RunningStatistics] = {}

    def see(call: Call) -> None:
        if call.name in wanted and not call.is_block:
            value = call.values[0]
            tensor = value.tensor.detach().movedim(wanted[call.name], 1)
            seen.setdefault(call.name, RunningStatistics(tensor.shape[1])).update(tensor.double().cpu().numpy())

    tree = ModuleTree(module)
    with evaluating(tree), listen_to(tree, wanted, see):
        for call in as_batches(module, with_images(model, data, ())[0], BATCH_SIZE):
            module(*call.args, **call.kwargs)
    means = {}
    for read, size in reads.items():
        entries = np.nan_to_num(seen[read.value].mean[read.entries(np.arange(size))], nan=0.0)
        means[read] = entries.reshape(size, read.block).mean(axis=1)
    return means


def _chosen(spaces: ChannelSpaces, layers: Iterable[str] | None) -> tuple[ChannelSpace, ...]:
    """Return the spaces of some layers, each once; by default those that are neither an input's nor the classes."""
    if layers is None:
        return spaces.hidden
    return tuple(dict.fromkeys(spaces.of(layer) for layer in layers))


def listen_to(
    tree: ModuleTree, values: Iterable[str], listener: Listener, on_end: Callable[[], None] | None = None
) -> ModuleTaps | Tracer:
    """Return the cheapest context manager that tells `listener` of these values, whose axes are known already."""
    modules = [called_module(value, tree.traced) for value in values]
    if all(name is not None and tree.traced[name] not in tree.shared for name in modules):
        return ModuleTaps(tree, listener, dict.fromkeys(modules), on_end=on_end)
    return Tracer(tree, listener, on_end=on_end)


def _checked_mask(space: ChannelSpace, name: str, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    mask = np.asarray(mask)
    if mask.dtype != np.bool_ or mask.shape != (space.size,):
        raise InvalidInputError(
            f"The mask of {name!r} must be ({space.size},) bool, one entry per unit, got {mask.shape} {mask.dtype}."
        )
    return mask
