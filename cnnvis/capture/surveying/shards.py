"""The images of a survey, in shards: the parts that are taken in one by one, in any process, and merged in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.fingerprints import fingerprint_data
from cnnvis.capture.labelled import Labelled, labelled_batches
from cnnvis.core import SkippedImage


class Shard(Protocol):
    """Some images that follow each other."""

    @property
    def n_images(self) -> int:
        """Number of images, unreadable ones included."""

    def batches(self, model: Any) -> Iterator[ShardBatch]:
        """Yield the images as forward passes of `model`."""


@dataclass(frozen=True, slots=True)
class ShardBatch:
    """One forward pass.

    Parameters
    ----------
    images : (n,) int64
        Numbers of the images: their places in the data.
    labelled : Labelled or None
        None where no image of the batch could be read.
    skipped : list of SkippedImage
        Images that could not be read.
    """

    images: NDArray[np.int64]
    labelled: Labelled | None
    skipped: list[SkippedImage]


class ShardSource(Protocol):
    """Images to survey.

    Attributes
    ----------
    n_images : int or None
        None where it is not known beforehand.
    has_labels : bool
    """

    n_images: int | None
    has_labels: bool

    def example(self) -> Labelled:
        """Return the first image that can be read."""

    def shards(self, size: int, start: int = 0) -> Iterator[Shard]:
        """Yield shards of at least `size` images, the last one may be smaller; `start` of them are left out."""

    def name(self, image: int) -> str | None:
        """Return the name of an image, where it has one."""

    def fingerprint(self) -> str:
        """Return a hash by which other images, or the same in another order, are told apart."""


@dataclass(frozen=True, slots=True)
class BatchShard:
    """Batches that are in memory already; `first` is the number of the first image."""

    first: int
    labelled: tuple[Labelled, ...]

    @property
    def n_images(self) -> int:
        """Number of images."""
        return sum(each.call.n_images for each in self.labelled)

    def batches(self, model: Any) -> Iterator[ShardBatch]:
        """Yield the batches."""
        first = self.first
        for each in self.labelled:
            yield ShardBatch(np.arange(first, first + each.call.n_images), each, [])
            first += each.call.n_images


class BatchSource:
    """Tensors, arrays, DataLoaders and other batches, as `labelled_batches` takes them; the order is the data's own.

    Parameters
    ----------
    model : nn.Module or Network
    data : Any
    names : sequence of str
        Of the images, in order; empty where they have none.
    """

    def __init__(self, model: Any, data: Any, names: Sequence[str] = ()) -> None:
        self._data, self._names = data, names
        self._batches = labelled_batches(model, data, optional=True)
        self.n_images = self._batches.n_images
        self._waiting = iter(self._batches)
        self._first = next(self._waiting)
        self.has_labels = self._first.labels is not None

    def example(self) -> Labelled:
        """Return the first image."""
        labels = self._first.labels
        return Labelled(next(self._first.call.images()), None if labels is None else labels[:1])

    def shards(self, size: int, start: int = 0) -> Iterator[Shard]:
        """Yield the batches, as many together as make `size` images. Can be called once."""
        return islice(self._joined(size), start, None)

    def _joined(self, size: int) -> Iterator[Shard]:
        first, waiting = 0, [self._first]
        for batch in self._waiting:
            if sum(each.call.n_images for each in waiting) >= size:
                shard = BatchShard(first, tuple(waiting))
                yield shard
                first, waiting = first + shard.n_images, []
            waiting.append(batch)
        yield BatchShard(first, tuple(waiting))

    def name(self, image: int) -> str | None:
        """Return the name, where there are any."""
        return self._names[image] if self._names else None

    def fingerprint(self) -> str:
        """Return a hash of all that is in memory; of what a loader brings only of its first batch."""
        call, labels = self._first
        return fingerprint_data((self._data, call.args, call.kwargs, labels))
