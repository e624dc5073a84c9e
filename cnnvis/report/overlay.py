"""Values laid over a picture in colour: nothing where they are 0, more opaque the larger they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import SaliencyMap
from cnnvis.core.checks import require_shape
from cnnvis.report.scale import ColourScale

OPACITY = 0.75
"""Of the largest value by default."""

_LUMA = np.array([0.299, 0.587, 0.114])


def saliency_scale(maps: Iterable[SaliencyMap]) -> ColourScale:
    """Return the colours that several maps of one method share: from 0, or to both sides of 0 where values are signed.

    A signed scale is for occlusion, where covering a place may raise the score.
    """
    found = tuple(maps)
    most = max((float(np.abs(each.values).max()) for each in found), default=0.0) or 1.0
    signed = any(each.method == "occlusion" for each in found)
    return ColourScale.of([each.values for each in found], limits=(-most if signed else 0.0, most))


def laid_over(
    picture: NDArray[np.uint8], values: NDArray[Any], scale: ColourScale, *, opacity: float = OPACITY
) -> NDArray[np.uint8]:
    """Return a picture in grey with values over it.

    Parameters
    ----------
    picture : (H, W, 3) ndarray of uint8
    values : (H, W) ndarray of float
    scale : ColourScale
    opacity : float, 0 to 1
        Of the values at an end of the scale; in between it follows |value|, so that the picture is seen where nothing
        is.

    Returns
    -------
    (H, W, 3) ndarray of uint8
    """
    require_shape("picture", picture, (*values.shape, 3))
    grey = (picture @ _LUMA)[..., None]
    cover = opacity * np.clip(np.abs(values) / max(abs(scale.low), abs(scale.high)), 0, 1)[..., None]
    return np.round(grey * (1 - cover) + scale.rgb(values) * cover).astype(np.uint8)
