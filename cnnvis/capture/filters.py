"""The layers whose channels have a filter each: convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from cnnvis.capture.modules import ModuleTree
from cnnvis.core.errors import LayerNotFoundError, did_you_mean


def filter_layers(tree: ModuleTree, layers: str | Iterable[str] | None = None) -> dict[str, nn.Module]:
    """Return the convolutions and dense layers that `layers` names, in the network's order; None names all.

    Parts of a layer, such as the projections inside an attention layer, are none by themselves.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that fits none, and where there are none at all; near matches are listed.
    """
    found = {name: part for name, part in tree.traced.items() if isinstance(part, _ConvNd | nn.Linear)}
    kind = type(tree.model).__name__
    if not found:
        raise LayerNotFoundError(
            f"{kind} has no convolution and no dense layer, so there is no filter to score. A program (.pt2) keeps "
            "the values of its layers, not the layers: take the network that it was exported from."
        )
    if layers is None:
        return found
    chosen: set[str] = set()
    for pattern in [layers] if isinstance(layers, str) else layers:
        matching = [name for name in found if name == pattern or fnmatchcase(name, pattern)]
        if not matching:
            what = "has no filters" if pattern in tree.all else "is no layer"
            hint = did_you_mean(pattern, found, what="layers with filters")
            raise LayerNotFoundError(f"No convolution or dense layer {pattern!r} in {kind}: it {what}. {hint}")
        chosen.update(matching)
    return {name: part for name, part in found.items() if name in chosen}


def transposed_groups(module: nn.Module) -> int | None:
    """Return the groups of a transposed convolution, None for any other layer."""
    return module.groups if isinstance(module, _ConvTransposeNd) else None


def filters_first(weights: Tensor, groups: int | None) -> Tensor:
    """Return (..., in, out / groups, *kernel) weights of a transposed convolution with their filters first.

    Parameters
    ----------
    weights : (N, *shape of the weight) tensor
        One weight, or what has its shape, for each of N images.
    groups : int or None
        Of a transposed convolution; None for other layers, whose weights have their filters first as they are.

    Returns
    -------
    (N, C, in / groups, ...) tensor
        Output channels are counted group by group.
    """
    if groups is None:
        return weights
    return weights.unflatten(1, (groups, -1)).transpose(2, 3).flatten(1, 2)
