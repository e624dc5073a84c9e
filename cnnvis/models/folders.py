"""Labelled images by the name of a data set, or from a folder with one subfolder of pictures per class."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from cnnvis.core.classes import class_index
from cnnvis.core.errors import CnnvisError, InvalidInputError, MissingFileError, did_you_mean
from cnnvis.models.datasets import CLASS_NAMES, LabelledImages, labelled_images
from cnnvis.models.network import Network

logger = logging.getLogger(__name__)


class LabelledParts(NamedTuple):
    """Images to score importance on, and others to test on; no image is in both."""

    importance: LabelledImages
    testing: LabelledImages


def labelled_parts(network: Network, data: str | os.PathLike[str] | None = None) -> LabelledParts:
    """Return labelled images as `network` takes them.

    Parameters
    ----------
    network : Network
    data : str or path, optional
        Default: the data set that comes with cnnvis and has the network's classes.
        "mnist" or "fashion-mnist", whose own parts are taken: "importance" and "test". Or a folder with one subfolder
        per class, see `pictures_by_class`: of each class, by file name, the 1st, 3rd, ... picture is for importance,
        the others are for testing.

    Raises
    ------
    MissingFileError
        When it is neither.
    InvalidInputError
        When the network takes other images or tells other classes apart, or a class has under two pictures.
    """
    data = _of_same_classes(network) if data is None else data
    if str(data) in CLASS_NAMES:
        parts = LabelledParts(*(labelled_images(str(data), part) for part in ("importance", "test")))
        _require_fit(network, parts.testing, str(data))
        return parts
    if not Path(data).is_dir():
        hint = did_you_mean(str(data), CLASS_NAMES, what="data sets")
        raise MissingFileError(f"There is no data set and no folder {str(data)!r}. {hint}")
    return LabelledParts(*(read_pictures(network, part) for part in split_folder(network, data)))


def one_image(
    network: Network, image: str, data: str | os.PathLike[str] | None = None
) -> tuple[str | torch.Tensor, str, int | None]:
    """Return an image as `network` takes it, its name, and its class where that is known.

    Parameters
    ----------
    network : Network
    image : str
        A picture file or sample; or the number of a test image of `data`, from 0.
    data : str or path, optional
        As for `labelled_parts`.

    Raises
    ------
    InvalidInputError
        For a number that there is not.
    """
    if not image.isdecimal() or Path(image).exists():
        return image, Path(image).name, None
    testing = labelled_parts(network, data).testing
    number = int(image)
    if number >= len(testing):
        raise InvalidInputError(f"There are test images 0 to {len(testing) - 1}, got {number}.")
    return testing.images[number : number + 1], testing.names[number], int(testing.labels[number])


@dataclass(frozen=True, slots=True)
class LabelledFiles:
    """Picture files that are not read yet.

    Parameters
    ----------
    files : tuple of Path
    labels : tuple of int
        Index into `class_names`, one per file.
    class_names : tuple of str
    """

    files: tuple[Path, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.files)

    def some(self, most: int) -> LabelledFiles:
        """Return at most so many of them, evenly chosen."""
        if most >= len(self):
            return self
        chosen = [number * len(self) // most for number in range(most)]
        return LabelledFiles(
            tuple(self.files[i] for i in chosen), tuple(self.labels[i] for i in chosen), self.class_names
        )


def labelled_files(network: Network, folder: str | os.PathLike[str]) -> LabelledFiles:
    """Return the pictures of a folder with one subfolder per class, see `pictures_by_class`."""
    return _listed(network, pictures_by_class(folder, network.class_names))


def split_folder(network: Network, folder: str | os.PathLike[str]) -> tuple[LabelledFiles, LabelledFiles]:
    """Return the pictures of a folder in two parts: of each class the 1st, 3rd, ... by file name, and the others.

    Raises
    ------
    InvalidInputError
        As `pictures_by_class`; and when a class has a single picture.
    """
    found = pictures_by_class(folder, network.class_names)
    alone = [files[0].parent.name for files in found.values() if len(files) < 2]
    if alone:
        raise InvalidInputError(
            f"Classes with a single picture in {folder}: {', '.join(alone)}. Each needs at least two: one to score "
            "importance on and another to test on."
        )
    first, second = ({label: files[start::2] for label, files in found.items()} for start in (0, 1))
    return _listed(network, first), _listed(network, second)


def _listed(network: Network, found: dict[int, list[Path]]) -> LabelledFiles:
    pairs = [(file, label) for label, files in found.items() for file in files]
    names = network.class_names or _names_of(found)
    return LabelledFiles(tuple(file for file, _ in pairs), tuple(label for _, label in pairs), names)


def _of_same_classes(network: Network) -> str:
    for name, classes in CLASS_NAMES.items():
        if network.class_names == classes:
            return name
    raise InvalidInputError(
        f"No data set that comes with cnnvis has the classes of {network.name}; name a folder of labelled images."
    )


def pictures_by_class(
    folder: str | os.PathLike[str], class_names: Sequence[str] | None = None
) -> dict[int, list[Path]]:
    """Return the files in the subfolders of `folder` by class, both in the order of their names.

    Hidden files and folders are left out.

    Parameters
    ----------
    folder : str or path
        Each subfolder is named after a class, or by its index; punctuation may differ, as no folder is T-shirt/top.
    class_names : sequence of str, optional
        Of the network. Without them, subfolders that are not all numbers are classes 0, 1, ... in alphabetical order,
        as torchvision's ImageFolder counts them.

    Raises
    ------
    MissingFileError
        When there is no such folder.
    InvalidInputError
        When it has no subfolders, one is no class, two are the same class, or one is empty.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"There is no folder {folder}.")
    parts = sorted(part for part in folder.iterdir() if part.is_dir() and not part.name.startswith("."))
    if not parts:
        raise InvalidInputError(f"{folder} has no subfolders; labelled images need one per class, named after it.")
    counted = class_names is None and not all(part.name.isdecimal() for part in parts)
    found: dict[int, list[Path]] = {}
    for position, part in enumerate(parts):
        index = position if counted else _class_of(part, class_names)
        if index in found:
            raise InvalidInputError(f"Two subfolders of {folder} are class {index}; one of them is {part.name!r}.")
        found[index] = sorted(file for file in part.iterdir() if file.is_file() and not file.name.startswith("."))
        if not found[index]:
            raise InvalidInputError(f"There are no images of a class: {part} is empty.")
    return dict(sorted(found.items()))


def read_pictures(network: Network, part: LabelledFiles) -> LabelledImages:
    """Return pictures as the network takes them; one that cannot be read is left out, with a warning that names it.

    All are held in memory: 0.6 MB per picture of 3 x 224 x 224.

    Raises
    ------
    InvalidInputError
        When none can be read.
    """
    read: list[tuple[Tensor, int, str]] = []
    problems: list[str] = []
    for file, label in zip(part.files, part.labels, strict=True):
        try:
            read.append((network.preprocess(file), label, str(file)))
        except CnnvisError as error:
            problems.append(str(error))
    if not read:
        raise InvalidInputError(
            f"None of {len(part)} pictures could be read. {problems[0] if problems else ''}".strip()
        )
    if problems:
        logger.warning("%d of %d pictures were left out: %s", len(problems), len(part), _some(problems))
    images, labels, names = zip(*read, strict=True)
    return LabelledImages(torch.cat(images), torch.tensor(labels, dtype=torch.int64), part.class_names, names)


def _some(problems: Sequence[str]) -> str:
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return "; ".join(problems[:3]) + more


def _require_fit(network: Network, images: LabelledImages, name: str) -> None:
    """Raise InvalidInputError where the network takes other images, or tells other classes apart."""
    expected, got = tuple(network.example[0].shape[1:]), tuple(images.images.shape[1:])
    if got != expected:
        raise InvalidInputError(f"{network.name} takes inputs of shape {expected}, the images of {name} have {got}.")
    if network.class_names is not None and network.class_names != images.class_names:
        theirs, ours = (", ".join(names[:3]) for names in (images.class_names, network.class_names))
        raise InvalidInputError(f"The classes of {name} ({theirs} ...) are not those of {network.name} ({ours} ...).")


def _names_of(found: dict[int, list[Path]]) -> tuple[str, ...]:
    """Return a name per class of a network that names none: that of its subfolder, or its index."""
    named = {index: files[0].parent.name for index, files in found.items()}
    return tuple(named.get(index, str(index)) for index in range(max(named) + 1))


def _class_of(part: Path, class_names: Sequence[str] | None) -> int:
    try:
        return class_index(part.name, class_names)
    except InvalidInputError as error:
        alike = [number for number, name in enumerate(class_names or ()) if _letters(name) == _letters(part.name)]
        if len(alike) == 1:  # T-shirt_top: not every name of a class can be one of a folder
            return alike[0]
        raise InvalidInputError(f"The subfolder {part} is named after no class of the network. {error}") from None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())
