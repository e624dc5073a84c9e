"""Point arrays of a network's lines that its units and `t` imply, so that a file need not hold them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout, PolylineSet
from cnnvis.core.bundled import class_shares


def implied(
    edges: EdgeSet, layout: Layout, profiles: NDArray[np.float64] | None, lines: PolylineSet
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield "layer", and with profiles "class_shares", as they fade from the source of each line to its target.

    The sums are those of `cnnvis.bundle` in its order, so that equal means equal to the last bit; whether they are is
    for the caller to compare. Nothing comes of lines without float32 "t", or between units that have no place.
    """
    t = lines.point_arrays.get("t")
    if (
        t is None
        or t.dtype != np.float32
        or t.ndim != 1
        or max(map(_largest, (edges.source, edges.target))) >= len(layout)
    ):
        return
    yield "layer", _fading(layout.layer_of_unit, edges, lines, t)
    if profiles is not None:
        shares = class_shares(profiles)
        yield "class_shares", np.stack([_fading(column, edges, lines, t) for column in shares.T], axis=1)


def _fading(of_unit: NDArray[Any], edges: EdgeSet, lines: PolylineSet, t: NDArray[np.float32]) -> NDArray[np.float32]:
    counts, values = np.diff(lines.offsets), of_unit.astype(np.float32)
    start, stop = values[edges.source], values[edges.target]
    result = np.repeat(stop - start, counts)
    result *= t
    result += np.repeat(start, counts)
    return result


def _largest(numbers: NDArray[np.int64]) -> int:
    return int(numbers.max(initial=-1))
