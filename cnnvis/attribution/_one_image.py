"""One image, ready for a network, for methods that say where in it a score comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.inputs import ForwardCall, as_call, as_example, as_module, with_images
from cnnvis.capture.nested import tensors_in
from cnnvis.core import Provenance
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError
from cnnvis.models.predictions import class_probabilities


class ClassScore(StrEnum):
    """What of a class is explained, from the scores z of the image: z_y, or z_y - logsumexp of the others.

    The same number added to all logits changes no answer, but it changes the logit: the margin, which is the log-odds
    of the class, says what tells it from the others.
    """

    LOGIT = "logit"
    MARGIN = "margin"


ClassScoreName = Literal["logit", "margin"]


@dataclass(frozen=True, slots=True, eq=False)
class OneImage:
    """A forward pass on one image.

    Parameters
    ----------
    call : ForwardCall
    pixels : (1, C, H, W) Tensor
        The image among its arguments.
    names : tuple of str
        Its name, where there is one.
    """

    call: ForwardCall
    pixels: Tensor
    names: tuple[str, ...]

    @classmethod
    def of(cls, model: Any, image: Any, what: str) -> OneImage:
        """Return an image as `cnnvis.record` takes it; None is the Network's own example.

        Raises
        ------
        InvalidInputError
            For several images, and unless exactly one argument of the network is an image (1, C, H, W).
        """
        if image is None:
            call, names = as_example(model, None, what), ()
        else:
            inputs, names = with_images(model, image, ())
            call = as_call(as_module(model), inputs)
        tensors = [tensor for _, tensor in tensors_in((call.args, call.kwargs))]
        shapes = [tuple(tensor.shape) for tensor in tensors]
        if call.n_images != 1:
            raise InvalidInputError(
                f"{what} looks at one image at a time, got {call.n_images}: shape {shapes[0]}. Pass (1, channels, "
                "height, width), such as images[:1]."
            )
        found = [tensor for tensor in tensors if tensor.ndim == 4 and tensor.is_floating_point()]
        if len(found) != 1:
            raise InvalidInputError(
                f"{what} needs one input that is an image (1, channels, height, width) of floating values, got "
                f"{', '.join(map(str, shapes))}."
            )
        return cls(call, found[0], names)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.pixels.shape[2]), int(self.pixels.shape[3])

    @contextmanager
    def first_pass(self) -> Iterator[None]:
        """Say of the first forward pass, where it fails, which shape the network did not take."""
        try:
            yield
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            shape = tuple(self.pixels.shape)
            raise InvalidInputError(f"The network does not take an image of shape {shape}: {error}") from error


def chosen_class(model: Any, target: int | str | None, scores: NDArray[np.float64]) -> int:
    """Return the index of the class that is asked for; None is that of the largest of the (K,) scores.

    Raises
    ------
    InvalidInputError
        When there is no such class, or scores are NaN or infinite.
    """
    bad = int(np.count_nonzero(~np.isfinite(scores)))
    if bad:
        raise InvalidInputError(f"{bad} of {scores.size} class scores are NaN or infinite; check weights and input.")
    if target is None:
        return int(scores.argmax())
    index = class_index(target, getattr(model, "class_names", None))
    if index >= scores.size:
        raise InvalidInputError(f"There is no class {index}: the network has {scores.size}, 0 to {scores.size - 1}.")
    return index


def facts(model: Any, one: OneImage, scores: NDArray[np.float64]) -> dict[str, Any]:
    """Return what a SaliencyMap says of network, image and answer; names of classes only where they fit."""
    names, of_network = (getattr(model, name, None) for name in ("class_names", "provenance"))
    bare = Provenance(model=type(as_module(model)).__name__, inputs=one.names)
    return {
        "probabilities": class_probabilities(scores),
        "class_names": tuple(names) if names is not None and len(names) == scores.size else None,
        "provenance": of_network(one.names) if callable(of_network) else bare,
    }
