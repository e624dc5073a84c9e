"""Leaves a model as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cnnvis.capture.modules import ModuleTree
from cnnvis.core.errors import InvalidInputError


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
                if buffer.grad_fn is not None:  # a forward pass with gradients wrote a result into it
                    buffer.detach_()
                if not torch.equal(buffer, value):  # the version does not tell: batch_norm does not count it up
                    buffer.copy_(value)


@contextmanager
def differentiating(tree: ModuleTree) -> Iterator[None]:
    """Run forward passes as `evaluating` does, but so that what they give can be differentiated.

    Every floating parameter asks for a gradient inside, frozen ones too, also where the caller is in
    `torch.no_grad` or `torch.inference_mode`. Take gradients by `torch.autograd.grad`, which leaves `.grad` alone.

    Parameters
    ----------
    tree : ModuleTree

    Raises
    ------
    InvalidInputError
        When parameters were made in `torch.inference_mode`: they cannot be differentiated.
    """
    frozen = [p for p in tree.model.parameters() if p.is_floating_point() and not p.requires_grad]
    if any(parameter.is_inference() for parameter in tree.model.parameters()):
        raise InvalidInputError(
            f"The weights of {type(tree.model).__name__} were made inside torch.inference_mode(), so nothing can be "
            "differentiated. Build or load the network outside it."
        )
    with torch.inference_mode(False), evaluating(tree), torch.enable_grad():
        try:
            for parameter in frozen:
                parameter.requires_grad_(True)
            yield
        finally:
            for parameter in frozen:
                parameter.requires_grad_(False)


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
