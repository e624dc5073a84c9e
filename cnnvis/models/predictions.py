"""From a network's outputs to named classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.errors import InvalidInputError


class Prediction(NamedTuple):
    """One class with its probability."""

    index: int
    name: str
    probability: float


def top_classes(logits: ArrayLike, class_names: Sequence[str] | None = None, *, k: int = 5) -> tuple[Prediction, ...]:
    """Return the `k` likeliest classes of one image, best first.

    Parameters
    ----------
    logits : (n_classes,) or (1, n_classes) array of float
        A network's output. Outputs that are probabilities already (none negative, sum 1) are taken as they are,
        all others go through a softmax.
    class_names : sequence of str, optional
        One per class; without them class i is named "class i".
    k : int, default 5
        All classes when there are fewer.

    Raises
    ------
    InvalidInputError
        When `logits` is no vector of classes, holds NaN or infinity, or there are more or fewer names than classes.
    """
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim == 2 and len(values) == 1:
        values = values[0]
    if values.ndim != 1 or values.size == 0:
        raise InvalidInputError(f"The classes of one image need outputs (n_classes,), got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise InvalidInputError(
            f"{np.count_nonzero(~np.isfinite(values))} of {values.size} outputs are NaN or infinite."
        )
    if class_names is not None and len(class_names) != values.size:
        raise InvalidInputError(f"The network has {values.size} outputs but {len(class_names)} class names.")
    probabilities = class_probabilities(values)
    best = np.argsort(-probabilities, kind="stable")[: max(k, 0)]  # stable: of equals, the lower index first
    return tuple(
        Prediction(int(i), class_names[i] if class_names else f"class {i}", float(probabilities[i])) for i in best
    )


def class_probabilities(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n_classes,) outputs for one image as probabilities, by the rule of `top_classes`."""
    if values.size > 1 and values.min() >= 0 and abs(values.sum() - 1) < 1e-3:
        return values
    exponentials = np.exp(values - values.max())
    return exponentials / exponentials.sum()
