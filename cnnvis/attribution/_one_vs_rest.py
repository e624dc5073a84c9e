"""One class against the rest: which images are drawn, how far they are apart, and how many are told rightly."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnvis.attribution.batchnorm_options import Head
from cnnvis.core.errors import InvalidInputError

_BLOCK = 128
"""Batches drawn at once: one call of the generator for many steps."""


class BalancedBatches:
    """Batches of one class against the rest, the same for the same seed, class and number.

    Each holds as many images of the class as of the others, the class first; both are drawn with replacement,
    every image as likely as the next.

    Parameters
    ----------
    labels : (N,) int64 ndarray
    label : int
        The class.
    size : int
        Images per batch, even.
    seed : tuple of int
        Batches of another seed are independent.

    Raises
    ------
    InvalidInputError
        When no image is of the class, or every one.
    """

    def __init__(self, labels: NDArray[np.int64], label: int, size: int, seed: tuple[int, ...]) -> None:
        is_class = labels == label
        self._positives, self._negatives = np.flatnonzero(is_class), np.flatnonzero(~is_class)
        for images, which in ((self._positives, "is of"), (self._negatives, "is of another class than")):
            if not images.size:
                raise InvalidInputError(
                    f"No image {which} class {label}, of {labels.size} in all; one-vs-rest needs both. "
                    "Pass images of it, or name the classes to score by classes=."
                )
        self._half = size // 2
        self._seed = (*seed, label)
        self._drawn: tuple[int, NDArray[np.int64]] | None = None

    def __getitem__(self, number: int) -> NDArray[np.int64]:
        """Return the places in the data of batch `number`, (size,)."""
        block, row = divmod(number, _BLOCK)
        if self._drawn is None or self._drawn[0] != block:
            generator = np.random.default_rng((*self._seed, block))
            halves = [generator.choice(images, (_BLOCK, self._half)) for images in (self._positives, self._negatives)]
            self._drawn = block, np.concatenate(halves, axis=1)
        return self._drawn[1][row]


def margins(logits: Tensor, classes: Tensor, head: str) -> Tensor:
    """Return how clearly each image is of each class, (N, K); positive for the class.

    Parameters
    ----------
    logits : (N, K, n_classes) or (N, 1, n_classes) tensor
        One network, or one for each class.
    classes : (K,) int64 tensor
    head : Head
    """
    logits = logits.expand(-1, len(classes), -1)
    own = classes[None, :, None].expand(len(logits), -1, 1)
    chosen = logits.gather(2, own)[..., 0]
    if head == Head.SEED:
        return 2 * chosen - logits.sum(2)
    return chosen - logits.scatter(2, own, -torch.inf).logsumexp(2)


def losses(margin: Tensor) -> Tensor:
    """Return the mean binary cross-entropy of each class, (K,), for margins (B, K) of a balanced batch."""
    positive, negative = margin.chunk(2)
    return functional.softplus(torch.cat([-positive, negative])).mean(0)


def balanced_accuracy(
    margin: NDArray[np.floating], labels: NDArray[np.int64], classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the mean of the shares of class and rest that are told rightly, (K,), for margins (N, K)."""
    is_class = labels[:, None] == classes
    says_class = margin > 0
    hits = np.sum(says_class & is_class, axis=0) / is_class.sum(axis=0)
    rejections = np.sum(~says_class & ~is_class, axis=0) / (~is_class).sum(axis=0)
    return (hits + rejections) / 2
