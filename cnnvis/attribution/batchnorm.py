"""Importance by batch norm: how far a trained scale on each unit stays away from zero, for every class.

The idea is that of nn_vis (Rogowski, "nn_vis", 2020): norms put in front of the layers that read a unit, all else
frozen, trained to tell one class from the rest; a unit that the class can do without loses its scale.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cnnvis.attribution._scale_checkpoint import ScaleCheckpoint
from cnnvis.attribution._scale_groups import Judgement, judge_classes, train_classes
from cnnvis.attribution._scale_moments import LabelledMoments
from cnnvis.attribution._scale_sites import SiteNetwork, sites_of
from cnnvis.attribution._scale_training import ScaleState, ScaleTraining, Task
from cnnvis.attribution.batchnorm_options import VARIANTS, BatchNormOptions
from cnnvis.attribution.layer_choice import choose_layers
from cnnvis.capture.fingerprints import fingerprint, fingerprint_images
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.labelled import all_labelled
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.spaces import channel_spaces
from cnnvis.capture.targets import require_classes
from cnnvis.core import ChannelSpaces, Importance
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.progress import Progress, part_of, silent

logger = logging.getLogger(__name__)

MAX_CLASSES = 20
"""Classes that are scored without being named; each costs a training of its own."""

NEAR_ZERO = 0.02
"""A scale below this in size counts as gone in the report."""

MOVED = 0.5
"""Where the scales of a class span less than this, they hardly tell units apart: a warning is logged."""


@torch.inference_mode(False)
def by_batchnorm(
    model: Any,
    data: Any,
    *,
    layers: str | Iterable[str] | None = None,
    classes: Iterable[str | int] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Importance:
    """Return the size of a trained scale on every unit, for each class, relative to the layer's largest.

    Each unit gets a batch norm of its own, with a scale gamma and no offset by default, behind its norm and
    activation, where the layers after it read it; a residual stream gets one behind each addition, shared by all
    who read it, and layers that are read in the same place share their scores. Everything else is frozen, and norms
    of the network stay in eval mode. For each class by itself the scales are trained to tell the class from the rest
    (binary cross-entropy of the log-odds) on batches with as many images of the class as of others; their moments are
    those of the batch, over images and positions. A fixed number of steps, no early stop.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Returns logits (N, n_classes), at least two classes. Comes back as it was.
    data : pair (inputs, labels), or batches of such (a DataLoader)
        Labels are class indices (N,). All images are held in memory.
    layers : str or iterable of str, optional
        Names or globs of layers with units, and of input values. Only these get scales. Default: all hidden
        layers, and the input values where `inputs` is set. The layer that gives the classes has to be named
        in full; its scores are 1 for the own class and 0 else.
    classes : iterable of str or int, optional
        By name or index; default: all, up to MAX_CLASSES. They are the columns of `per_class`, in this order.
    checkpoint : path, optional
        A .safetensors file that keeps the state of every class, also when the work is interrupted. A run with the same
        network, images and options goes on from there, to the result it would have had; finished classes
        are not trained again. More steps and other classes may be asked for.
    progress : callable, optional
        progress(done, total) in steps, those of all classes together.
    **options
        See `BatchNormOptions`.

    Returns
    -------
    Importance
        `per_class` is |gamma| divided by the layer's largest over units and classes; 0 for a unit that is constant
        on all images, and for a layer of nothing but zeros. `scores` is the mean over the classes, `signed` that of
        gamma with its sign. `options["report"]` has by layer, over all classes, the range of gamma and the share
        of it below NEAR_ZERO (units that never vary included); by class the range over all layers, and the one-vs-rest
        balanced accuracy on the same images: of the network as it is ("before"), with the scales put in
        but not trained ("inserted"), and trained ("after").

    Raises
    ------
    InvalidInputError
        For labels that are no class, a class without images or without others, a network without logits, a class
        that is not there, over MAX_CLASSES without a choice, and a checkpoint of another run.
    LayerNotFoundError
        For a layer without units; near matches are listed.
    DivergedError
        When the loss is NaN or infinite; names class and step. The checkpoint keeps what was done.

    Notes
    -----
    Cost: steps * classes * batch_size images forward and backward to the first scale. Classes are trained in
    one batch, as many as fit into `GROUP_BYTES`; the result is that of one by one to rounding.
    """
    chosen = BatchNormOptions(**options)
    module = as_module(model)
    images, labels = all_labelled(model, data)
    few = _first(images, 2)
    spaces = channel_spaces(module, few.kwargs or few.args)
    names = choose_layers(spaces, layers, inputs=chosen.inputs)
    sites = sites_of(spaces, [name for name in names if not spaces.of(name).is_output])
    if not sites:
        hint = did_you_mean("", spaces.names, what="layers with channels of their own")
        raise LayerNotFoundError(f"There are no units to scale before the classes of {type(module).__name__}. {hint}")
    network = SiteNetwork(module, sites, few, dtype=torch.float64 if chosen.double else torch.float32)
    require_classes(labels, network.n_classes)
    wanted = _choose_classes(model, classes, network.n_classes)
    task = Task(network, sites, images, labels, chosen)
    keeper = ScaleCheckpoint(None if checkpoint is None else Path(checkpoint), _facts(module, task))
    with network.opened():
        before = LabelledMoments(task)
        states = train_classes(task, before, wanted, keeper, progress)
        judgement = judge_classes(task, before, states)
    gammas = _gammas(task, before, states)
    found = {name: _one_hot(spaces, name, wanted) if name not in gammas else gammas[name] for name in names}
    report = _report(gammas, wanted, judgement)
    return _importance(model, found, wanted, {**asdict(chosen), "classes": wanted, "report": report})


def batchnorm_variants(
    model: Any,
    data: Any,
    *,
    names: Iterable[str] = tuple(VARIANTS),
    progress: Progress = silent,
    **options: Any,
) -> dict[str, Importance]:
    """Return the importance by each variant of nn_vis's comparison: start of gamma, offset or none, L1 or L2.

    Parameters
    ----------
    model, data, **options
        As for `by_batchnorm`.
    names : iterable of str
        Of VARIANTS, such as "nobeta_gammaone_l1".
    progress : callable, optional
        progress(steps done, steps in all) over all variants and classes.
    """
    names = tuple(names)
    unknown = [name for name in names if name not in VARIANTS]
    if unknown:
        raise InvalidInputError(f"Unknown variant {unknown[0]!r}. Allowed: {', '.join(VARIANTS)}.")
    found = {}
    for number, name in enumerate(names):
        share = part_of(progress, number, len(names))
        found[name] = by_batchnorm(model, data, progress=share, **{**options, **VARIANTS[name]})
    return found


def _first(images: ForwardCall, count: int) -> ForwardCall:
    args, kwargs = (map_tensors(part, lambda tensor: tensor[:count]) for part in (images.args, images.kwargs))
    return ForwardCall(args, kwargs, min(count, images.n_images))


def _choose_classes(model: Any, classes: Iterable[str | int] | None, n_classes: int) -> list[int]:
    names = getattr(model, "class_names", None)
    if classes is None:
        if n_classes > MAX_CLASSES:
            raise InvalidInputError(
                f"The network has {n_classes} classes, and each takes a training of its own: name up to a few by "
                f"classes=, by name or index. Without it at most {MAX_CLASSES} are scored."
            )
        return list(range(n_classes))
    wanted = [class_index(name, names) for name in ([classes] if isinstance(classes, str | int) else classes)]
    if not wanted:
        raise InvalidInputError("No classes to score: classes= is empty. Leave it out to score all.")
    require_classes(wanted, n_classes)
    return list(dict.fromkeys(wanted))


def _facts(module: torch.nn.Module, task: Task) -> dict[str, Any]:
    """Return all that the trained scales depend on, but for the classes and how many steps are taken."""
    facts = {name: value for name, value in asdict(task.options).items() if name not in ("steps", "inputs")}
    sites = [[site.read.value, site.read.start, site.read.block, site.size] for site in task.sites]
    labels = ForwardCall((torch.from_numpy(task.labels),))
    return facts | {
        "layers": sites,
        "weights": fingerprint(module),
        "images": fingerprint_images(task.images),
        "labels": fingerprint_images(labels),
    }


def _gammas(task: Task, before: LabelledMoments, states: Mapping[int, ScaleState]) -> dict[str, NDArray[np.float64]]:
    """Return the scales of each layer that has some, (C, K); NaN for units that never vary: theirs mean nothing."""
    varies = before.one_vs_rest(list(states)).varies
    columns = [ScaleTraining(task, [label]).gammas(state) for label, state in states.items()]
    found: dict[str, NDArray[np.float64]] = {}
    for number, site in enumerate(task.sites):
        gamma = np.concatenate([column[number] for column in columns], axis=1)
        found |= dict.fromkeys(site.layers, np.where(varies[number].T.cpu().numpy(), gamma, np.nan))
    return found


def _one_hot(spaces: ChannelSpaces, layer: str, classes: list[int]) -> NDArray[np.float64]:
    return np.eye(spaces.of(layer).size)[:, classes]


def _report(gammas: Mapping[str, NDArray[np.float64]], classes: list[int], judgement: Judgement) -> dict[str, Any]:
    """Return what says whether the training got anywhere, in plain numbers; warn where it did not."""
    by_layer = {
        layer: {"range": _range(gamma), "share_near_zero": float(np.mean(~(np.abs(gamma) >= NEAR_ZERO)))}
        for layer, gamma in gammas.items()
    }
    ranges = [_range(column) for column in np.concatenate(list(gammas.values())).T]
    still = [f"{label} ({found:.2f})" for label, found in zip(classes, ranges, strict=True) if found < MOVED]
    if still:
        logger.warning(
            "The scales of class %s span less than %g, so they hardly tell units apart. "
            "Take more steps, or a weaker penalty.",
            ", ".join(still),
            MOVED,
        )
    accuracy = {name: values.tolist() for name, values in asdict(judgement).items()}
    return {"gamma": by_layer, "gamma_range": ranges, "balanced_accuracy": accuracy}


def _range(gamma: NDArray[np.float64]) -> float:
    known = gamma[~np.isnan(gamma)]
    return float(np.ptp(known)) if known.size else 0.0


def _importance(
    model: Any, gammas: Mapping[str, NDArray[np.float64]], classes: list[int], options: dict[str, Any]
) -> Importance:
    names = getattr(model, "class_names", None)
    gammas = {layer: np.nan_to_num(gamma, nan=0.0) for layer, gamma in gammas.items()}
    tops = {layer: np.abs(gamma).max() or 1.0 for layer, gamma in gammas.items()}
    per_class = {layer: np.abs(gamma) / tops[layer] for layer, gamma in gammas.items()}
    return Importance(
        scores={layer: scores.mean(axis=1) for layer, scores in per_class.items()},
        method="batchnorm",
        per_class=per_class,
        signed={layer: gamma.mean(axis=1) / tops[layer] for layer, gamma in gammas.items()},
        options=options,
        class_names=tuple(names[label] if names else str(label) for label in classes),
    )
