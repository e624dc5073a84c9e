"""Recording: what the layers of a network give for some images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.axes import BATCH_FIRST
from cnnvis.capture.budget import as_bytes
from cnnvis.capture.calls import Call
from cnnvis.capture.inputs import as_batches, as_module, with_images
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.sinks import stored_dtype
from cnnvis.capture.state import evaluating
from cnnvis.capture.store import RecordingWriter
from cnnvis.core import Provenance, Recording
from cnnvis.core.errors import InvalidInputError, LayerNotRunError
from cnnvis.core.progress import Progress, silent

BATCH_SIZE = 32
"""Images per forward pass by default."""


def record(
    model: Any,
    inputs: Any,
    layers: str | Iterable[str] | None = None,
    *,
    names: str | Sequence[str] = (),
    batch_size: int = BATCH_SIZE,
    store: str | os.PathLike[str] | None = None,
    memory_budget: int | str | None = None,
    progress: Progress = silent,
) -> Recording:
    """Return what the layers of `model` give for `inputs`, as arrays (N, C, *S).

    The model runs in eval mode without gradients and is left as it was, also after an error. Values are
    those the layer returned: an in-place activation that follows does not change them.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    inputs : image file, tensor or ndarray (N, ...), tuple or dict of these, or iterable of batches
        A path or sample name, or a list of these, is preprocessed by the Network. A tuple of tensors holds the
        positional arguments of forward(), a dict the keyword arguments, each with N images along its first axis.
        Anything else that can be iterated over, such as a DataLoader or a list, gives batches: each
        a tensor, a dict, or a tuple or list of which the leading entries that forward() requires are
        used and the rest (labels) is not. Moved to the model's device; floating values take its dtype.
    layers : str or iterable of str, optional
        Names or globs as in `trace`. Default: every layer with values of its own, that is all but inputs, reshapes
        and identities. A block of layers can be recorded by its name (`layer1`), further tensors of a
        layer by theirs (`lstm:1.0`).
    names : str or sequence of str, optional
        Name of each image; default: the names of image files.
    batch_size : int, default: 32
        Images per forward pass; an iterable brings its own batches.
    store : path, optional
        Folder in which to keep the recording on disk; `open_store` reads it back. It appears when it is complete and
        replaces an older recording there.
    memory_budget : int or str, optional
        Bytes, or "2 GB", that the recorded values may take in memory; default half of what is available now. Layers
        that do not fit are memory maps of temporary files (in the folder of `tempfile.gettempdir()`); so is
        everything when the number of images cannot be known. The need is logged after the first batch.
        The forward pass itself needs memory besides; `batch_size` limits that.
    progress : callable, optional
        progress(done, total) after each batch, in images; total is 0 where it is not known.

    Returns
    -------
    Recording
        Layers in order of execution. float16, float32 and float64 are kept, anything else becomes float32. `logits`
        is what the model returned, where that is one tensor (N, K).

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits no layer; near matches are listed.
    LayerNotRunError
        For a layer that the inputs, or some batches of them, do not go through.
    InvalidInputError
        For zero images, a value that cannot be recorded (complex, no batch axis), images of several sizes.
    OutputError
        When a store cannot be written; what was there before is untouched.

    Notes
    -----
    Cost: the forward passes plus one copy of each recorded value. Where every layer is named and is a convolution,
    pooling or batch norm, only these get a hook. Otherwise the whole pass is followed, which takes about
    0.1 ms per layer and batch, because the place of the channel axis depends on the layers before.
    """
    module = as_module(model)
    inputs, names = with_images(model, inputs, names)
    batches = as_batches(module, inputs, batch_size)
    _check_names(names, batches.n_images)
    tree = ModuleTree(module)
    selection = Selection(tree, layers)
    budget = as_bytes(memory_budget)
    with evaluating(tree), RecordingWriter(batches.n_images, budget=budget, store=store) as writer:
        recorder = _Recorder(selection, writer)
        with selection.listen(recorder.add):
            for call in batches:
                recorder.begin(call.n_images)
                recorder.end(module(*call.args, **call.kwargs))
                progress(recorder.n_done, batches.n_images or 0)
        _check_names(names, recorder.n_done)
        return writer.finish(recorder.logits, names, _provenance(model, module, names))


class _Recorder:
    """Listens to a tracer and hands the selected values to a writer; checks that each batch ran the same layers."""

    def __init__(self, selection: Selection, writer: RecordingWriter) -> None:
        self.n_done = 0
        self._selection = selection
        self._writer = writer
        self._logits: list[NDArray[Any]] | None = []
        self._n_images = 0
        self._first: tuple[str, ...] | None = None
        self._recorded: list[str] = []
        self._ran: list[str] = []

    @property
    def logits(self) -> NDArray[Any] | None:
        return np.concatenate(self._logits) if self._logits else None

    def begin(self, n_images: int) -> None:
        self._n_images = n_images
        self._recorded = []
        self._ran = []

    def add(self, call: Call) -> None:
        if not call.is_block:
            self._ran.append(call.name)
        for value in self._selection.values(call, self._n_images):
            self._recorded.append(value.name)
            values = value.tensor.detach()
            if value.axes != BATCH_FIRST:
                values = values.movedim(value.axes, BATCH_FIRST)
            self._writer.append(value.name, values)

    def end(self, output: Any) -> None:
        if self._first is None:
            self._selection.check(self._recorded, self._ran)
            self._first = tuple(self._recorded)
            self._writer.report()
        elif set(self._recorded) != set(self._first):
            self._explain_difference()
        self._keep_logits(output)
        self.n_done += self._n_images

    def _explain_difference(self) -> None:
        here = f"images {self.n_done} to {self.n_done + self._n_images - 1}"
        before = f"images 0 to {self.n_done - 1}"
        lost = [name for name in self._first or () if name not in self._recorded]
        new = [name for name in self._recorded if name not in (self._first or ())]
        ran, ran_not = (before, here) if lost else (here, before)
        raise LayerNotRunError(
            f"Layer {(lost or new)[0]!r} ran for {ran} but not for {ran_not}: the path through this network depends "
            "on the input. Record layers that every image goes through, or images of one path at a time."
        )

    def _keep_logits(self, output: Any) -> None:
        is_table = isinstance(output, Tensor) and output.ndim == 2 and output.shape[0] == self._n_images
        if self._logits is None or not is_table or not output.is_floating_point():
            self._logits = None
            return
        kept = torch.from_numpy(np.empty(output.shape, stored_dtype(output.dtype)))
        self._logits.append(kept.copy_(output).numpy())


def _check_names(names: Sequence[str], n_images: int | None) -> None:
    if names and n_images is not None and len(names) != n_images:
        raise InvalidInputError(f"There are {n_images} images but {len(names)} names; give one name per image or none.")


def _provenance(model: Any, module: Any, names: Sequence[str]) -> Provenance:
    of_network = getattr(model, "provenance", None)
    if callable(of_network):
        return of_network(tuple(names))
    return Provenance(model=type(module).__name__, inputs=tuple(names))
