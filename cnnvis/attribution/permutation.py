"""Importance without its meaning: the control of pictures and numbers that are made from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnnvis.core import Importance


def permuted(importance: Importance, *, random_state: int = 0) -> Importance:
    """Return the same scores on other units: within each layer a random one has those of another.

    Scores, signed values and scores by class move together, so that a unit's profile stays whole. What is left is how
    unequal the units of each layer are, and how the classes go together; what is gone is which units they are.

    Parameters
    ----------
    importance : Importance
    random_state : int
        The same seed permutes layers of the same sizes alike.

    Returns
    -------
    Importance
        `options["permuted"]` is the seed.
    """
    generator = np.random.default_rng(random_state)
    orders = {layer: generator.permutation(scores.size) for layer, scores in importance.scores.items()}
    per_class = importance.per_class
    return replace(
        importance,
        scores={layer: scores[orders[layer]] for layer, scores in importance.scores.items()},
        signed={layer: values[orders[layer]] for layer, values in importance.signed.items()},
        per_class=per_class and {layer: scores[orders[layer]] for layer, scores in per_class.items()},
        options={**importance.options, "permuted": random_state},
    )
