"""What can be chosen of the importance by batch norm, and the variants that its authors compared."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import Any

from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError


class GammaStart(StrEnum):
    """What the scales are before training.

    `one`: gamma 1, beta 0. `zero`: gamma 0.001, beta 0; scales of exactly 0 in two layers would keep each other
    there, since nothing passes and no gradient comes back. `identity`: gamma and beta are the standard deviation and
    mean of the unit over the data, so that at first the network computes what it did before.
    """

    ONE = "one"
    ZERO = "zero"
    IDENTITY = "identity"


class Head(StrEnum):
    """How the logits z tell class k from the rest: it is class k where the margin is positive.

    `log_odds`: margin = z_k - logsumexp of the others, the log-odds of the network itself. `seed`: margin =
    z_k - sum of the others, as nn_vis had it; it was seen to destroy a classifier that worked.
    """

    LOG_ODDS = "log_odds"
    SEED = "seed"


@dataclass(frozen=True, slots=True)
class BatchNormOptions:
    """Options of `by_batchnorm`; the defaults are those of nn_vis, but for the head.

    Parameters
    ----------
    init : {"one", "zero", "identity"}
        See `GammaStart`.
    beta : bool
        Whether an offset is trained besides each scale. "identity" needs it.
    l1, l2 : float
        Penalties l1 * sum |gamma| and l2 * sum gamma^2, added to the loss of each class. They draw scales that
        do nothing for the class to 0; without, such a scale stays where it began.
    head : {"log_odds", "seed"}
        See `Head`.
    steps : int
        Optimiser steps per class (Adam). With the default rate a scale moves by at most about 0.001 a step.
    batch_size : int
        Images per class and step, half of them of the class; even, at least 4. Drawn with replacement, so that a
        class may have fewer. A single class trains on a whole batch at once, since a norm needs it: lower the
        size where memory is short.
    learning_rate : float
    inputs : bool
        Whether input values get scales, too (the pixels of a perceptron, the colours of a convolutional network).
    double : bool
        Whether to compute in double precision. Training multiplies differences: in single precision two runs that sum
        in another order, as they do with another number of threads or of classes at once, part after some
        1,000 steps, and differed by up to a tenth of the layer's largest after 2,000; in double by under 1e-5.
        Single takes about half the time.
    random_state : int
        Seed of the images drawn; each class draws from a stream of its own.
    """

    init: str = GammaStart.ONE
    beta: bool = False
    l1: float = 0.01
    l2: float = 0.0
    head: str = Head.LOG_ODDS
    steps: int = 2000
    batch_size: int = 128
    learning_rate: float = 1e-3
    inputs: bool = True
    double: bool = True
    random_state: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "init", parse_choice(GammaStart, self.init, what="init").value)
        object.__setattr__(self, "head", parse_choice(Head, self.head, what="head").value)
        for name in ("l1", "l2"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidInputError(f"{name} must be a number from 0, got {getattr(self, name)}.")
        if not 0 < self.learning_rate < math.inf:
            raise InvalidInputError(f"learning_rate must be a positive number, got {self.learning_rate}.")
        if self.steps < 1:
            raise InvalidInputError(f"steps must be at least 1, got {self.steps}.")
        if self.batch_size < 4 or self.batch_size % 2:
            raise InvalidInputError(
                f"batch_size must be even (half of the images are of the class) and at least 4, got {self.batch_size}."
            )
        if self.random_state < 0:
            raise InvalidInputError(f"random_state must be a whole number from 0, got {self.random_state}.")
        if self.init == GammaStart.IDENTITY and not self.beta:
            raise InvalidInputError('init="identity" needs beta=True: without an offset the mean of each unit is lost.')


def _variants() -> dict[str, Mapping[str, Any]]:
    penalties = {"l1": {"l1": 0.01, "l2": 0.0}, "l2": {"l1": 0.0, "l2": 0.01}}
    found: dict[str, Mapping[str, Any]] = {}
    for beta, init, penalty in product((False, True), GammaStart, penalties):
        if beta or init != GammaStart.IDENTITY:
            name = f"{'beta' if beta else 'nobeta'}_gamma{init.value}_{penalty}"
            found[name] = MappingProxyType({"init": init.value, "beta": beta, **penalties[penalty]})
    return found


VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(_variants())
"""Options by name, such as `nobeta_gammaone_l1`: offset or none, start of gamma, penalty of strength 0.01."""
