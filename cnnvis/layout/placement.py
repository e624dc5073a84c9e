"""Where the units of a network stand: layer after layer along z, each in a square of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import EdgeSet, Layout, ModelGraph, Units
from cnnvis.core.checks import as_numbers, parse_choice, require_number, require_shape
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.layout import _similar_cells
from cnnvis.layout._depths import depths_by_graph, depths_by_links, depths_in_a_row
from cnnvis.layout._profiles import class_directions
from cnnvis.layout._unit_values import unit_values
from cnnvis.layout.options import Arrangement, ArrangementName
from cnnvis.layout.unit_advection import advect_units

Places = NDArray[np.float64]

BESIDE = 0.25
"""Between layers that stand side by side, in layer widths."""

LONGEST = 10.0
"""Largest distance and width of layers, scene units."""

DECIMALS = 9
"""Of the places that the classes of units call for: those of units that serve the same classes are the same."""

MAX_MOVED = 1280
"""Units of the largest layer that is moved by class: that takes 5 s, and grows with their square."""


def place(
    network: EdgeSet | ModelGraph | Units,
    *,
    arrangement: Arrangement | ArrangementName = Arrangement.RASTER,
    layer_distance: float = 0.5,
    layer_width: float = 1.0,
    scores: ArrayLike | None = None,
    similarity: Mapping[str, ArrayLike] | None = None,
) -> Layout:
    """Return where the units of a network stand.

    A layer stands as deep along z as the longest way of the data to it has layers, so that all links lead forwards;
    layers of the same depth stand side by side along x. All are centred on 0. Columns run along x, rows along y.

    Parameters
    ----------
    network : EdgeSet, ModelGraph or Units
        Links need `EdgeSet.units`; where links were left out, the graph still knows the order of the layers. Of `Units`
        alone the layers are taken for a chain behind the inputs.
    arrangement : {"raster", "circle", "line", "importance", "similarity", "classes"}
        Of the units in the square of their layer. "raster": row by row on ceil(sqrt(n)) columns (nn_vis). "circle":
        clockwise from the top. "line": along x. "importance": on the raster, the most important in the middle.
        "similarity": on the raster, those alike as neighbours. "classes": on the raster, near those that serve the
        same classes, each class at the same side of all layers, and then moved together by
        `cnnvis.layout.advect_units`: so bundles serve few classes each. The last three leave inputs in rows, since
        their order is that of the picture, unless `similarity` names them.
    layer_distance, layer_width : float, scene units
        From one depth to the next, and side of a layer's square; above 0 and at most 10.
    scores : (U,) or (U, K) array_like, optional
        Importance of the units, for "importance"; by class, for "classes".
    similarity : mapping of str to (C, C) array_like, optional
        Of the units of a layer, for "similarity", as `cnnvis.similarity` finds it. Layers without any are compared by
        the links of their units, which only an EdgeSet has.

    Returns
    -------
    Layout
        With the names of the layers; their slabs are the squares.

    Raises
    ------
    InvalidInputError
        When a parameter is out of range, an arrangement lacks what it needs, or scores or similarities are not finite
        or do not fit the units; the message names the layer.

    Notes
    -----
    "similarity" takes about 2 s for a layer of 1,000 units (linear assignment sorting, Barthel et al., 2022), "classes"
    4 s, the others no time; layers of more than `MAX_MOVED` units are sorted by class, but not moved. The same input
    gives the same places.
    """
    arrangement = parse_choice(Arrangement, arrangement, what="arrangement")
    for name, value in (("layer_distance", layer_distance), ("layer_width", layer_width)):
        require_number(f"place: {name}", value, 0, LONGEST, above=True)
    units = _units(network)
    squares = _squares(network, units, arrangement, scores, similarity)
    corners = _centres(_depths(network, units), layer_distance / layer_width)
    layer_of_unit = np.repeat(np.arange(len(units.layers)), units.sizes)
    positions = corners[layer_of_unit]
    positions[:, :2] += np.concatenate([np.zeros((0, 2)), *squares])
    half = np.array([0.5, 0.5, 0])
    layout = Layout(
        positions=layer_width * positions,
        layer_of_unit=layer_of_unit,
        slabs=layer_width * np.stack([corners - half, corners + half], axis=1),
        layers=units.layers,
    )
    return _by_classes(layout, units, scores) if arrangement is Arrangement.CLASSES else layout


def _units(network: EdgeSet | ModelGraph | Units) -> Units:
    units = network if isinstance(network, Units) else network.units
    if units is None:
        raise InvalidInputError(
            "place: these links do not know which units there are. Set EdgeSet.units, or make a "
            "cnnvis.core.Layout of positions of your own."
        )
    return units


def _depths(network: EdgeSet | ModelGraph | Units, units: Units) -> NDArray[np.int64]:
    if isinstance(network, ModelGraph):
        return depths_by_graph(network, units)
    return depths_by_links(network, units) if isinstance(network, EdgeSet) else depths_in_a_row(units)


def _centres(depths: NDArray[np.int64], distance: float) -> Places:
    """Return the centres of the layers, (L, 3), in layer widths."""
    centres = np.zeros((depths.size, 3))
    for depth in np.unique(depths):
        beside = np.flatnonzero(depths == depth)
        centres[beside, 0] = (1 + BESIDE) * (np.arange(beside.size) - (beside.size - 1) / 2)
    centres[:, 2] = distance * (depths - depths.max(initial=0) / 2)
    return centres


def _squares(
    network: EdgeSet | ModelGraph | Units,
    units: Units,
    arrangement: Arrangement,
    scores: ArrayLike | None,
    similarity: Mapping[str, ArrayLike] | None,
) -> list[Places]:
    """Return the places of each layer's units in their square, (C, 2), in layer widths."""
    if arrangement is Arrangement.CIRCLE:
        return [_circle(size) for size in units.sizes]
    if arrangement is Arrangement.LINE:
        return [_line(size) for size in units.sizes]
    squares = [_raster(size) for size in units.sizes]
    if arrangement is Arrangement.IMPORTANCE:
        checked = _checked_scores(scores, units)
        for layer in range(units.n_inputs, len(squares)):
            own = checked[units.range(units.layers[layer])]
            squares[layer] = _from_the_middle(squares[layer], own)
    if arrangement is Arrangement.SIMILARITY:
        for layer, points in _alike(network, units, similarity or {}).items():
            cells = _cells(len(points))
            squares[layer] = squares[layer][_similar_cells.similar_cells(points, cells)]
    return squares


def _cells(n: int) -> NDArray[np.int64]:
    """Return column and row of n cells in row-major order, (n, 2)."""
    columns = max(math.isqrt(max(n - 1, 0)) + 1, 1)
    return np.stack([np.arange(n) % columns, np.arange(n) // columns], axis=1)


def _raster(n: int) -> Places:
    cells = _cells(n)
    columns, rows = cells.max(axis=0) + 1
    places: Places = (cells - (np.array([columns, rows]) - 1) / 2) / columns
    return places


def _circle(n: int) -> Places:
    angle = 2 * np.pi * np.arange(n) / n
    radius = 0.5 if n > 1 else 0.0
    return np.stack([radius * np.sin(angle), -radius * np.cos(angle)], axis=1)  # y points down


def _line(n: int) -> Places:
    return np.stack([(np.arange(n) - (n - 1) / 2) / n, np.zeros(n)], axis=1)


def _from_the_middle(raster: Places, scores: NDArray[np.float64]) -> Places:
    """Return the places of a raster in another order: the higher the score, the nearer to 0; equal scores by number."""
    distance = np.round(np.linalg.norm(raster, axis=1), 9)  # cells of one ring are equally far
    outwards = np.lexsort((np.arctan2(raster[:, 1], raster[:, 0]), distance))
    found = np.empty_like(raster)
    found[np.argsort(-scores, kind="stable")] = raster[outwards]
    return found


def _checked_scores(scores: ArrayLike | None, units: Units) -> NDArray[np.float64]:
    if scores is None:
        raise InvalidInputError("place: the arrangement 'importance' needs scores, one per unit.")
    array = as_numbers("scores", scores)
    require_shape("scores", array, (len(units),))
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        layer, channel = units.split(int(bad[0]))
        raise InvalidInputError(
            f"place: {bad.size} of {array.size} scores are NaN or infinite, the first of them is that of unit "
            f"{channel} of {layer!r}."
        )
    return array


def _alike(
    network: EdgeSet | ModelGraph | Units, units: Units, similarity: Mapping[str, ArrayLike]
) -> dict[int, NDArray[np.float64]]:
    """Return points (C, R) by layer that are near each other for units that are alike."""
    for name in similarity:
        if name not in units.layers:
            raise InvalidInputError(f"place: similarity of {name!r}. {did_you_mean(name, units.layers, what='layers')}")
    found = {}
    for layer, name in enumerate(units.layers):
        if name in similarity:
            matrix = as_numbers(f"similarity[{name!r}]", similarity[name])
            require_shape(f"similarity[{name!r}]", matrix, (units.sizes[layer], units.sizes[layer]))
            if not np.isfinite(matrix).all():
                raise InvalidInputError(f"place: the similarity of {name!r} holds values that are NaN or infinite.")
            found[layer] = _similar_cells.by_similarity(matrix)
        elif layer >= units.n_inputs:
            if not isinstance(network, EdgeSet):
                raise InvalidInputError(
                    f"place: there is no similarity of {name!r}. Pass one, or place an EdgeSet (cnnvis.connect), whose "
                    "links tell which units are alike."
                )
            found[layer] = _similar_cells.by_links(network, units.range(name))
    return found


def _by_classes(layout: Layout, units: Units, scores: ArrayLike | None) -> Layout:
    """Return the layout with units of like classes as neighbours in all layers, then moved together; inputs stay."""
    if scores is None:
        raise InvalidInputError("place: the arrangement 'classes' needs scores, one per unit and class.")
    profiles = unit_values("scores", scores, layout, by_class=True)
    directions = class_directions(profiles).astype(np.float64)
    places = _places_of_classes(directions)
    positions = layout.positions.copy()
    for name in units.layers[units.n_inputs :]:
        own = units.range(name)
        cells = _raster(len(positions[own]))
        wanted = directions[own] @ places / directions[own].sum(axis=1, keepdims=True)
        wanted = np.round(wanted - wanted.mean(axis=0), DECIMALS)
        wanted *= np.linalg.norm(cells) / (np.linalg.norm(wanted) or 1)  # as far apart as the cells
        wanted = np.round(wanted, DECIMALS)  # so that equally good cells are told apart alike on every processor
        positions[own] = positions[own][_similar_cells.nearest_cells(wanted, cells)]
    sizes = zip(units.layers, units.sizes, strict=True)
    large = [name for name, size in sizes if size > MAX_MOVED]
    fixed = (*units.layers[: units.n_inputs], *large)
    return advect_units(replace(layout, positions=positions), profiles, fixed=fixed)


def _places_of_classes(directions: NDArray[np.float64]) -> Places:
    """Return a place on a raster for each class, (K, 2), near those that the same units serve."""
    served = np.linalg.norm(directions, axis=0)
    patterns = directions / np.where(served > 0, served, 1)
    n_classes = directions.shape[1]
    points = _similar_cells.by_similarity(patterns.T @ patterns)
    places: Places = _raster(n_classes)[_similar_cells.similar_cells(points, _cells(n_classes))]
    return places
