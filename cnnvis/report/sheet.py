"""A picture laid out in pixels: areas of colour in one array, text as matplotlib artists over it.

A mosaic has hundreds of tiles. As axes of their own they take seconds; as one array under one axes, tenths.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import RGB
from cnnvis.report.style import CHART_STYLE, DPI, FONT, INK, TEXT, to_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.ImageFont import FreeTypeFont


class Sheet:
    """A white sheet of `width` x `height` pixels; x to the right and y down from the upper left corner.

    Parameters
    ----------
    width, height : int
        Pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = int(width), int(height)
        # RGBA, opaque: as RGB, matplotlib would copy it once more.
        self._canvas = np.full((self.height, self.width, 4), 255, dtype=np.uint8)
        self._texts: list[tuple[float, float, str, dict[str, Any]]] = []

    def fill(self, x: float, y: float, width: float, height: float, *, colour: RGB) -> None:
        """Paint a rectangle, cut off at the sheet's edges."""
        left, top = max(round(x), 0), max(round(y), 0)
        self._canvas[top : max(round(y + height), 0), left : max(round(x + width), 0), :3] = to_bytes(colour)

    def paste(self, x: float, y: float, image: NDArray[np.uint8]) -> None:
        """Copy an (h, w, 3) image with its upper left corner to (x, y); it must lie within the sheet."""
        left, top = round(x), round(y)
        self._canvas[top : top + image.shape[0], left : left + image.shape[1], :3] = image

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = TEXT,
        bold: bool = False,
        colour: RGB = INK,
        align: str = "left",
        room: float | None = None,
    ) -> None:
        """Write one line of text, centred vertically on y.

        `align` says which end of the text x is: "left", "center" or "right". With `room`, a text wider than
        so many pixels is shortened with an ellipsis.
        """
        if room is not None:
            text = shortened(text, room, size=size, bold=bold)
        weight = "bold" if bold else "normal"
        style = {"size": size, "weight": weight, "color": colour, "ha": align}
        self._texts.append((x, y, text, style))

    def pixels(self, scale: float = 1.0) -> NDArray[np.uint8]:
        """Return the sheet as pixels, (H, W, 3), its lengths and letters multiplied by `scale`.

        For what changes while somebody looks: without matplotlib's layout of text it takes about 10 ms, a tenth of
        `figure`. Letters are of the same font, their edges differ.
        """
        from PIL import Image, ImageDraw

        size = (max(round(self.width * scale), 1), max(round(self.height * scale), 1))
        picture = Image.fromarray(self._canvas)
        if scale != 1:
            picture = picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.NEAREST)
        draw = ImageDraw.Draw(picture)
        for x, y, text, style in self._texts:
            font = _letters(style["size"] * scale * DPI / 72, bold=style["weight"] == "bold")
            anchor = {"left": "ls", "center": "ms", "right": "rs"}[style["ha"]]
            middle = 0.36 * font.size  # half the height of a capital letter above the line it stands on
            draw.text((x * scale, y * scale + middle), text, fill=to_bytes(style["color"]), font=font, anchor=anchor)
        return np.asarray(picture.convert("RGB"))

    def figure(self) -> Figure:
        """Return the sheet as a figure of exactly width x height pixels at `DPI`."""
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        from cnnvis.report._pixels import Pixels

        with rc_context(CHART_STYLE):
            # The nudge keeps width / DPI * DPI from rounding down to a pixel less.
            inches = ((self.width + 1e-3) / DPI, (self.height + 1e-3) / DPI)
            figure = Figure(figsize=inches, dpi=DPI)
            axes = figure.add_axes((0, 0, 1, 1))
            axes.set_axis_off()
            axes.set(xlim=(0, self.width), ylim=(self.height, 0))
            pixels = Pixels(axes, extent=(0, self.width, self.height, 0), interpolation="nearest")
            pixels.set_data(self._canvas)
            axes.add_image(pixels)
            for x, y, text, style in self._texts:
                axes.text(x, y, text, va="center_baseline", family=FONT, parse_math=False, **style)
        return figure


@cache
def _letters(size: float, *, bold: bool) -> FreeTypeFont:
    """Return the font of figures, `size` pixels high."""
    from matplotlib.font_manager import FontProperties, findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont(FontProperties(family=FONT, weight="bold" if bold else "normal")), size)


@lru_cache(maxsize=4096)
def text_width(text: str, *, size: float = TEXT, bold: bool = False) -> float:
    """Return the width of one line of text in pixels at `DPI`."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=FONT, size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, False)
    return float(width) * DPI / 72


def shortened(text: str, room: float, *, size: float = TEXT, bold: bool = False) -> str:
    """Return `text`, its end replaced by an ellipsis where it is wider than `room` pixels."""
    if text_width(text, size=size, bold=bold) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = text_width(text[:middle].rstrip() + "…", size=size, bold=bold) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + "…"
