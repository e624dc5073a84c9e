"""Importance of units: scores by layer, and by class where the method has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_finite, require_not_negative, require_shape
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.units import Units


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """Non-negative scores per unit of each layer.

    Parameters
    ----------
    scores : mapping of str to (C,) ndarray
        By layer; finite and non-negative.
    method : str
        Name of the importance method.
    per_class : mapping of str to (C, n_classes) ndarray, or None
        The same by class.
    signed : mapping of str to (C,) ndarray
        The signed value behind the score, where the method has one.
    options : mapping
    class_names : tuple of str, or None
        Names of the columns of `per_class`, where they are known.
    """

    scores: Mapping[str, NDArray[np.float64]]
    method: str
    per_class: Mapping[str, NDArray[np.float64]] | None = None
    signed: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    class_names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        scores = {layer: self._checked(layer, array, 1) for layer, array in self.scores.items()}
        object.__setattr__(self, "scores", frozen_mapping(scores))
        if self.class_names is not None:
            object.__setattr__(self, "class_names", tuple(self.class_names))
        if self.per_class is not None:
            object.__setattr__(self, "per_class", frozen_mapping(self._checked_classes()))
        signed = {layer: frozen_array(array, dtype=np.float64) for layer, array in self.signed.items()}
        for layer, array in signed.items():
            require_shape(f"signed importance of {layer!r}", array, self[layer].shape)
        object.__setattr__(self, "signed", frozen_mapping(signed))
        object.__setattr__(self, "options", frozen_mapping(self.options))

    @staticmethod
    def _checked(layer: str, array: NDArray[Any], ndim: int) -> NDArray[np.float64]:
        array = frozen_array(array, dtype=np.float64)
        require_shape(f"importance of {layer!r}", array, (None,) * ndim)
        require_finite(f"importance of {layer!r}", array)
        require_not_negative(f"importance of {layer!r}", array)
        return array

    def _checked_classes(self) -> dict[str, NDArray[np.float64]]:
        unknown = sorted(set(self.per_class or ()) - set(self.scores))
        if unknown:
            raise InvalidInputError(f"per_class has layers without scores: {', '.join(unknown)}.")
        per_class = {layer: self._checked(layer, array, 2) for layer, array in (self.per_class or {}).items()}
        n_classes = None if self.class_names is None else len(self.class_names)
        for layer, array in per_class.items():
            require_shape(f"per_class of {layer!r}", array, (self.scores[layer].size, n_classes))
        return per_class

    def __getitem__(self, layer: str) -> NDArray[np.float64]:
        try:
            return self.scores[layer]
        except KeyError:
            hint = did_you_mean(layer, self.scores, what="layers with importance")
            raise LayerNotFoundError(f"No importance of layer {layer!r}. {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __contains__(self, layer: object) -> bool:
        return layer in self.scores

    @property
    def classes(self) -> tuple[int, ...]:
        """Class index of each column of `per_class`: all in order, or `options["classes"]`, those asked for."""
        if not self.per_class:
            return ()
        return tuple(self.options.get("classes") or range(next(iter(self.per_class.values())).shape[1]))

    def of_class(self, wanted: str | int) -> Importance:
        """Return the importance for one class as the scores: for a volume's opacity, an order, a pruning.

        Parameters
        ----------
        wanted : str or int
            A class by name, where `class_names` are known, or by its column of `per_class`.

        Returns
        -------
        Importance
            Of the layers that have scores by class, without the other classes; `options["class"]` says which it is.

        Raises
        ------
        InvalidInputError
            When the method gave no importance by class, or there is no such class.
        """
        if self.per_class is None:
            raise InvalidInputError(f"Importance by {self.method!r} has no classes, so none for class {wanted!r}.")
        index = class_index(wanted, self.class_names)
        for layer, array in self.per_class.items():
            if index >= array.shape[1]:
                raise InvalidInputError(
                    f"There is no class {index}: layer {layer!r} has scores of {array.shape[1]} classes, 0 to "
                    f"{array.shape[1] - 1}."
                )
        return Importance(
            scores={layer: array[:, index] for layer, array in self.per_class.items()},
            method=self.method,
            options={**self.options, "class": index if self.class_names is None else self.class_names[index]},
        )

    def of_classes(self, wanted: Sequence[str | int]) -> Importance:
        """Return the importance for some classes only: their columns, and as scores the means over these.

        Layers without scores by class stay as they are; signed values are left out, which know no classes.

        Parameters
        ----------
        wanted : sequence of str or int
            At least one class, by name, where `class_names` are known, or by index. Their order does not matter.

        Raises
        ------
        InvalidInputError
            When the method gave no importance by class, there is no such class, or none is wanted.
        """
        if self.per_class is None:
            raise InvalidInputError(f"Importance by {self.method!r} has no classes, so there are none to choose from.")
        every = self.classes
        names = self.class_names or tuple(map(str, every))
        columns = sorted(
            {class_index(each, names) if isinstance(each, str) else _column(each, every) for each in wanted}
        )
        if not columns:
            raise InvalidInputError(f"No class was chosen of {len(every)}; name at least one.")
        per_class = {layer: array[:, columns] for layer, array in self.per_class.items()}
        means = {layer: array.mean(axis=1) for layer, array in per_class.items()}
        return Importance(
            {**self.scores, **means},
            self.method,
            per_class,
            options={**self.options, "classes": [every[column] for column in columns]},
            class_names=self.class_names and tuple(self.class_names[column] for column in columns),
        )

    def scaled(self) -> Importance:
        """Return the importance with every layer divided by its own maximum, so that layers can be compared.

        Scores and signed values are divided by the layer's largest score, scores by class by the largest over units
        and classes. A layer of zeros stays one.
        """
        tops = {layer: _largest(array) for layer, array in self.scores.items()}
        per_class = self.per_class
        return replace(
            self,
            scores={layer: array / tops[layer] for layer, array in self.scores.items()},
            signed={layer: array / tops[layer] for layer, array in self.signed.items()},
            per_class=per_class and {layer: array / _largest(array) for layer, array in per_class.items()},
        )

    def profiles(self, units: Units) -> NDArray[np.float64]:
        """Return the class importance of every unit, (U, n_classes); inputs without any count 1 for every class.

        Raises
        ------
        InvalidInputError
            When the method gave no importance by class, or a layer has not the channels or classes of the others.
        LayerNotFoundError
            When a layer of `units` has none.
        """
        if self.per_class is None:
            raise InvalidInputError(f"Importance by {self.method!r} has no classes; profiles need per_class.")
        n_classes = next((array.shape[1] for array in self.per_class.values()), None)
        parts = []
        inputs = units.layers[: units.n_inputs]
        for layer, size in zip(units.layers, units.sizes, strict=True):
            if layer not in self.per_class and layer in inputs:
                parts.append(np.ones((size, n_classes or 0)))
                continue
            if layer not in self.per_class:
                hint = did_you_mean(layer, self.per_class, what="layers with importance by class")
                raise LayerNotFoundError(f"No importance by class of layer {layer!r}. {hint}")
            require_shape(f"per_class of {layer!r}", self.per_class[layer], (size, n_classes))
            parts.append(self.per_class[layer])
        return np.concatenate(parts)


def _column(wanted: int, classes: tuple[int, ...]) -> int:
    if wanted not in classes:
        raise InvalidInputError(f"There is no class {wanted} with scores, but {', '.join(map(str, classes))}.")
    return classes.index(wanted)


def _largest(scores: NDArray[np.float64]) -> float:
    """Return what a layer's scores are divided by: the largest, 1 where there is none above zero."""
    return float(scores.max(initial=0.0)) or 1.0
