"""`cnnvis import`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cnnvis.cli._options import Out, Quiet

if TYPE_CHECKING:
    from cnnvis.models import Imported


def import_(
    source: Path,
    /,
    *,
    structure: Annotated[
        str | None, Parameter(name="--structure", metavar="FILE.PY:FACTORY", show_default=False)
    ] = None,
    names: Annotated[Path | None, Parameter(name="--names", metavar="MAP.JSON", show_default=False)] = None,
    epoch: Annotated[int | None, Parameter(name="--epoch", metavar="N", show_default="the last")] = None,
    out: Out = Path("out/imported.pt2"),
    quiet: Quiet = False,
) -> None:
    """Bring in a network of another program: TensorFlow, Keras, the Unity CNN visualizer, nn_vis.

    A .pt2 file holds the network, which every command takes as --model. Files of TensorFlow and Keras hold weights but
    no layers: --structure names code that builds the network, --names says which weights go where; without them, what
    the source holds is listed. Of a folder of the Unity visualizer OUT may be .safetensors: the activations that it
    stores. A network of nn_vis (.imp.npz, .pro.npz) becomes .safetensors, .vtm or .json, which the window opens.

    Parameters
    ----------
    source : Path
        TensorFlow checkpoint, folder of checkpoints or SavedModel; .h5 or .keras; folder of the Unity visualizer;
        .imp.npz or .pro.npz.
    structure : str
        Code that builds the network: file.py:factory.
    names : Path
        JSON that maps names of the source to those of the network's state dict: {"conv0/kernel": "conv0.weight"}.
    epoch : int
        Which one, where the source holds several.
    """
    from cnnvis.core.atomic import require_writable
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.models import import_network, list_weights, save_exported
    from cnnvis.models.importers import is_unity

    require_writable(out.parent)
    if source.suffix == ".npz":
        _convert(source, out)
    elif is_unity(source) and out.suffix == ".safetensors":
        _save_activations(source, epoch, out)
    elif out.suffix != ".pt2":
        raise InvalidInputError(f"A network is written as a .pt2 file, got {out}.")
    elif not is_unity(source) and None in (structure, names):
        sys.stdout.write(list_weights(source, structure=structure, epoch=epoch) + "\n")
        raise InvalidInputError(
            f"{source} holds weights, but no layers. Give the code of the network, and say as JSON which of the names "
            'above goes where, {"conv0/kernel": "conv0.weight", ...}: --structure file.py:factory --names MAP.json.'
        )
    else:
        found = import_network(source, structure=structure, names=names, epoch=epoch)
        save_exported(found.network, out)
        if not quiet:
            _say(found)
    if not quiet:
        sys.stdout.write(f"{out}\n")


def _convert(source: Path, out: Path) -> None:
    from cnnvis.io import load, save
    from cnnvis.scene import Scene

    network = load(source)
    save(Scene.of_network(network) if out.suffix == ".json" else network, out)


def _save_activations(source: Path, epoch: int | None, out: Path) -> None:
    from cnnvis.io import save
    from cnnvis.models.importers import read_unity

    save(read_unity(source).recording(epoch), out)


def _say(found: Imported) -> None:
    network = found.network
    epochs = f" of {', '.join(map(str, found.epochs))}" if found.epochs else ""
    lines = [f"{network.name}, {network.n_parameters:,} parameters, weights {network.weights}{epochs}."]
    lines += [f"Left out: {sentence}" for sentence in found.left_out]
    sys.stdout.write("\n".join([*lines, ""]))
