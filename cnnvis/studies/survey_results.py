"""What a survey study is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis.communities import AlgorithmName, WeightsName
from cnnvis.core import Anomaly, GroupCounts, Grouping, PruneCurve, Redundancy, Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.survey import SignalName
from cnnvis.models import Network
from cnnvis.pruning import MergedNetwork


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSurvey:
    """What to survey and what to make of it; `run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    data : str or path, optional
        Data set or folder of labelled images, as for `labelled_parts`: one part is surveyed and chooses what is merged,
        the other tests. Default: the data set that comes with cnnvis and has the network's classes. Of a folder of
        pictures without classes everything is surveyed, and nothing merged.
    layers : tuple of str
        Names or globs; empty: all convolutions and dense layers.
    signal : {"post", "pre"}
        See `SurveyOptions`.
    window : int
        Images whose averages are kept: for the stability of groups and for diagnoses.
    recent : bool
        Look at these images alone, the last ones, not at all so far.
    alike : {"averages", "maps"}
        What is correlated, see `Grouping`; maps cost about as much again as the convolutions.
    links : {"power", "exponential"}
        Weights of the links between channels, see `cnnvis.communities`.
    exponent : float, optional
        Of the weights: default 6, and 20 for "exponential".
    algorithm : {"leiden", "louvain"}
    resolution : float
    merge : bool
        Look for redundant channels, merge them, and measure what it costs.
    max_drop : float
        Accuracy that merging may cost on the images that choose.
    workers, scheduler
        As for `cnnvis.survey`.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
    device : str
    """

    model: Any = "vgg16-fashion"
    data: str | Path | None = None
    layers: tuple[str, ...] = ()
    signal: SignalName = "post"
    window: int = 1000
    recent: bool = False
    alike: Literal["averages", "maps"] = "averages"
    links: WeightsName = "power"
    exponent: float | None = None
    algorithm: AlgorithmName = "leiden"
    resolution: float = 1.0
    merge: bool = True
    max_drop: float = 0.01
    workers: int = 1
    scheduler: str | None = None
    weights: Path | None = None
    random_state: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        rule = self.grouping
        if self.recent and rule.alike == "maps":
            raise InvalidInputError(
                "The last images alone have averages only, no maps to compare. Leave --recent out, in Python "
                "recent=True, or compare averages."
            )

    @property
    def grouping(self) -> Grouping:
        """How channels are grouped; InvalidInputError for a rule that there is not."""
        return Grouping(
            alike=self.alike,
            weights=self.links,
            exponent=self.exponent,
            algorithm=self.algorithm,
            resolution=self.resolution,
            random_state=self.random_state,
        )


@dataclass(frozen=True, slots=True, eq=False)
class LayerGroups:
    """The groups of one layer.

    Parameters
    ----------
    similarity, weights : (C, C) float64
    labels : (C,) int64
    places : (C, 2) float64
        Of the graph.
    stability : (G,) float64 or None
        Mean overlap of each group with groups of other draws of the images; None, like the next, where that was not
        looked at: of maps, and of fewer than three images.
    counts : GroupCounts or None
    """

    similarity: NDArray[np.float64]
    weights: NDArray[np.float64]
    labels: NDArray[np.int64]
    places: NDArray[np.float64]
    stability: NDArray[np.float64] | None
    counts: GroupCounts | None

    @property
    def n_groups(self) -> int:
        """Groups of two channels and more."""
        return int((np.bincount(self.labels) > 1).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Merging:
    """What merging gave.

    Parameters
    ----------
    redundancy : Redundancy
    merged : MergedNetwork
        The smaller network that was kept.
    curves : mapping of str to tuple of PruneCurve
        On test images, see `merge_curve`; empty where nothing can be merged.
    """

    redundancy: Redundancy
    merged: MergedNetwork | None
    curves: Mapping[str, tuple[PruneCurve, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class SurveyResult:
    """What the study found.

    Parameters
    ----------
    network : Network
    survey : Survey
    groups : mapping of str to LayerGroups
    alignment : (names, (L, L) float64) or None
        Linear CKA between layers.
    anomalies : tuple of Anomaly
    merging : Merging or None
    n_surveyed : int
        Images that were surveyed; more than those of `survey` where it is about the last ones alone.
    problem : str
        Why nothing was merged, or the smaller network not written, where that failed; "".
    left_over : tuple of str
        Names of files of an earlier run in the folder, which this one did not write.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
    total_seconds : float
    """

    network: Network
    survey: Survey
    groups: Mapping[str, LayerGroups]
    alignment: tuple[tuple[str, ...], NDArray[np.float64]] | None
    anomalies: tuple[Anomaly, ...]
    merging: Merging | None
    n_surveyed: int
    problem: str
    left_over: tuple[str, ...]
    files: Mapping[Path, str]
    seconds: Mapping[str, float]
    total_seconds: float
