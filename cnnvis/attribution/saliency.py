"""Maps of one image for several classes, by the method that is named."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from cnnvis.attribution.grad_cam import grad_cam
from cnnvis.attribution.occlusion import occlusions
from cnnvis.core import SaliencyMap
from cnnvis.core.checks import parse_choice
from cnnvis.core.progress import Progress, silent


class SaliencyMethod(StrEnum):
    """Methods that say where in an image a class is seen."""

    GRAD_CAM = "grad_cam"
    OCCLUSION = "occlusion"


SaliencyMethodName = Literal["grad_cam", "occlusion"]


def saliency_maps(
    model: Any,
    image: Any,
    targets: Iterable[int | str | None],
    method: SaliencyMethodName = "grad_cam",
    *,
    progress: Progress = silent,
    **options: Any,
) -> tuple[SaliencyMap, ...]:
    """Return the map of each class, by `grad_cam` or `occlusion`, whose options may follow.

    progress(done, total) counts classes for Grad-CAM and windows for occlusion, which takes no longer for several.
    """
    targets = tuple(targets)
    if parse_choice(SaliencyMethod, method, what="saliency method") is SaliencyMethod.OCCLUSION:
        return occlusions(model, image, targets, progress=progress, **options)
    found = []
    for target in targets:
        found.append(grad_cam(model, image, target, **options))
        progress(len(found), len(targets))
    return tuple(found)
