"""Rising points, as of curves and colour maps: added, moved and removed, always in order.

A point is (position, what stands there). The two ends cannot be removed, and keep their positions.
"""

from __future__ import annotations

from typing import Any

Point = tuple[float, Any]
Points = tuple[Point, ...]


def with_ends(points: Points) -> Points:
    """Return points that reach from 0 to 1: outside of them the first and the last one hold, and still do."""
    head = ((0.0, points[0][1]),) if points[0][0] > 0 else ()
    tail = ((1.0, points[-1][1]),) if points[-1][0] < 1 else ()
    return head + points + tail


def add(points: Points, point: Point) -> tuple[Points, int]:
    """Return points with one more between the ends, and its number."""
    position = min(max(point[0], points[0][0]), points[-1][0])
    index = sum(other <= position for other, _ in points[:-1])
    return (*points[:index], (position, point[1]), *points[index:]), index


def move(points: Points, index: int, point: Point) -> Points:
    """Return points with one elsewhere: an end in its position, another between its neighbours."""
    if is_end(points, index):
        position = points[index][0]
    else:
        position = min(max(point[0], points[index - 1][0]), points[index + 1][0])
    return (*points[:index], (position, point[1]), *points[index + 1 :])


def remove(points: Points, index: int) -> Points:
    """Return points without one of them; with all of them where it is an end."""
    return points if is_end(points, index) else points[:index] + points[index + 1 :]


def is_end(points: Points, index: int) -> bool:
    """Return whether a point is the first or the last."""
    return index in (0, len(points) - 1)
