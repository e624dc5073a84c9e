"""Labelled images that a verb takes by `--data`: for scoring importance, and others for testing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

if TYPE_CHECKING:
    from torch import Tensor

    from cnnvis.models import Network

Data = Annotated[
    str | None,
    Parameter(
        name="--data",
        metavar="NAME|FOLDER",
        show_default="that of the network's classes",
        help="Labelled images: mnist or fashion-mnist, or a folder with one subfolder per class.",
    ),
]


class LabelledTensors(NamedTuple):
    """Images (N, C, H, W) with labels (N,) int64, as a network takes them; no image is in both parts."""

    importance: tuple[Tensor, Tensor]
    testing: tuple[Tensor, Tensor]


def labelled(network: Network, text: str | None) -> LabelledTensors:
    """Return the images that `--data` names, those to score importance on apart from those to test on.

    See `cnnvis.models.folders.labelled_parts`, also for the errors.
    """
    from cnnvis.models.folders import labelled_parts

    parts = labelled_parts(network, text)
    return LabelledTensors(*((part.images, part.labels) for part in parts))
