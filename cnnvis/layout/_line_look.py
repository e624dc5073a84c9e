"""The arrays that lines carry: importance, class shares, layer, and their place on the line."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, Layout
from cnnvis.core.bundled import class_shares
from cnnvis.core.links import LinkKind
from cnnvis.layout._profiles import SHARES, UnitLook

Arrays = dict[str, NDArray[Any]]


def line_look(
    edges: EdgeSet,
    layout: Layout,
    offsets: NDArray[np.int64],
    t: NDArray[np.float32],
    look: UnitLook,
    kind: str,
) -> tuple[Arrays, Arrays]:
    """Return the point arrays and the line arrays, as `Bundler.lines` lists them.

    Parameters
    ----------
    edges : EdgeSet
        E links.
    layout : Layout
    offsets : (E + 1,) ndarray of int64
    t : (P,) ndarray of float32
    look : UnitLook
    kind : LinkKind
        Whose importance a line has along its way.
    """
    counts = np.diff(offsets)
    weight = (edges.weight / (edges.weight.max(initial=0.0) or 1.0)).astype(np.float32)
    share = SHARES[kind]

    def along(values: NDArray[np.float32], ends: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a value per unit as it goes from end to end of the lines, one per point."""
        at_source, at_target = values[edges.source], values[edges.target]
        start = ends[0, 0] * at_source + ends[1, 0] * at_target
        slope = ends[0, 1] * at_source + ends[1, 1] * at_target
        result = np.repeat(slope, counts)
        result *= t
        result += np.repeat(start, counts)
        return result

    importance = along(look.mass, share)
    importance *= np.repeat(weight, counts)
    importance /= importance.max(initial=0.0) or 1.0
    linear = SHARES[LinkKind.INTERPOLATE]
    point_arrays: Arrays = {
        "t": t,
        "importance": importance,
        "layer": along(layout.layer_of_unit.astype(np.float32), linear),
    }
    if look.profiles is not None:
        shares = class_shares(look.profiles).astype(np.float32)
        columns = [along(shares[:, k], share) for k in range(shares.shape[1])]
        point_arrays["class_shares"] = np.stack(columns, axis=1) / share.sum(axis=0)[0]
    means = np.add.reduceat(importance, offsets[:-1]) / counts if counts.size else importance
    line_arrays: Arrays = {
        "source": edges.source,
        "target": edges.target,
        "weight": weight,
        "importance": means.astype(np.float32),
    }
    return point_arrays, line_arrays
