"""What the sites of a network hold before any scale is put in: logits, and moments of every unit by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.attribution._one_vs_rest import margins
from cnnvis.attribution._scale_training import Moments, Task
from cnnvis.attribution.batchnorm_options import Head


class LabelledMoments:
    """Mean and mean square of each unit over the images of each label, in one pass for all classes.

    Parameters
    ----------
    task : Task
        Its network is opened by the caller.

    Attributes
    ----------
    logits : (N, n_classes) tensor
        Of the network as it is.
    """

    def __init__(self, task: Task) -> None:
        self._labels = torch.from_numpy(task.labels)
        self._sums: dict[int, Tensor] = {}
        logits, size, n_images = [], task.options.batch_size, task.images.n_images
        self._n_labels = task.network.n_classes
        for start in range(0, n_images, size):
            rows = np.arange(start, min(start + size, n_images))
            self._here = self._labels[start : start + size]
            logits.append(task.network.run(task.take(rows), self._add))
        self.logits = torch.cat(logits)

    def margins(self, classes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how clearly the network as it is takes each image for each of `classes`, (N, K): its log-odds."""
        chosen = torch.from_numpy(classes).to(self.logits.device)
        return margins(self.logits[:, None], chosen, Head.LOG_ODDS).double().cpu().numpy()

    def _add(self, number: int, maps: Tensor) -> None:
        variance, mean = torch.var_mean(maps, dim=2, correction=0)
        mean = mean.double()
        of_images = torch.stack([mean, variance.double() + mean**2], dim=1)
        sums = self._sums.get(number)
        if sums is None:
            sums = self._sums[number] = of_images.new_zeros((self._n_labels, *of_images.shape[1:]))
        sums.index_add_(0, self._here.to(sums.device), of_images)

    def one_vs_rest(self, classes: Sequence[int]) -> Moments:
        """Return the moments of each of `classes`: the mean of those of its images and those of the others."""
        counts = torch.bincount(self._labels, minlength=self._n_labels).double()[:, None, None]
        means, variances = [], []
        for number in sorted(self._sums):
            sums, counts = self._sums[number], counts.to(self._sums[number].device)
            of_class = sums[list(classes)] / counts[list(classes)]
            others = (sums.sum(0) - sums[list(classes)]) / (counts.sum(0) - counts[list(classes)])
            mean, square = ((of_class + others) / 2).unbind(1)
            means.append(mean)
            variances.append((square - mean**2).clamp_min(0))
        dtype = self.logits.dtype
        return Moments(tuple(mean.to(dtype) for mean in means), tuple(variance.to(dtype) for variance in variances))
