"""Networks of other programs made into networks of torch, with what could not be carried over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.models.importers import ForeignWeights, is_tensorflow, read_tensorflow, tensorflow_epochs
from cnnvis.models.importers._fitting import fill, listing, read_names
from cnnvis.models.loading import load
from cnnvis.models.network import Network


@dataclass(frozen=True, slots=True)
class Imported:
    """A network that came from another program.

    Parameters
    ----------
    network : Network
    left_out : tuple of str
        What the file holds, or the network has, and was not carried over: a sentence each.
    epoch : int or None
        Of the checkpoint that was taken; None where the source holds a single one.
    epochs : tuple of int
        All that the source holds.
    """

    network: Network
    left_out: tuple[str, ...] = ()
    epoch: int | None = None
    epochs: tuple[int, ...] = ()


def import_network(
    source: str | os.PathLike[str],
    *,
    structure: str | os.PathLike[str] | nn.Module | Network | None = None,
    names: str | os.PathLike[str] | Mapping[str, str] | None = None,
    epoch: int | None = None,
) -> Imported:
    """Return a network of another program, on the CPU.

    Parameters
    ----------
    source : str or path
        A TensorFlow checkpoint (``NAME.index`` or ``NAME``), a folder of them, or a SavedModel's folder. They hold
        variables alone; layers, strides and pooling come from `structure`.
    structure : str, path, nn.Module or Network
        Code of the network, as for `load`: ``file.py:factory``.
    names : path or mapping
        JSON file or mapping from names of the file to names of the state dict: ``{"conv0/kernel": "conv0.weight"}``.
        Kernels are brought into torch's layout, dense ones behind maps into its order, too.
    epoch : int, optional
        Which one, where the source holds several: the last number of their names. Default the last.

    Returns
    -------
    Imported

    Raises
    ------
    InvalidInputError
        When structure or names are missing: the text lists what the source holds. When there is no such epoch.
    CheckpointError
        When a piece is damaged, or something does not fit: all of it is named, with shapes.
    MissingFileError, FileFormatError
        When there is no such file, a piece of it is missing, or it is of no format that can be read.
    """
    path = Path(source)
    if not is_tensorflow(path):
        raise FileFormatError(f"{path} is of no format that can be imported. Allowed are TensorFlow checkpoints.")
    found = tensorflow_epochs(path)
    chosen = _chosen(found, epoch, path)
    weights = read_tensorflow(found[chosen])
    network, left_out = _filled(weights, structure, names)
    return Imported(network, left_out, chosen if len(found) > 1 else None, tuple(found))


def _filled(weights: ForeignWeights, structure, names) -> tuple[Network, tuple[str, ...]]:
    """Return the user's network with the weights of a file that has no layers."""
    if structure is None or names is None:
        network = None if structure is None else load(structure, device="cpu")
        raise InvalidInputError(
            f"{weights.path} holds arrays by name, but no layers. Give the code that builds the network, "
            'file.py:factory, and a map of names as JSON, {"conv0/kernel": "conv0.weight", ...} '
            f"(--structure, --names).\n{listing(weights, network and network.module)}"
        )
    network = load(structure, device="cpu")
    left_out = fill(network.module, network.example, weights, read_names(names))
    return replace(network, weights=weights.path.name), tuple(left_out)


def _chosen(epochs: Mapping[int, object], epoch: int | None, path: Path) -> int:
    """Return the epoch asked for, or the last."""
    if epoch is not None and epoch not in epochs:
        raise InvalidInputError(f"{path} has no epoch {epoch}. It has {', '.join(map(str, epochs))}.")
    return max(epochs) if epoch is None else epoch
