"""Which importance of units a study goes by: what comes with cnnvis, a file, or a method."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnvis.attribution import ImportanceMethod, importance
from cnnvis.capture import channel_spaces
from cnnvis.core import Importance
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.core.progress import Progress, silent
from cnnvis.io import load
from cnnvis.models import Network, data_path
from cnnvis.models.folders import labelled_parts

logger = logging.getLogger(__name__)

SUFFIX = ".safetensors"


@dataclass(frozen=True)
class UnitScores:
    """Importance of a network's units, and where it is from.

    Parameters
    ----------
    importance : Importance
    origin : str
        In words: "batchnorm, from data/importance", "gradient, scored on 1,000 images".
    """

    importance: Importance
    origin: str


def score_units(
    network: Network,
    wanted: str | os.PathLike[str] | None = None,
    *,
    data: str | os.PathLike[str] | None = None,
    classes: Sequence[str | int] = (),
    random_state: int = 0,
    progress: Progress = silent,
) -> UnitScores:
    """Return the importance of the network's units.

    Parameters
    ----------
    network : Network
    wanted : str or path, optional
        Name of a method, or a .safetensors file that `cnnvis importance` left. Default: batch norm where its scores
        come with cnnvis for these very weights, else "weight", which needs no images and knows no classes.
    data : str or path, optional
        Labelled images of a method, as for `labelled_parts`; those kept for importance are taken. Where none scores
        images, a warning says so.
    classes : sequence of str or int
        Only these, by name or index; empty: all.
    random_state : int
        Of the method "batchnorm".
    progress : callable, optional
        As for `cnnvis.importance`.

    Raises
    ------
    InvalidInputError
        When `wanted` is neither a method nor a file of importance, or it knows no classes and some are asked for.
    """
    if wanted in set(ImportanceMethod) - {ImportanceMethod.WEIGHT}:
        options = {"classes": tuple(classes) or None, "random_state": random_state}
        found = _by_images(network, ImportanceMethod(str(wanted)), data, options, progress)
    else:
        found = _without_images_used(network, wanted, data)
    if not classes:
        return found
    named = ", ".join(map(str, classes))
    return UnitScores(found.importance.of_classes(classes), f"{found.origin}, for {named}")


def _without_images_used(
    network: Network, wanted: str | os.PathLike[str] | None, data: str | os.PathLike[str] | None
) -> UnitScores:
    found = _without_images(network, wanted)
    if data is not None:
        logger.warning(
            "The images of %s are not used: importance is %s. Name a method that scores them, such as batchnorm.",
            data,
            found.origin,
        )
    return found


def _without_images(network: Network, wanted: str | os.PathLike[str] | None) -> UnitScores:
    shipped = shipped_importance(network) if wanted is None else None
    if shipped is not None:
        return UnitScores(shipped, f"{shipped.method}, from data/importance")
    if wanted is None or wanted == ImportanceMethod.WEIGHT:
        return UnitScores(importance(network, None, ImportanceMethod.WEIGHT.value), ImportanceMethod.WEIGHT.value)
    return _from_file(Path(wanted))


def _by_images(
    network: Network,
    method: ImportanceMethod,
    data: str | os.PathLike[str] | None,
    options: dict[str, Any],
    progress: Progress,
) -> UnitScores:
    images = labelled_parts(network, data).importance
    # pixels and classes are scored where they are named, and only by batch norm
    options = options | {"layers": channel_spaces(network).names} if method == ImportanceMethod.BATCHNORM else {}
    found = importance(network, images.pair, method.value, progress=progress, **options)
    return UnitScores(found, f"{method.value}, scored on {len(images.labels):,} images")


def shipped_importance(network: Network) -> Importance | None:
    """Return the scores by batch norm that come with cnnvis for these very weights; None where there are none."""
    try:
        found = load(data_path(f"importance/{network.name}{SUFFIX}"))
    except InvalidInputError:  # none comes for a network of this name
        return None
    return found if found.options.get("model_sha256") == network.sha256 else None


def _from_file(path: Path) -> UnitScores:
    if path.suffix != SUFFIX:
        hint = did_you_mean(str(path), list(ImportanceMethod), what="methods")
        raise InvalidInputError(f"{str(path)!r} is neither a method of importance nor a {SUFFIX} file of one. {hint}")
    found = load(path)
    if not isinstance(found, Importance):
        kind = type(found).__name__
        raise InvalidInputError(f"{path} holds no importance but a {kind}; `cnnvis importance` makes such files.")
    return UnitScores(found, f"{found.method}, from {path.name}")
