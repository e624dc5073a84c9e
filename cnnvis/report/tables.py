"""Rows of the report's tables."""

from __future__ import annotations

from collections.abc import Mapping

from cnnvis.core.ordering import Ordering

QUALITY_COLUMNS = (
    "order",
    "groups",
    "constant",
    "smoothness",
    "original order",
    "random orders, mean",
    "random orders, sd",
    "gain in sd",
    "brightness",
)
QUALITY_CAPTION = (
    "How good the orders are. Smoothness: mean correlation of neighbouring channels, from −1 to 1. Gain: smoothness "
    "above the mean of random orders, in their standard deviations. Brightness: |Spearman| correlation of the position "
    "with the mean activation; near 1 the order merely sorts by brightness."
)


def order_quality_table(
    orderings: Mapping[str, Ordering],
) -> tuple[tuple[str, ...], list[tuple[str | int | float | None, ...]], str]:
    """Return columns, rows and caption of the table of order qualities, for `Page.table`.

    Parameters
    ----------
    orderings : mapping of str to Ordering
        By the name to show; an order without a quality gets dashes.
    """
    rows: list[tuple[str | int | float | None, ...]] = []
    held_out = []
    for name, order in orderings.items():
        quality = order.quality
        numbers: tuple[float | None, ...] = (None,) * 6
        if quality is not None:
            spread = (quality.random_mean, quality.random_std)
            numbers = (quality.smoothness, quality.original, *spread, quality.gain, quality.brightness)
            held_out.append(quality.held_out)
        rows.append((name, order.n_groups or None, int(order.constant.sum()), *numbers))
    where = " Measured on images that were not used for ordering." if held_out and all(held_out) else ""
    return QUALITY_COLUMNS, rows, QUALITY_CAPTION + where
