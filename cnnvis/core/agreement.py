"""How far methods of importance agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean


@dataclass(frozen=True, slots=True, eq=False)
class ImportanceAgreement:
    """Spearman's rank correlation of M methods of importance, layer by layer.

    Parameters
    ----------
    methods : tuple of str
        Names, in the order of rows and columns.
    matrices : mapping of str to (M, M) ndarray of float64
        By layer, within -1 to 1; 1: the same order of the channels, 0: none in common. NaN, also on the diagonal, for
        a method that scores all channels of the layer alike, or none.
    """

    methods: tuple[str, ...]
    matrices: Mapping[str, NDArray[np.float64]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", tuple(self.methods))
        n = len(self.methods)
        matrices = {layer: frozen_array(matrix, dtype=np.float64) for layer, matrix in self.matrices.items()}
        for layer, matrix in matrices.items():
            require_shape(f"agreement in {layer!r}", matrix, (n, n))
            if np.any(np.abs(matrix) > 1):
                raise InvalidInputError(f"agreement in {layer!r} must lie within -1 to 1.")
        object.__setattr__(self, "matrices", frozen_mapping(matrices))

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(self.matrices)

    def matrix(self, layer: str) -> NDArray[np.float64]:
        """Return the (M, M) rank correlations in `layer`."""
        if layer not in self.matrices:
            raise LayerNotFoundError(f"No agreement in layer {layer!r}. {did_you_mean(layer, self.matrices)}")
        return self.matrices[layer]

    @property
    def mean(self) -> NDArray[np.float64]:
        """Mean over the layers, (M, M); layers without a value for a pair are left out of it, NaN where none has one.

        Every layer counts the same, however many channels it has.
        """
        stack = np.array(list(self.matrices.values())).reshape(-1, len(self.methods), len(self.methods))
        defined = np.isfinite(stack)
        with np.errstate(invalid="ignore"):
            mean: NDArray[np.float64] = np.where(defined, stack, 0).sum(axis=0) / defined.sum(axis=0)
        return mean
