"""Means over images, of all and of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.targets import require_classes
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError


def require_finite_gradients(layer: str, array: NDArray[np.float64]) -> None:
    """Raise InvalidInputError, naming the layer, when a gradient is NaN or infinite."""
    if not np.isfinite(array).all():
        raise InvalidInputError(
            f"Layer {layer!r} has gradients that are NaN or infinite. Check its weights and the images: "
            "record(model, images, target=...) shows where they are."
        )


class ClassMeans:
    """Mean over images of one number per image and channel, and the same over the images of each class.

    Mutable: it grows with `add`. Images without labels leave no means of classes. Sums are kept in float64.
    """

    def __init__(self) -> None:
        self.n_images = 0
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._signed: dict[str, NDArray[np.float64]] = {}
        self._labels: NDArray[np.int64] | None = np.empty(0, np.int64)
        self._by_class: dict[str, NDArray[np.float64]] = {}

    def add(self, values: Mapping[str, Tensor], labels: NDArray[np.int64] | None, n_classes: int) -> None:
        """Take in the (n, C) values of each layer for n images; what counts is their size, the mean of the values kept.

        Raises
        ------
        InvalidInputError
            When a value is NaN or infinite; it names the layer. When a label is that of no class.
        """
        if labels is not None:
            require_classes(labels, n_classes)
        one_hot = None if labels is None else np.eye(n_classes)[labels]
        for layer, tensor in values.items():
            array = tensor.detach().cpu().double().numpy()
            require_finite_gradients(layer, array)
            self._signed[layer] = self._signed.get(layer, 0.0) + array.sum(axis=0)
            size = np.abs(array)
            self._sums[layer] = self._sums.get(layer, 0.0) + size.sum(axis=0)
            if one_hot is not None:
                self._by_class[layer] = self._by_class.get(layer, 0.0) + size.T @ one_hot
        n_images = len(next(iter(values.values())))
        self._labels = None if labels is None or self._labels is None else np.concatenate([self._labels, labels])
        self.n_images += n_images

    def importance(self, method: str, *, model: Any, options: Mapping[str, Any], is_signed: bool) -> Importance:
        """Return the means as an importance.

        A class without images scores 0 in its column of `per_class`, and is listed in
        ``options["classes_without_images"]``.
        """
        per_class, empty = None, ()
        if self._labels is not None:
            n_classes = next(iter(self._by_class.values())).shape[1]
            counts = np.bincount(self._labels, minlength=n_classes)
            per_class = {layer: sums / np.maximum(counts, 1) for layer, sums in self._by_class.items()}
            empty = tuple(np.flatnonzero(counts == 0).tolist())
        return Importance(
            scores={layer: sums / self.n_images for layer, sums in self._sums.items()},
            method=method,
            per_class=per_class,
            signed={layer: sums / self.n_images for layer, sums in self._signed.items()} if is_signed else {},
            options={**options, "n_images": self.n_images, "classes_without_images": empty},
            class_names=getattr(model, "class_names", None) if per_class else None,
        )
