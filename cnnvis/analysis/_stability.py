"""How far an order depends on the row, the image or the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis._values import MapsLike, as_values
from cnnvis.analysis.agreement import OrderAgreement, compare_orders
from cnnvis.analysis.methods import METHODS, OrderMethod, OrderMethodName, OrderOptions
from cnnvis.analysis.moments import channel_moments
from cnnvis.analysis.ordering import order_images
from cnnvis.core import Ordering
from cnnvis.core.checks import frozen_array, parse_choice, require_shape
from cnnvis.core.errors import InvalidInputError

MAX_VARIANTS = 16
"""Most rows or images taken by default: 120 pairs."""

N_SEEDS = 5
"""Seeds 0 to 4 are compared by default."""


class Over(StrEnum):
    """What varies: `rows` the slice of the methods on rows, `images` the single image, `seeds` the random state."""

    ROWS = "rows"
    IMAGES = "images"
    SEEDS = "seeds"


OverName = Literal["rows", "images", "seeds"]


@dataclass(frozen=True, slots=True, eq=False)
class StabilityReport:
    """Agreement of every pair of orders of one method.

    Parameters
    ----------
    method : str
    over : str
        What varied: "rows", "images" or "seeds".
    values : tuple of int
        The n rows, images or seeds.
    kendall, neighbours, rand : (n, n) ndarray of float
        Symmetric, 1 on the diagonal where defined; see `OrderAgreement`.
    """

    method: str
    over: str
    values: tuple[int, ...]
    kendall: NDArray[np.float64]
    neighbours: NDArray[np.float64]
    rand: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.values)
        for name in ("kendall", "neighbours", "rand"):
            matrix = frozen_array(getattr(self, name), dtype=np.float64)
            require_shape(name, matrix, (n, n))
            object.__setattr__(self, name, matrix)

    @property
    def mean(self) -> OrderAgreement:
        """Mean over all pairs of different variants; undefined pairs are left out."""
        return self._over_pairs(np.mean)

    @property
    def min(self) -> OrderAgreement:
        """Worst pair, for each measure by itself."""
        return self._over_pairs(np.min)

    def _over_pairs(self, reduce: Callable[[NDArray[np.float64]], Any]) -> OrderAgreement:
        upper = np.triu_indices(len(self.values), k=1)
        pairs = [matrix[upper] for matrix in (self.kendall, self.neighbours, self.rand)]
        defined = [pair[np.isfinite(pair)] for pair in pairs]
        return OrderAgreement(*(float(reduce(pair)) if pair.size else float("nan") for pair in defined))


def stability(
    maps: MapsLike,
    method: OrderMethodName = "kmeans",
    *,
    over: OverName = "images",
    values: Iterable[int] | None = None,
    **options: Any,
) -> StabilityReport:
    """Return how well the orders of one method agree when the row, the image or the seed changes.

    Parameters
    ----------
    maps : FeatureMaps or array
        As for `order`.
    method : str, default: "kmeans"
        As for `order`; over "rows" it must be a method on rows.
    over : {"images", "rows", "seeds"}
        Each order is made on one single image; with one row slice; or with one random state.
    values : iterable of int, optional
        The images, rows or seeds; default: up to 16 images or rows evenly spread, or seeds 0 to 4.
    **options
        `n_groups`, `random_state`, `normalize`, `row` and `n_init` of `order`.

    Returns
    -------
    StabilityReport

    Raises
    ------
    InvalidInputError
        With under two variants, an unknown one, or rows of a method that does not look at rows.

    Notes
    -----
    Cost: one order per variant and a comparison per pair.
    """
    chosen, named = parse_choice(Over, over, what="over"), parse_choice(OrderMethod, method, what="ordering method")
    array, settings = as_values(maps), OrderOptions(**options)
    if chosen is Over.ROWS and not METHODS[named].rows:
        on_rows = ", ".join(name for name, registered in METHODS.items() if registered.rows)
        raise InvalidInputError(f"Method {method!r} does not look at rows; stability over rows is for {on_rows}.")
    variants = _variants(array.shape, chosen) if values is None else tuple(int(value) for value in values)
    if len(variants) < 2:
        raise InvalidInputError(f"Stability over {over} compares at least two of them, got {len(variants)}.")
    orders = _orders(array, named, settings, chosen, variants)
    kendall, neighbours, rand = _agreements(orders)
    return StabilityReport(named.value, chosen.value, variants, kendall, neighbours, rand)


def _variants(shape: tuple[int, ...], over: Over) -> tuple[int, ...]:
    """Return the default images, rows or seeds."""
    if over is Over.SEEDS:
        return tuple(range(N_SEEDS))
    size = shape[0] if over is Over.IMAGES else shape[-2]
    return tuple(np.linspace(0, size - 1, min(size, MAX_VARIANTS)).astype(int).tolist())


def _orders(
    values: NDArray[Any], method: OrderMethod, options: OrderOptions, over: Over, variants: Sequence[int]
) -> list[Ordering]:
    """Return the order of every variant."""
    if over is Over.IMAGES:
        for image in variants:
            if not 0 <= image < len(values):
                raise InvalidInputError(f"There are images 0 to {len(values) - 1}, got image {image}.")
        return [order_images(values, method, options, images=[image]) for image in variants]
    if over is Over.ROWS:
        varied = [replace(options, row=row) for row in variants]
    else:
        varied = [replace(options, random_state=seed) for seed in variants]
    whole = channel_moments(values)
    return [order_images(values, method, each, images=range(len(values)), moments=whole) for each in varied]


def _agreements(orders: Sequence[Ordering]) -> NDArray[np.float64]:
    """Return kendall, neighbours and rand of every pair, (3, n, n)."""
    n = len(orders)
    found = np.empty((3, n, n))
    for first in range(n):
        for second in range(first, n):
            pair = compare_orders(orders[first], orders[second])
            found[:, first, second] = found[:, second, first] = pair.kendall, pair.neighbours, pair.rand
    return found
