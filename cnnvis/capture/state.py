"""Leaves a model as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Run forward passes in eval mode and without gradients; put everything back on exit, also after an error.

    Put back are the training flag of each module (the flags are set one by one: a model's own `train`
    method is not called), buffers that a forward pass changed or exchanged, and the random state of
    torch on the CPU and on the model's CUDA devices. Parameters and their gradients are not touched.

    Parameters
    ----------
    model : nn.Module

    Notes
    -----
    Costs a copy of the buffers and of the random states.
    """
    modules = list(model.modules())
    training = [module.training for module in modules]
    buffers = [(module, dict(module._buffers)) for module in modules if module._buffers]
    values = {buffer: buffer.clone() for buffer in model.buffers()}
    versions = {buffer: buffer._version for buffer in values}
    devices = {tensor.device for tensor in (*model.parameters(), *values) if tensor.is_cuda}
    with torch.random.fork_rng(devices=devices), torch.no_grad():
        try:
            for module in modules:
                module.training = False
            yield
        finally:
            for module, flag in zip(modules, training, strict=True):
                module.training = flag
            for module, held in buffers:
                module._buffers.update(held)
            for buffer, value in values.items():
                if buffer._version != versions[buffer]:
                    buffer.copy_(value)
