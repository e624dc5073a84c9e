"""Units and links of a network as things to switch off: which there are, what they score, the network without some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.func import functional_call

from cnnvis.attribution import importance as importance_of
from cnnvis.attribution import link_importance, space_scores
from cnnvis.attribution.links import without_links
from cnnvis.capture import channel_spaces
from cnnvis.capture.inputs import as_module
from cnnvis.capture.masking import Masking
from cnnvis.core import ChannelSpace, ChannelSpaces, Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.pruning.options import CurveOptions

Order = Importance | Mapping[str, NDArray[Any]] | str
"""What decides who goes first: scores, "random" or "weight"."""

Removed = Mapping[str, NDArray[np.bool_]]
"""By group (channel space, or layer of links): whether each unit or link is gone."""


class Switched(Protocol):
    """A network of which things are switched off."""

    def remove(self, removed: Removed) -> None:
        """Switch these off, and everything else on."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the network without them."""


class Units:
    """The channels of a network's channel spaces.

    Parameters
    ----------
    model : nn.Module or Network
    example : Any
        Input of one forward pass.
    options : CurveOptions
    """

    def __init__(self, model: Any, example: Any, options: CurveOptions) -> None:
        self._model = model
        self._all = channel_spaces(model, example)
        chosen = chosen_spaces(
            self._all,
            layers=options.layers,
            include_inputs=options.include_inputs,
            include_outputs=options.include_outputs,
        )
        self._chosen = {space.name: space for space in chosen}

    def scores(self, order: Order) -> dict[str, NDArray[np.float64]]:
        """Return the scores of the units by space; those of "random" are all alike."""
        if isinstance(order, str) and _is_random(order):
            return {name: np.zeros(space.size) for name, space in self._chosen.items()}
        found = space_scores(self._all, importance_of(self._model, method="weight") if order == "weight" else order)
        missing = [name for name in self._chosen if name not in found]
        if missing:
            shown = ", ".join(missing[:8])
            raise InvalidInputError(
                f"The order has no importance of {shown}; score these layers too, or name the layers to prune. "
                f"It has that of {', '.join(found) or 'no layer of this network'}."
            )
        return {name: found[name] for name in self._chosen}

    @contextmanager
    def switched(self) -> Iterator[Switched]:
        """Give the network, of which units can be removed while the context lasts."""
        with Masking(self._model, self._all, layers=list(self._chosen)) as masking:
            yield _MaskedNetwork(as_module(self._model), masking)


class Links:
    """The weights of a network's dense layers, and the kernels of its convolutions.

    Parameters
    ----------
    model, example, options
        As for `Units`.
    """

    def __init__(self, model: Any, example: Any, options: CurveOptions) -> None:
        self._model = model
        self._example = example
        self._options = options
        self._by_weight = self._importance(None)

    def scores(self, order: Order) -> dict[str, NDArray[np.float64]]:
        """Return the scores of the links by layer, (out, in); those of "random" are all alike."""
        if isinstance(order, Importance):
            return self._importance(order)
        if isinstance(order, str):
            if _is_random(order):
                return {name: np.zeros_like(array) for name, array in self._by_weight.items()}
            return self._by_weight
        for name, array in self._by_weight.items():
            if name not in order or np.shape(order[name]) != array.shape:
                got = f"shape {np.shape(order[name])}" if name in order else "none"
                raise InvalidInputError(
                    f"The links of {name!r} need scores of shape {array.shape}, got {got}; see link_importance."
                )
        return {name: np.asarray(order[name], dtype=np.float64) for name in self._by_weight}

    @contextmanager
    def switched(self) -> Iterator[Switched]:
        """Give the network, of which links can be removed; its own weights are never touched."""
        yield _WithoutLinks(as_module(self._model))

    def _importance(self, importance: Importance | None) -> dict[str, NDArray[np.float64]]:
        kind, layers = self._options.link_kind, self._options.layers
        return link_importance(self._model, importance, kind=kind, layers=layers, example=self._example)


class _MaskedNetwork:
    def __init__(self, module: nn.Module, masking: Masking) -> None:
        self._module = module
        self._masking = masking

    def remove(self, removed: Removed) -> None:
        self._masking.keep({name: ~gone for name, gone in removed.items()})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._module(*args, **kwargs)


class _WithoutLinks:
    def __init__(self, module: nn.Module) -> None:
        self._module = module
        self._weights: dict[str, torch.Tensor] = {}

    def remove(self, removed: Removed) -> None:
        self._weights = {
            f"{name}.weight": without_links(name, self._module.get_submodule(name), gone)
            for name, gone in removed.items()
            if gone.any()
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return functional_call(self._module, self._weights, args, kwargs)


def chosen_spaces(
    spaces: ChannelSpaces,
    *,
    layers: Iterable[str] | None = None,
    include_inputs: bool = False,
    include_outputs: bool = False,
) -> list[ChannelSpace]:
    """Return the spaces of the layers that names or globs fit; without any, of all.

    Raises
    ------
    LayerNotFoundError
        When a name or glob fits none of them.
    InvalidInputError
        When there are none.
    """
    allowed = [
        space for space in spaces if (space.layers or include_inputs) and (include_outputs or not space.is_output)
    ]
    if not allowed:
        raise InvalidInputError("The network has no hidden units to prune: nothing lies between inputs and outputs.")
    if layers is None:
        return allowed
    found: set[str] = set()
    for pattern in layers:
        fitting = {space.name for space in allowed if any(fnmatchcase(name, pattern) for name in names_of(space))}
        if not fitting:
            names = [name for space in allowed for name in names_of(space)]
            hint = did_you_mean(pattern, names, what="layers with units to prune")
            raise LayerNotFoundError(f"No units to prune in {pattern!r}. {hint}")
        found |= fitting
    return [space for space in allowed if space.name in found]


def names_of(space: ChannelSpace) -> tuple[str, ...]:
    """Return the layers of a space; of an input, the values in which it is read."""
    return space.layers or tuple(read.value for read in space.reads)


def _is_random(order: str) -> bool:
    if order not in ("random", "weight"):
        raise InvalidInputError(f'An order is an Importance, scores by layer, "random" or "weight"; got {order!r}.')
    return order == "random"
