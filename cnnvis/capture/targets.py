"""What is differentiated: a quantity of one class for each image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from cnnvis.capture.inputs import as_module
from cnnvis.core.checks import parse_choice
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError


class Quantity(StrEnum):
    """Quantity of class y that is differentiated, from the scores z of one image.

    `logit`: z_y; `margin`: z_y - logsumexp of the others, the log-odds of the class; `loss`: the cross-entropy
    logsumexp(z) - z_y, which falls as the class becomes likelier.
    """

    LOGIT = "logit"
    MARGIN = "margin"
    LOSS = "loss"


QuantityName = Literal["logit", "margin", "loss"]


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A class, the same for all images or one per image, and the quantity of it.

    Parameters
    ----------
    classes : int or (N,) ndarray of int64
    of : Quantity
    name : str
        In words, for captions.
    """

    classes: int | NDArray[np.int64]
    of: Quantity
    name: str

    @classmethod
    def of_model(cls, model: Any, target: Any, of: QuantityName = "logit") -> Target:
        """Return what a user named: an index, the name of a class of a Network, or a class per image (N,).

        Raises
        ------
        InvalidInputError
            For a class that is not there, and classes per image that are no whole numbers or negative.
        """
        quantity = parse_choice(Quantity, of, what="quantity `of` a class")
        class_names = getattr(model, "class_names", None)
        if isinstance(target, str | int | np.integer) or np.ndim(target) == 0:
            index = class_index(target if isinstance(target, str) else _as_whole(target), class_names)
            return cls(index, quantity, f"{class_names[index]} ({index})" if class_names else str(index))
        classes = as_labels(target, what="target")
        if class_names is not None:
            require_classes(classes, len(class_names))
        return cls(classes, quantity, "a class per image")

    def require_count(self, n_images: int) -> None:
        """Raise InvalidInputError unless there is one class per image, where there is one for each."""
        if not isinstance(self.classes, int) and self.classes.size != n_images:
            raise InvalidInputError(
                f"target holds {self.classes.size} classes for {n_images} images; give one per image, or one for all."
            )

    def values(self, scores: Tensor, start: int) -> Tensor:
        """Return the quantity of each image, (n,), from the (n, K) scores of images `start` to `start + n - 1`."""
        n_images, n_classes = scores.shape
        if isinstance(self.classes, int):
            classes = np.full(n_images, self.classes)
        else:
            classes = self.classes[start : start + n_images]
            if classes.size < n_images:
                self.require_count(start + n_images)
        require_classes(classes, n_classes)
        return quantity_of(scores, torch.from_numpy(classes), self.of)


def class_scores(output: Any, n_images: int, *, network: str = "The network") -> Tensor:
    """Return what a network returned, which must be one tensor of class scores (n, K).

    Raises
    ------
    InvalidInputError
        When it is anything else; the message names `network`.
    """
    if not isinstance(output, Tensor) or output.ndim != 2 or len(output) != n_images:
        got = f"a tensor of shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
        raise InvalidInputError(
            f"{network} returns {got} for {n_images} images; one tensor of class scores (N, K) is needed. "
            "Wrap it in a module that returns its class scores."
        )
    return output


def differentiable_scores(model: Any, output: Any, n_images: int) -> Tensor:
    """Return what a network returned as class scores (n, K) that can be differentiated, in float32 at least.

    Raises
    ------
    InvalidInputError
        When it is no such tensor, or does not depend on inputs and weights in a differentiable way.
    """
    kind = type(as_module(model)).__name__
    scores = class_scores(output, n_images, network=kind)
    if not scores.requires_grad:
        raise InvalidInputError(
            f"The scores of {kind} cannot be differentiated: its forward() runs without gradients (torch.no_grad, "
            "detach), or returns labels."
        )
    return scores if scores.dtype == torch.float64 else scores.float()


def quantity_of(scores: Tensor, classes: Tensor, of: Quantity) -> Tensor:
    """Return the quantity `of` class `classes[n]` of each image, (n,), differentiable in the (n, K) scores.

    Raises
    ------
    InvalidInputError
        For margin and loss of a network with one score: they compare classes.
    """
    if of is not Quantity.LOGIT and scores.shape[1] < 2:
        raise InvalidInputError(f"of={of.value!r} compares classes, but the network gives one score; use of='logit'.")
    index = classes.to(scores.device)[:, None]
    chosen = scores.gather(1, index)[:, 0]
    if of is Quantity.LOGIT:
        return chosen
    if of is Quantity.LOSS:
        return scores.logsumexp(1) - chosen
    return chosen - scores.scatter(1, index, -torch.inf).logsumexp(1)


def as_labels(labels: Any, *, what: str = "labels") -> NDArray[np.int64]:
    """Return one class per image as (N,) int64.

    Raises
    ------
    InvalidInputError
        When they are no integers, negative, or not (N,).
    """
    found = labels.detach().cpu().numpy() if isinstance(labels, Tensor) else np.asarray(labels)
    if found.dtype.kind not in "iu" or found.ndim != 1:
        raise InvalidInputError(
            f"{what} must be whole numbers (N,), the index of a class per image; got {found.dtype} of shape "
            f"{found.shape}."
        )
    if found.size and found.min() < 0:
        raise InvalidInputError(f"{what} must be class indices from 0, got {found.min()}.")
    return found.astype(np.int64)


def require_classes(classes: ArrayLike, n_classes: int) -> None:
    """Raise InvalidInputError when an index is that of no class."""
    classes = np.asarray(classes)
    if classes.size and classes.max() >= n_classes:
        raise InvalidInputError(
            f"There is no class {classes.max()}: the network has {n_classes}, 0 to {n_classes - 1}."
        )


def _as_whole(number: Any) -> int | str:
    """Return a number of any library as an int; as text, which names no class, where it is no whole number."""
    number = np.asarray(number.detach().cpu() if isinstance(number, Tensor) else number)
    return int(number) if number.dtype.kind in "iu" else str(number)
