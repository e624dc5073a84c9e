"""Which channels were merged into which, as a table for other programs; nothing reads it back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnvis.core.merging import Merge
from cnnvis.core.redundancy import ALONE
from cnnvis.io._table import Table, write_table

HEADER = ("step", "layer", "merged", "into", "rule", "a", "b", "explained", "border_error")


def save_merges(merges: Sequence[Merge], path: Path) -> Path:
    """Write one row per merge, in order; return the file.

    Parameters
    ----------
    merges : sequence of Merge
    path : Path

    Notes
    -----
    `into` is the most alike of the channels that stay, empty where a constant took over; a x + b is the line in it, in
    the first of the values in which channels are read, and `explained` the share of the variance over all positions
    that the line explains. `border_error` is the largest error that b makes where maps are padded with zeros, in units
    of what the layer behind gives.
    """
    rows = [
        (
            *(merge.step, merge.layer, merge.merged, "" if merge.kept == ALONE else merge.kept, str(merge.rule)),
            *(merge.scale[0], merge.shift[0], merge.explained, merge.border_error),
        )
        for merge in merges
    ]
    write_table(Table(HEADER, rows), path)
    return path
