"""Importance of channels: as a grid of tiles, and by class as a heat map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, did_you_mean
from cnnvis.core.importance import Importance
from cnnvis.core.provenance import Provenance
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, TITLE_HEIGHT, draw_header, draw_legend, draw_panel_title
from cnnvis.report.scale import ColourScale
from cnnvis.report.sheet import Sheet, text_width
from cnnvis.report.style import MARGIN, WIDTH, ink_on
from cnnvis.report.tiles import resize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scale = Literal["layer", "shared"]

ROOM = WIDTH - 2 * MARGIN
COLUMNS = (16, 28, 64)
"""Tiles side by side: the first number that needs at most `MAX_ROWS` rows; CNN-VIS drew 96 channels as 16 x 6."""
MAX_ROWS = 20
TILE_GAP, TILE_ASPECT, MIN_TILE_HEIGHT = 3, 0.62, 34

CLASS_NAME_WIDTH, CLASS_HEIGHT = 260, 40
TICK_PITCH = 60
"""Least distance in pixels of two channel numbers."""


def importance_grid(
    importances: Importance | Mapping[str, Importance],
    layer: str | Sequence[str] | None = None,
    *,
    scale: Scale = "layer",
    title: str = "",
    provenance: Provenance | None = None,
) -> Figure:
    """Return the channels of each layer as tiles coloured by their importance, with their numbers.

    Parameters
    ----------
    importances : Importance, or mapping of str to Importance
        One method, or several by the name to show; for one class: `importance.of_class(...)`.
    layer : str or sequence of str, optional
        Default: all that have scores.
    scale : {"layer", "shared"}
        Whether every panel is coloured up to its own maximum, or all up to the largest of all; the legend says which.
    title : str
        Default names method and class, or the layer.
    provenance : Provenance, optional

    Returns
    -------
    Figure
        Numbers are left out where tiles are too narrow (more than 560 channels).

    Raises
    ------
    InvalidInputError
        When there is no layer to draw.
    LayerNotFoundError
        When a layer has no scores.
    """
    if scale not in ("layer", "shared"):
        raise InvalidInputError(f"scale must be layer or shared, got {scale!r}.")
    panels = _panels(importances, layer)
    if not panels or not all(scores.size for scores in panels.values()):
        raise InvalidInputError("No importance to draw; give at least one layer with channels.")
    heights = [TITLE_HEIGHT + _grid_height(scores.size) for scores in panels.values()]
    sheet = Sheet(WIDTH, HEADER_HEIGHT + sum(heights) + 24 + LEGEND_HEIGHT)
    draw_header(sheet, title or f"Importance of channels {_by(importances)}".rstrip(), provenance or Provenance())
    own = scale == "layer"
    values = {name: scores / (scores.max() or 1.0) if own else scores for name, scores in panels.items()}
    colours = _colours(values.values())
    y = HEADER_HEIGHT
    for (name, shown), height in zip(values.items(), heights, strict=True):
        facts = f"{name}: {shown.size} channels, largest {panels[name].max():.3g}"
        draw_panel_title(sheet, (MARGIN, y), facts, groups=None, room=ROOM)
        _draw_tiles(sheet, y + TITLE_HEIGHT, shown, colours)
        y += height
    quantity = "share of the panel's largest importance" if own else "importance, one scale for all panels"
    notes = ["number: channel; order: left to right, then down"]
    draw_legend(sheet, sheet.height - LEGEND_HEIGHT, colours, quantity=quantity, notes=notes)
    return sheet.figure()


def _panels(
    importances: Importance | Mapping[str, Importance], layer: str | Sequence[str] | None
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of each panel by its name: the layer, the method, or both."""
    methods = {"": importances} if isinstance(importances, Importance) else importances
    every = dict.fromkeys(each for importance in methods.values() for each in importance)
    layers = every if layer is None else [layer] if isinstance(layer, str) else layer
    return {
        f"{each}, {name}" if name else each: importance[each]
        for each in layers
        for name, importance in methods.items()
        if layer is not None or each in importance
    }


def _colours(arrays: Iterable[NDArray[np.float64]]) -> ColourScale:
    """Return a scale from 0 to the largest of all values."""
    values = np.concatenate([array.reshape(-1) for array in arrays])
    return ColourScale.of([values], limits=(0.0, float(values.max(initial=0.0)) or 1.0))


def _columns(n: int) -> int:
    return next((columns for columns in COLUMNS if n <= columns * MAX_ROWS), COLUMNS[-1])


def _tile(n: int) -> tuple[int, int]:
    """Return the height and width of a tile, its gap included."""
    width = ROOM // _columns(n)
    return max(round(width * TILE_ASPECT), MIN_TILE_HEIGHT), width


def _grid_height(n: int) -> int:
    return -(-n // _columns(n)) * _tile(n)[0] + 18


def _draw_tiles(sheet: Sheet, top: float, values: NDArray[np.float64], colours: ColourScale) -> None:
    height, width = _tile(values.size)
    labelled = text_width(str(values.size - 1)) + 8 <= width
    for channel, (red, green, blue) in enumerate((colours.rgb(values) / 255).tolist()):
        row, column = divmod(channel, _columns(values.size))
        x, y = MARGIN + column * width, top + row * height
        sheet.fill(x, y, width - TILE_GAP, height - TILE_GAP, colour=(red, green, blue))
        if labelled:
            middle = (x + (width - TILE_GAP) / 2, y + (height - TILE_GAP) / 2)
            sheet.text(*middle, str(channel), align="center", colour=ink_on((red, green, blue)))


def importance_by_class(
    importance: Importance, layer: str, *, title: str = "", provenance: Provenance | None = None
) -> Figure:
    """Return the importance of every channel of a layer for every class: classes down, channels across.

    Parameters
    ----------
    importance : Importance
        With scores by class.
    layer : str
    title : str
    provenance : Provenance, optional

    Raises
    ------
    InvalidInputError
        When the method gave no scores by class.
    LayerNotFoundError
        When the layer has none.
    """
    if importance.per_class is None:
        raise InvalidInputError(f"Importance by {importance.method!r} has no classes to draw.")
    if layer not in importance.per_class:
        hint = did_you_mean(layer, importance.per_class, what="layers with importance by class")
        raise LayerNotFoundError(f"No importance by class of layer {layer!r}. {hint}")
    scores = importance.per_class[layer]
    channels, n_classes = scores.shape
    names = importance.class_names or tuple(f"class {index}" for index in range(n_classes))
    high = n_classes * CLASS_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + high + 72 + LEGEND_HEIGHT)
    heading = f"{layer}: importance for each class {_by(importance)}"
    draw_header(sheet, title or heading, provenance or Provenance())
    left, width = MARGIN + CLASS_NAME_WIDTH, ROOM - CLASS_NAME_WIDTH
    colours = _colours([scores])
    lines = (
        resize(scores.T, (n_classes, width)) if channels > width else scores.T[:, np.arange(width) * channels // width]
    )
    for index, (name, line) in enumerate(zip(names, lines, strict=True)):
        y = HEADER_HEIGHT + index * CLASS_HEIGHT
        sheet.text(left - 14, y + CLASS_HEIGHT / 2, name, align="right", room=CLASS_NAME_WIDTH - 14)
        sheet.paste(left, y, np.broadcast_to(colours.rgb(line), (CLASS_HEIGHT - 2, width, 3)))
    step = next(
        step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, channels) if step * width >= TICK_PITCH * channels
    )
    for channel in range(0, channels, step):
        x = left + (channel + 0.5) * width / channels
        sheet.text(x, HEADER_HEIGHT + high + 20, str(channel), align="center")
    sheet.text(left - 14, HEADER_HEIGHT + high + 20, "channel", align="right")
    draw_legend(sheet, sheet.height - LEGEND_HEIGHT, colours, quantity="importance")
    return sheet.figure()


def _by(importances: Importance | Mapping[str, Importance]) -> str:
    """Return "by METHOD, class NAME": the method where it is one, the class where all are of one; "" for neither."""
    methods = [importances] if isinstance(importances, Importance) else list(importances.values())
    classes = {importance.options.get("class") for importance in methods}
    by = f"by {methods[0].method}" if len(methods) == 1 else ""
    wanted = f"class {classes.pop()}" if len(classes) == 1 and None not in classes else ""
    return ", ".join(part for part in (by, wanted) if part)
