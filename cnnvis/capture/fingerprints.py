"""Short hashes of weights and of images, by which a checkpoint knows that it belongs to the same run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.nested import tensors_in


def fingerprint(module: nn.Module) -> str:
    """Return a hash of all weights and buffers, by their names."""
    return _hash({name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)})


def fingerprint_images(images: ForwardCall) -> str:
    """Return a hash of all inputs."""
    return _hash(dict(tensors_in((images.args, images.kwargs))))


def fingerprint_data(data: Any) -> str:
    """Return a hash of the tensors, arrays and numbers in `data`, nested as deep as you like, in their order.

    What is none of these, such as a DataLoader, counts for nothing. Cost: 2 s per GB.
    """
    digest = hashlib.sha256()
    for value in _values_in(data):
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            digest.update(f"{value.dtype}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).reshape(-1).view(np.uint8))
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()[:16]


def fingerprint_files(files: Iterable[Path]) -> str:
    """Return a hash of the names and sizes of files; what is in them is not read."""
    return fingerprint_data([(file.name, file.stat().st_size if file.exists() else -1) for file in files])


def _values_in(data: Any) -> Iterable[Any]:
    if isinstance(data, Tensor):
        tensor = data.detach().cpu().contiguous()
        yield str(tensor.dtype), tuple(tensor.shape)
        yield tensor.reshape(-1).view(torch.uint8).numpy()
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield str(key)
            yield from _values_in(value)
    elif isinstance(data, (tuple, list)):
        yield len(data)
        for value in data:
            yield from _values_in(value)
    elif isinstance(data, (np.ndarray, np.generic, int, float, str)):
        yield data


def _hash(tensors: Mapping[Any, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors, key=str):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name}{tensor.dtype}{tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]
