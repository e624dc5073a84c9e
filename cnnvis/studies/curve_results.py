"""What the study of importance curves is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cnnvis.attribution import ImportanceMethod, RandomisationCheck
from cnnvis.core import ClassCurves, CurveComparison, FilterTable, Importance, ImportanceAgreement, PruneCurve
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import LabelledImages, Network

SETTINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "units": {"kind": "units", "scope": "global"},
        "units_by_layer": {"kind": "units", "scope": "layer"},
        "links": {"kind": "links", "scope": "global"},
        "links_by_layer": {"kind": "links", "scope": "layer"},
    }
)
"""What is removed, by the name of the setting: options of `prune_curves`."""

SETTING_TITLES = {
    "units": "Hidden units, one ranking over all layers",
    "units_by_layer": "Hidden units, the same share of each layer",
    "links": "Links, one ranking over all layers",
    "links_by_layer": "Links, the same share of each layer",
    "all_units": "All units, inputs and outputs included, one ranking",
}

PERCEPTRON = "mnist-mlp"
"""The network that is trained again from several seeds; any other is studied as it is."""

MIN_POINTS = 3


@dataclass(frozen=True)
class ImportanceCurves:
    """What to look at and how; `importance_curves.run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`. "mnist-mlp" stands for networks trained from `n_networks` seeds, the first of
        them the shipped one.
    data : str or path, optional
        "mnist", "fashion-mnist", or a folder with one subfolder of pictures per class; default: the data set that comes
        with cnnvis and has the network's classes. Importance is scored on one
        part of it and curves are drawn on another.
    methods : tuple of str
        Methods of importance.
    n_networks : int
        Training seeds of the perceptron; with at least two, differences come with an interval.
    n_random : int
        Random orders per network.
    n_points : int
        Shares removed, evenly from 0 to 1.
    n_images : int
        Images of the curves, at most; drawn by the seed from those to test on.
    steps : int
        Optimiser steps of `batchnorm` per class.
    variants : tuple of str
        Variants of `batchnorm` to compare on the first network, see `cnnvis.attribution.VARIANTS`.
    filter_layer : str, optional
        Layer of the table of single filters; default the first convolution, else the first dense layer.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
    device : str
    """

    model: Any = PERCEPTRON
    data: str | Path | None = None
    methods: tuple[str, ...] = tuple(ImportanceMethod)
    n_networks: int = 5
    n_random: int = 5
    n_points: int = 21
    n_images: int = 2000
    steps: int = 2000
    variants: tuple[str, ...] = ()
    filter_layer: str | None = None
    weights: str | Path | None = None
    random_state: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        methods = tuple(parse_choice(ImportanceMethod, name, what="importance method").value for name in self.methods)
        object.__setattr__(self, "methods", tuple(dict.fromkeys(methods)))
        if not methods:
            raise InvalidInputError("The study needs at least one method of importance.")
        for name, least in (("n_networks", 1), ("n_random", 1), ("n_images", 1), ("n_points", MIN_POINTS)):
            if getattr(self, name) < least:
                raise InvalidInputError(f"{name} must be at least {least}, got {getattr(self, name)}.")


Curves = Mapping[str, Sequence[PruneCurve]]
"""Curves of one network by the name of their order; of "random" several."""


@dataclass(frozen=True, eq=False)
class NetworkCurves:
    """What was found for one network.

    Parameters
    ----------
    network : Network
    scores : mapping of method to Importance
    curves : mapping of setting to Curves
    class_curves : mapping of setting to ClassCurves
        By the first method that scores classes; empty where none does.
    """

    network: Network
    scores: Mapping[str, Importance]
    curves: Mapping[str, Curves]
    class_curves: Mapping[str, ClassCurves]


@dataclass(frozen=True, eq=False)
class CurvePart:
    """What was found for one kind of network: from several training seeds, or a single one.

    Parameters
    ----------
    study : ImportanceCurves
    testing : LabelledImages
        Images of the curves.
    n_scoring : int
        Images that importance was scored on.
    networks : tuple of NetworkCurves
    comparisons : mapping of setting to mapping of name to CurveComparison
        Area of each method minus that of random orders, of its own reverse and of weight magnitude.
    agreement : ImportanceAgreement or None
        Of the first network; None for a single method.
    randomisation : mapping of method to RandomisationCheck
    filters : FilterTable
        Of the first network: error without single filters.
    variants : mapping of name to PruneCurve
        Of links, by variant of batch norm; empty where none was asked for.
    folder : Path
    """

    study: ImportanceCurves
    testing: LabelledImages
    n_scoring: int
    networks: tuple[NetworkCurves, ...]
    comparisons: Mapping[str, Mapping[str, CurveComparison]]
    agreement: ImportanceAgreement | None
    randomisation: Mapping[str, RandomisationCheck]
    filters: FilterTable
    variants: Mapping[str, PruneCurve]
    folder: Path

    @property
    def network(self) -> Network:
        """The first of the networks, which single pictures show."""
        return self.networks[0].network

    def gathered(self, setting: str) -> dict[str, list[PruneCurve]]:
        """Return the curves of all networks by order, for a chart."""
        names = self.networks[0].curves[setting]
        return {name: [curve for one in self.networks for curve in one.curves[setting][name]] for name in names}


@dataclass(frozen=True)
class CurveResult:
    """All that was found and written.

    Parameters
    ----------
    parts : tuple of CurvePart
        One per kind of network.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage.
    total_seconds : float
    """

    parts: tuple[CurvePart, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0
