"""One iteration of bundling in plain numpy and double precision: what the kernels must do.

Slow, and short enough to be read as a whole.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from cnnvis.layout import bundling
from cnnvis.layout._hubs import TRUNK


@dataclass
class Lines:
    """Lines of one group, in its own coordinates."""

    paths: list[np.ndarray]
    straight: list[np.ndarray]
    bends: np.ndarray
    axis: np.ndarray
    extent: np.ndarray

    @classmethod
    def of(cls, group):
        paths = [path.astype(float) for path in np.split(group.points, group.offsets[1:-1])]
        straight = [np.linspace(path[0], path[-1], len(path)) for path in paths]
        return cls(paths, straight, group.bends.astype(float), group.axis.astype(float), group.extent.astype(float))


def bent(path, bend):
    """Return how far the bent line is from the straight one at each point, (n, 3)."""
    knots = [0, (1 - TRUNK) / 2, (1 + TRUNK) / 2, 1]
    t = np.linspace(0, 1, len(path))
    return np.stack([np.interp(t, knots, [0, bend[0, q], bend[1, q], 0]) for q in range(3)], axis=1)


def density(lines, vectors, cell, deviation):
    """Return the smoothed grid of vectors, one (n, K) array per line."""
    shape = (*(np.ceil(lines.extent / cell).astype(int) + 2), vectors[0].shape[1])
    grid = np.zeros(shape)
    places, values = np.concatenate(lines.paths) / cell, np.concatenate(vectors)
    base = np.floor(places).astype(int)
    for corner in np.ndindex(2, 2, 2):
        share = np.prod(np.where(corner, places - base, 1 - (places - base)), axis=1)
        np.add.at(grid, tuple((base + corner).T), share[:, None] * values)
    radius = max(1, int(np.ceil(3 * (deviation / cell))))
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) * cell / deviation) ** 2)
    taps /= taps.sum()
    for axis in range(3):
        grid = np.apply_along_axis(lambda row: np.convolve(row, taps)[radius:-radius], axis, grid)
    return grid


def interpolated(grid, places):
    """Return a grid (X, Y, Z, K) at places (n, 3) in cells: (n, K), linear."""
    columns = [map_coordinates(grid[..., k], places.T, order=1, mode="nearest") for k in range(grid.shape[3])]
    return np.stack(columns, axis=1)


def shift(path, grid, vectors, cell, deviation, speed):
    """Return the mean shift of each point of a line, (n, 3)."""
    places = path / cell
    value = np.sum(interpolated(grid, places) * vectors, axis=1)
    slopes = []
    for q in range(3):
        halfway = places - 0.5 * np.eye(3)[q]  # a difference belongs to the middle of its cell
        slopes.append(np.sum(interpolated(np.diff(grid, axis=q), halfway) * vectors, axis=1) / cell)
    gradient = np.stack(slopes, axis=1)
    positive = value > 0
    return speed * deviation**2 * np.where(positive[:, None], gradient, 0) / np.where(positive, value, 1)[:, None]


def across(moves, axis, straight):
    """Return moves without their part along the axis, or along the line where there is none."""
    chord = straight[-1] - straight[0]
    along = axis if axis.any() else chord / max(np.linalg.norm(chord), 1e-30)
    return moves - np.outer(moves @ along, along)


def smoothed(path, target, strength):
    """Return the line after two implicit steps of the heat equation on its distance from the target."""
    n = len(path) - 1
    if strength == 0 or n < 2:
        return path
    second = np.diag(np.full(n - 1, 2.0)) - np.diag(np.ones(n - 2), 1) - np.diag(np.ones(n - 2), -1)
    step = np.eye(n - 1) + 0.5 * strength * (n / np.pi) ** 2 * second
    found = path.copy()
    found[1:-1] = target[1:-1] + np.linalg.solve(step @ step, (path - target)[1:-1])
    return found


def iterate(lines, added, felt, weight, bandwidth, options):
    """Do one iteration; `added` and `felt` are lists with the vectors (n, K) of each line that it gives and feels."""
    deviation = bandwidth / np.sqrt(5)
    cell = max(0.5 / options.sampling_rate, deviation / 2)
    grid = density(lines, [w * vector for w, vector in zip(weight, added, strict=True)], cell, deviation)
    speed = {"advect": bundling.SPEED, "diverge": -bundling.SPEED}[options.mode]
    strength = bundling.SMOOTHING_TO_TRUNKS if lines.bends.any() else bundling.SMOOTHING_TO_STRAIGHT
    for number, (path, straight) in enumerate(zip(lines.paths, lines.straight, strict=True)):
        moves = across(shift(path, grid, felt[number], cell, deviation, speed), lines.axis, straight)
        length = np.linalg.norm(moves, axis=1, keepdims=True)
        moves *= np.minimum(1, bandwidth / np.maximum(length, 1e-30))
        moves[[0, -1]] = 0
        target = straight + bent(path, lines.bends[number])
        moved = smoothed(path + moves, target, strength * options.smoothing_iterations)
        lines.paths[number] = np.clip(moved, 0, lines.extent)
