"""Labelled images that a verb takes by `--data`: for scoring importance, and others for testing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

if TYPE_CHECKING:
    from torch import Tensor

    from cnnvis.models import Network

SHIPPED = ("mnist", "fashion-mnist")
"""Data sets that come with cnnvis."""

Data = Annotated[
    str,
    Parameter(
        name="--data",
        metavar="NAME|FOLDER",
        help=f"Labelled images: {' or '.join(SHIPPED)}, or a folder with one subfolder per class.",
    ),
]


class LabelledParts(NamedTuple):
    """Images (N, C, H, W) with labels (N,) int64, as a network takes them; no image is in both parts."""

    importance: tuple[Tensor, Tensor]
    testing: tuple[Tensor, Tensor]


def labelled(network: Network, text: str) -> LabelledParts:
    """Return the images that `--data` names, those to score importance on apart from those to test on.

    Parameters
    ----------
    network : Network
    text : str
        A shipped data set, whose own parts are taken: "importance" and "test". Or a folder with one subfolder per
        class: of each class, by file name, the 1st, 3rd, ... picture is for importance, the others for testing.

    Raises
    ------
    MissingFileError
        When it is neither.
    InvalidInputError
        When the network takes other images or other classes, or a class has under two pictures.
    """
    from cnnvis.core.errors import MissingFileError, did_you_mean

    if text in SHIPPED:
        return _shipped(network, text)
    if not Path(text).is_dir():
        hint = did_you_mean(text, SHIPPED, what="data sets")
        raise MissingFileError(f"There is no data set and no folder {text!r}. {hint}")
    return _from_folder(network, Path(text))


def _shipped(network: Network, name: str) -> LabelledParts:
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.models import labelled_images

    parts = [labelled_images(name, part) for part in ("importance", "test")]
    expected, got = tuple(network.example[0].shape[1:]), tuple(parts[0].images.shape[1:])
    if got != expected:
        raise InvalidInputError(f"{network.name} takes inputs of shape {expected}, the images of {name} have {got}.")
    if network.class_names is not None and tuple(network.class_names) != tuple(parts[0].class_names):
        theirs, ours = (", ".join(names[:3]) for names in (parts[0].class_names, network.class_names))
        raise InvalidInputError(f"The classes of {name} ({theirs} ...) are not those of {network.name} ({ours} ...).")
    return LabelledParts(*((part.images, part.labels) for part in parts))


def _from_folder(network: Network, folder: Path) -> LabelledParts:
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.models.folders import pictures_by_class, read_labelled

    found = pictures_by_class(folder, network.class_names)
    alone = [files[0].parent.name for files in found.values() if len(files) < 2]
    if alone:
        raise InvalidInputError(
            f"Classes with a single picture in {folder}: {', '.join(alone)}. Each needs at least two: one to score "
            "importance on and another to test on."
        )
    parts = []
    for start in (0, 1):
        pairs = [(file, index) for index, files in found.items() for file in files[start::2]]
        parts.append(read_labelled(network, [file for file, _ in pairs], [index for _, index in pairs]))
    return LabelledParts(*parts)
