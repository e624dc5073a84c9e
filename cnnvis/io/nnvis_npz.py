"""The files of nn_vis (julrog/nn_vis): ``.imp.npz``, importance of a dense network, and ``.pro.npz``, a bundled one.

Both hold arrays of objects, which are read without unpickling. nn_vis scales the importance of links by the largest of
their row and all rows before it, so that early rows are too large; what is in the file is taken as it is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, EdgeSet, Layout, PolylineSet, Provenance, Units
from cnnvis.core.errors import FileFormatError, UnsafeFileError
from cnnvis.io._derived import implied
from cnnvis.io._object_arrays import read_object_array

_LAYER_DISTANCE = 0.5  # scene units; nn_vis recommends it for squares of side 1

_UNIT_VALUES, _EDGE_VALUES = 6, 8
"""Numbers of a record beside those by class: x y z 1, mean, norm; samples, layer, id, importance, four of the ends."""

_NEAR = 1e-3
"""How far the end of a line may be from its unit, as a share of the network's diagonal."""


class _Record(NamedTuple):
    """Links of one pair of layers: numbers of units, importance, and their lines."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    importance: NDArray[np.float64]
    lines: list[NDArray[np.float32]]


def save(obj: Any, path: Path) -> NoReturn:
    """Refuse: these files are read only."""
    raise FileFormatError(
        f"{path.name}: files of nn_vis are read, not written. Save a bundled network as .safetensors."
    )


def load(path: Path) -> BundledNetwork:
    """Return the network of a file of nn_vis.

    Of ``.imp.npz`` all links are straight, units stand in squares and have the mean importance of their classes; links
    weigh what their importance is. Of ``.pro.npz`` units, lines and importance are those that nn_vis left; links that
    it lost when it wrote the file are missing.

    Raises
    ------
    UnsafeFileError
        When the file holds anything but arrays, numbers and lists.
    FileFormatError
        When it is damaged, or no file of nn_vis.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("arr_0.npy") as file:
            parts = read_object_array(file)
        if parts.shape == (2,):
            return _of_importance(parts[0], parts[1], path)
        if parts.shape == (5,):
            return _of_processed(list(parts), path)
    except UnsafeFileError as error:
        raise UnsafeFileError(f"{path} holds {error}; it was refused.") from error
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        OverflowError,
        RecursionError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
    ) as error:
        raise FileFormatError(f"{path} is no file of nn_vis or damaged: {error}") from error
    raise FileFormatError(f"{path} is no file of nn_vis: it holds {parts.shape} parts, not 2 or 5.")


def _of_importance(of_units: Sequence[Any], of_links: Sequence[Any], path: Path) -> BundledNetwork:
    profiles = [np.asarray([np.asarray(row, np.float64) for row in layer]) for layer in of_units]
    sizes = [len(layer) for layer in profiles]
    weights = [np.asarray(gap, np.float64) for gap in of_links]
    if [gap.shape for gap in weights] != list(pairwise(sizes)) or len(sizes) < 2:
        raise ValueError(f"links of {[gap.shape for gap in weights]} do not join layers of {sizes} units")
    units = _units(sizes)
    layout = Layout(_squares(sizes), units.layer_of(np.arange(len(units))), layers=units.layers)
    records = []
    for gap, weight in enumerate(weights):
        source, target = (ends.reshape(-1) for ends in np.indices(weight.shape))
        source, target = source + units.offsets[gap], target + units.offsets[gap + 1]
        ends = np.stack([layout.positions[source], layout.positions[target]], axis=1).astype(np.float32)
        records.append(_Record(source, target, weight.reshape(-1), list(ends)))
    values = np.concatenate(profiles)
    return _network(units, layout, records, values, values.mean(axis=1), path)


def _of_processed(parts: list[Any], path: Path) -> BundledNetwork:
    sizes, of_units, of_links, samples, most_samples = parts
    sizes = [int(size) for size in sizes]
    n_classes = sizes[-1]
    width = _padded(n_classes + _UNIT_VALUES)
    records = np.asarray(of_units, np.float64).reshape(-1, width)
    units = _units(sizes)
    if len(records) != len(units):
        raise ValueError(f"it has {len(records)} units in layers of {sizes}")
    layout = Layout(records[:, :3], units.layer_of(np.arange(len(units))), layers=units.layers)
    if len(of_links) != len(sizes) - 1 or len(samples) != len(of_links):
        raise ValueError(f"it has links of {len(of_links)} gaps between {len(sizes)} layers")
    gaps = []
    for gap, (links, lines) in enumerate(zip(of_links, samples, strict=True)):
        for some, points in zip(links, lines, strict=True):
            table = np.asarray(some, np.float64).reshape(-1, _padded(2 * n_classes + _EDGE_VALUES))
            grid = np.asarray(points, np.float32).reshape(-1, int(most_samples), 4)
            if len(table) != len(grid):
                raise ValueError(f"it has {len(table)} links and {len(grid)} lines between two layers")
            gaps.append(_record(layout, gap, table[:, 3], [_line(row) for row in grid]))
    profiles, importance = records[:, 4 : 4 + n_classes], records[:, 4 + n_classes]
    return _network(units, layout, gaps, profiles, importance, path)


def _network(
    units: Units,
    layout: Layout,
    gaps: Sequence[_Record],
    profiles: NDArray[np.float64],
    importance: NDArray[np.float64],
    path: Path,
) -> BundledNetwork:
    source, target, weight = (np.concatenate(part) for part in list(zip(*gaps, strict=True))[:3])
    edges = EdgeSet(source, target, weight, layout.layer_of_unit[source], units=units)
    lines = _with_arrays([line for gap in gaps for line in gap.lines], edges, layout, importance, profiles)
    classes = tuple(f"class {number}" for number in range(profiles.shape[1]))
    parameters = {"source": path.name, "method": "batchnorm (nn_vis)"}
    provenance = Provenance(model=path.name.removesuffix(".npz"), weights="trained")
    return BundledNetwork(
        edges, layout, lines, importance, profiles, classes, parameters=parameters, provenance=provenance
    )


def _with_arrays(
    lines: Sequence[NDArray[np.float32]],
    edges: EdgeSet,
    layout: Layout,
    importance: NDArray[np.float64],
    profiles: NDArray[np.float64],
) -> PolylineSet:
    """Return lines with the arrays that those of `cnnvis.bundle` have."""
    counts = np.array([len(line) for line in lines])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    t = np.concatenate([np.linspace(0, 1, count, dtype=np.float32) for count in counts])
    bare = PolylineSet(np.concatenate(lines), offsets, {"t": t})
    start, stop = (np.repeat(importance[ends], counts) for ends in (edges.source, edges.target))
    strength = ((1 - t) * start + t * stop) * np.repeat(edges.weight, counts)
    strength = (strength / (strength.max() or 1.0)).astype(np.float32)
    means = (np.add.reduceat(strength, offsets[:-1]) / counts).astype(np.float32)
    points = {"t": t, "importance": strength, **dict(implied(edges, layout, profiles, bare))}
    ends = {"source": edges.source, "target": edges.target, "weight": edges.weight.astype(np.float32)}
    return PolylineSet(bare.points, offsets, points, ends | {"importance": means})


def _record(layout: Layout, gap: int, importance: NDArray[np.float64], lines: list[NDArray[np.float32]]) -> _Record:
    """Return links with the units that their lines begin and end at, from the earlier layer to the later one.

    nn_vis writes every second gap backwards, and no numbers of units.
    """
    from scipy.spatial import cKDTree

    numbers = [np.flatnonzero(layout.layer_of_unit == layer) for layer in (gap, gap + 1)]
    trees = [cKDTree(layout.positions[of_layer]) for of_layer in numbers]
    ends = np.stack([[line[0], line[-1]] for line in lines], axis=1).astype(np.float64)
    reach = _NEAR * float(np.linalg.norm(np.ptp(layout.positions, axis=0)))
    for first, last in ((0, 1), (1, 0)):
        from_start, sources = trees[0].query(ends[first])
        from_end, targets = trees[1].query(ends[last])
        if max(from_start.max(), from_end.max()) <= reach:
            turned = lines if first == 0 else [line[::-1] for line in lines]
            return _Record(numbers[0][sources], numbers[1][targets], importance, turned)
    raise ValueError(f"lines between the layers {gap} and {gap + 1} do not end at units of these")


def _line(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the points of a line: as many as its first sample says, or up to the one that is marked as the last."""
    said = float(samples[0, 3])
    count = int(said) if said > 1 else int(np.argmax(samples[:, 3] <= 0)) + 1
    if not 2 <= count <= len(samples):
        raise ValueError(f"a line has {count} points of {len(samples)}")
    return samples[:count, :3]


def _units(sizes: Sequence[int]) -> Units:
    return Units(("input", *(f"fc{number}" for number in range(1, len(sizes)))), tuple(sizes), 1)


def _squares(sizes: Sequence[int]) -> NDArray[np.float64]:
    """Return the places of units: each layer row by row in a square of side 1, layers along z, as nn_vis has them."""
    places = []
    for layer, size in enumerate(sizes):
        side = int(np.ceil(np.sqrt(size)))
        number = np.arange(size)
        across = np.stack([number % side, side - 1 - number // side], axis=1) / max(side - 1, 1) - 0.5
        across = across if side > 1 else np.zeros((size, 2))
        places.append(np.column_stack([across, np.full(size, _LAYER_DISTANCE * layer)]))
    return np.concatenate(places)


def _padded(count: int) -> int:
    """Return the length of a record: a multiple of four, as graphics memory has it."""
    return -(-count // 4) * 4
