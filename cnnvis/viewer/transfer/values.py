"""The values of an item in a form that answers quickly: how many lie where, and which of them are seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.scene import Drive, MatrixItem, TransferFunction, ValueItem, VolumeItem, VolumeMode

Span = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class ValueCounts:
    """How often each value occurs.

    Parameters
    ----------
    ordered : (N,) ndarray of float
        The finite values, rising.
    n_missing : int
        NaN and infinities, which `ordered` lacks.

    Notes
    -----
    Once sorted, counts over any bins take a search per edge: a range or a normalisation can be changed without looking
    at the data again. Sorting 3 million numbers takes about 0.1 s, and they are kept.
    """

    ordered: NDArray[np.floating]
    n_missing: int
    _spans: dict[tuple[Any, ...], Span] = field(default_factory=dict)

    @classmethod
    def of(cls, values: ArrayLike) -> ValueCounts:
        """Sort values of any shape."""
        values = np.asarray(values)
        ordered = values[np.isfinite(values)]
        ordered.sort()
        return cls(ordered, values.size - ordered.size)

    def span(self, transfer: TransferFunction) -> Span:
        """Return what `transfer.span_of` gives for the values, computed once per way to choose a range."""
        key = (transfer.clip, transfer.span, transfer.centre)
        if key not in self._spans:
            self._spans[key] = transfer.span_of(self.ordered)
        return self._spans[key]

    @property
    def ends(self) -> Span:
        """Smallest and largest value; (0, 1) where there is none."""
        return (float(self.ordered[0]), float(self.ordered[-1])) if self.ordered.size else (0.0, 1.0)

    def over_map(self, transfer: TransferFunction, n_bins: int) -> tuple[NDArray[np.int64], int, int]:
        """Count the values along the colour map.

        Parameters
        ----------
        transfer : TransferFunction
        n_bins : int
            Of equal width in positions on the map, from 0 to 1.

        Returns
        -------
        counts : (n_bins,) ndarray of int
        below, above : int
            Values outside the range, which saturate. All of them add up to the finite values.
        """
        low, high = self.span(transfer)
        inner = transfer.denormalise(np.arange(1, n_bins) / n_bins, (low, high))
        # In the precision of the values: numpy would convert all of them otherwise.
        edges = np.concatenate([[low], inner, [high]]).astype(self.ordered.dtype)
        found = np.searchsorted(self.ordered, edges)
        found[-1] = np.searchsorted(self.ordered, edges[-1], side="right")
        return np.diff(found), int(found[0]), int(self.ordered.size - found[-1])


def visible_span(item: ValueItem) -> Span | None:
    """Return the smallest and the largest value that is drawn; None where nothing is.

    Drawn are of a volume what the clip box and the planes leave of the channels whose opacity factor is not 0, and of a
    matrix the cells that exist.
    """
    if isinstance(item, VolumeItem):
        seen = _seen_of_volume(item)
    elif isinstance(item, MatrixItem):
        seen = item.data[item.exists()]
    else:
        seen = item.values_of(item.data)
    finite = seen[np.isfinite(seen)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _seen_of_volume(item: VolumeItem) -> NDArray[np.floating]:
    """Return the values of a volume that are drawn, in one row."""
    values, box, cut = item.data.values, item.clip_box, item.slices
    inside = tuple(
        slice(None) if ends is None else slice(max(int(min(ends)), 0), int(max(ends)) + 1)
        for ends in (box.channel, box.row, box.column)
    )
    if item.mode is not VolumeMode.SLICES:
        factors = np.ones(len(values)) if item.drive is Drive.NONE else item.channel_factors()
        return values[inside][factors[inside[0]] > 0].ravel()
    places = (cut.channel, cut.row, cut.column)
    if places == (None, None, None):
        places = tuple(length // 2 for length in values.shape)
    planes = [
        np.take(values, [place], axis)[tuple(slice(None) if a == axis else part for a, part in enumerate(inside))]
        for axis, place in enumerate(places)
        if place is not None and _within(place, inside[axis])
    ]
    return np.concatenate([plane.ravel() for plane in planes]) if planes else values[:0].ravel()


def _within(place: int, part: slice) -> bool:
    return part.start is None or part.start <= place < part.stop
