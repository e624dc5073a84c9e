"""What a unit is linked with most strongly, and the strongest path through a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import EdgeSet, PolylineSet
from cnnvis.core.checks import frozen_array, frozen_integers, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.ranks import ranks_from_top

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]
Links = EdgeSet | PolylineSet
"""Links between units, or the lines that are drawn of them: with line arrays "source" and "target"."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Links of one unit, the most important first.

    Parameters
    ----------
    lines : (N,) ndarray of int
        Numbers of the links, which are those of their lines.
    units : (N,) ndarray of int
        At their other ends.
    weight, importance : (N,) ndarray of float
        As the links or lines have them.
    rank : (N,) ndarray of int
        By importance among all links, from 1.
    """

    lines: Numbers
    units: Numbers
    weight: Floats
    importance: Floats
    rank: Numbers

    def __post_init__(self) -> None:
        for name in ("lines", "units", "rank"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        for name in ("weight", "importance"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), dtype=np.float64))
        for name in self.__slots__:
            require_shape(name, getattr(self, name), self.lines.shape)

    def __len__(self) -> int:
        return int(self.lines.size)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkPath:
    """A way through a network, in the direction of its data.

    Parameters
    ----------
    units : (L + 1,) ndarray of int
    lines : (L,) ndarray of int
        Numbers of the links from each unit to the next.
    shares : (L,) ndarray of float
        Strength of each: its share in the importance of all links into the same unit.
    """

    units: Numbers
    lines: Numbers
    shares: Floats

    def __post_init__(self) -> None:
        for name in ("units", "lines"):
            object.__setattr__(self, name, frozen_integers(name, getattr(self, name)))
        object.__setattr__(self, "shares", frozen_array(self.shares, dtype=np.float64))
        for name in ("lines", "shares"):
            require_shape(name, getattr(self, name), (self.units.size - 1,))

    def __len__(self) -> int:
        return int(self.lines.size)

    @property
    def strength(self) -> float:
        """Product of the shares; 1 for a path of one unit."""
        return float(self.shares.prod())


def strongest_links(edges_or_lines: Links, unit: int, n: int = 10) -> tuple[Neighbours, Neighbours]:
    """Return the most important links into a unit and out of it.

    Parameters
    ----------
    edges_or_lines : EdgeSet or PolylineSet
    unit : int
    n : int, default: 10
        At most so many of each.

    Returns
    -------
    inputs, outputs : Neighbours
        Of equally important links the heavier one comes first, then the one of the lower number.

    Raises
    ------
    InvalidInputError
        For lines without "source" and "target", a negative unit, or n below 1.

    Notes
    -----
    A link is as important as the links or lines say, which is its weight times the importance of units; without it, as
    it is heavy. Costs a sort of all links: 10 ms for 68,000.
    """
    links = _links(edges_or_lines)
    _require_unit(unit)
    if n < 1:
        raise InvalidInputError(f"strongest_links: n must be at least 1, got {n}.")
    rank = ranks_from_top(links.importance)

    def most(here: Numbers, there: Numbers) -> Neighbours:
        found = np.flatnonzero(here == unit)
        found = found[np.lexsort((found, -links.weight[found], -links.importance[found]))][:n]
        return Neighbours(found, there[found], links.weight[found], links.importance[found], rank[found])

    return most(links.target, links.source), most(links.source, links.target)


def strongest_of_each(edges_or_lines: Links, n_units: int) -> tuple[Numbers, Numbers]:
    """Return for each unit its most important link in and out, as `strongest_links` ranks them.

    Returns
    -------
    inputs, outputs : (n_units,) ndarray of int
        Numbers of the links; -1 where a unit has none.

    Notes
    -----
    Costs two sorts of all links.
    """
    links = _links(edges_or_lines)

    def most(here: Numbers) -> Numbers:
        order = np.lexsort((-links.weight, -links.importance, here))
        first = np.flatnonzero(np.diff(here[order], prepend=-1))
        found = np.full(max(n_units, links.n_units), -1)
        found[here[order[first]]] = order[first]
        return found[:n_units]

    return most(links.target), most(links.source)


def strongest_path(
    edges_or_lines: Links, unit: int, *, towards: Literal["output", "input"] | int = "output"
) -> NetworkPath:
    """Return the path from or to a unit on which the product of the strengths of links is largest.

    The strength of a link is its importance - which is its weight times the importance of units - divided by the sum
    over all links into the same unit. So the strengths of what leads into a unit sum to 1 in every layer, wide or
    narrow, and the product along a path is the share of its last unit's input that came this way, if every unit hands
    on what it gets. Links that were left out count as if there were none.

    Parameters
    ----------
    edges_or_lines : EdgeSet or PolylineSet
        Skip links are links as others are.
    unit : int
    towards : "output", "input" or int
        From the unit to any unit of an output layer, to it from any of an input layer, or between it and another
        unit, in whichever direction there is a path. An output layer is one out of which no link leads, an input layer
        one into which none does; where layers are unknown, the same holds of units.

    Returns
    -------
    NetworkPath
        Of equally strong paths that whose other end has the lowest number; of those between the same ends the shortest,
        by links of the lowest numbers.

    Raises
    ------
    InvalidInputError
        For lines without "source" and "target", for a negative unit, when there is no path.

    Notes
    -----
    The most reliable path of a graph: dynamic programming over the number of links (Bellman, "On a routing problem",
    1958) on sums of logarithms, which do not vanish over a hundred layers. Costs one pass over all links for each link
    of the longest path.
    """
    links = _links(edges_or_lines)
    _require_unit(unit)
    starts = np.array([unit])
    if towards == "input":
        return _path(links, starts, links.ends(inputs=True), forward=False, what=f"from an input to unit {unit}")
    if towards == "output":
        return _path(links, starts, links.ends(inputs=False), forward=True, what=f"from unit {unit} to an output")
    if isinstance(towards, str):
        raise InvalidInputError(f"towards must be 'output', 'input' or the number of a unit, got {towards!r}.")
    _require_unit(towards)
    goal, what = np.array([towards]), f"between the units {unit} and {towards}"
    upstream = not links.reaches(unit, towards)
    return _path(links, starts, goal, forward=not upstream, what=what)


@dataclass(frozen=True, slots=True, eq=False)
class _Linked:
    """What a search needs of links: arrays (E,), and the layers of their ends where they are known."""

    source: Numbers
    target: Numbers
    weight: Floats
    importance: Floats
    layers: tuple[Numbers, Numbers] | None

    @property
    def n_units(self) -> int:
        return int(max(self.source.max(initial=-1), self.target.max(initial=-1))) + 1

    def shares(self) -> Floats:
        """Return the importance of each link as a share of that of all links into its target."""
        totals = np.bincount(self.target, self.importance, minlength=self.n_units)[self.target]
        return np.divide(self.importance, totals, out=np.zeros(len(totals)), where=totals > 0)

    def ends(self, *, inputs: bool) -> Numbers:
        """Return the units at which paths begin or end."""
        here, there = (self.source, self.target) if inputs else (self.target, self.source)
        if self.layers is None:
            return np.setdiff1d(here, there)
        layer_here, layer_there = self.layers if inputs else self.layers[::-1]
        return np.unique(here[~np.isin(layer_here, layer_there)])

    def reaches(self, start: int, goal: int) -> bool:
        """Whether a path leads from one unit to another."""
        seen, shares = np.zeros(max(self.n_units, start + 1, goal + 1), bool), self.shares() > 0
        seen[start] = True
        while not seen[goal]:
            new = self.target[seen[self.source] & shares & ~seen[self.target]]
            if not new.size:
                return False
            seen[new] = True
        return True


def _links(edges_or_lines: Links) -> _Linked:
    if isinstance(edges_or_lines, EdgeSet):
        edges, units = edges_or_lines, edges_or_lines.units
        layers = None if units is None else (units.layer_of(edges.source), units.layer_of(edges.target))
        importance = edges.weight if edges.importance is None else edges.importance
        return _Linked(edges.source, edges.target, edges.weight, importance, layers)
    lines, arrays = edges_or_lines, edges_or_lines.line_arrays
    missing = [name for name in ("source", "target") if name not in arrays]
    if missing:
        raise InvalidInputError(
            f"Lines need the arrays 'source' and 'target', numbers of units, got no {' and no '.join(missing)}; "
            "lines from cnnvis.bundle have them."
        )
    weight = np.asarray(arrays.get("weight", np.ones(len(lines))), np.float64)
    importance = np.asarray(arrays.get("importance", weight), np.float64)
    return _Linked(arrays["source"], arrays["target"], weight, importance, _layers(lines))


def _layers(lines: PolylineSet) -> tuple[Numbers, Numbers] | None:
    """Return the layers of the first and the last point of each line."""
    if "layer" not in lines.point_arrays or not (np.diff(lines.offsets) > 0).all():
        return None
    layer = np.rint(lines.point_arrays["layer"]).astype(np.int64)
    return layer[lines.offsets[:-1]], layer[lines.offsets[1:] - 1]


def _path(links: _Linked, starts: Numbers, goals: Numbers, *, forward: bool, what: str) -> NetworkPath:
    here, there = (links.source, links.target) if forward else (links.target, links.source)
    n_units = max(links.n_units, int(starts.max()) + 1, int(goals.max(initial=-1)) + 1)
    shares = links.shares()
    best, came_by = _best(here, there, shares, starts, n_units)
    reached = goals[np.isfinite(best[goals])] if goals.size else goals
    if not reached.size:
        raise InvalidInputError(
            f"No path of links leads {what}. Links that are not drawn do not count: draw more of them."
        )
    unit = int(reached[np.argmax(best[reached])])
    found: list[int] = []
    while came_by[unit] >= 0:
        found.append(int(came_by[unit]))
        unit = int(here[found[-1]])
    lines = np.array(found[::-1] if forward else found, np.int64)
    last = links.target[lines[-1:]] if lines.size else starts
    return NetworkPath(np.concatenate([links.source[lines], last]), lines, shares[lines])


def _best(here: Numbers, there: Numbers, shares: Floats, starts: Numbers, n_units: int) -> tuple[Floats, Numbers]:
    """Return for each unit the logarithm of the strongest path from a start, and the link by which it came; -1: none.

    Each round lengthens paths by one link. A path has to be stronger to replace a shorter one, so cycles never pay.
    """
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
    best, came_by = np.full(n_units, -np.inf), np.full(n_units, -1)
    best[starts] = 0.0
    while True:
        offered = best[here] + logs
        better = np.flatnonzero(offered > best[there])
        if not better.size:
            return best, came_by
        order = better[np.lexsort((better, -offered[better], there[better]))]
        first = np.r_[True, np.diff(there[order]) > 0]
        best[there[order[first]]] = offered[order[first]]
        came_by[there[order[first]]] = order[first]


def _require_unit(unit: int) -> None:
    if unit < 0:
        raise InvalidInputError(f"Units are numbered from 0, got {unit}.")
