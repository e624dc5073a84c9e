"""Networks of other programs made into networks of torch, with what could not be carried over."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.models.importers import (
    ForeignWeights,
    UnityValues,
    is_keras,
    is_tensorflow,
    is_unity,
    read_keras,
    read_tensorflow,
    read_unity,
    tensorflow_epochs,
)
from cnnvis.models.importers._fitting import fill, listing, read_names
from cnnvis.models.importers.unity import LEFT_OUT as BIASES_LEFT_OUT
from cnnvis.models.loading import load
from cnnvis.models.network import Network

FORMATS = "TensorFlow checkpoints and SavedModels, weights of Keras (.h5, .keras), folders of the Unity CNN visualizer"


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
        All that the source holds; none where it holds a single one.
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
        A folder of the Unity CNN visualizer, or one of its files: layers, weights and activations by epoch, without
        biases.
        A TensorFlow checkpoint (``NAME.index`` or ``NAME``), a folder of them, a SavedModel's folder, or weights of
        Keras (.h5, .keras). Of these only arrays are taken; layers, strides and pooling come from `structure`.
    structure : str, path, nn.Module or Network
        Code of the network, as for `load`: ``file.py:factory``. A module that is given itself is filled in place.
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
    if is_unity(path):
        return _of_unity(path, structure, names, epoch)
    weights, chosen, epochs = _weights(path, epoch)
    network, left_out = _filled(weights, structure, names)
    return Imported(network, left_out, chosen, epochs)


def list_weights(
    source: str | os.PathLike[str],
    *,
    structure: str | os.PathLike[str] | nn.Module | Network | None = None,
    epoch: int | None = None,
) -> str:
    """Return names and shapes of what a file of TensorFlow or Keras holds, a line each, for writing the map of names.

    With a structure those of the network follow. What optimizers keep is left out. Raises as `import_network`.
    """
    weights, _, _ = _weights(Path(source), epoch)
    return listing(weights, None if structure is None else load(structure, device="cpu").module)


def _weights(path: Path, epoch: int | None) -> tuple[ForeignWeights, int | None, tuple[int, ...]]:
    """Return the weights of a file without layers, which epoch they are of, and all epochs; none where it is alone."""
    if is_tensorflow(path):
        found = tensorflow_epochs(path)
        chosen = _chosen(found, epoch, path)
        weights = read_tensorflow(found[chosen])
        return (weights, chosen, tuple(found)) if len(found) > 1 else (weights, None, ())
    if is_keras(path):
        if epoch is not None:
            raise InvalidInputError(f"{path} is one file of weights; leave --epoch out.")
        return read_keras(path), None, ()
    raise FileFormatError(f"{path} is of no format that can be imported. Allowed are {FORMATS}.")


def _of_unity(path: Path, structure, names, epoch: int | None) -> Imported:
    if structure is not None or names is not None:
        raise InvalidInputError(f"{path} has layers and names of its own; leave --structure and --names out.")
    run = read_unity(path)
    network = run.network(epoch)
    chosen = max(run.epochs) if epoch is None else epoch
    left_out = [BIASES_LEFT_OUT]
    if chosen in run.value_files:
        left_out.append(_agreement(network, run.values(chosen), run.class_names))
    return Imported(network, tuple(left_out), chosen, run.epochs)


def _agreement(network: Network, values: UnityValues, class_names: tuple[str, ...] | None) -> str:
    """Return how often the network answers as it did when its activations were stored."""
    with torch.inference_mode():
        answers = network.module(torch.from_numpy(values.images)).argmax(dim=1).tolist()
    names = class_names or tuple(map(str, range(max(answers) + 1)))
    same = sum(names[answer] == stored for answer, stored in zip(answers, values.prediction, strict=True))
    return (
        f"Of the {len(answers)} stored images {same} are answered as the files say; their activations are kept whole."
    )


def _filled(weights: ForeignWeights, structure, names) -> tuple[Network, tuple[str, ...]]:
    """Return the user's network with the weights of a file that has no layers."""
    if structure is None or names is None:
        module = None if structure is None else load(structure, device="cpu").module
        raise InvalidInputError(
            f"{weights.path} holds arrays by name, but no layers. Give the code that builds the network, "
            'file.py:factory, and a map of names as JSON, {"conv0/kernel": "conv0.weight", ...} '
            f"(--structure, --names).\n{listing(weights, module)}"
        )
    network = load(structure, device="cpu")
    left_out = fill(network.module, network.example, weights, read_names(names))
    return replace(network, weights=weights.path.name), tuple(left_out)


def _chosen(epochs: Mapping[int, object], epoch: int | None, path: Path) -> int:
    """Return the epoch asked for, or the last."""
    if epoch is not None and epoch not in epochs:
        raise InvalidInputError(f"{path} has no epoch {epoch}. It has {', '.join(map(str, epochs))}.")
    return max(epochs) if epoch is None else epoch
