"""Points spread evenly over lines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PolylineSet
from cnnvis.core.errors import InvalidInputError


def resampled(lines: PolylineSet, spacing: float) -> PolylineSet:
    """Return the same lines with points at equal distances along each, at most `spacing` apart.

    Both ends stay exactly; point arrays are interpolated linearly, integers become float. Lines without length get two
    points, lines without points none. Cost: O(points before and after).

    Parameters
    ----------
    lines : PolylineSet
    spacing : float, scene units
        Above zero.

    Raises
    ------
    InvalidInputError
        When the spacing is not a finite number above zero.
    """
    if not (np.isfinite(spacing) and spacing > 0):
        raise InvalidInputError(f"The spacing of points must be a finite number above zero, got {spacing!r}.")
    counts = np.diff(lines.offsets)
    if not counts.any():
        return lines
    line = np.repeat(np.arange(len(lines)), counts)
    steps = np.linalg.norm(np.diff(lines.points.astype(np.float64), axis=0, prepend=lines.points[:1]), axis=1)
    firsts = lines.offsets[:-1][counts > 0]
    steps[firsts] = 0.0
    along = np.cumsum(steps)
    lengths = np.zeros(len(lines))
    lengths[counts > 0] = along[lines.offsets[1:][counts > 0] - 1] - along[firsts]
    # With a gap between the lines the place of every point is one growing number.
    along += line * spacing
    starts = np.zeros(len(lines))
    starts[counts > 0] = along[firsts]
    new_counts = np.where(counts > 0, np.maximum(np.ceil(lengths / spacing - 1e-9), 1) + 1, 0).astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(new_counts)])
    new_line = np.repeat(np.arange(len(lines)), new_counts)
    step = np.arange(offsets[-1]) - offsets[new_line]
    wanted = starts[new_line] + lengths[new_line] * step / np.maximum(new_counts[new_line] - 1, 1)
    after = np.clip(np.searchsorted(along, wanted), lines.offsets[new_line] + 1, lines.offsets[new_line + 1] - 1)
    before = after - 1
    width = along[after] - along[before]
    share = np.clip(np.divide(wanted - along[before], width, out=np.zeros_like(width), where=width > 0), 0, 1)
    share[offsets[1:][new_counts > 0] - 1] = 1.0

    def between(values: NDArray[np.floating]) -> NDArray[np.floating]:
        weight = share.reshape(-1, *[1] * (values.ndim - 1)).astype(np.result_type(values, np.float32))
        mixed: NDArray[np.floating] = (1 - weight) * values[before] + weight * values[after]
        return mixed

    points = between(lines.points)
    arrays = {name: between(array) for name, array in lines.point_arrays.items()}
    return replace(lines, points=points, offsets=offsets, point_arrays=arrays)
