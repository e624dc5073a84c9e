"""The images of a survey: which are surveyed, which choose and test what is merged, and which are looked at later."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from cnnvis.core import Survey
from cnnvis.core.errors import CnnvisError, InvalidInputError
from cnnvis.models import LabelledImages, Network
from cnnvis.models.datasets import images_named
from cnnvis.models.folders import LabelledFiles, labelled_files, labelled_parts, read_pictures, split_folder

logger = logging.getLogger(__name__)

MOST_HELD = 2**29
"""Bytes of the pictures that choose what is merged, and of those that test it: both are gone through many times."""


@dataclass(frozen=True, slots=True, eq=False)
class SurveyImages:
    """What a study of a survey is given.

    Parameters
    ----------
    surveyed : Any
        As `cnnvis.survey` takes it.
    choosing : LabelledImages or None
        Those that choose what is merged; None where nothing is.
    testing : LabelledImages or None
        Others, that measure what it costs; None where there are no classes, or nothing is merged.
    """

    surveyed: Any
    choosing: LabelledImages | None = None
    testing: LabelledImages | None = None


def survey_images(network: Network, data: str | Path | None, *, merge: bool) -> SurveyImages:
    """Return the images of a study.

    Parameters
    ----------
    network : Network
    data : str, path or None
        Name of a data set, or None for the one with the network's classes: its part "importance" is surveyed and
        chooses, "test" tests. A folder with a subfolder per class: to merge, the 1st, 3rd, ... picture of each class is
        surveyed and chooses, and the others test; else all are surveyed. A folder of pictures or one picture: all is
        surveyed, and nothing merged. Files are surveyed as they are read.
    merge : bool

    Raises
    ------
    CnnvisError
        As `labelled_parts` and `split_folder`.
    """
    place = None if data is None else Path(data)
    if place is not None and place.is_file():
        return SurveyImages([place])
    if place is None or not place.is_dir():
        parts = labelled_parts(network, data)
        return SurveyImages(parts.importance, parts.importance if merge else None, parts.testing)
    if not any(not entry.name.startswith(".") for entry in place.iterdir()):
        raise InvalidInputError(f"{place} is empty: put pictures there, or a subfolder of pictures for each class.")
    if any(entry.is_file() and not entry.name.startswith(".") for entry in place.iterdir()):
        return SurveyImages(place)
    if not merge:
        every = labelled_files(network, place)
        return SurveyImages((list(every.files), list(every.labels)))
    first, second = split_folder(network, place)
    return SurveyImages((list(first.files), list(first.labels)), _held(network, first), _held(network, second))


def _held(network: Network, part: LabelledFiles) -> LabelledImages:
    most = max(1, MOST_HELD // max(network.example[0].numel() * 4, 1))
    if len(part) > most:
        logger.info("Merging looks at %d of %d pictures, evenly chosen; the survey at all.", most, len(part))
    return read_pictures(network, part.some(most))


class Pictures(Protocol):
    """Images to look at one by one."""

    def __len__(self) -> int:
        """Return their number."""

    def at(self, number: int) -> tuple[Tensor, str, int | None]:
        """Return an image (1, C, H, W) as the network takes it, its name, and its class where that is known."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldPictures:
    """Images that are in memory."""

    images: LabelledImages

    def __len__(self) -> int:
        return len(self.images)

    def at(self, number: int) -> tuple[Tensor, str, int | None]:
        """Return an image, its name, and its class."""
        images = self.images
        return images.images[number : number + 1], images.names[number], int(images.labels[number])


@dataclass(frozen=True, slots=True, eq=False)
class FilePictures:
    """Picture files, read when they are looked at; a label below 0 is none."""

    network: Network
    files: Sequence[str]
    labels: Sequence[int]

    def __len__(self) -> int:
        return len(self.files)

    def at(self, number: int) -> tuple[Tensor, str, int | None]:
        """Return an image, the name of its file, and its class where that is known."""
        file, label = self.files[number], int(self.labels[number])
        return self.network.preprocess(file), Path(file).name, label if label >= 0 else None


def surveyed_pictures(survey: Survey, network: Network) -> Pictures:
    """Return the images of a survey's window, the last that were surveyed, as far as it knows where they are.

    Of a survey of tensors, which have no names: those that come with cnnvis, where the network has their classes.

    Raises
    ------
    InvalidInputError
        When there are none.
    """
    names = [survey.image_names.get(int(image)) for image in survey.window_images]
    if names and all(name is not None for name in names):
        known = [str(name) for name in names]
        held = images_named(known)
        return FilePictures(network, known, survey.window_labels.tolist()) if held is None else HeldPictures(held)
    try:
        return HeldPictures(labelled_parts(network).testing)
    except CnnvisError:
        raise InvalidInputError(
            "The images of this survey had no names, and none that come with cnnvis are of its classes. "
            "Open a picture of your own, or survey picture files."
        ) from None
