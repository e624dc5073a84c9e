"""How alike whole layers are: centred kernel alignment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.analysis.moments import CONSTANT_TOLERANCE
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

BLOCK_BYTES = 32 * 2**20
"""Size of the features of some images, in float64, that are held at a time; twice that at most."""

MOST_IMAGES = 512
"""Images whose inner products with as many others are held at a time, for every layer."""


def cka(
    features: Mapping[str, ArrayLike], *, debiased: bool = True, progress: Progress = silent
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return how alike layers tell the same images apart: linear centred kernel alignment [1]_.

    1 where one layer's features are the other's, turned and scaled. Layers with nothing in common have 0 with
    `debiased`, and without it a number that grows with features / images.

    Parameters
    ----------
    features : mapping of str to (N, D) or (N, C, *S) array_like
        By layer: the features of the same N images, such as the windows of a survey, or whole maps. NaN and infinite
        values count as their feature's mean.
    debiased : bool, default: True
        Use the unbiased estimator of HSIC [2]_, which needs at least four images; values may fall slightly below 0.
        Without it, the estimator of [1]_.
    progress : callable, optional
        After each block of image pairs; may raise to cancel.

    Returns
    -------
    (tuple of str, (L, L) float64)
        Names of the layers, and their alignment; NaN for a layer that does not vary.

    Raises
    ------
    InvalidInputError
        When layers have other numbers of images, or there are too few.

    Notes
    -----
    With K the inner products of the N centred images, HSIC is the sum of K o L over all pairs of images; the unbiased
    one leaves out the diagonals, and adds what that takes away from the sums of rows, which are then -diag(K).

    Cost: N^2 D / 2 multiplications per layer and N^2 / 2 per pair of layers: under 1 s for the averages of VGG-16 over
    1,000 images. Memory: L x MOST_IMAGES^2 numbers and BLOCK_BYTES, whatever the number of images.

    References
    ----------
    .. [1] S. Kornblith, M. Norouzi, H. Lee, G. Hinton, "Similarity of neural network representations revisited",
       ICML 2019.
    .. [2] L. Song, A. Smola, A. Gretton, J. Bedo, K. Borgwardt, "Feature selection via dependence maximization",
       Journal of Machine Learning Research 13 (2012).
    """
    layers = [_Layer.of(name, values, least=4 if debiased else 2) for name, values in features.items()]
    n_images = _common_length(dict(zip(features, layers, strict=True)))
    products, norms = np.zeros((len(layers), len(layers))), np.zeros((len(layers), n_images))
    blocks = list(_blocks(n_images, max((layer.n_features for layer in layers), default=1)))
    pairs = list(combinations_with_replacement(blocks, 2))
    for done, (rows, columns) in enumerate(pairs, start=1):
        grams = np.stack([layer.gram(rows, columns) for layer in layers])
        if rows == columns:
            norms[:, rows] = np.diagonal(grams, axis1=1, axis2=2)
            if debiased:
                grams[:, np.arange(grams.shape[1]), np.arange(grams.shape[1])] = 0.0
        flat = grams.reshape(len(layers), -1)
        products += (1 if rows == columns else 2) * (flat @ flat.T)
        progress(done, len(pairs))
    if debiased:
        totals = norms.sum(axis=1)
        products += np.outer(totals, totals) / ((n_images - 1) * (n_images - 2))
        products -= 2 / (n_images - 2) * (norms @ norms.T)
    still = [layer.is_still(norm.sum()) for layer, norm in zip(layers, norms, strict=True)]
    return tuple(features), _aligned(products, np.array(still, dtype=bool))


@dataclass(frozen=True, slots=True)
class _Layer:
    """Features of one layer, read block by block.

    Parameters
    ----------
    values : (N, D) ndarray of real numbers
    mean : (D,) ndarray of float64
        Of the finite values.
    """

    values: NDArray[Any]
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, name: str, features: ArrayLike, *, least: int) -> _Layer:
        """Return the features of an array, a view of it where it is one."""
        values = np.asarray(features)
        if values.dtype.kind not in "fiub":
            raise InvalidInputError(f"Features of {name!r} must be real numbers, got {values.dtype}.")
        if values.ndim < 2 or len(values) < least or 0 in values.shape:
            raise InvalidInputError(
                f"Features of {name!r} must be (N, D) of at least {least} images, got shape {values.shape}."
            )
        values = values.reshape(len(values), -1)
        total, count = np.zeros(values.shape[1]), np.zeros(values.shape[1])
        for rows in _blocks(len(values), values.shape[1]):
            block = values[rows].astype(np.float64)
            finite = np.isfinite(block)
            total += np.where(finite, block, 0.0).sum(axis=0)
            count += finite.sum(axis=0)
        return cls(values, total / np.maximum(count, 1))

    @property
    def n_features(self) -> int:
        return int(self.values.shape[1])

    def is_still(self, squares: float) -> bool:
        """Return whether the layer does not vary but for rounding, given the sum of squares about the mean."""
        return bool(squares <= CONSTANT_TOLERANCE**2 * len(self.values) * (self.mean @ self.mean))

    def gram(self, rows: slice, columns: slice) -> NDArray[np.float64]:
        """Return the inner products of some centred images with some others."""
        left = self._centred(rows)
        right = left if rows == columns else self._centred(columns)
        products: NDArray[np.float64] = left @ right.T
        return products

    def _centred(self, rows: slice) -> NDArray[np.float64]:
        block: NDArray[np.float64] = self.values[rows].astype(np.float64) - self.mean
        block[~np.isfinite(block)] = 0.0
        return block


def _blocks(n_images: int, n_features: int) -> Iterator[slice]:
    """Yield slices over all images, each of as many as may be held at a time."""
    size = min(max(BLOCK_BYTES // (8 * n_features), 1), MOST_IMAGES)
    for start in range(0, n_images, size):
        yield slice(start, min(start + size, n_images))


def _common_length(layers: Mapping[str, _Layer]) -> int:
    """Return the number of images, the same in all layers."""
    lengths = {name: len(layer.values) for name, layer in layers.items()}
    if len(set(lengths.values())) > 1:
        sizes = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise InvalidInputError(f"All layers need features of the same images, got numbers of images: {sizes}.")
    return next(iter(lengths.values()), 0)


def _aligned(products: NDArray[np.float64], still: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return products divided by those of each layer with itself; NaN for layers that do not vary."""
    own = np.diag(products).copy()
    own[still | (own <= 0)] = np.nan
    aligned: NDArray[np.float64] = products / np.sqrt(np.outer(own, own))
    return aligned
