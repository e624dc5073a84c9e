"""The links that end in one layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution.links import kernel_norms, kernels
from cnnvis.capture.wiring import Reading


class Links(NamedTuple):
    """Links (E,): unit numbers, and weights that are not divided by anything yet; NaN where one is not finite."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float64]

    def take(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> Links:
        """Return the links that `kept` selects."""
        return Links(self.source[kept], self.target[kept], self.weight[kept])


def joined(parts: list[Links]) -> Links:
    """Return all links, one part after the other."""
    none = Links(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    return Links(*map(np.concatenate, zip(none, *parts, strict=True)))


def links_of(reading: Reading, targets: range) -> Links:
    """Return the links that end in the units `targets` of the layer that reads, by source, then target.

    The weight of a link is the L2 norm of all weights through which its source enters its target: |weight|, the
    kernel, the block of a flattened channel. Without weights it is 1.
    """
    if reading.weight is None:
        norms = np.ones((len(targets), reading.n_entries // reading.groups))
    else:
        norms = kernel_norms(kernels(reading.weight, reading.groups if reading.is_transposed else None))
    if reading.groups == 1:
        found = _through_all(reading, norms, targets.start)
    else:
        found = _through_groups(reading, norms, targets.start)
    return found if reading.weight is not None else found._replace(weight=np.ones_like(found.weight))


def _through_all(reading: Reading, norms: NDArray[np.float64], first: int) -> Links:
    """Return the links of a layer in which each target sees every entry."""
    order = np.argsort(reading.units, kind="stable")
    units, starts = np.unique(reading.units[order], return_index=True)
    by_unit = norms.T[reading.entries[order]]
    if units.size < order.size:
        by_unit = np.sqrt(np.add.reduceat(by_unit**2, starts, axis=0))
    n_out = norms.shape[0]
    return Links(np.repeat(units, n_out), np.tile(np.arange(first, first + n_out), units.size), by_unit.reshape(-1))


def _through_groups(reading: Reading, norms: NDArray[np.float64], first: int) -> Links:
    """Return the links of a grouped convolution, in which each target sees the entries of its group."""
    n_out, n_in = norms.shape
    per_group = n_out // reading.groups
    group, place = np.divmod(reading.entries, n_in)
    targets = group[:, None] * per_group + np.arange(per_group)
    weights = norms[targets, place[:, None]].reshape(-1)
    sources, targets = np.repeat(reading.units, per_group), targets.reshape(-1)
    keys, inverse = np.unique(sources * n_out + targets, return_inverse=True)
    if keys.size < inverse.size:
        weights = np.sqrt(np.bincount(inverse, weights**2, minlength=keys.size))
    else:
        weights = weights[np.argsort(inverse)]
    return Links(keys // n_out, first + keys % n_out, weights)
