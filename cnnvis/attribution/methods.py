"""The importance methods, their registry, and the call that runs one.

A new method is one file with a function ``(model, data, *, layers, progress, <its options>) -> Importance``,
its name in ImportanceMethod and in ImportanceMethodName, and one line in METHODS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, Literal

from cnnvis.attribution.ablation import by_ablation
from cnnvis.attribution.activation import by_activation
from cnnvis.attribution.batchnorm import by_batchnorm
from cnnvis.attribution.gradient import by_gradient
from cnnvis.attribution.taylor import by_taylor
from cnnvis.attribution.weight import by_weight
from cnnvis.core import Importance
from cnnvis.core.checks import parse_choice
from cnnvis.core.progress import Progress, silent


class ImportanceMethod(StrEnum):
    """What makes a channel important.

    `gradient`: how strongly the class of an image depends on the weights of its filter; `taylor`: what the channel
    adds to the class, to first order; `weight`: the norm of its filter, needs no data; `activation`: how strongly it
    answers, on average over images and positions; `ablation`: how much the loss grows when the channel alone is
    switched off; `batchnorm`: how large a trained scale on the channel stays when the network, frozen but
    for such scales, learns to tell one class from the rest.
    """

    GRADIENT = "gradient"
    TAYLOR = "taylor"
    WEIGHT = "weight"
    ACTIVATION = "activation"
    ABLATION = "ablation"
    BATCHNORM = "batchnorm"


ImportanceMethodName = Literal["gradient", "taylor", "weight", "activation", "ablation", "batchnorm"]

METHODS: dict[ImportanceMethod, Callable[..., Importance]] = {
    ImportanceMethod.GRADIENT: by_gradient,
    ImportanceMethod.TAYLOR: by_taylor,
    ImportanceMethod.WEIGHT: by_weight,
    ImportanceMethod.ACTIVATION: by_activation,
    ImportanceMethod.ABLATION: by_ablation,
    ImportanceMethod.BATCHNORM: by_batchnorm,
}


def importance(
    model: Any,
    data: Any = None,
    method: ImportanceMethodName = "gradient",
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Importance:
    """Return a non-negative score for every channel of some layers of `model`, which is left as it was.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
    data : image files, tensor or array (N, ...), pair (inputs, labels), or batches (a DataLoader), optional
        Not needed by "weight"; "activation" uses no labels.
    method : {"gradient", "taylor", "weight", "activation", "ablation", "batchnorm"}
        See `ImportanceMethod`.
    layers : str or iterable of str, optional
        Dotted names or globs. Default: every layer that the method can score.
    progress : callable, optional
        Called as progress(images done, images in all); 0 in all where it is not known.
    **options
        Of the method. "gradient": `target`, `of`, `reduce` and `measure`, see `attribution.gradient.by_gradient`;
        "taylor": `target` and `of`. "weight": `norm`, "l1" (default) or "l2". "ablation": see
        `cnnvis.attribution.ablation.AblationOptions`. "batchnorm": `classes`, `checkpoint` and those of
        `cnnvis.attribution.batchnorm_options.BatchNormOptions`.

    Returns
    -------
    Importance
        Scores are comparable within a layer; between layers only as far as the method says.

    Raises
    ------
    InvalidInputError
        For an unknown method, missing data, zero images, weights or activations without finite values.
    LayerNotFoundError
        For a name or glob that fits no layer; near matches are listed.
    """
    chosen = parse_choice(ImportanceMethod, method, what="importance method")
    return METHODS[chosen](model, data, layers=layers, progress=progress, **options)
