"""Recording: what the layers of a network give for some images, and how a class depends on it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.differentiation import Differentiation
from cnnvis.capture.gradients import run_from_inputs
from cnnvis.capture.inputs import ForwardCall, as_batches, as_module, with_images
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.sinks import stored_dtype
from cnnvis.capture.state import differentiating, evaluating
from cnnvis.capture.store import RecordingWriter
from cnnvis.capture.targets import QuantityName, Target
from cnnvis.core import Provenance, Recording
from cnnvis.core.errors import InvalidInputError, LayerNotRunError
from cnnvis.core.memory import as_bytes
from cnnvis.core.progress import Progress, silent

BATCH_SIZE = 32
"""Images per forward pass by default."""


def record(  # noqa: PLR0913 - the public call is flat
    model: Any,
    inputs: Any,
    layers: str | Iterable[str] | None = None,
    *,
    target: Any = None,
    per_image: bool = False,
    of: QuantityName = "logit",
    names: str | Sequence[str] = (),
    batch_size: int = BATCH_SIZE,
    store: str | os.PathLike[str] | None = None,
    memory_budget: int | str | None = None,
    progress: Progress = silent,
) -> Recording:
    """Return what the layers of `model` give for `inputs`, as arrays (N, C, *S), and the gradients of a class.

    The model runs in eval mode and is left as it was, also after an error: `.grad` and `requires_grad` too. Values
    are those the layer returned, and gradients are with respect to these: an in-place activation that follows does
    not change them.

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
    target : int, str, or int tensor or array (N,), optional
        Class whose gradients are recorded: an index, the name of a class of the Network, or a class per image.
    per_image : bool, default: False
        Weight gradients of each image, behind a leading axis N, in place of their mean. Images are run one by one.
    of : {"logit", "margin", "loss"}, default: "logit"
        What of the class is differentiated, see `cnnvis.capture.targets.Quantity`.
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
        With `target`: `gradients` of each layer, (N, C, *S), for image n those of its own f_n; 0 where the class does
        not depend on the layer. `weight_gradients` of each recorded module with a `weight`, by the module's name, in
        the weight's own shape: summed over all calls of the module, whichever was recorded. `target`.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits no layer; near matches are listed.
    LayerNotRunError
        For a layer that the inputs, or some batches of them, do not go through.
    InvalidInputError
        For zero images, a value that cannot be recorded (complex, no batch axis), images of several sizes. With
        `target`: for a class that is not there, a network that returns no class scores (N, K), and one that
        cannot be differentiated, or not in a layer (weights made in inference mode, no_grad in its forward).
    OutputError
        When a store cannot be written; what was there before is untouched.

    Notes
    -----
    Cost: the forward passes plus one copy of each recorded value. Where every layer is named and is a convolution,
    pooling or batch norm, only these get a hook. Otherwise the whole pass is followed, which takes about
    0.1 ms per layer and batch, because the place of the channel axis depends on the layers before.
    With `target` a backward pass as well, and its memory: what training on a batch needs, so lower `batch_size` for
    large images. The mean weight gradients take 8 bytes per weight besides. Images are taken to be independent, as they
    are in eval mode.
    """
    module = as_module(model)
    inputs, names = with_images(model, inputs, names)
    batches = as_batches(module, inputs, batch_size)
    _check_names(names, batches.n_images)
    goal = None if target is None else Target.of_model(model, target, of)
    if goal is not None and batches.n_images is not None:
        goal.require_count(batches.n_images)
    tree = ModuleTree(module)
    selection = Selection(tree, layers)
    budget = as_bytes(memory_budget)
    mode = evaluating if goal is None else differentiating
    with mode(tree), RecordingWriter(batches.n_images, budget=budget, store=store) as writer:
        gradients = None if goal is None else Differentiation(model, goal, writer, per_image=per_image)
        recorder = _Recorder(selection, writer, gradients)
        with selection.listen(recorder.add):
            for call in chain.from_iterable(call.images() for call in batches) if goal and per_image else batches:
                recorder.run(module, call)
                progress(recorder.n_done, batches.n_images or 0)
        _check_names(names, recorder.n_done)
        return writer.finish(recorder.facts(_provenance(model, module, names), names))


class _Recorder:
    """Listens to a tracer and hands the selected values to a writer; checks that each batch ran the same layers."""

    def __init__(self, selection: Selection, writer: RecordingWriter, gradients: Differentiation | None) -> None:
        self.n_done = 0
        self._selection = selection
        self._writer = writer
        self._gradients = gradients
        self._logits: list[NDArray[Any]] | None = []
        self._n_images = 0
        self._first: tuple[str, ...] | None = None
        self._recorded: list[str] = []
        self._ran: list[str] = []

    def facts(self, provenance: Provenance, names: tuple[str, ...]) -> Recording:
        """Return what is known besides the maps."""
        logits = np.concatenate(self._logits) if self._logits else None
        facts = Recording({}, logits=logits, inputs=names, provenance=provenance)
        return facts if self._gradients is None else self._gradients.add_to(facts, self.n_done)

    def run(self, module: nn.Module, call: ForwardCall) -> None:
        """Record one batch."""
        self._n_images = call.n_images
        self._recorded = []
        self._ran = []
        if self._gradients is None:
            self._end(module(*call.args, **call.kwargs))
        else:
            self._end(run_from_inputs(module, call))

    def add(self, call: Call) -> None:
        if not call.is_block:
            self._ran.append(call.name)
        values = self._selection.values(call, self._n_images)
        for value in values:
            self._recorded.append(value.name)
            self._writer.append(value.name, channels_first(value.tensor.detach(), value.axes))
        if self._gradients is not None and values:
            self._gradients.note(call, values)

    def _end(self, output: Any) -> None:
        is_first = self._first is None
        if is_first:
            self._selection.check(self._recorded, self._ran)
            self._first = tuple(self._recorded)
        elif set(self._recorded) != set(self._first):
            self._explain_difference()
        if self._gradients is not None:
            self._gradients.take(output, self.n_done, self._n_images)
        if is_first:
            self._writer.report()
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
        self._logits.append(kept.copy_(output.detach()).numpy())


def _check_names(names: Sequence[str], n_images: int | None) -> None:
    if names and n_images is not None and len(names) != n_images:
        raise InvalidInputError(f"There are {n_images} images but {len(names)} names; give one name per image or none.")


def _provenance(model: Any, module: Any, names: Sequence[str]) -> Provenance:
    of_network = getattr(model, "provenance", None)
    if callable(of_network):
        return of_network(tuple(names))
    return Provenance(model=type(module).__name__, inputs=tuple(names))
