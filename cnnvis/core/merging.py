"""Channels that were merged, one after the other, and what became of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

from cnnvis.core.checks import frozen_mapping
from cnnvis.core.redundancy import ALONE


class MergeRule(StrEnum):
    """What takes the place of a channel that goes.

    `affine`: a x + b of the channel kept; `sum`: x, the channel kept as it is; `zero`: nothing; `joint`: a sum of
    a x over all channels of the layer that stay, and b.
    """

    AFFINE = "affine"
    SUM = "sum"
    ZERO = "zero"
    JOINT = "joint"


MergeRuleName = Literal["affine", "sum", "zero", "joint"]


class Merge(NamedTuple):
    """One channel that went, and what took its place: x_merged ~ a x_kept + b.

    Parameters
    ----------
    layer : str
        First layer of the channel space.
    kept, merged : int
        Channels, numbered as in the original; kept is -1 where a constant took the place.
    scale, shift : tuple of float
        a and b in each value in which the channels are read, by least squares over the images of the verification.
    explained : float
        Share of the variance of the merged channel that the line explains, where that is least.
    rule : MergeRule
        What was done. By "joint", all channels that stayed have a part in it, the one kept among them.
    step : int
        Number of the step in which it was done, from 1.
    border_error : float
        Largest error that b makes where layers that read the channel pad their maps with zeros, in units of what these
        layers give; 0 without padding.
    """

    layer: str
    kept: int
    merged: int
    scale: tuple[float, ...]
    shift: tuple[float, ...]
    explained: float
    rule: MergeRule
    step: int
    border_error: float

    @property
    def taken_over(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The a and b that the kept channel takes over in each value, by any rule but "joint"."""
        if self.rule is MergeRule.AFFINE:
            return self.scale, self.shift
        scale = 1.0 if self.rule is MergeRule.SUM and self.kept != ALONE else 0.0
        return (scale,) * len(self.scale), (0.0,) * len(self.shift)


@dataclass(frozen=True, slots=True)
class MergeStep:
    """Several merges that were done at once, and how well the network does since, on the images that chose the rule.

    Parameters
    ----------
    n_merged : int
        Channels merged by now.
    share : float
        Of all hidden channels.
    rule : MergeRule or None
        Of this step; None for the whole network.
    losses : mapping of str to float
        By rule that was tried. With labels the cross-entropy; without, the mean squared distance of the logits from
        those of the whole network.
    loss, accuracy : float
        Now; without labels, accuracy is the share of the images that get the class that the whole network gives them.
    """

    n_merged: int
    share: float
    rule: MergeRule | None
    losses: Mapping[str, float]
    loss: float
    accuracy: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", frozen_mapping(self.losses))
