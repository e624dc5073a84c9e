"""Accuracy against the share merged, beside the same channels removed and beside random ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.labelled import Labelled, image_batches, labelled_batches
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core import Merge, MergeRule, PruneCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, part_of, silent
from cnnvis.core.redundancy import ALONE
from cnnvis.pruning.cutting import Followed, follow, without
from cnnvis.pruning.judge import BATCH_SIZE
from cnnvis.pruning.measure import Measured, measure
from cnnvis.pruning.merger import Merger, channels_gone
from cnnvis.pruning.merging import MergedNetwork
from cnnvis.pruning.recalibration import recalibrate, require_norms

RECALIBRATED = ", recalibrated"


def merge_curve(
    model: Any,
    merged: MergedNetwork,
    data: Any,
    *,
    n_random: int = 3,
    random_state: int = 0,
    recalibrate_on: Any = None,
    example: Any = None,
    progress: Progress = silent,
) -> dict[str, tuple[PruneCurve, ...]]:
    """Return how accuracy and loss change on images of their own while channels are merged step by step.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        The one that was merged; left as it was.
    merged : MergedNetwork
        Its merges are done again, by the rules chosen then. Merge with max_drop=None to see the whole curve.
    data : pair (inputs, labels), or a DataLoader of such pairs
        Test images, which chose nothing.
    n_random : int, default 3
        Random removals, from the seeds `random_state`, `random_state` + 1 ...; 0 for none.
    random_state : int
    recalibrate_on : pair (inputs, labels), inputs alone, or a DataLoader, optional
        Training or validation images: curves with `recalibrated` batch norms are given too, as entries of their own.
    example : tensor, tuple or dict, optional
        Input of one forward pass; a Network brings its own.
    progress : callable, optional
        Called as progress(points done, points in all).

    Returns
    -------
    dict of str to tuple of PruneCurve
        "merged"; "removed": the same channels, of which nothing is taken over; "random": as many random channels of
        each layer, one curve per seed. With `recalibrate_on` also each NAME + ", recalibrated". Shares are those of all
        hidden channels.

    Raises
    ------
    InvalidInputError
        When nothing was merged, labels are missing, or the network has no batch norm to recalibrate.

    Notes
    -----
    Points are measured on networks from which the channels are cut. Cost: one pass over the images per point, and one
    over those to recalibrate on.
    """
    followed = follow(model, example, "merge_curve")
    if not merged.merges:
        raise InvalidInputError("Nothing was merged, so that there is no curve; merge with max_drop=None to see one.")
    images = _Images(list(labelled_batches(model, data, batch_size=BATCH_SIZE)), None)
    if recalibrate_on is not None:
        require_norms(followed.module)
        images = images._replace(recalibration=list(image_batches(model, recalibrate_on)))
    runs = [_Run("merged", merged.merges, None)]
    runs.append(_Run("removed", [merge._replace(rule=MergeRule.ZERO) for merge in merged.merges], None))
    seeds = range(random_state, random_state + n_random)
    runs += [_Run("random", _random(followed, merged.merges, seed), seed) for seed in seeds]
    merger = Merger(followed, merged.redundancy.moments)
    whole = _points(followed.module, images)
    found: dict[str, tuple[PruneCurve, ...]] = {}
    for number, run in enumerate(runs):
        for curve in _curves(followed, merger, run, _Start(images, whole), part_of(progress, number, len(runs))):
            found[curve.order] = (*found.get(curve.order, ()), curve)
    return found


class _Images(NamedTuple):
    """Those to measure on, and those to recalibrate on, if any."""

    testing: list[Labelled]
    recalibration: list[ForwardCall] | None


class _Start(NamedTuple):
    """The images, and how the whole network does on them: the first point of all curves."""

    images: _Images
    whole: dict[str, Measured]


class _Run(NamedTuple):
    """Merges to be done again; with the seed that drew them."""

    name: str
    merges: Sequence[Merge]
    random_state: int | None


def _random(followed: Followed, merges: Sequence[Merge], seed: int) -> list[Merge]:
    """Return removals of random channels, as many of each layer, and of each stretch of a grouped convolution."""
    generator = np.random.default_rng(seed)
    drawn: dict[tuple[str, int], Iterator[int]] = {}
    found = []
    for merge in merges:
        space = followed.spaces.of(merge.layer)
        size = space.size // space.groups
        stretch = merge.merged // size
        key = (merge.layer, stretch)
        if key not in drawn:
            drawn[key] = iter((stretch * size + generator.permutation(size)).tolist())
        found.append(merge._replace(kept=ALONE, merged=next(drawn[key]), rule=MergeRule.ZERO))
    return found


def _curves(followed: Followed, merger: Merger, run: _Run, start: _Start, progress: Progress) -> list[PruneCurve]:
    """Return the curve of a run, and the recalibrated one where it is wanted."""
    network, n_steps = copy.deepcopy(followed.module), len({merge.step for merge in run.merges})
    shares, points = [0.0], [start.whole]
    for done in merger.steps(network, run.merges):
        smaller = without(network, followed, channels_gone(done))
        shares.append(len(done) / merger.n_hidden)
        points.append(_points(smaller, start.images))
        progress(len(shares) - 1, n_steps)
    return [
        _curve(run.name + kind, [point[kind] for point in points], shares, merger.n_hidden, run.random_state)
        for kind in start.whole
    ]


def _points(network: nn.Module, images: _Images) -> dict[str, Measured]:
    """Return how well a network does as it is, and recalibrated where that is wanted; by what is added to a name."""
    points = {"": _measured(network, images.testing)}
    if images.recalibration is not None:
        other = copy.deepcopy(network)
        recalibrate(other, images.recalibration)
        points[RECALIBRATED] = _measured(other, images.testing)
    return points


def _measured(network: nn.Module, batches: list[Labelled]) -> Measured:
    with evaluating(ModuleTree(network)):
        return measure(network, batches)


def _curve(
    name: str, points: list[Measured], shares: list[float], n_hidden: int, random_state: int | None
) -> PruneCurve:
    return PruneCurve(
        shares=np.array(shares),
        accuracy=np.array([point.accuracy for point in points]),
        loss=np.array([point.loss for point in points]),
        class_accuracy=np.stack([point.class_accuracy for point in points]),
        order=name,
        n_total=n_hidden,
        options={"images": int(points[0].confusion.sum()), "random_state": random_state},
    )
