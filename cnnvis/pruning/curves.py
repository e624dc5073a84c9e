"""Accuracy against the share removed: the proof, or not, that an importance means something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import labelled_batches
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core import ClassCurves, Importance, PruneCurve
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.pruning.measure import Measured, example_of, measure
from cnnvis.pruning.options import CurveOptions
from cnnvis.pruning.ranking import rank
from cnnvis.pruning.switches import Links, Order, Units


def prune_curve(model: Any, data: Any, order: Order, *, progress: Progress = silent, **options: Any) -> PruneCurve:
    """Return how accuracy and loss change while more and more of `model` is switched off, least important first.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was; nothing is trained in between.
    data : pair (inputs, labels), or a DataLoader of such pairs
        Images that neither trained the network nor scored the importance; labels (N,) are classes from 0.
    order : Importance, mapping of layer to array, "random" or "weight"
        Scores of units (C,) become those of channel spaces by `cnnvis.attribution.space_scores`, and of links by
        `link_importance`; a mapping holds them as they are: for links (out, in). "weight" is the L1 norm of a unit's
        filter, and |weight| of a link. Ties are broken by a shuffle that `random_state` seeds.
    progress : callable, optional
        Called as progress(points done, points in all).
    **options
        Of `CurveOptions`: kind, scope, shares, layers, include_inputs, include_outputs, reverse, link_kind,
        random_state.

    Returns
    -------
    PruneCurve

    Raises
    ------
    InvalidInputError
        For labels that are missing or no class, a network without class output, an order without the layers
        to prune or made for another network, scores that are not finite.
    LayerNotFoundError
        For a name or glob that fits no layer.

    Notes
    -----
    A unit that is off is 0 where layers read it; see `cnnvis.capture.switch_off`. Cost: one pass over the images per
    share.
    """
    name = order if isinstance(order, str) else order.method if isinstance(order, Importance) else "scores"
    return prune_curves(model, data, {name: order}, progress=progress, **options)[name]


def prune_curves(
    model: Any, data: Any, orders: Mapping[str, Order], *, progress: Progress = silent, **options: Any
) -> dict[str, PruneCurve]:
    """Return `prune_curve` of several orders on the same images: of methods, of variants of one, with its controls.

    Parameters
    ----------
    orders : mapping of str to order
        By the name that its curve shall bear.
    model, data, progress, **options
        As for `prune_curve`.
    """
    chosen = CurveOptions(**options)
    runs = [_Run(name, order, chosen.reverse, chosen.random_state) for name, order in orders.items()]
    return dict(zip(orders, _measure_runs(model, data, runs, chosen, progress), strict=True))


def curves_with_controls(
    model: Any,
    data: Any,
    orders: Mapping[str, Order],
    *,
    n_random: int = 5,
    progress: Progress = silent,
    **options: Any,
) -> dict[str, tuple[PruneCurve, ...]]:
    """Return the curves of several orders beside those of their reverses and of random orders.

    Parameters
    ----------
    n_random : int
        Random orders, from the seeds `random_state`, `random_state` + 1 ...; 0 for none.
    model, data, orders, progress, **options
        As for `prune_curves`, without `reverse`.

    Returns
    -------
    dict of str to tuple of PruneCurve
        One curve for each order and for each "NAME reversed", and all those of "random".
    """
    chosen = CurveOptions(**options)
    seed = chosen.random_state
    runs = [_Run(name, order, reverse, seed) for reverse in (False, True) for name, order in orders.items()]
    runs += [_Run("random", "random", False, seed + index) for index in range(n_random)]
    found: dict[str, tuple[PruneCurve, ...]] = {}
    for curve in _measure_runs(model, data, runs, chosen, progress):
        found[curve.order] = (*found.get(curve.order, ()), curve)
    return found


def class_curves(
    model: Any, data: Any, importance: Importance, *, progress: Progress = silent, **options: Any
) -> ClassCurves:
    """Return the balanced accuracy of every class scored, pruned by its own importance and by the mean over these.

    Both are the same measure on the same images, so that a difference comes from the order alone.

    Parameters
    ----------
    importance : Importance
        With scores by class, of all classes or some (`Importance.classes`).
    model, data, progress, **options
        As for `prune_curve`.

    Raises
    ------
    InvalidInputError
        When there is no importance by class; else as `prune_curve`.
    """
    if not importance.per_class:
        raise InvalidInputError(
            f"Importance by {importance.method!r} has no scores by class; curves by class need a method that gives "
            "them, such as batchnorm."
        )
    n_classes = next(iter(importance.per_class.values())).shape[1]
    means = {layer: array.mean(axis=1) for layer, array in importance.per_class.items()}
    orders: dict[str, Order] = {str(index): importance.of_class(index) for index in range(n_classes)}
    orders["mean"] = Importance(means, method=importance.method)
    curves = prune_curves(model, data, orders, progress=progress, **options)
    by_mean = curves.pop("mean")
    classes, names = list(importance.classes), getattr(model, "class_names", None)
    n_outputs = by_mean.class_accuracy.shape[1]
    if max(classes) >= n_outputs or ("classes" not in importance.options and n_classes != n_outputs):
        raise InvalidInputError(f"The importance has {n_classes} classes, the network {n_outputs}.")
    own = [curve.class_accuracy[:, label] for label, curve in zip(classes, curves.values(), strict=True)]
    return ClassCurves(
        shares=by_mean.shares,
        by_class=np.stack(own, axis=1),
        by_mean=by_mean.class_accuracy[:, classes],
        order=importance.method,
        class_names=importance.class_names or (tuple(names[label] for label in classes) if names else None),
        kind=by_mean.kind,
        scope=by_mean.scope,
    )


class _Run(NamedTuple):
    """One curve to measure."""

    name: str
    order: Order
    reverse: bool
    random_state: int


def _measure_runs(
    model: Any, data: Any, runs: Sequence[_Run], options: CurveOptions, progress: Progress
) -> list[PruneCurve]:
    """Return the curve of each run, all on the same images."""
    module, batches = as_module(model), list(labelled_batches(model, data))
    parts = (Units if options.kind == "units" else Links)(model, example_of(model, batches), options)
    rankings = [
        rank(parts.scores(run.order), scope=options.scope, reverse=run.reverse, random_state=run.random_state)
        for run in runs
    ]
    curves: list[PruneCurve] = []
    n_points = options.shares.size
    with evaluating(ModuleTree(module)), parts.switched() as network:
        for run, ranking in zip(runs, rankings, strict=True):
            points = []
            for share in options.shares:
                network.remove(ranking.removed(share))
                points.append(measure(network, batches))
                progress(len(curves) * n_points + len(points), len(runs) * n_points)
            curves.append(_curve(run, points, options, ranking.size))
    return curves


def _curve(run: _Run, points: Sequence[Measured], options: CurveOptions, n_total: int) -> PruneCurve:
    return PruneCurve(
        shares=options.shares,
        accuracy=np.array([point.accuracy for point in points]),
        loss=np.array([point.loss for point in points]),
        class_accuracy=np.stack([point.class_accuracy for point in points]),
        order=f"{run.name} reversed" if run.reverse else run.name,
        kind=options.kind,
        scope=options.scope,
        n_total=n_total,
        options={
            "layers": options.layers,
            "include_inputs": options.include_inputs,
            "include_outputs": options.include_outputs,
            "random_state": run.random_state,
            "images": int(points[0].confusion.sum()),
        },
    )
