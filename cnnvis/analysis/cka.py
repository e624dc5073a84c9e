"""How alike whole layers are: centred kernel alignment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.checks import as_numbers
from cnnvis.core.errors import InvalidInputError


def cka(features: Mapping[str, ArrayLike], *, debiased: bool = True) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return how alike layers tell the same images apart: linear centred kernel alignment [1]_.

    1 where one layer's features are the other's, turned and scaled. Layers with nothing in common have 0 with
    `debiased`, and without it a number that grows with channels / images.

    Parameters
    ----------
    features : mapping of str to (N, D) array_like
        By layer: D features of the same N images, such as the windows of a survey. Features that are not finite count
        as constant.
    debiased : bool, default: True
        Use the unbiased estimator of HSIC [2]_, which needs at least four images; values may fall slightly below 0.

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
    Cost: N^2 D operations per layer and 8 N^2 bytes each; N^2 per pair.

    References
    ----------
    .. [1] S. Kornblith, M. Norouzi, H. Lee, G. Hinton, "Similarity of neural network representations revisited",
       ICML 2019.
    .. [2] L. Song, A. Smola, A. Gretton, J. Bedo, K. Borgwardt, "Feature selection via dependence maximization",
       Journal of Machine Learning Research 13 (2012).
    """
    least = 4 if debiased else 2
    grams = {}
    for name, array in features.items():
        values = as_numbers(f"features of {name!r}", array)
        if values.ndim != 2 or len(values) < least:
            raise InvalidInputError(
                f"Features of {name!r} must be (N, D) of at least {least} images, got shape {values.shape}."
            )
        grams[name] = _centred(values, debiased=debiased)
    if len({len(gram) for gram in grams.values()}) > 1:
        sizes = ", ".join(f"{name} {len(gram)}" for name, gram in grams.items())
        raise InvalidInputError(f"All layers need features of the same images, got numbers of images: {sizes}.")
    names = tuple(grams)
    products = np.array([[_hsic(grams[one], grams[other]) for other in names] for one in names])
    own = np.diag(products).copy()
    own[own <= 0] = np.nan
    aligned: NDArray[np.float64] = products / np.sqrt(np.outer(own, own))
    return names, aligned


def _centred(values: NDArray[np.float64], *, debiased: bool) -> NDArray[np.float64]:
    """Return the centred (N, N) inner products of images; U-centred, with a zero diagonal, for the unbiased one."""
    finite = np.isfinite(values).all(axis=0)
    kept = values[:, finite]
    kept = kept - kept.mean(axis=0) if kept.size else np.zeros((len(values), 1))
    gram: NDArray[np.float64] = kept @ kept.T
    if not debiased:
        return gram
    n = len(gram)
    np.fill_diagonal(gram, 0.0)
    means = gram.sum(axis=0) / (n - 2)
    means -= means.sum() / (2 * (n - 1))
    gram -= means[:, None]
    gram -= means
    np.fill_diagonal(gram, 0.0)
    return gram


def _hsic(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the inner product of two centred matrices: HSIC up to a factor that alignment cancels."""
    return float(np.vdot(one, other))
