"""Where in an image classes are seen: the picture, and beside it one overlay per class, a row for each method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import SaliencyMap
from cnnvis.core.errors import InvalidInputError
from cnnvis.report.overlay import OPACITY, laid_over, saliency_scale
from cnnvis.report.parts import HEADER_HEIGHT, LEGEND_HEIGHT, TITLE_HEIGHT, draw_header, draw_legend
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import MARGIN, OUTLINE, PANEL, QUIET, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP, LINE = 20, 32
LARGEST = 370
"""Side of a picture in pixels at most."""

SMALL = 100
"""Pictures of at most so many pixels a side are enlarged with every pixel a square, larger ones smoothly."""

MEANING = {
    "grad_cam": "coloured: what the maps show there speaks for the class",
    "occlusion": "red: covered there, the score falls; blue: it rises",
}
CAUTION = "Says where, not why: a network with shuffled weights has such maps too."


def saliency_figure(
    maps: Sequence[SaliencyMap], picture: NDArray[np.uint8], *, title: str = "", opacity: float = OPACITY
) -> Figure:
    """Return an image with the places where classes are seen, side by side; each method has a row and a colour bar.

    Parameters
    ----------
    maps : sequence of SaliencyMap
        Of one image.
    picture : (H, W, 3) ndarray of uint8
        The image as the network sees it, of the size of the maps.
    title : str
        Name of the image.
    opacity : float, 0 to 1
        As for `laid_over`.

    Raises
    ------
    InvalidInputError
        Without a map, or where the picture is of another size.
    """
    if not maps:
        raise InvalidInputError("No saliency map to draw; give at least one.")
    rows = [[each for each in maps if each.method == method] for method in dict.fromkeys(each.method for each in maps)]
    columns = 1 + max(map(len, rows))
    side = min((WIDTH - 2 * MARGIN + GAP) // columns - GAP, LARGEST)
    high = enlarged(picture, side).shape[0]
    pitch = TITLE_HEIGHT + high + 2 * LINE + GAP + LEGEND_HEIGHT
    sheet = Sheet(WIDTH, HEADER_HEIGHT + len(rows) * pitch + LINE)
    draw_header(sheet, f"{title or 'image'}: where classes are seen", maps[0].provenance)
    for number, row in enumerate(rows):
        _draw_row(sheet, HEADER_HEIGHT + number * pitch, row, picture, (side, opacity))
    sheet.text(MARGIN, sheet.height - LINE, CAUTION, colour=QUIET)
    return sheet.figure()


def _draw_row(
    sheet: Sheet, top: float, row: Sequence[SaliencyMap], picture: NDArray[np.uint8], look: tuple[int, float]
) -> None:
    """Draw the picture and the maps of one method, their classes below, and what the colours mean."""
    side, opacity = look
    scale = saliency_scale(row)
    shown = [picture, *(laid_over(picture, each.values, scale, opacity=opacity) for each in row)]
    captions = [("the image", ""), *((each.class_name, _answer(each)) for each in row)]
    sheet.text(MARGIN, top + TITLE_HEIGHT / 2 - 4, row[0].title, size=PANEL, bold=True, room=WIDTH - 2 * MARGIN)
    top += TITLE_HEIGHT
    for number, (pixels, (name, answer)) in enumerate(zip(shown, captions, strict=True)):
        x, fitted = MARGIN + number * (side + GAP), enlarged(pixels, side)
        height, width = fitted.shape[:2]
        sheet.fill(x - 1, top - 1, width + 2, height + 2, colour=OUTLINE)
        sheet.paste(x, top, fitted)
        sheet.text(x, top + height + 0.8 * LINE, name, bold=True, room=side)
        sheet.text(x, top + height + 1.8 * LINE, answer, colour=QUIET, room=side)
    below = top + height + 2 * LINE + GAP
    draw_legend(sheet, below, scale, quantity=row[0].quantity, notes=(MEANING[row[0].method],))


def _answer(found: SaliencyMap) -> str:
    """Return the probability of the class, and whether nothing was found."""
    said = f"{found.probability:.1%}"
    return said if found.values.any() else f"{said} · all 0: nothing speaks for it"


def enlarged(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a picture with its longer side of `side` pixels, or of a small one as near as whole squares get."""
    from PIL import Image

    longest = max(picture.shape[:2])
    if longest <= min(SMALL, side):
        factor = side // longest
        return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    height, width = (max(round(length * side / longest), 1) for length in picture.shape[:2])
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
