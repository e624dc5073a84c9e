"""Picture files to survey: read when their turn comes, and only then."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.fingerprints import fingerprint_data, fingerprint_files
from cnnvis.capture.inputs import as_call, as_module
from cnnvis.capture.labelled import BATCH_VALUES, Labelled
from cnnvis.capture.surveying.shards import Shard, ShardBatch
from cnnvis.core import SkippedImage
from cnnvis.core.errors import CnnvisError, InvalidInputError, MissingFileError

BATCH_SIZE = 64
"""Pictures per forward pass at most; fewer of large ones."""


@dataclass(frozen=True, slots=True)
class FileShard:
    """Some of the files; `labels` is None without classes."""

    first: int
    files: tuple[Path, ...]
    labels: NDArray[np.int64] | None

    @property
    def n_images(self) -> int:
        """Number of files."""
        return len(self.files)

    def batches(self, model: Any) -> Iterator[ShardBatch]:
        """Read the files, and yield those that could be read; the others are named."""
        waiting: list[tuple[int, Tensor]] = []
        skipped: list[SkippedImage] = []
        for place, file in enumerate(self.files):
            try:
                waiting.append((place, model.preprocess(file)))
            except CnnvisError as error:
                skipped.append(SkippedImage(str(file), str(error)))
            if waiting and len(waiting) >= _batch_size(waiting[0][1]):
                yield self._batch(model, waiting, skipped)
                waiting, skipped = [], []
        if waiting or skipped:
            yield self._batch(model, waiting, skipped)

    def _batch(self, model: Any, read: list[tuple[int, Tensor]], skipped: list[SkippedImage]) -> ShardBatch:
        places = np.array([place for place, _ in read], np.int64)
        if not read:
            return ShardBatch(places, None, skipped)
        images = torch.cat([image for _, image in read])
        labels = None if self.labels is None else self.labels[places]
        return ShardBatch(self.first + places, Labelled(as_call(as_module(model), images), labels), skipped)


class FileSource:
    """Picture files in a given order, of classes or of none.

    Parameters
    ----------
    model : Network
        Says how pictures are preprocessed.
    files : sequence of path
    labels : (N,) int64 or None

    Raises
    ------
    InvalidInputError
        For no files, and for a model that does not say how pictures are preprocessed.
    """

    def __init__(self, model: Any, files: Sequence[Path], labels: NDArray[np.int64] | None) -> None:
        if not hasattr(model, "preprocess"):
            raise InvalidInputError(
                f"{type(model).__name__} does not say how image files are preprocessed. "
                "Pass what cnnvis.models.load returns, or a tensor (N, ...)."
            )
        if not files:
            raise InvalidInputError("There are zero images: no picture file was given.")
        self._model, self._files, self._labels = model, tuple(files), labels
        self.n_images = len(self._files)
        self.has_labels = labels is not None

    def example(self) -> Labelled:
        """Return the first picture that can be read."""
        for batch in FileShard(0, self._files, self._labels).batches(self._model):
            if batch.labelled is not None:
                call, labels = batch.labelled
                return Labelled(next(call.images()), None if labels is None else labels[:1])
            reason = batch.skipped[0].reason
        raise InvalidInputError(f"None of the {self.n_images} files could be read as a picture. {reason}")

    def shards(self, size: int, start: int = 0) -> Iterator[Shard]:
        """Yield the files, `size` at a time; the first `start` shards are left out."""
        for first in range(start * size, self.n_images, size):
            part = slice(first, first + size)
            yield FileShard(first, self._files[part], None if self._labels is None else self._labels[part])

    def name(self, image: int) -> str:
        """Return the file."""
        return str(self._files[image])

    def fingerprint(self) -> str:
        """Return a hash of the files' names and sizes, and of their classes."""
        return fingerprint_data((fingerprint_files(self._files), self._labels))


def folder_source(model: Any, folder: str | os.PathLike[str]) -> FileSource:
    """Return the pictures of a folder: with classes where they lie in subfolders, else those in the folder itself.

    Raises
    ------
    MissingFileError
        When there is no such folder.
    InvalidInputError
        When it holds no files; when subfolders are no classes of the network.
    """
    from cnnvis.models.folders import pictures_by_class

    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFileError(f"There is no folder {folder}.")
    files = sorted(entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if files:
        return FileSource(model, files, None)
    found = pictures_by_class(folder, getattr(model, "class_names", None))
    pairs = [(file, label) for label, part in found.items() for file in part]
    return FileSource(model, [file for file, _ in pairs], np.array([label for _, label in pairs], np.int64))


def _batch_size(image: Tensor) -> int:
    return max(1, min(BATCH_SIZE, BATCH_VALUES // max(image.numel(), 1)))
