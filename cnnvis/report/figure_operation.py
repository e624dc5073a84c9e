"""One operation of a network with its numbers: what is read, multiplied, added, and what comes of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.operation import LayerOperation, LayerValues, UnitOperation
from cnnvis.core.operation_workings import Chosen, Exponentials, Merged, Normalised, PointMap, Products
from cnnvis.core.receptive_fields import ReceptiveFields
from cnnvis.report import operation_parts as parts
from cnnvis.report.operation_parts import Bar, Block, Box, Grid, MapView
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import MARGIN, SHADE, TITLE, WIDTH, to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 36
SHOWN_CHANNELS = 3
"""Channels whose products are written out: those that add or take the most."""

SHOWN_TERMS = 12
POINTS = 400
"""Most points of the graph of an activation."""


def operation_figure(
    operation: LayerOperation,
    channel: int | None = None,
    position: tuple[int, ...] | None = None,
    *,
    fields: ReceptiveFields | None = None,
    picture: NDArray[np.uint8] | None = None,
) -> Figure:
    """Return how one value of a layer comes about.

    Parameters
    ----------
    operation : LayerOperation
    channel, position
        As for `LayerOperation.at`.
    fields : ReceptiveFields, optional
        Marks on the picture what the value depends on.
    picture : (H, W, 3) ndarray of uint8, optional
        The image, of the size that the network takes.

    Raises
    ------
    InvalidInputError
        When there is no such unit.
    """
    return operation_sheet(operation, channel, position, fields=fields, picture=picture).figure()


def operation_sheet(  # noqa: PLR0913 - the value, what is known of it, and the sheet
    operation: LayerOperation,
    channel: int | None = None,
    position: tuple[int, ...] | None = None,
    *,
    fields: ReceptiveFields | None = None,
    picture: NDArray[np.uint8] | None = None,
    width: int = WIDTH,
    height: int = 0,
    header: bool = True,
    so_far: bool = False,
) -> Sheet:
    """Return the same as a sheet, for the window and for films: about 25 ms, and as much for its pixels.

    Parameters
    ----------
    width : int
        Pixels: as many columns as there is room for.
    height : int
        Pixels at least: a film's pictures are of one size.
    header : bool
        Say above which value it is.
    so_far : bool
        Of what the layer makes, show only what stands before the position, row by row.
    """
    unit = operation.at(channel, position)
    blocks = _blocks(operation, unit, fields, picture, so_far)
    top = HEADER_HEIGHT if header else 0
    places, needed = parts.columns_of(blocks, width, margin=MARGIN, gap=GAP)
    sheet = Sheet(width, max(round(top + needed + MARGIN), height))
    if top:
        title = title_of(operation, unit, room=width - 2 * MARGIN)
        draw_header(sheet, title, operation.provenance)
    for block, (x, y, _, _) in zip(blocks, places, strict=True):
        block.draw(sheet, x, y + top)
    return sheet


def title_of(operation: LayerOperation, unit: UnitOperation, *, room: float = math.inf) -> str:
    """Return which value it is, in words; without the layer's type where all of it has no room."""
    name = f" ({operation.class_names[unit.channel]})" if operation.class_names else ""
    which = f"channel {unit.channel}{name}{place_text(unit.position)} is {_number(unit.value)}"
    whole = f"{unit.layer}, {unit.type}: {which}"
    return whole if text_width(whole, size=TITLE, bold=True) <= room else f"{unit.layer}: {which}"


def place_text(position: tuple[int, ...]) -> str:
    """Return a position in words."""
    if len(position) == 2:
        return f" at row {position[0]}, column {position[1]}"
    return f" at {', '.join(map(str, position))}" if position else ""


def _blocks(
    operation: LayerOperation,
    unit: UnitOperation,
    fields: ReceptiveFields | None,
    picture: NDArray[np.uint8] | None,
    so_far: bool,
) -> list[Block]:
    views = _views(operation, unit, fields, picture, so_far)
    blocks = [parts.titled("Where it looks", [parts.maps_row(views[:3])])] if views else []
    match unit.working:
        case Products() as working if working.patch[0].size > 1:
            blocks += _convolution(operation, working)
        case Products() as working:
            blocks += _dense(operation, working)
        case Chosen() as working:
            blocks += [_pooling(working)]
        case Exponentials() as working:
            blocks += [_softmax(operation, working)]
        case PointMap() as working:
            blocks += [_point(operation, unit, working)]
        case Normalised() as working:
            blocks += [_normalised(working)]
        case Merged() as working:
            blocks += [_merged(operation, unit, working)]
        case None:
            blocks += [parts.titled("What is known", [parts.wrapped(operation.note)])]
    return [*blocks, _end(operation, unit)]


# -- where it looks ------------------------------------------------------------------------------


def _views(
    operation: LayerOperation,
    unit: UnitOperation,
    fields: ReceptiveFields | None,
    picture: NDArray[np.uint8] | None,
    so_far: bool,
) -> list[MapView]:
    """Return the image, what the layer reads, what it makes; each as far as it is a picture."""
    views = []
    if picture is not None:
        box = None if fields is None else fields.at(unit.position)
        note = "" if box is None else f"sees {box[2] - box[0]} × {box[3] - box[1]} pixels"
        if box == (0, 0, *picture.shape[:2]):
            note = "sees all of it"
        views.append(MapView(picture, "the image", note, box))
    read = _read(operation, unit)
    if read is not None:
        source, channel, box = read
        note = parts.end_of(f"{source.name} #{channel} of {len(source.values)}")
        views.append(MapView(_colours(source, channel), "what it reads", note, box))
    if operation.output.values.ndim == 3:
        row, column = unit.position
        note = parts.end_of(f"{operation.layer} #{unit.channel} of {operation.shape[0]}")
        pixels = _colours(operation.output, unit.channel)
        if so_far:
            pixels[row + 1 :] = to_bytes(SHADE)
            pixels[row, column + 1 :] = to_bytes(SHADE)
        views.append(MapView(pixels, "what it makes", note, (row, column, row + 1, column + 1)))
    return views


def _colours(layer: LayerValues, channel: int) -> NDArray[np.uint8]:
    """Return a channel's map as colours, of the range of its whole layer."""
    return _scale(layer).rgb(layer.values[channel])


@lru_cache(maxsize=4)
def _scale(layer: LayerValues) -> ColourScale:
    """Return the colours of a layer: sorting a million values for each position would be most of the work."""
    return ColourScale.of([layer.values])


def _read(operation: LayerOperation, unit: UnitOperation) -> tuple[LayerValues, int, Box | None] | None:
    """Return a layer of maps that is read, of these the one that counts most, and what is read of it."""
    if not operation.sources or operation.sources[0].values.ndim != 3:
        return None
    source, working = operation.sources[0], unit.working
    if isinstance(working, Products):
        strongest = int(working.channels[working.strongest(1)[0]])
        if not working.taps:
            if not _place_of_feature(operation.sources, strongest):
                return source, strongest, None
            channel, row, column = _place_of_feature(operation.sources, strongest)
            return source, channel, (row, column, row + 1, column + 1)
        return source, strongest, _span(working.taps, source)
    if isinstance(working, Chosen):
        return source, unit.channel, _span(working.taps, source)
    if unit.channel >= len(source.values) or len(unit.position) != 2:
        return None
    row, column = unit.position
    return source, unit.channel, (row, column, row + 1, column + 1)


def _span(taps: tuple[NDArray[np.int64], ...], source: LayerValues) -> Box | None:
    """Return the box round what a window meets; None where it meets padding only."""
    if len(taps) != 2 or not all((tap >= 0).any() for tap in taps):
        return None
    (top, bottom), (left, right) = ((int(tap[tap >= 0].min()), int(tap.max()) + 1) for tap in taps)
    return (top, left, bottom, right)


# -- how it computes ------------------------------------------------------------------------------


def _convolution(operation: LayerOperation, working: Products) -> list[Block]:
    patch, kernel, products = (_flat(values) for values in (working.patch, working.kernel, working.products))
    outside = ~_flat(working.inside[None])[0]
    read = _scale(operation.sources[0]) if operation.sources else _around_zero(patch[:, ~outside])
    scales = [read, _around_zero(kernel), _around_zero(products)]
    rows = []
    for place in working.strongest(SHOWN_CHANNELS):
        grids = [
            Grid(patch[place], f"{_source(operation)} #{working.channels[place]}", scales[0]),
            Grid(kernel[place], "kernel", scales[1]),
            Grid(np.where(outside, np.nan, products[place]), "products", scales[2]),
        ]
        rows.append(parts.grids_row(grids, ("×", "=", "→"), _number(working.sums[place])))
    size = " × ".join(map(str, working.patch.shape[1:]))
    words = f"Each number of the {size} window times the kernel's at the same place; then the products are added."
    if len(working.channels) > len(rows):
        words += f" Of {len(working.channels)} channels it reads, the {len(rows)} that count most:"
    multiply = parts.titled("Multiply", [parts.wrapped(words), *rows])
    words = "The sums of the channels and the bias:" if len(working.channels) > 1 else "The sum and the bias:"
    return [multiply, _sums(operation, working, "channel", "Add", words)]


def _around_zero(values: NDArray[np.float64]) -> ColourScale:
    """Return colours that diverge around 0."""
    largest = float(np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    return ColourScale.of([values], limits=(-largest, largest))


def _dense(operation: LayerOperation, working: Products) -> list[Block]:
    values, weights = working.patch.reshape(-1), working.kernel.reshape(-1)
    words = (
        f"Each of {len(values):,} inputs, from {_source(operation)}, times its weight, all products and the bias; the "
        "strongest products first:"
    )
    return [_sums(operation, working, "input", "Multiply and add", words, list(zip(values, weights, strict=True)))]


def _sums(
    operation: LayerOperation,
    working: Products,
    what: str,
    title: str,
    words: str,
    factors: Sequence[tuple[float, float]] | None = None,
) -> Block:
    """Return the sums of channels or products, strongest first, the bias, and the total; of products their factors."""
    shown = working.strongest(SHOWN_TERMS)
    entries = []
    for place in shown:
        name = f"{_source(operation)} #{working.channels[place]}"
        if factors is not None:
            value, weight = factors[place]
            name = f"{_input_name(operation, working, int(working.channels[place]))}: "
            name += f"{_number(value)} × {_bracketed(_number(weight))}"
        entries.append(Bar(name, float(working.sums[place])))
    n_rest = len(working.channels) - len(shown)
    if n_rest:
        rest = float(working.sums.sum() - working.sums[shown].sum())
        entries.append(Bar(f"{n_rest:,} other {what}{'s' if n_rest > 1 else ''}", rest))
    entries.append(Bar("bias", working.bias))
    entries.append(Bar("sum", working.result, bold=True))
    return parts.titled(title, [parts.wrapped(words), parts.bars(entries, names=300 if factors is None else 400)])


def _pooling(working: Chosen) -> Block:
    window = _flat(working.window[None])[0]
    flat_winner = int(np.ravel_multi_index(working.winner, working.window.shape)) if working.window.ndim else 0
    winner = divmod(flat_winner, window.shape[1])
    scale = ColourScale.of([window[np.isfinite(window)]])
    largest = working.rule == "max"
    grid = Grid(window, "window", scale, winner if largest else None)
    size = " × ".join(map(str, working.window.shape))
    words = f"The largest of the numbers of a window of {size}:"
    if not largest:
        words = f"The sum of the numbers of a window of {size}, divided by {working.divisor}:"
    return parts.titled(
        "Choose" if largest else "Average",
        [parts.wrapped(words), parts.grids_row([grid], ("→",), _number(working.result))],
    )


def _softmax(operation: LayerOperation, working: Exponentials) -> Block:
    order = np.argsort(-working.scores, kind="stable")[:SHOWN_TERMS]
    if working.channel not in order:
        order = np.append(order[:-1], working.channel)
    top = working.exponentials
    entries = [
        Bar(
            f"{_class(operation, int(k))}: {_number(working.scores[k])} → {top[k]:.3g}",
            float(working.shares[k]),
            f"{working.shares[k]:.1%}",
            bold=int(k) == working.channel,
        )
        for k in order
    ]
    words = (
        f"exp(score − {_number(float(working.scores.max()))}), the largest score, for each of {len(working.scores):,} "
        f"classes; each as a share of their sum, {top.sum():.4g}, is the probability:"
    )
    return parts.titled("Exponentials", [parts.wrapped(words), parts.bars(entries, names=420, signed=False)])


def _point(operation: LayerOperation, unit: UnitOperation, working: PointMap) -> Block:
    before, after = (
        np.asarray(values[unit.channel], np.float64).reshape(-1)
        for values in (operation.sources[0].values, operation.output.values)
    )
    kept = np.flatnonzero(np.isfinite(before) & np.isfinite(after))
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), POINTS)).astype(int)] if len(kept) else kept
    words = f"{operation.type} maps each number by itself. A point for each value of this channel; marked is this one:"
    graph = parts.curve(before[kept], after[kept], (working.before, working.after), f"in, from {_source(operation)}")
    line = f"{_number(working.before)} → {_number(working.after)}"
    return parts.titled("Map", [parts.wrapped(words), graph, parts.paragraph([line], bold=True)])


def _normalised(working: Normalised) -> Block:
    before, mean, deviation, scale, shift, result = (
        _number(number)
        for number in (
            *(working.before, working.mean, working.deviation, working.scale, working.shift),
            working.result,
        )
    )
    line = f"({before} − {_bracketed(mean)}) / {deviation} × {_bracketed(scale)} + {_bracketed(shift)} = {result}"
    words = "(value − mean) / standard deviation × scale + shift, with numbers of this channel, learned in training:"
    return parts.titled("Normalise", [parts.wrapped(words), parts.paragraph([line], bold=True)])


def _merged(operation: LayerOperation, unit: UnitOperation, working: Merged) -> Block:
    if len(working.terms) == 1:
        words = "Channels of several layers stand behind each other here; this value is one of theirs, unchanged."
        return parts.titled("Hand on", [parts.wrapped(words)])
    sign = {"+": "+", "-": "−", "x": "×"}[working.sign]
    entries = [Bar(source.name, term) for source, term in zip(operation.sources, working.terms, strict=True)]
    verb = {"+": "added", "-": "subtracted", "x": "multiplied"}[working.sign]
    terms = f" {sign} ".join(_bracketed(_number(term)) for term in working.terms)
    words = f"Values of {len(working.terms)} layers at the same place, {verb}: {terms}"
    return parts.titled(
        "Merge", [parts.wrapped(words), parts.bars([*entries, Bar("result", working.result, bold=True)])]
    )


def _end(operation: LayerOperation, unit: UnitOperation) -> Block:
    """Return what the network itself computed here, and what follows."""
    lines = [f"{operation.layer}: {_number(unit.value)}"]
    lines += [f"→ {name} ({kind}): {_number(value)}" for name, kind, value in unit.following]
    title = "What comes of it" if unit.following else "Its value"
    return parts.titled(title, [parts.paragraph(lines, bold=True)])


# -- words ----------------------------------------------------------------------------------------


def _flat(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (C, *window) as (C, rows, columns): of three axes, slice below slice."""
    return values.reshape(len(values), -1, values.shape[-1]) if values.ndim > 2 else values.reshape(len(values), 1, -1)


def _source(operation: LayerOperation) -> str:
    return operation.sources[0].name if operation.sources else "input"


def _place_of_feature(sources: Sequence[LayerValues], number: int) -> tuple[int, ...]:
    """Return channel and position of an input of a dense layer that reads flattened maps; () where it reads none."""
    shape = sources[0].values.shape if sources else ()
    return tuple(int(index) for index in np.unravel_index(number, shape)) if math.prod(shape[1:]) > 1 else ()


def _class(operation: LayerOperation, k: int) -> str:
    return operation.class_names[k] if operation.class_names else f"#{k}"


def _input_name(operation: LayerOperation, working: Products, number: int) -> str:
    """Return which value of the source an input of a dense layer is; of a convolution of one pixel which channel."""
    place = () if working.taps else _place_of_feature(operation.sources, number)
    return f"#{place[0]} ({', '.join(map(str, place[1:]))})" if place else f"#{number}"


def _number(value: float) -> str:
    """Return a number as it is written in a sum."""
    text = f"{value:.3g}" if np.isfinite(value) else str(value)
    return text.replace("-", "−")


def _bracketed(number: str) -> str:
    """Return a number as it stands behind a sign."""
    return f"({number})" if number.startswith("−") else number
