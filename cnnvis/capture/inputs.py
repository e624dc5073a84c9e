"""What a user may hand in as model and inputs, made ready for a forward pass."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cnnvis.capture.nested import map_tensors, tensors_in
from cnnvis.core.errors import InvalidInputError

# By name: touching torch._dynamo for the class of compiled modules would import it, which takes a second.
_WRAPPERS = {"DataParallel": "module", "DistributedDataParallel": "module", "OptimizedModule": "_orig_mod"}


@dataclass(frozen=True, slots=True)
class ForwardCall:
    """Arguments of one forward pass, and the number of images in it."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    n_images: int = 1

    def copy(self) -> ForwardCall:
        """Return a forward pass on copies of the tensors: a network may change its inputs in place."""
        return ForwardCall(map_tensors(self.args, Tensor.clone), map_tensors(self.kwargs, Tensor.clone), self.n_images)

    def images(self) -> Iterator[ForwardCall]:
        """Yield a forward pass for each image by itself, on views of the tensors."""
        for image in range(self.n_images):

            def piece(tensor: Tensor, rows: slice = slice(image, image + 1)) -> Tensor:
                return tensor[rows]

            yield ForwardCall(map_tensors(self.args, piece), map_tensors(self.kwargs, piece))


@dataclass(frozen=True, slots=True)
class Batches:
    """Forward passes to make, one after the other; `n_images` is None where it is not known beforehand."""

    calls: Iterable[ForwardCall]
    n_images: int | None

    def __iter__(self) -> Iterator[ForwardCall]:
        return iter(self.calls)


def as_module(model: Any) -> nn.Module:
    """Return the module that runs: of a Network its module, of DataParallel and torch.compile what they wrap.

    Raises
    ------
    InvalidInputError
        When `model` is no nn.Module, or is TorchScript.
    """
    if not isinstance(model, nn.Module):
        model = getattr(model, "module", model)
    while type(model).__module__.startswith("torch.") and type(model).__name__ in _WRAPPERS:
        model = getattr(model, _WRAPPERS[type(model).__name__])
    if not isinstance(model, nn.Module):
        raise InvalidInputError(
            f"A network must be a torch.nn.Module or what cnnvis.models.load returns, got {type(model).__name__}."
        )
    if isinstance(model, torch.jit.ScriptModule):
        raise InvalidInputError(
            f"{type(model).__name__} runs in TorchScript, which calls no hooks inside; "
            "pass the nn.Module that it was made from."
        )
    return model


def with_images(model: Any, inputs: Any, names: str | Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """Return inputs and names, image files (or names of samples) preprocessed by the Network they are for.

    Parameters
    ----------
    model : nn.Module or Network
    inputs : Any
        A path or sample name, or a list or tuple of these, becomes a tensor (N, ...); anything else stays.
    names : str or sequence of str
        Names of the images; for files their own by default.

    Raises
    ------
    InvalidInputError
        For image files with a bare nn.Module, which cannot say how images are preprocessed.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    files = [inputs] if isinstance(inputs, str | os.PathLike) else inputs
    if not isinstance(files, list | tuple) or not files or not all(isinstance(f, str | os.PathLike) for f in files):
        return inputs, names
    preprocess = getattr(model, "preprocess", None)
    if preprocess is None:
        raise InvalidInputError(
            f"{type(model).__name__} does not say how image files are preprocessed. "
            "Pass what cnnvis.models.load returns, or a tensor (N, ...)."
        )
    return torch.cat([preprocess(file) for file in files]), names or tuple(Path(file).name for file in files)


def as_call(model: nn.Module, inputs: Any) -> ForwardCall:
    """Return `inputs` (tensor or array, tuple, dict of keywords) as one forward pass on the model's device.

    Floating tensors take the model's floating dtype; all are copied, so that an in-place layer cannot
    change the user's own.
    """
    args, kwargs = _arguments(inputs)
    n_images = _count_images((args, kwargs))
    place = _Place.of(model)
    return ForwardCall(map_tensors(args, place.copy), map_tensors(kwargs, place.copy), n_images)


def as_example(model: Any, example: Any, what: str) -> ForwardCall:
    """Return `example`, or the Network's own for None, as one forward pass.

    Raises
    ------
    InvalidInputError
        When there is none; the message says `what` needs it.
    """
    module = as_module(model)
    if example is None:
        example = getattr(model, "example", None)
    if example is None:
        raise InvalidInputError(
            f"{what} needs an example input for {type(module).__name__}, got none; "
            "pass a tensor (1, channels, height, width) or whatever its forward() takes."
        )
    return as_call(module, example)


def as_batches(model: nn.Module, inputs: Any, batch_size: int) -> Batches:
    """Return `inputs` as forward passes of at most `batch_size` images; batches of a loader are taken as they are.

    Parameters
    ----------
    model : nn.Module
    inputs : tensor or ndarray, tuple or dict of these; or an iterable of batches
        See `cnnvis.record`.
    batch_size : int

    Raises
    ------
    InvalidInputError
        For zero images, inputs of different length, and anything that holds no tensors.
    """
    if batch_size < 1:
        raise InvalidInputError(f"batch_size must be at least 1, got {batch_size}.")
    if isinstance(inputs, (Tensor, np.ndarray, tuple, Mapping)):
        args, kwargs = _arguments(inputs)
        n_images = _count_images((args, kwargs))
        return Batches(_cut(model, args, kwargs, n_images, batch_size), n_images)
    if isinstance(inputs, (str, bytes)) or not isinstance(inputs, Iterable):
        raise InvalidInputError(
            f"Inputs must be a tensor or array (N, ...), a tuple or dict of these, or an iterable of batches; "
            f"got {type(inputs).__name__}. An image file is made into a tensor by Network.preprocess."
        )
    return Batches(_take(model, inputs), loader_length(inputs))


def _arguments(inputs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(inputs, Mapping):
        return (), _as_tensors(dict(inputs))
    return _as_tensors(inputs if isinstance(inputs, tuple) else (inputs,)), {}


def _as_tensors(value: Any) -> Any:
    """Return `value` with each array in it as a tensor."""
    if isinstance(value, np.ndarray):
        try:
            return torch.as_tensor(value)
        except TypeError as error:
            raise InvalidInputError(f"Inputs of dtype {value.dtype} are no numbers that a network takes.") from error
    if isinstance(value, dict):
        return {key: _as_tensors(entry) for key, entry in value.items()}
    if type(value) in (tuple, list):
        return type(value)(_as_tensors(entry) for entry in value)
    return value


def _count_images(arguments: Any) -> int:
    shapes = [tuple(tensor.shape) for _, tensor in tensors_in(arguments)]
    if not shapes:
        raise InvalidInputError("Inputs hold no tensor and no array; pass a tensor (N, ...).")
    counts = {shape[0] if shape else None for shape in shapes}
    if len(counts) > 1 or None in counts:
        raise InvalidInputError(
            f"Every input must have the images along its first axis, got shapes {', '.join(map(str, shapes))}."
        )
    n_images = counts.pop()
    if n_images == 0:
        raise InvalidInputError(f"There are zero images: the input has shape {shapes[0]}; at least one is needed.")
    return n_images


@dataclass(frozen=True, slots=True)
class _Place:
    """Device and dtype of a model's first floating tensor; None, for a model without, leaves an input's own."""

    device: torch.device | None
    dtype: torch.dtype | None

    @classmethod
    def of(cls, model: nn.Module) -> _Place:
        tensors = chain(model.parameters(), model.buffers())
        first = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
        return cls(None, None) if first is None else cls(first.device, first.dtype)

    def copy(self, tensor: Tensor) -> Tensor:
        dtype = self.dtype if tensor.is_floating_point() else None
        return tensor.detach().to(device=self.device, dtype=dtype, copy=True)


def _cut(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], n_images: int, size: int
) -> Iterator[ForwardCall]:
    place = _Place.of(model)
    for start in range(0, n_images, size):
        stop = min(start + size, n_images)

        def piece(tensor: Tensor, rows: slice = slice(start, stop)) -> Tensor:
            return place.copy(tensor[rows])

        yield ForwardCall(map_tensors(args, piece), map_tensors(kwargs, piece), stop - start)


def _take(model: nn.Module, loader: Iterable[Any]) -> Iterator[ForwardCall]:
    """Yield the batches of a loader; of one that is a tuple or list, what forward() requires, not the labels."""
    required = n_required(model)
    n_batches = 0
    for batch in loader:
        n_batches += 1
        yield as_call(model, tuple(batch[:required]) if isinstance(batch, (tuple, list)) else batch)
    if n_batches == 0:
        raise InvalidInputError(f"There are zero images: the {type(loader).__name__} gave no batch.")


def n_required(model: nn.Module) -> int:
    """Return the number of positional arguments that forward() cannot do without, at least 1."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(model.forward).parameters.values()
    return max(1, sum(p.kind in positional and p.default is p.empty for p in parameters))


def loader_length(loader: Iterable[Any]) -> int | None:
    """Return the number of images that a DataLoader will give, where it can be known."""
    if not isinstance(loader, DataLoader) or loader.batch_size is None:
        return None
    try:
        n_images = len(loader.sampler)
    except TypeError:  # an IterableDataset has no length
        return None
    return n_images - n_images % loader.batch_size if loader.drop_last else n_images
