"""Where in an image a network sees classes: what the verb and the window ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.attribution import SaliencyMethodName, saliency_maps
from cnnvis.core import SaliencyMap
from cnnvis.core.progress import Progress, part_of, silent
from cnnvis.models import Network, Prediction, read_image
from cnnvis.models.folders import one_image
from cnnvis.studies.image_stream import as_picture

SHOWN = 3
"""Likeliest classes shown by default."""

ALL_CLASSES = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyOptions:
    """What to ask, as for `cnnvis.grad_cam` and `cnnvis.occlusion`.

    Parameters
    ----------
    methods : sequence of {"grad_cam", "occlusion"}
    targets : sequence of int or str
        Classes by index or name; empty: the likeliest.
    likeliest : int
        How many these are.
    of : {"logit", "margin"}
    layer : str, optional
        Of Grad-CAM.
    window, stride : int, optional
        Of occlusion.
    baseline : float or "mean"
        Of occlusion.
    """

    methods: Sequence[SaliencyMethodName] = ("grad_cam", "occlusion")
    targets: Sequence[int | str] = ()
    likeliest: int = SHOWN
    of: str = "logit"
    layer: str | None = None
    window: int | None = None
    stride: int | None = None
    baseline: Any = "mean"

    def of_method(self, method: str) -> dict[str, Any]:
        """Return the options of one method."""
        own = ("layer",) if method == "grad_cam" else ("window", "stride", "baseline")
        return {name: getattr(self, name) for name in ("of", *own)}


@dataclass(frozen=True, slots=True, eq=False)
class ImageSaliency:
    """An image, what the network answers, and where it sees what.

    Parameters
    ----------
    name : str
    picture : (H, W, 3) ndarray of uint8
        As the network sees it.
    predictions : tuple of Prediction
        All classes, the likeliest first.
    maps : tuple of SaliencyMap
        By method, and of each method by class.
    label : int or None
        The true class, where it is known.
    """

    name: str
    picture: NDArray[np.uint8]
    predictions: tuple[Prediction, ...]
    maps: tuple[SaliencyMap, ...]
    label: int | None


def image_saliency(
    network: Network,
    image: str,
    options: SaliencyOptions | None = None,
    *,
    data: str | None = None,
    progress: Progress = silent,
) -> ImageSaliency:
    """Return where a network sees classes in an image.

    Parameters
    ----------
    network : Network
    image : str
        A picture file or sample; or the number of a test image of `data`, as for `cnnvis.models.folders.one_image`.
    options : SaliencyOptions, optional
    data : str, optional
    progress : callable, optional
        progress(done, total), over all methods. Raise there to stop.

    Raises
    ------
    CnnvisError
        Of reading the image, and of the methods.
    """
    options = options or SaliencyOptions()
    inputs, name, label = one_image(network, image, data)
    pixels = inputs if isinstance(inputs, Tensor) else network.preprocess(inputs)
    predictions = network.predict(pixels, k=ALL_CLASSES)
    targets = options.targets or [each.index for each in predictions[: options.likeliest]]
    maps: list[SaliencyMap] = []
    for number, method in enumerate(options.methods):
        part = part_of(progress, number, len(options.methods))
        maps += saliency_maps(network, pixels, targets, method, progress=part, **options.of_method(method))
    found = tuple(replace(each, provenance=network.provenance((name,))) for each in maps)
    return ImageSaliency(name, _picture(network, inputs, pixels), predictions, found, label)


def _picture(network: Network, inputs: str | Tensor, pixels: Tensor) -> NDArray[np.uint8]:
    """Return what the network sees: a photo in its own colours, anything else from its darkest to its brightest."""
    if isinstance(inputs, Tensor) or network.image is None or network.image.channels == 1:
        return as_picture(pixels[0].cpu().numpy())
    return network.image.resize(read_image(inputs))
