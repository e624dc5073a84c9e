"""Foreign arrays put into a torch module: by the user's map of names, in torch's layout, all of them or none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.core.errors import CheckpointError, FileFormatError, MissingFileError, near_matches
from cnnvis.models.importers._flattening import Maps, read_flattened
from cnnvis.models.importers._weights import ForeignWeights, Shape

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_OF_TRAINING = re.compile(
    r"(^|/)(optimizer\w*|adam\w*|sgd|rmsprop|\.OPTIMIZER_SLOT)(/|$)|/(Adam|RMSProp|Ftrl|Adagrad|Momentum)(_\d+)?$"
    r"|(^|/)(beta[12]_power|global_step|save_counter|iterations?|learning_rate)$",
    re.IGNORECASE,
)
"""What optimizers keep: their slots beside each variable, their counters and rates."""


def read_names(names: str | Path | Mapping[str, str]) -> dict[str, str]:
    """Return a map from names in a file to those of a state dict.

    Parameters
    ----------
    names : path or mapping
        A JSON file ``{"conv0/kernel": "conv0.weight", ...}``, or the same as a mapping.

    Raises
    ------
    MissingFileError, FileFormatError
        When the file is missing, or no such JSON; when a name stands there twice.
    """
    if isinstance(names, Mapping):
        pairs, where = list(names.items()), "The map of names"
    else:
        path, where = Path(names), str(names)
        if not path.is_file():
            raise MissingFileError(f"There is no map of names {path}.")
        try:
            pairs = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=list)
        except ValueError as error:
            raise FileFormatError(f"{path} is no JSON ({error}).") from error
    fits = isinstance(pairs, list) and all(
        isinstance(pair, tuple) and all(isinstance(text, str) for text in pair) for pair in pairs
    )
    if not fits:
        raise FileFormatError(f'{where} must map names to names, {{"conv0/kernel": "conv0.weight"}}.')
    for side, what in enumerate(("names of the file", "names of the network")):
        texts = [pair[side] for pair in pairs]
        twice = sorted({text for text in texts if texts.count(text) > 1})
        if twice:
            raise FileFormatError(f"{where} has {what} twice: {', '.join(twice)}.")
    return dict(pairs)


def fill(module: nn.Module, example: Iterable[Tensor], weights: ForeignWeights, names: Mapping[str, str]) -> list[str]:
    """Put arrays into `module` in torch's layout, one at a time; return what was left out, a sentence each.

    The layout follows from the layer that a parameter belongs to. Kernels of convolutions (*S, I, O) become (O, I, *S),
    those of depthwise ones (*S, I, M) become (I * M, 1, *S), those of transposed ones (*S, O, I) become (I, O, *S);
    dense kernels (I, O) become (O, I), with inputs in torch's order where they read flattened maps. All else must have
    the same shape.

    Parameters
    ----------
    module : nn.Module
    example : iterable of tensor
        Input to run it with once, which shows where maps are flattened.
    weights : ForeignWeights
    names : mapping of str to str
        From names of the file to those of the state dict.

    Raises
    ------
    CheckpointError
        When anything does not fit; everything that does not is named, with its shape, and `module` is as it was. When
        an array is damaged: then `module` may be filled in part.
    """
    targets = {name: tensor for name, tensor in module.state_dict(keep_vars=True).items() if _is_weight(name)}
    flattened = read_flattened(module, example)

    def arranged(source: str, values: NDArray) -> NDArray:
        target = names[source]
        layer = module.get_submodule(target.rpartition(".")[0])
        return _arranged(values, layer, target.rpartition(".")[2], flattened.get(target))

    complaint = _complaint(weights, names, targets, arranged)
    if complaint:
        raise CheckpointError(f"{weights.path} does not fit {type(module).__name__} by these names:\n{complaint}")
    with torch.no_grad():
        for source, target in names.items():
            values = arranged(source, weights[source])
            targets[target].copy_(torch.from_numpy(np.array(values, values.dtype.newbyteorder("="), order="C")))
    return left_out(weights, names)


def left_out(weights: ForeignWeights, names: Iterable[str]) -> list[str]:
    """Return what a file holds beside `names`, a sentence each."""
    taken = set(names)
    others = [name for name in weights if name not in taken]
    training = [name for name in others if _OF_TRAINING.search(name)]
    unknown = [name for name in others if not _OF_TRAINING.search(name)]
    sentences = [
        (training, "kept by the optimizer"),
        (unknown, "without a name in the map"),
        ([f"{name} ({why})" for name, why in weights.unread.items()], "that are no numbers"),
    ]
    return [f"{len(found)} {what}: {_some(found)}." for found, what in sentences if found]


def listing(weights: ForeignWeights, module: nn.Module | None = None) -> str:
    """Return the names and shapes of a file, and of a module, side by side for who writes the map."""
    lines = [
        f"  {name}  {shown(shape)}" for name, shape in sorted(weights.shapes.items()) if not _OF_TRAINING.search(name)
    ]
    lines = [f"{weights.path} holds", *lines]
    if module is not None:
        own = [f"  {name}  {shown(tuple(one.shape))}" for name, one in module.state_dict().items() if _is_weight(name)]
        lines += [f"{type(module).__name__} has", *own]
    return "\n".join(lines)


def shown(shape: Shape) -> str:
    """Return a shape as text: 3x3x1x4, or scalar."""
    return "x".join(map(str, shape)) or "scalar"


def _is_weight(name: str) -> bool:
    return not name.endswith("num_batches_tracked")  # counted while training only


def _arranged(values: NDArray, layer: nn.Module, leaf: str, maps: Maps | None) -> NDArray:
    """Return a parameter in torch's layout; as it is where no rule is for it."""
    axes = values.ndim
    if leaf == "weight" and isinstance(layer, (*_CONVOLUTIONS, *_TRANSPOSED)) and axes == layer.weight.ndim:
        if isinstance(layer, _CONVOLUTIONS) and layer.groups == layer.in_channels == values.shape[-2] > 1:
            moved = values.transpose(axes - 2, axes - 1, *range(axes - 2))
            return moved.reshape(-1, 1, *moved.shape[2:])
        return values.transpose(axes - 1, axes - 2, *range(axes - 2))
    if leaf == "weight" and isinstance(layer, nn.Linear) and axes == 2:
        return _channels_first(values, maps).T
    return _channels_first(values, maps)


def _channels_first(values: NDArray, maps: Maps | None) -> NDArray:
    """Return values whose first axis counts flattened maps (*S, C) with that axis as torch counts them, (C, *S)."""
    if maps is None or values.ndim == 0 or len(values) != np.prod(maps):
        return values
    channels, *sides = maps
    unfolded = values.reshape(*sides, channels, *values.shape[1:])
    return np.moveaxis(unfolded, len(sides), 0).reshape(values.shape)


def _complaint(weights: ForeignWeights, names: Mapping[str, str], targets: Mapping[str, Tensor], arranged) -> str:
    """Return all that does not fit, grouped, without reading any array; "" when all fits."""
    absent = [name + _hint(name, weights) for name in names if name not in weights.shapes]
    unknown = [target + _hint(target, targets) for target in names.values() if target not in targets]
    filled = {id(targets[target]) for target in names.values() if target in targets}  # one tensor may have two names
    missing = [f"{name}  {shown(tuple(one.shape))}" for name, one in targets.items() if id(one) not in filled]
    shapes = []
    for source, target in names.items():
        if source in weights.shapes and target in targets:
            stored, needed = weights.shapes[source], tuple(targets[target].shape)
            got = arranged(source, np.broadcast_to(np.float32(0), stored)).shape
            if got != needed:
                shapes.append(
                    f"{source}: {shown(stored)} in the file, {shown(got)} as {target}, which is {shown(needed)}"
                )
    groups = {
        "not in the file": absent, "not in the network": unknown, "of the network without a source": missing,
        "of another shape": shapes,
    }  # fmt: skip
    return "\n".join("\n  ".join([f"{len(lines)} {title}:", *lines]) for title, lines in groups.items() if lines)


def _hint(name: str, names: Iterable[str]) -> str:
    close = near_matches(name, names, n=3)
    return f" (near: {', '.join(close)})" if close else ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return ", ".join(names[:6]) + more
