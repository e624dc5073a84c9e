"""The inner loops of force layouts, compiled by numba and cached; they let go of the interpreter while they run."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.layout._loops import compiled_loop

Array = NDArray[Any]

ONE = np.float32(1)

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))
"""Nodes on one spot part as the seeds of a sunflower stand, by their numbers."""


@compiled_loop(error_model="numpy", fastmath={"nsz", "arcp", "contract", "reassoc"})
def forces(places: Array, pulls: Array, mass: Array) -> tuple[Array, Array]:
    """Return how nodes attract and repel each other.

    Parameters
    ----------
    places : (3, n) ndarray of float32
    pulls : (n, n) ndarray of float32
        Symmetric, the diagonal 0.
    mass : (n,) ndarray of float32

    Returns
    -------
    attraction : (3, n) ndarray of float32
        Of node i: the sum over j of pulls_ij q_ij (x_j - x_i), q_ij = 1 / (1 + |x_i - x_j|^2).
    repulsion : (3, n) ndarray of float32
        To be subtracted: the sum over j of m_i m_j q_ij^2 (x_j - x_i), divided by the sum of m_i m_j q_ij over all
        pairs; 0 for a single node.
    """
    n = places.shape[1]
    attraction, repulsion = np.empty_like(places), np.empty_like(places)
    total = 0.0
    for i in range(n):
        x, y, z = places[0, i], places[1, i], places[2, i]
        ax = ay = az = rx = ry = rz = near = np.float32(0)
        for j in range(n):
            dx, dy, dz = places[0, j] - x, places[1, j] - y, places[2, j] - z
            closeness = ONE / (ONE + dx * dx + dy * dy + dz * dz)
            pull, push = pulls[i, j] * closeness, mass[j] * closeness
            near += push
            push *= closeness
            ax, ay, az = ax + pull * dx, ay + pull * dy, az + pull * dz
            rx, ry, rz = rx + push * dx, ry + push * dy, rz + push * dz
        attraction[0, i], attraction[1, i], attraction[2, i] = ax, ay, az
        repulsion[0, i], repulsion[1, i], repulsion[2, i] = mass[i] * rx, mass[i] * ry, mass[i] * rz
        total += mass[i] * (near - mass[i])
    if total > 0:
        repulsion /= np.float32(total)
    return attraction, repulsion


@compiled_loop(error_model="numpy")
def push_apart(places: Array, least: float) -> float:
    """Move all nodes away from those nearer than `least`, by half of what is missing to each, on average.

    Parameters
    ----------
    places : (3, n) ndarray of float64
        Changed in place. Nodes on the same spot part in the plane, in the directions of GOLDEN_ANGLE.
    least : float

    Returns
    -------
    float
        The most that was missing between two nodes.
    """
    n = places.shape[1]
    shift, count, most = np.zeros((3, n)), np.zeros(n), 0.0
    for i in range(n):
        for j in range(i):
            dx, dy, dz = places[0, i] - places[0, j], places[1, i] - places[1, j], places[2, i] - places[2, j]
            square = dx * dx + dy * dy + dz * dz
            if square >= least * least:
                continue
            lack = least - math.sqrt(square)
            if square < 1e-6 * least * least:
                dx = math.sqrt(i) * math.cos(i * GOLDEN_ANGLE) - math.sqrt(j) * math.cos(j * GOLDEN_ANGLE)
                dy = math.sqrt(i) * math.sin(i * GOLDEN_ANGLE) - math.sqrt(j) * math.sin(j * GOLDEN_ANGLE)
                dz, square = 0.0, dx * dx + dy * dy
            part = 0.5 * lack / math.sqrt(square)
            most = max(most, lack)
            count[i] += 1
            count[j] += 1
            for axis, along in enumerate((dx, dy, dz)):
                shift[axis, i] += part * along
                shift[axis, j] -= part * along
    places += shift / np.maximum(count, 1)
    return most
