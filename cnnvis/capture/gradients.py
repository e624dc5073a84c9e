"""Gradients of one forward pass: noted while it runs, taken when it is over, with no graph left behind."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn.utils import parametrize

from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.nested import map_tensors
from cnnvis.core.errors import InvalidInputError


def run(module: nn.Module, call: ForwardCall) -> Any:
    """Return what `module` gives for `call`, differentiable in its weights; the network may change the inputs.

    A parametrised weight is computed once, so that all its uses are uses of one tensor.
    """
    with parametrize.cached():
        return module(*call.args, **call.kwargs)


def run_from_inputs(module: nn.Module, call: ForwardCall) -> Any:
    """Return the same, differentiable also in what comes before the first weight: the inputs ask for gradients.

    Copies of them are handed in, since a network may not change in place what asks for a gradient.
    """

    def asking(tensor: Tensor) -> Tensor:
        return tensor.detach().requires_grad_().clone() if tensor.is_floating_point() else tensor

    return run(module, ForwardCall(map_tensors(call.args, asking), map_tensors(call.kwargs, asking), call.n_images))


class _Noted(NamedTuple):
    """A tensor's place in the graph, None for a constant, and an empty tensor like it, which holds no memory."""

    edge: GradientEdge | None
    like: Tensor
    device: torch.device

    def zeros(self) -> Tensor:
        return torch.zeros_like(self.like, device=self.device)


class Tape:
    """The tensors of one forward pass that its result is to be differentiated by.

    Each is meant as it is when it is noted: what changes it in place later comes after it.
    """

    def __init__(self) -> None:
        self._noted: dict[Hashable, _Noted] = {}

    def note(self, key: Hashable, tensor: Tensor, *, name: str) -> None:
        """Note `tensor` under `key`; `name` says in an error what it is.

        Raises
        ------
        InvalidInputError
            Where the network switches gradients off: 0 would be a wrong answer there.
        """
        if tensor.is_floating_point():
            _require_gradients(name)
        edge = get_gradient_edge(tensor) if tensor.requires_grad else None
        self._noted[key] = _Noted(edge, torch.empty_like(tensor, device="meta", requires_grad=False), tensor.device)

    def gradients(self, result: Tensor) -> dict[Hashable, Tensor]:
        """Return d sum(result) / d tensor by key, 0 where the result does not depend on it; forget everything noted.

        Raises
        ------
        InvalidInputError
            When autograd cannot: a value that it needs was changed in place, an operation has no derivative.
        """
        noted, self._noted = self._noted, {}
        edges = [entry.edge for entry in noted.values() if entry.edge is not None]
        try:
            found = iter(torch.autograd.grad(result.sum(), edges, allow_unused=True) if edges else ())
        except RuntimeError as error:
            raise InvalidInputError(f"The network cannot be differentiated: {error}") from error
        gradients = {}
        for key, entry in noted.items():
            gradient = None if entry.edge is None else next(found)
            gradients[key] = entry.zeros() if gradient is None else gradient.to_dense()
        return gradients


def _require_gradients(name: str) -> None:
    if not torch.is_grad_enabled():
        raise InvalidInputError(
            f"{name} has no gradient: the network computes it without (torch.no_grad inside its forward). "
            "Leave it out, or remove that."
        )


class Weights:
    """The weights of modules in one forward pass, noted on a tape.

    Parameters
    ----------
    tape : Tape
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._noted: dict[str, list[Tensor]] = {}

    def note(self, name: str, module: nn.Module) -> None:
        """Note the `weight` of a module that runs, where it has one: with old-style weight norm, another in each call.

        Parameters
        ----------
        name : str
            Of the module; the key of the gradient.
        module : nn.Module
        """
        weight = getattr(module, "weight", None)
        if not isinstance(weight, Tensor) or not weight.is_floating_point():
            return
        _require_gradients(f"The weight of {name!r}")
        weights = self._noted.setdefault(name, [])
        if all(weight is not other for other in weights):
            weights.append(weight)
            self._tape.note((name, len(weights)), weight, name=f"The weight of {name!r}")

    def gradients(self, found: dict[Hashable, Tensor]) -> dict[str, Tensor]:
        """Return, of what `Tape.gradients` found, the gradients of the weights, and forget what was noted."""
        noted, self._noted = self._noted, {}
        return {name: sum(found[name, number + 1] for number in range(len(noted[name]))) for name in noted}
