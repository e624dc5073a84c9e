"""Channels that behave oddly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AnomalyKind(StrEnum):
    """What is odd about a channel.

    `missing`: NaN or infinite values. `dead`: zero everywhere, for every image. `constant`: another value everywhere.
    `saturated`: at its largest value nearly everywhere. `rare`: zero nearly everywhere. `outlier`: an image drives it
    far beyond what the others do.
    """

    MISSING = "missing"
    DEAD = "dead"
    CONSTANT = "constant"
    SATURATED = "saturated"
    RARE = "rare"
    OUTLIER = "outlier"


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One odd channel.

    Parameters
    ----------
    layer : str
    channel : int
    kind : AnomalyKind
    detail : str
        The figure behind it, in words.
    image : int
        For `outlier` the number of the image, else -1.
    """

    layer: str
    channel: int
    kind: AnomalyKind
    detail: str
    image: int = -1
