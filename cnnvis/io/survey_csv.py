"""What a survey says of every channel, as one table for other programs; nothing reads it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from numpy.typing import NDArray

from cnnvis.core import Anomaly, Survey
from cnnvis.core.survey import LEVELS
from cnnvis.io._table import Table, write_table

HEADER = (
    *("layer", "channel", "values_of", "group", "mean", "std", "median", "percentile_5", "percentile_95"),
    *("minimum", "maximum", "zero_share", "missing_images", "anomalies", "top_images"),
)


def save_channels(
    survey: Survey,
    path: Path,
    *,
    groups: Mapping[str, NDArray] | None = None,
    anomalies: Sequence[Anomaly] = (),
) -> Path:
    """Write one row per channel; return the file.

    Parameters
    ----------
    survey : Survey
    path : Path
    groups : mapping of str to (C,) ndarray of int, optional
        By layer, from `cnnvis.communities`.
    anomalies : sequence of Anomaly

    Notes
    -----
    `mean` to `percentile_95` are of the averages, `minimum` to `zero_share` of all values of the maps. `top_images` are
    the names, else the numbers, of the images with the largest averages, the largest first.
    """
    odd: dict[tuple[str, int], list[str]] = {}
    for found in anomalies:
        odd.setdefault((found.layer, found.channel), []).append(f"{found.kind}: {found.detail}")
    rows = [
        _row(survey, name, channel, None if groups is None else groups.get(name), odd.get((name, channel), []))
        for name, layer in survey.layers.items()
        for channel in range(layer.n_channels)
    ]
    write_table(Table(HEADER, rows), path)
    return path


def _row(survey: Survey, name: str, channel: int, groups: NDArray | None, odd: Sequence[str]) -> tuple[object, ...]:
    layer = survey.layers[name]
    levels = (layer.quantiles[channel, LEVELS.index(level)] for level in (0.5, 0.05, 0.95))
    maps = layer.maps
    of_maps = ("", "", "") if maps is None else (maps.minimum[channel], maps.maximum[channel], maps.zero_share[channel])
    images = [int(image) for image in layer.top_images[channel] if image >= 0]
    return (
        *(name, channel, layer.value, "" if groups is None else int(groups[channel])),
        *(layer.mean[channel], layer.std[channel], *levels, *of_maps, int(layer.n_missing[channel])),
        "; ".join(odd),
        "; ".join(survey.image_names.get(image, str(image)) for image in images),
    )
