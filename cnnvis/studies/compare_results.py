"""What the comparison of networks is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnnvis.attribution import ImportanceMethod
from cnnvis.core import BundledNetwork, Compactness, CompactnessRuns, CurveComparison
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import BundleOptions
from cnnvis.studies.results import require_size

PERCEPTRONS: Mapping[str, str] = {
    "untrained": "mnist-mlp-untrained",
    "trained": "mnist-mlp",
    "trained + L1": "mnist-mlp-l1",
}
"""Kinds of networks of nn_vis's figure, in the order in which it says they grow compact, and the shipped ones."""

BUNDLING = BundleOptions(hubs=0, bandwidth=0.5, smoothing_iterations=12)
"""As nn_vis bundles: as many bundles as the density has peaks; a number set beforehand would decide how compact links
can be."""


@dataclass(frozen=True, kw_only=True)
class CompareNetworks:
    """What to compare and how; `compare_networks.run` does it.

    Parameters
    ----------
    models : tuple of str, path, nn.Module or Network
        Networks of the same layer sizes, as for `cnnvis.models.load`. Empty: the perceptrons of `PERCEPTRONS`, from
        `n_seeds` training seeds, the first of which is the shipped networks.
    n_seeds : int
        Training seeds of the perceptrons; with at least two, differences come with an interval.
    n_controls : int
        Times that the importances of each network are permuted.
    method : str
        Method of importance.
    steps : int
        Optimiser steps of `batchnorm` per class.
    share : float
        Of the links of each gap between layers, the most important are drawn and measured: above 0, to 1.
    data : str or path, optional
        Labelled images, as for `cnnvis.models.folders.labelled_parts`.
    bundling : BundleOptions
        Default: `BUNDLING`.
    random_state : int
        Of importance by batch norm and of the permutations.
    device : str
    size : (width, height)
        Of the picture of all networks side by side, in pixels, 64 to 8192 each.
    """

    models: tuple[Any, ...] = ()
    n_seeds: int = 5
    n_controls: int = 3
    method: str = ImportanceMethod.BATCHNORM.value
    steps: int = 2000
    share: float = 0.1
    data: str | Path | None = None
    bundling: BundleOptions = BUNDLING
    random_state: int = 0
    device: str = "auto"
    size: tuple[int, int] = (1800, 600)

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", parse_choice(ImportanceMethod, self.method, what="method").value)
        for name, least in (("n_seeds", 1), ("n_controls", 0), ("steps", 1)):
            if getattr(self, name) < least:
                raise InvalidInputError(f"{name} must be at least {least}, got {getattr(self, name)}.")
        if not 0 < self.share <= 1:
            raise InvalidInputError(f"share of the links must be above 0, to 1, got {self.share}.")
        if len(self.models) == 1:
            raise InvalidInputError(
                "A comparison needs two networks or more; name another, or none for the perceptrons."
            )
        require_size(self.size)


@dataclass(frozen=True, eq=False)
class MeasuredNetwork:
    """What was found of one network.

    Parameters
    ----------
    name : str
    weights : str
        "trained", "random" ...
    compactness : Compactness
    controls : tuple of Compactness
        With permuted importances.
    test_accuracy : float
    train_accuracy : float or None
        None where the images that trained it are not known.
    n_without : int
        Links among the drawn ones that have no importance, so that they do not show.
    drawn : BundledNetwork or None
        Kept of the first training seed, which the picture shows.
    """

    name: str
    weights: str
    compactness: Compactness
    controls: tuple[Compactness, ...]
    test_accuracy: float
    train_accuracy: float | None
    n_without: int = 0
    drawn: BundledNetwork | None = None


class Measure(NamedTuple):
    """A number of `Compactness` that networks are compared by, its name there, in words, and how many decimals."""

    attribute: str
    title: str
    digits: int


COMPACTNESS = Measure("value", "edge compactness", 2)
DISTANCE = Measure("distance", "distance as drawn", 4)
STRAIGHT = Measure("straight_distance", "distance if straight", 4)
MEASURES = (COMPACTNESS, DISTANCE, STRAIGHT)
"""The one that was fixed beforehand, and the two distances whose quotient it is, in layer widths."""


@dataclass(frozen=True, eq=False)
class Kind:
    """Networks of one kind, one per training seed.

    Parameters
    ----------
    name : str
    networks : tuple of MeasuredNetwork
    """

    name: str
    networks: tuple[MeasuredNetwork, ...]

    def runs(self, measure: Measure = COMPACTNESS) -> CompactnessRuns:
        """Return the numbers of all networks, for a chart."""
        trained_on = [one.train_accuracy for one in self.networks if one.train_accuracy is not None]
        controls = [[getattr(control, measure.attribute) for control in one.controls] for one in self.networks]
        return CompactnessRuns(
            kind=self.name,
            values=np.array([getattr(one.compactness, measure.attribute) for one in self.networks]),
            controls=np.array(controls),
            test_accuracy=np.array([one.test_accuracy for one in self.networks]),
            train_accuracy=np.array(trained_on) if len(trained_on) == len(self.networks) else None,
        )


@dataclass(frozen=True, eq=False)
class CompareResult:
    """All that was found and written.

    Parameters
    ----------
    study : CompareNetworks
    kinds : tuple of Kind
    comparisons : mapping of str to mapping of str to CurveComparison
        By the title of the measure, then by what is compared: "trained − untrained", "trained − permuted".
    n_links : tuple of int
        Links drawn in each gap, the same for all networks.
    n_total : int
        Links there are.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage.
    total_seconds : float
    """

    study: CompareNetworks
    kinds: tuple[Kind, ...]
    comparisons: Mapping[str, Mapping[str, CurveComparison]]
    n_links: tuple[int, ...]
    n_total: int
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the comparisons of each kind with the one before it: what nn_vis says of its figure."""
        return tuple(difference(after.name, before.name) for before, after in pairwise(self.kinds))


def difference(first: str, second: str) -> str:
    """Return the name of a comparison."""
    return f"{first} − {second}"
