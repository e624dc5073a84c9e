"""How a network is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cnnvis.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train on the cross-entropy, in shuffled batches.

    Parameters
    ----------
    epochs : int, default 10
        Times that every image is seen.
    batch_size : int, default 128
        Images per step; the last batch of an epoch may be smaller.
    learning_rate : float, default 0.001
    l1 : float, default 0
        Strength of an L1 penalty on weights, not on biases nor scales: after each step every weight moves by
        ``learning_rate * l1`` towards 0 and stops there (the proximal step of the penalty), so that weights that
        nothing speaks for become exactly 0.
    random_state : int, default 0
        Seed of the order of the images, of their shifts and of layers that draw numbers, such as dropout.
    optimiser : {"adam", "sgd"}, default "adam"
        "sgd" has Nesterov's momentum of 0.9.
    weight_decay : float, default 0
        L2 penalty on all parameters, as torch's optimisers take it.
    one_cycle : bool, default False
        Let the learning rate rise from a 25th of `learning_rate` to it over the first third of the steps, and fall to
        nearly zero [1]_.
    augment : bool, default False
        Show each image shifted by up to 2 pixels in each direction, and every other one mirrored, drawn anew each time.

    References
    ----------
    .. [1] L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large learning
       rates", 2018, arXiv:1708.07120.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    l1: float = 0.0
    random_state: int = 0
    optimiser: Literal["adam", "sgd"] = "adam"
    weight_decay: float = 0.0
    one_cycle: bool = False
    augment: bool = False

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if int(getattr(self, name)) != getattr(self, name) or getattr(self, name) < 1:
                raise InvalidInputError(f"{name} of TrainOptions must be 1, 2, 3 ...; got {getattr(self, name)}.")
        if not 0 < self.learning_rate < float("inf"):
            raise InvalidInputError(f"learning_rate of TrainOptions must be positive, got {self.learning_rate}.")
        for name in ("l1", "weight_decay"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise InvalidInputError(f"{name} of TrainOptions must be 0 or more, got {getattr(self, name)}.")
        if self.optimiser not in ("adam", "sgd"):
            raise InvalidInputError(f"optimiser of TrainOptions must be adam or sgd, got {self.optimiser!r}.")
