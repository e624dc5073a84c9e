"""Cells of a raster for units so that those alike are neighbours: linear assignment sorting.

K. U. Barthel, N. Hezel, K. Jung, K. Schall: Improved Evaluation and Generation of Grid Layouts using Distance
Preservation Quality and Linear Assignment Sorting (Computer Graphics Forum, 2022).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array, hstack
from scipy.spatial.distance import cdist

from cnnvis.core import EdgeSet

Vectors = NDArray[np.float64]
Product = Callable[[Vectors], Vectors]

DIMENSIONS = 8
"""Of the space in which units are compared: the main directions in which they differ."""

ITERATIONS = 30
"""Of finding that space; each makes what lies outside it smaller by the ratio of two eigenvalues."""

NARROWING = 0.8
"""Factor on the radius of the blur from one assignment to the next."""

NARROWEST = 0.7
"""Last radius of the blur, in cells."""

TOGETHER = 1024
"""Units that are assigned at once: the cost grows with their cube."""


def by_links(edges: EdgeSet, units: slice) -> Vectors:
    """Return points (C, R) for the units of a layer, near each other where their links are alike.

    Alike are units that have links of like weights to the same targets and from the same sources: the inner product is
    the sum of the cosines of both patterns.
    """
    n_all = int(max(edges.source.max(initial=-1), edges.target.max(initial=-1))) + 1
    patterns = []
    for own, other in ((edges.source, edges.target), (edges.target, edges.source)):
        mine = np.flatnonzero((own >= units.start) & (own < units.stop))
        rows = own[mine] - units.start
        length = np.sqrt(np.bincount(rows, edges.weight[mine] ** 2, units.stop - units.start))
        weight = edges.weight[mine] / np.where(length > 0, length, 1)[rows]
        patterns.append(csr_array((weight, (rows, other[mine])), shape=(length.size, n_all)))
    pattern = hstack(patterns, format="csr")
    return _main_directions(lambda vectors: pattern @ (pattern.T @ vectors), units.stop - units.start)


def by_similarity(similarity: NDArray[np.float64]) -> Vectors:
    """Return points (C, R) near each other where `similarity`, (C, C), is high."""
    symmetric = (similarity + similarity.T) / 2
    return _main_directions(lambda vectors: symmetric @ vectors, len(symmetric))


def _main_directions(product: Product, n: int) -> Vectors:
    """Return points (n, R) whose inner products come near to those of a matrix, centred; by subspace iteration.

    Each axis points to where its largest entry is.
    """

    def centred(vectors: Vectors) -> Vectors:
        inner: Vectors = product(vectors - vectors.mean(axis=0))
        inner -= inner.mean(axis=0)
        return inner

    basis = np.random.default_rng(0).standard_normal((n, min(DIMENSIONS, n)))
    for _ in range(ITERATIONS):
        basis, _ = np.linalg.qr(centred(basis))
    values, axes = np.linalg.eigh(basis.T @ centred(basis))
    points: Vectors = (basis @ axes)[:, ::-1] * np.sqrt(np.maximum(values[::-1], 0))
    largest = points[np.abs(points).argmax(axis=0), np.arange(points.shape[1])]
    points[:, largest < 0] *= -1
    return points


def similar_cells(points: Vectors, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which cell each unit gets, (C,): near units get near cells.

    A raster sorted by the first two axes is blurred, and units are assigned anew to the cells whose blurred points they
    are nearest to, with a blur that becomes narrower.

    Parameters
    ----------
    points : (C, R) ndarray
    cells : (C, 2) ndarray of int
        Column and row.

    Notes
    -----
    Cost: about 2 s for 1,000 units; units of larger layers are assigned in parts, so that it grows by their number
    times `TOGETHER` squared. The same input gives the same cells.
    """
    cell_of_unit = _sorted_cells(points, cells)
    generator = np.random.default_rng(0)
    radius = cells.max(initial=0) / 2
    while radius >= NARROWEST:
        _assign(points, _blurred(points, cells, cell_of_unit, radius), cell_of_unit, generator)
        radius *= NARROWING
    return cell_of_unit


def nearest_cells(wanted: Vectors, centres: Vectors) -> NDArray[np.int64]:
    """Return which cell each unit gets, (C,), the sum of the squared distances of both being least.

    Parameters
    ----------
    wanted : (C, 2) ndarray
        Where each unit would stand.
    centres : (C, 2) ndarray
        Of the cells.
    """
    cell_of_unit = np.empty(len(wanted), np.int64)
    cell_of_unit[np.lexsort(wanted.T)] = np.lexsort(centres.T)  # a start for those too many to assign at once
    _assign(wanted, centres, cell_of_unit, np.random.default_rng(0))
    return cell_of_unit


def _assign(points: Vectors, wanted: Vectors, cell_of_unit: NDArray[np.int64], generator: np.random.Generator) -> None:
    """Give units, `TOGETHER` at a time, those of their cells whose wanted points they are nearest to."""
    shuffled = generator.permutation(len(points))
    for part in np.array_split(shuffled, -(-len(points) // TOGETHER)):
        own = cell_of_unit[part]
        _, best = linear_sum_assignment(cdist(points[part], wanted[own], "sqeuclidean"))
        cell_of_unit[part] = own[best]


def _sorted_cells(points: Vectors, cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a cell for each unit: along the columns by the first axis, within a column by the second."""
    by_column = np.lexsort((cells[:, 1], cells[:, 0]))
    columns = np.empty(len(cells), np.int64)
    columns[np.argsort(points[:, 0], kind="stable")] = cells[by_column, 0]
    found = np.empty(len(cells), np.int64)
    found[np.lexsort((points[:, min(1, points.shape[1] - 1)], columns))] = by_column
    return found


def _blurred(points: Vectors, cells: NDArray[np.int64], cell_of_unit: NDArray[np.int64], radius: float) -> Vectors:
    """Return the weighted mean of the points around each cell, (C, R)."""
    columns, rows = cells.T
    raster = np.zeros((rows.max() + 1, columns.max() + 1, points.shape[1] + 1))
    raster[rows[cell_of_unit], columns[cell_of_unit], :-1] = points
    raster[rows, columns, -1] = 1
    smooth: Vectors = gaussian_filter(raster, (radius, radius, 0), mode="constant")[rows, columns]
    smooth[:, :-1] /= smooth[:, -1:]
    return smooth[:, :-1]
