"""Leaves a model as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cnnvis.capture.modules import ModuleTree


@contextmanager
def evaluating(tree: ModuleTree) -> Iterator[None]:
    """Run forward passes in eval mode and without gradients; put everything back on exit, also after an error.

    Put back are the training flag of each module (the flags are set one by one: a model's own `train`
    method is not called), buffers that a forward pass changed or exchanged, and the random state of
    torch on the CPU and on the model's CUDA devices. Parameters and their gradients are not touched.

    Parameters
    ----------
    tree : ModuleTree

    Notes
    -----
    Costs a copy of the buffers and of the random states.
    """
    modules = set(tree.all.values())
    training = {module: module.training for module in modules}
    buffers = [(module, dict(module._buffers)) for module in modules if _may_change_buffers(module)]
    values = {buffer: buffer.clone() for _, held in buffers for buffer in held.values() if buffer is not None}
    with torch.random.fork_rng(devices=_cuda_devices(tree.model)), torch.no_grad():
        try:
            _set_flags(dict.fromkeys(modules, False))
            yield
        finally:
            _set_flags(training)
            for module, held in buffers:
                module._buffers.update(held)
            for buffer, value in values.items():
                if not torch.equal(buffer, value):  # the version does not tell: batch_norm does not count it up
                    buffer.copy_(value)


def _set_flags(training: dict[nn.Module, bool]) -> None:
    for module, flag in training.items():
        if module.training != flag:  # setting an attribute of a module is slow
            module.training = flag


def _may_change_buffers(module: nn.Module) -> bool:
    """Whether a forward pass in eval mode may change a buffer: torch's own layers do not."""
    return bool(module._buffers) and not type(module).__module__.startswith("torch.nn.modules.")


def _cuda_devices(model: nn.Module) -> list[torch.device]:
    if not torch.cuda.is_available():
        return []
    return list({tensor.device for tensor in (*model.parameters(), *model.buffers()) if tensor.is_cuda})
