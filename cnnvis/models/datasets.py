"""Labelled images for the small networks that come with cnnvis: MNIST digits and Fashion-MNIST, in fixed parts.

Images used to train, to score importance, to select and to draw a curve are never the same: the parts are disjoint.
Which image of the source is in which part is written in ``data/<name>/split.json``, and the rule that decided it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.core.errors import DataMismatchError, FileFormatError, InvalidInputError, did_you_mean
from cnnvis.models.idx import find_idx, read_idx
from cnnvis.models.preprocessing import ImageSpec
from cnnvis.models.resources import data_path

GREY_28 = ImageSpec((28, 28), colour="L")
"""What the networks of these images take: 28 x 28, one channel, 0 is black and 1 is white."""

CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
}
"""Data set -> its classes, in the order of a network's outputs."""

_PARTS = {"mnist": ("train", "importance", "test"), "fashion-mnist": ("train", "importance", "selection", "test")}
_IMAGES, _LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images as a network takes them, with what they show.

    Parameters
    ----------
    images : (N, C, H, W) tensor of float
    labels : (N,) tensor of int64
        Index into `class_names`.
    class_names : tuple of str
    names : tuple of str
        One per image, "mnist test 0017".

    Raises
    ------
    InvalidInputError
        When the lengths differ, the labels are of another type, or one is no class.
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or not self.images.is_floating_point():
            raise InvalidInputError(
                f"Labelled images must be floats (N, C, H, W), got {self.images.dtype} {tuple(self.images.shape)}."
            )
        if self.labels.dtype != torch.int64 or self.labels.shape != (len(self.images),):
            raise InvalidInputError(
                f"Labels of {len(self.images)} images must be int64 ({len(self.images)},), "
                f"got {self.labels.dtype} {tuple(self.labels.shape)}."
            )
        if len(self.names) != len(self.images):
            raise InvalidInputError(f"There are {len(self.names)} names for {len(self.images)} images.")
        strangers = sorted({int(label) for label in self.labels} - set(range(len(self.class_names))))
        if strangers:
            raise InvalidInputError(f"Labels {strangers} are none of the classes 0 to {len(self.class_names) - 1}.")

    def __len__(self) -> int:
        return len(self.images)

    @property
    def pair(self) -> tuple[Tensor, Tensor]:
        """Images and labels, as importance, pruning curves and training take them."""
        return self.images, self.labels


def images_named(names: Sequence[str]) -> LabelledImages | None:
    """Return images of one part of a data set that comes with cnnvis by their names, in this order.

    Parameters
    ----------
    names : sequence of str
        As in `LabelledImages.names`: "mnist test 0017".

    Returns
    -------
    LabelledImages or None
        None when they are no such names.
    """
    parts = {name.rpartition(" ")[0] for name in names}
    if len(parts) != 1:
        return None
    data, _, part = parts.pop().partition(" ")
    if part not in _PARTS.get(data, ()) or (part == "train" and data != "mnist"):
        return None
    whole = labelled_images(data, part)
    places = {name: place for place, name in enumerate(whole.names)}
    if any(name not in places for name in names):
        return None
    chosen = [places[name] for name in names]
    return LabelledImages(whole.images[chosen], whole.labels[chosen], whole.class_names, tuple(names))


def labelled_images(name: str, part: str, *, folder: str | os.PathLike[str] | None = None) -> LabelledImages:
    """Return one part of a data set.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist"}
        "mnist" stands for 10,000 digits of MNIST: 7,000 to train, 1,000 to score importance, 2,000 to test; equally
        many of each class in the last two. "fashion-mnist": 58,000 / 1,000 / 1,000 to select / 10,000.
    part : {"train", "importance", "selection", "test"}
        "mnist" has no "selection".
    folder : str or path, optional
        Where the four IDX files of the whole Fashion-MNIST are, gzipped or not. Without it there is what comes with
        cnnvis: of Fashion-MNIST no "train", and the first 3,000 images of "test".

    Returns
    -------
    LabelledImages
        (N, 1, 28, 28) float32 on the CPU, 3 kB per image.

    Raises
    ------
    InvalidInputError
        When there is no such data set or part, or the part is not shipped and no folder is given.
    MissingFileError
        When the folder lacks a file.
    FileFormatError
        When a file is no IDX file, or damaged.
    DataMismatchError
        When the folder holds another data set.
    """
    name, part = _known(name.lower().replace("_", "-"), part)
    if folder is None:
        images, labels = _shipped(name, part)
    else:
        images, labels = _from_folder(name, part, Path(folder))
    scaled = images[:, None].astype(np.float32) * np.float32(1 / 255)
    return LabelledImages(
        images=torch.from_numpy(scaled),
        labels=torch.from_numpy(labels.astype(np.int64)),
        class_names=CLASS_NAMES[name],
        names=tuple(f"{name} {part} {index:04d}" for index in range(len(images))),
    )


def _known(name: str, part: str) -> tuple[str, str]:
    if name not in _PARTS:
        raise InvalidInputError(f"There is no data set {name!r}. {did_you_mean(name, _PARTS, what='data sets')}")
    if part not in _PARTS[name]:
        raise InvalidInputError(f"{name} has no part {part!r}. {did_you_mean(part, _PARTS[name], what='parts')}")
    return name, part


def _shipped(name: str, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if (name, part) == ("fashion-mnist", "train"):
        raise InvalidInputError(
            f"The part {part!r} of {name} does not come with cnnvis. Name a folder with the files train-{_IMAGES} and "
            f"train-{_LABELS} (or .gz) as folder=FOLDER."
        )
    return tuple(read_idx(data_path(f"{name}/{part}-{kind}.gz")) for kind in (_IMAGES, _LABELS))


def _from_folder(name: str, part: str, folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a part of the published files, once they are known to be the ones that the shipped part was taken from."""
    if name == "mnist":
        raise InvalidInputError("The digits of mnist come with cnnvis, all of them; leave out the folder.")
    prefix = "t10k" if part == "test" else "train"
    images, labels = (read_idx(find_idx(folder, f"{prefix}-{kind}")) for kind in (_IMAGES, _LABELS))
    split = json.loads(data_path(f"{name}/split.json").read_text(encoding="utf-8"))["parts"]
    probe = "test" if part == "test" else "importance"
    known, taken = _shipped(name, probe)[0], np.array(split[probe])
    if images.shape[1:] != known.shape[1:] or len(images) <= taken.max() or (images[taken] != known).any():
        raise DataMismatchError(f"{folder} does not hold {name}: its {prefix}-{_IMAGES} has other images.")
    if len(labels) != len(images):
        raise FileFormatError(f"{folder} has {len(images)} images but {len(labels)} labels in its {prefix} files.")
    if part == "test":
        return images, labels
    chosen = split.get(part)
    if chosen is None:
        chosen = np.setdiff1d(np.arange(len(images)), np.concatenate([split["importance"], split["selection"]]))
    return images[chosen], labels[chosen]
