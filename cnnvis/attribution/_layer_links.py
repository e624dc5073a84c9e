"""The links that end in one layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

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
    weights = _weights(reading)
    if weights is None:
        ones = np.ones((len(targets), reading.n_entries // reading.groups))
        found = _through(reading, ones, targets.start, power=2)
        return found._replace(weight=np.ones_like(found.weight))
    return _through(reading, kernel_norms(weights), targets.start, power=2)


def sums_of(reading: Reading, targets: range) -> Links:
    """Return the same links with the sum of those weights, which has a sign; without weights it is 1."""
    weights = _weights(reading)
    if weights is None:
        return links_of(reading, targets)
    return _through(reading, weights.detach().cpu().double().sum(dim=2).numpy(), targets.start, power=1)


def _weights(reading: Reading) -> Tensor | None:
    """Return the weights by target, entry and place in the kernel."""
    if reading.weight is None:
        return None
    return kernels(reading.weight, reading.groups if reading.is_transposed else None)


def _through(reading: Reading, values: NDArray[np.float64], first: int, *, power: int) -> Links:
    """Return the links; where several entries hold a unit, sum(value^power)^(1/power) over them."""
    through = _through_all if reading.groups == 1 else _through_groups
    return through(reading, values, first, power)


def _through_all(reading: Reading, norms: NDArray[np.float64], first: int, power: int) -> Links:
    """Return the links of a layer in which each target sees every entry."""
    order = np.argsort(reading.units, kind="stable")
    units, starts = np.unique(reading.units[order], return_index=True)
    by_unit = norms.T[reading.entries[order]]
    if units.size < order.size:
        by_unit = np.add.reduceat(by_unit**power, starts, axis=0) ** (1 / power)
    n_out = norms.shape[0]
    return Links(np.repeat(units, n_out), np.tile(np.arange(first, first + n_out), units.size), by_unit.reshape(-1))


def _through_groups(reading: Reading, norms: NDArray[np.float64], first: int, power: int) -> Links:
    """Return the links of a grouped convolution, in which each target sees the entries of its group."""
    n_out, n_in = norms.shape
    per_group = n_out // reading.groups
    group, place = np.divmod(reading.entries, n_in)
    targets = group[:, None] * per_group + np.arange(per_group)
    weights = norms[targets, place[:, None]].reshape(-1)
    sources, targets = np.repeat(reading.units, per_group), targets.reshape(-1)
    keys, inverse = np.unique(sources * n_out + targets, return_inverse=True)
    if keys.size < inverse.size:
        weights = np.bincount(inverse, weights**power, minlength=keys.size) ** (1 / power)
    else:
        weights = weights[np.argsort(inverse)]
    return Links(keys // n_out, first + keys % n_out, weights)
