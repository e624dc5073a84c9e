"""Rows of the report's tables."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cnnvis.core.filter_table import FilterTable
from cnnvis.core.ordering import Ordering
from cnnvis.core.redundancy import Redundancy
from cnnvis.report.style import minus

QUALITY_COLUMNS = ("order", "groups", "constant", "smoothness", "original", "random", "gain", "brightness")
QUALITY_CAPTION = (
    "How good the orders are. Smoothness: mean correlation of neighbouring channels, −1 to 1; original: the same for "
    "the network's own order; random: mean ± standard deviation over random orders. Gain: smoothness above the random "
    "mean, in those standard deviations. Brightness: |Spearman| correlation of the position with the mean activation; "
    "near 1 the order merely sorts by brightness. Constant: channels without any variation, which stand last."
)


FILTER_COLUMNS = ("images of", "images", "error", "without least", "least", "without most", "most")
REDUNDANCY_COLUMNS = ("layer", "channels", "proposed", "verified", "alike on average only", "left whole")


def order_quality_table(
    orderings: Mapping[str, Ordering],
) -> tuple[tuple[str, ...], list[tuple[str | int | float | None, ...]], str]:
    """Return columns, rows and caption of the table of order qualities, for `Page.table`.

    Parameters
    ----------
    orderings : mapping of str to Ordering
        By the name to show; an order without a quality gets dashes.
    """
    rows = [_quality_row(name, order) for name, order in orderings.items()]
    held_out = [order.quality.held_out for order in orderings.values() if order.quality is not None]
    where = " Measured on images that were not used for ordering." if held_out and all(held_out) else ""
    return QUALITY_COLUMNS, rows, QUALITY_CAPTION + where


def filter_table_rows(table: FilterTable) -> tuple[tuple[str, ...], list[tuple[str | int, ...]], str]:
    """Return columns, rows and caption of CNN-VIS's table of single filters, for `Page.table`.

    Parameters
    ----------
    table : FilterTable
    """
    rows = [
        (
            row.name,
            row.images,
            _percent(row.error),
            _percent(row.without_least),
            row.least,
            _percent(row.without_most),
            row.most,
        )
        for row in table.rows
    ]
    caption = (
        f"Errors with single filters of {table.layer} switched off, by importance of {table.method}: the share of "
        "images taken for another class by the whole network, without the least and without the most important filter. "
        "A row of a class counts its images alone, and the filters least and most important to it."
    )
    return FILTER_COLUMNS, rows, caption


def redundancy_table(redundancy: Redundancy) -> tuple[tuple[str, ...], list[tuple[str | int | float, ...]], str]:
    """Return columns, rows and caption of the table of what was proposed and verified by layer, for `Page.table`.

    Parameters
    ----------
    redundancy : Redundancy
        Layers that cannot be merged have a row with the reason.
    """
    disagreeing, limit = redundancy.disagreeing(), redundancy.options.get("explained")
    rows: list[tuple[str | int | float, ...]] = []
    for layer, moments in redundancy.moments.items():
        parts = (redundancy.pairs, redundancy.verified, disagreeing)
        counts = [sum(pair.layer == layer for pair in part) for part in parts]
        rows.append((layer, moments.n_channels, *counts, ""))
    rows += [(layer, "", "", "", "", reason) for layer, reason in redundancy.left_whole.items()]
    caption = (
        f"Pairs of channels proposed by averages or groups and verified on the maps of {redundancy.n_images:,} images. "
        "Alike on average only: pairs whose averages correlate above 0.9 and whose maps disagree"
        + ("." if limit is None else f": one explains less than {limit:.0%} of the other over all positions.")
    )
    return REDUNDANCY_COLUMNS, rows, caption


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _quality_row(name: str, order: Ordering) -> tuple[str | int | float | None, ...]:
    head = (name, order.n_groups or None, int(order.constant.sum()))
    quality = order.quality
    if quality is None:
        return (*head, None, None, None, None, None)
    random = None
    if not math.isnan(quality.random_mean):
        random = minus(f"{quality.random_mean:.3f} ± {quality.random_std:.3f}")
    gain = None if math.isnan(quality.gain) else minus(f"{quality.gain:+.1f} sd")
    return (*head, quality.smoothness, quality.original, random, gain, quality.brightness)
