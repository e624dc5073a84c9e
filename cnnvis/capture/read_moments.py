"""How alike the channels of a network are where they are read: moments over images and positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.calls import Call
from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import image_batches
from cnnvis.capture.masking import listen_to
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.capture.statistics import RunningCovariance
from cnnvis.core import ChannelMoments, ChannelSpace, Read
from cnnvis.core.errors import LayerNotRunError
from cnnvis.core.progress import Progress, silent


def read_moments(
    model: Any, data: Any, spaces: Sequence[ChannelSpace], *, progress: Progress = silent
) -> tuple[dict[str, ChannelMoments], int]:
    """Return means and covariances of channels over images and positions, in each value in which they are read.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Runs in eval mode, and is left as it was.
    data : pair (inputs, labels), inputs alone, or a DataLoader
        Labels are left out unread.
    spaces : sequence of ChannelSpace
    progress : callable, optional
        Called as progress(images done, images in all); all is 0 where that is not known.

    Returns
    -------
    moments : dict of str to ChannelMoments
        By name of the space. A channel that was NaN or infinite anywhere has NaN.
    n_images : int

    Raises
    ------
    LayerNotRunError
        When the images do not go through one of the values.

    Notes
    -----
    Cost: a forward pass, and for each value of C channels C^2 products per position; no map is kept.
    """
    module = as_module(model)
    seen = {read: _Seen(read, space.size) for space in spaces for read in space.reads}
    by_value: dict[str, list[_Seen]] = {}
    for read, taken in seen.items():
        by_value.setdefault(read.value, []).append(taken)

    def see(call: Call) -> None:
        for taken in () if call.is_block else by_value.get(call.name, ()):
            taken.update(call.values[0].tensor)

    tree, batches, n_images = ModuleTree(module), image_batches(model, data), 0
    with evaluating(tree), listen_to(tree, by_value, see):
        for call in batches:
            module(*call.args, **call.kwargs)
            n_images += call.n_images
            progress(n_images, batches.n_images or 0)
    missed = [read.value for read, taken in seen.items() if not taken.covariance.count]
    if missed:
        raise LayerNotRunError(f"The images do not go through {missed[0]!r}, in which channels are read.")
    return {space.name: _moments([seen[read] for read in space.reads]) for space in spaces}, n_images


class _Seen:
    """What was seen of the channels in one read."""

    def __init__(self, read: Read, size: int) -> None:
        self.read = read
        self.covariance = RunningCovariance(size)
        self.is_broken = np.zeros(size, dtype=bool)

    def update(self, tensor: Tensor) -> None:
        size = self.covariance.mean.size
        entries = tensor.detach().movedim(self.read.axis, 1)
        stretch = entries[:, self.read.start : self.read.start + size * self.read.block]
        values = stretch.reshape(len(stretch), size, -1).double().cpu().numpy()
        finite = np.isfinite(values)
        if not finite.all():  # one broken channel must not cost the others their observations
            self.is_broken |= ~finite.all(axis=(0, 2))
            values = np.where(finite, values, 0.0)
        self.covariance.update(values)


def _moments(reads: Sequence[_Seen]) -> ChannelMoments:
    means: list[NDArray[np.float64]] = []
    covariances: list[NDArray[np.float64]] = []
    for taken in reads:
        mean, covariance = taken.covariance.mean.copy(), taken.covariance.covariance
        mean[taken.is_broken] = np.nan
        covariance[taken.is_broken] = np.nan
        covariance[:, taken.is_broken] = np.nan
        means.append(mean)
        covariances.append(covariance)
    return ChannelMoments(
        values=tuple(taken.read.value for taken in reads),
        mean=np.stack(means),
        covariance=np.stack(covariances),
        count=np.array([taken.covariance.count for taken in reads]),
    )
