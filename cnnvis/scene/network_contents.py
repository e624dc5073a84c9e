"""What the `add_` methods of a scene make of drawn networks: data to show, and the state that suits them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, Layout, PointSet, PolylineSet
from cnnvis.core.errors import InvalidInputError

logger = logging.getLogger(__name__)

Arrays = Mapping[str, NDArray[Any]]

LINE_SIZE, UNIT_SIZE = 0.02, 0.04
"""Radii of lines and units at importance 1, scene units, in a picture with room for them (nn_vis); in layers wider
than 1 they are as many layer widths, up to the largest size there is."""

LARGEST = 1.0
"""Largest size there is (nn_vis)."""

CROWDED = 100.0
"""Sum of squared importance over the lines of a gap, one layer wide, from which on lines are drawn thinner."""

LETTERS = 110
"""Room for names of layers side by side; where they are longer, evenly chosen layers are named."""

NETWORK_AZIMUTH, NETWORK_ELEVATION = 28.0, -8.0
"""Of the camera on a network, in degrees: seen from the side, a little from the front and from above."""

FLAT_AZIMUTH, FLAT_ELEVATION = 45.0, 55.0
"""The same where all units lie in the plane of x and z, as those of layers in a line: from above, not edge-on."""

FLAT = 0.05
"""Height of a flat network in lengths of its longest layer, at most."""

BELOW = 0.14
"""Between a layer and its name, in widths of a layer; flat layers have their names at their ends."""


def lines_to_show(lines: PolylineSet | BundledNetwork) -> tuple[PolylineSet, dict[str, Any]]:
    """Return what `add_bundle` shows, and the state that suits it."""
    shown = lines.lines if isinstance(lines, BundledNetwork) else lines
    if not isinstance(shown, PolylineSet):
        raise InvalidInputError(
            f"A bundle shows a PolylineSet or a BundledNetwork, got {type(shown).__name__}. "
            "cnnvis.bundle(edges, layout) makes lines of links."
        )
    state = _classes(lines, shown.point_arrays) | _layers(lines)
    if isinstance(lines, BundledNetwork):
        state["caption"] = lines.edges.caption
    arrays = _scaled(shown.point_arrays)
    if arrays is not shown.point_arrays:  # the lines' own importance is the mean of their points'
        factor = 1 / float(shown.point_arrays["importance"].max())
        own = {name: array * factor if name == "importance" else array for name, array in shown.line_arrays.items()}
        shown = replace(shown, point_arrays=arrays, line_arrays=own)
    return shown, state | {"size": _line_size(shown)}


def points_to_show(points: PointSet | BundledNetwork) -> tuple[PointSet, dict[str, Any]]:
    """Return what `add_glyphs` shows, and the state that suits it."""
    shown = points.points if isinstance(points, BundledNetwork) else points
    if not isinstance(shown, PointSet):
        raise InvalidInputError(f"Glyphs show a PointSet or a BundledNetwork, got {type(shown).__name__}.")
    shown = replace(shown, arrays=_scaled(shown.arrays))
    return shown, _classes(points, shown.arrays) | _layers(points) | {"size": _unit_size(shown)}


def _line_size(lines: PolylineSet) -> float:
    """Return a radius at which the fullest gap between layers lets light through: many strong lines are thinner.

    A line covers its radius times its importance and is as opaque as important, so importance counts squared. The
    power below 1 keeps gaps with few lines visible.
    """
    full = np.diff(lines.offsets) > 0
    if not full.any() or not {"importance", "layer"} <= lines.point_arrays.keys():
        return LINE_SIZE
    gap = np.rint(lines.point_arrays["layer"][lines.offsets[:-1][full]]).astype(np.int64)
    importance = (
        np.add.reduceat(lines.point_arrays["importance"], lines.offsets[:-1][full]) / np.diff(lines.offsets)[full]
    )
    ends = np.concatenate([lines.offsets[:-1][full], lines.offsets[1:][full] - 1])
    crowd = float(np.bincount(gap, importance.astype(np.float64) ** 2).max())
    layer = np.rint(lines.point_arrays["layer"][ends]).astype(np.int64)
    scale = _scale(lines.points[ends], layer)
    power: float = max(crowd / (_width(lines.points[ends]) / scale * CROWDED), 1.0) ** 0.75
    return _drawable(LINE_SIZE * scale / power, "lines", scale)


def _unit_size(points: PointSet) -> float:
    """Return a radius at which the units of the fullest layer would cover its square once."""
    if not len(points) or not {"importance", "layer"} <= points.arrays.keys():
        return UNIT_SIZE
    crowd = np.bincount(points.arrays["layer"], points.arrays["importance"].astype(np.float64) ** 2).max()
    scale = _scale(points.points, points.arrays["layer"])
    room = _width(points.points) / float(np.sqrt(np.pi * max(crowd, 1.0)))
    return _drawable(min(UNIT_SIZE * scale, room), "units", scale)


def _drawable(size: float, what: str, width: float) -> float:
    """Return the size, at most the largest there is; warn where it should be larger."""
    if size > LARGEST:
        logger.warning(
            "A layer is %.3g scene units wide, and %s are drawn %g thick at most: they may not be seen. Make layers "
            "about 1 wide: divide the positions of the layout by %.3g.",
            width,
            what,
            LARGEST,
            width,
        )
    return min(size, LARGEST)


def _scale(points: NDArray[np.float32], layer: NDArray[np.int64]) -> float:
    """Return the width of the widest layer, at least 1."""
    order = np.argsort(layer.astype(np.min_scalar_type(int(layer.max()))), kind="stable")  # small numbers: linear time
    starts = np.flatnonzero(np.diff(layer[order], prepend=-1))
    across = points[order, :2].astype(np.float64)
    sides = np.maximum.reduceat(across, starts) - np.minimum.reduceat(across, starts)
    return max(float(sides.max()), 1.0)


def _width(points: NDArray[np.float32]) -> float:
    """Return the longer side, x or y, of the box around the points; 1 where there is none."""
    return float(np.ptp(points[:, :2], axis=0).max()) or 1.0


def _classes(data: Any, arrays: Arrays) -> dict[str, Any]:
    """Return the names of the classes that the shares are of: the network's, else numbers."""
    if "class_shares" not in arrays:
        return {}
    names = data.class_names if isinstance(data, BundledNetwork) else ()
    return {"class_names": tuple(names) or tuple(map(str, range(arrays["class_shares"].shape[-1])))}


def _layers(data: Any) -> dict[str, Any]:
    """Return names and sizes of a network's layers, where its units are numbered layer after layer."""
    if not isinstance(data, BundledNetwork):
        return {}
    layout, units = data.layout, data.edges.units
    if units is not None:
        return {"layers": units.layers, "layer_sizes": units.sizes}
    sizes = np.bincount(layout.layer_of_unit, minlength=len(layout.layers))
    if (np.diff(layout.layer_of_unit) < 0).any() or not sizes.all():
        return {}
    return {"layers": layout.layers, "layer_sizes": tuple(sizes.tolist())}


def _scaled(arrays: Arrays) -> Arrays:
    """Return the arrays with an importance of at most 1."""
    largest = float(np.max(arrays["importance"], initial=0.0)) if "importance" in arrays else 0.0
    return {**arrays, "importance": arrays["importance"] / largest} if largest > 1 else arrays


def network_state(network: BundledNetwork) -> dict[str, Any]:
    """Return title and camera of the scene of a network."""
    units = network.edges.units
    layers = units.layers if units is not None else network.layout.layers
    shown = " · ".join(part for part in (network.provenance.caption, f"{len(layers)} layers") if part)
    is_flat = _is_flat(network.layout)
    azimuth, elevation = (FLAT_AZIMUTH, FLAT_ELEVATION) if is_flat else (NETWORK_AZIMUTH, NETWORK_ELEVATION)
    return {"title": shown, "camera": {"azimuth": azimuth, "elevation": elevation}}


def _is_flat(layout: Layout) -> bool:
    """Return whether all units lie about in the plane of x and z."""
    if not len(layout):
        return False
    across, height, _ = np.ptp(layout.positions, axis=0)
    return bool(height < FLAT * across)


def layer_labels(network: BundledNetwork) -> tuple[NDArray[np.float64], list[str]]:
    """Return where names of layers stand, (N, 3), below the middle of each, and the names with the number of units."""
    layout = network.layout
    low, high = np.moveaxis(layout.slabs, 1, 0)  # type: ignore[type-var, misc]
    positions = (low + high) / 2
    below = 0 if _is_flat(layout) else 1
    positions[:, below] = high[:, below] + BELOW * (layout.width or 1.0)
    sizes = np.bincount(layout.layer_of_unit, minlength=len(layout.layers))
    texts = [f"{name} ({size:,})" for name, size in zip(layout.layers, sizes, strict=True)]
    n_named = min(len(texts), max(LETTERS // max(map(len, texts), default=1), 2))
    named = np.linspace(0, len(texts) - 1, n_named).round().astype(np.int64)
    return positions[named], [texts[layer] for layer in named]
