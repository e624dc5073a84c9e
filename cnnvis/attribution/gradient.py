"""Importance by how strongly a class depends on the weights of a filter."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cnnvis.attribution.class_means import ClassMeans, require_finite_gradients
from cnnvis.attribution.goals import Goals
from cnnvis.capture.filter_gradients import FilterGradients
from cnnvis.capture.filters import filter_layers
from cnnvis.capture.inputs import as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import differentiating
from cnnvis.capture.targets import QuantityName
from cnnvis.core import Importance
from cnnvis.core.checks import parse_choice
from cnnvis.core.progress import Progress, silent


class Reduce(StrEnum):
    """What is done first: the norm of each image's gradient, or the mean of the gradients of all images."""

    NORM_FIRST = "norm_first"
    MEAN_FIRST = "mean_first"


class Measure(StrEnum):
    """How a gradient counts.

    `norm`: its L2 norm; `scaling`: its product with the filter, |w . df/dw|, which is how f changes with the scale of
    the filter. In front of a batch norm the plain norm falls as weights grow, though the function stays the same;
    this one does not.
    """

    NORM = "norm"
    SCALING = "scaling"


def by_gradient(
    model: Any,
    data: Any,
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
    target: int | str | None = None,
    of: QuantityName = "logit",
    reduce: Literal["norm_first", "mean_first"] = "norm_first",
    measure: Literal["norm", "scaling"] = "norm",
) -> Importance:
    """Return, for each filter of convolutions and dense layers, the mean over images of |d f / d filter|.

    f is a quantity of the image's own class, or of the class `target`. The bias does not count.

    Parameters
    ----------
    model, data, layers, progress
        As for `importance`; data with labels, unless `target` is given.
    target : int or str, optional
        One class for all images, by index or name. Default: the label of each.
    of : {"logit", "margin", "loss"}
        f: see `cnnvis.capture.targets.Quantity`.
    reduce : {"norm_first", "mean_first"}
        Mean of the norms, or norm of the mean gradient, which is cheap, but in which images cancel each other.
    measure : {"norm", "scaling"}
        L2 norm, or |w . df/dw|, see `Measure`.

    Returns
    -------
    Importance
        `per_class`, with labels and "norm_first": the mean over the images of each class; 0 for a class without
        images, which ``options["classes_without_images"]`` lists. `signed`, for "scaling": the mean of w . df/dw.
        A layer that f does not depend on scores 0.

    Notes
    -----
    Cost, in forward and backward passes: under 2 for "norm_first" where filters are used in the ordinary way (see
    `FilterGradients.norms`), 1 for "mean_first".
    """
    first = parse_choice(Reduce, reduce, what="reduce")
    how = parse_choice(Measure, measure, what="measure")
    goals = Goals(model, data, target=target, of=of, progress=progress)
    tree = ModuleTree(as_module(model))
    gradients = FilterGradients(model, filter_layers(tree, layers), goals.of)
    options = {**goals.options, "reduce": first.value, "measure": how.value}
    with differentiating(tree):
        if first is Reduce.MEAN_FIRST:
            return _mean_first(gradients, goals, how, options)
        means = ClassMeans()
        for call, classes, labels in goals:
            numbers = gradients.norms if how is Measure.NORM else gradients.products
            means.add(numbers(call, classes), labels, gradients.n_classes)
    return means.importance("gradient", model=model, options=options, is_signed=how is Measure.SCALING)


def _mean_first(gradients: FilterGradients, goals: Goals, measure: Measure, options: dict[str, Any]) -> Importance:
    sums: dict[str, Tensor] = {}
    n_images = 0
    for call, classes, _ in goals:
        for layer, gradient in gradients.sums(call, classes).items():
            sums.setdefault(layer, torch.zeros(gradient.shape, dtype=torch.float64)).add_(gradient.cpu())
        n_images += call.n_images
    means = {layer: total / n_images for layer, total in sums.items()}
    if measure is Measure.NORM:
        numbers = {layer: mean.norm(dim=1).numpy() for layer, mean in means.items()}
    else:
        filters = gradients.filters
        numbers = {layer: (mean * filters[layer].cpu()).sum(1).numpy() for layer, mean in means.items()}
    for layer, array in numbers.items():
        require_finite_gradients(layer, array)
    return Importance(
        scores={layer: np.abs(array) for layer, array in numbers.items()},
        method="gradient",
        signed=numbers if measure is Measure.SCALING else {},
        options={**options, "n_images": n_images},
    )
