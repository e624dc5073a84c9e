"""Everything a survey knows of a network while it grows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.capture.surveying.layer import LayerAccumulator
from cnnvis.capture.surveying.plan import SurveyPlan
from cnnvis.core import SkippedImage

MAX_NAMED = 100
"""Unreadable images that are named; the rest is counted."""


class NetworkAccumulator:
    """Statistics of all layers, and of what the network answered. Parts are merged in the order of the images.

    Parameters
    ----------
    plan : SurveyPlan

    Attributes
    ----------
    n_images : int
        Images taken in.
    confusion : (K, K) int64
        Images of class (row) answered as class (column); empty without labels. Images without finite scores are left
        out.
    recent : (W, 3) int64
        Numbers of the last images, their classes and the answers; -1 where these are not known.
    n_skipped : int
    skipped : list of SkippedImage
        The first MAX_NAMED.
    """

    def __init__(self, plan: SurveyPlan) -> None:
        self.plan = plan
        self.n_images = 0
        self.layers = {
            name: LayerAccumulator(value, plan.channels[name], plan.n_classes, plan.options)
            for name, value in plan.values.items()
        }
        self.confusion = np.zeros((plan.n_classes, plan.n_classes), np.int64)
        self.recent = np.empty((0, 3), np.int64)
        self.n_skipped = 0
        self.skipped: list[SkippedImage] = []

    def note(
        self, images: NDArray[np.int64], labels: NDArray[np.int64] | None, scores: NDArray[np.float64] | None
    ) -> None:
        """Count the (n,) images, and the answers in their (n, K) scores."""
        unknown = np.full(images.size, -1)
        answers = unknown.copy()
        if scores is not None:
            known = np.isfinite(scores).all(axis=1)
            answers[known] = scores[known].argmax(axis=1)
        self.n_images += images.size
        self._remember(np.stack([images, unknown if labels is None else labels, answers], axis=1))
        if labels is not None and self.plan.n_classes:
            answered = answers >= 0
            np.add.at(self.confusion, (labels[answered], answers[answered]), 1)

    def _remember(self, images: NDArray[np.int64]) -> None:
        self.recent = np.concatenate([self.recent, images])[-self.plan.options.window :]

    def skip(self, images: list[SkippedImage]) -> None:
        """Count images that could not be read."""
        self.n_skipped += len(images)
        self.skipped = (self.skipped + images)[:MAX_NAMED]

    def merge(self, other: NetworkAccumulator) -> None:
        """Take in what `other` has seen, which comes behind what was seen here."""
        for name, layer in self.layers.items():
            layer.merge(other.layers[name])
        self.n_images += other.n_images
        self.confusion = self.confusion + other.confusion
        self._remember(other.recent)
        self.n_skipped += other.n_skipped
        self.skipped = (self.skipped + other.skipped)[:MAX_NAMED]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all numbers of the state as arrays by name; what was skipped is text and left out."""
        own = {
            "n_images": np.asarray(self.n_images),
            "confusion": self.confusion,
            "recent": self.recent,
            "n_skipped": np.asarray(self.n_skipped),
        }
        layers = {
            f"{name}:{key}": array for name, layer in self.layers.items() for key, array in layer.arrays().items()
        }
        return own | layers

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put a state back that `arrays` gave."""
        self.n_images, self.n_skipped = arrays["n_images"].item(), arrays["n_skipped"].item()
        self.confusion, self.recent = arrays["confusion"].copy(), arrays["recent"].copy()
        for name, layer in self.layers.items():
            own = {key.removeprefix(f"{name}:"): arrays[key] for key in arrays if key.startswith(f"{name}:")}
            layer.restore(own)
