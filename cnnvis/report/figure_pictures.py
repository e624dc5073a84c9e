"""Pictures in rows with a few lines under each: the images that a study looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance
from cnnvis.report.parts import HEADER_HEIGHT, draw_header
from cnnvis.report.sheet import Sheet
from cnnvis.report.style import INK, MARGIN, OUTLINE, QUIET, TEXT, WIDTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 20
LINE_HEIGHT = 30
LARGEST = 360
"""Longest side of a picture in pixels."""


def picture_rows(
    pictures: Sequence[NDArray[np.uint8]],
    captions: Sequence[Sequence[str]],
    *,
    title: str,
    columns: int,
    provenance: Provenance | None = None,
) -> Figure:
    """Return pictures in rows of `columns`, their captions under them.

    A picture smaller than its place is enlarged by a whole factor, so that its pixels stay squares.

    Parameters
    ----------
    pictures : sequence of (H, W, 3) ndarray of uint8
    captions : sequence of sequence of str
        Lines under each picture, the first one bold; a line that is too long is shortened.
    title : str
    columns : int
    provenance : Provenance, optional

    Returns
    -------
    Figure
        `WIDTH` pixels wide.

    Raises
    ------
    InvalidInputError
        When there is no picture, or not one caption for each.
    """
    if not pictures or len(pictures) != len(captions):
        raise InvalidInputError(f"Pictures need one caption each, got {len(pictures)} and {len(captions)}.")
    pitch = (WIDTH - 2 * MARGIN + GAP) // columns
    side = min(pitch - GAP, LARGEST)
    fitted = [_fitted(picture, side) for picture in pictures]
    high = max(picture.shape[0] for picture in fitted)
    block = high + LINE_HEIGHT * max(map(len, captions)) + GAP + LINE_HEIGHT // 2
    sheet = Sheet(WIDTH, HEADER_HEIGHT + -(-len(pictures) // columns) * block)
    draw_header(sheet, title, provenance or Provenance())
    for index, (picture, lines) in enumerate(zip(fitted, captions, strict=True)):
        x, y = MARGIN + index % columns * pitch, HEADER_HEIGHT + index // columns * block
        height, width = picture.shape[:2]
        top = y + high - height  # on one line with their neighbours
        sheet.fill(x - 1, top - 1, width + 2, height + 2, colour=OUTLINE)
        sheet.paste(x, top, picture)
        for line, text in enumerate(lines):
            middle = y + high + (line + 0.8) * LINE_HEIGHT
            sheet.text(x, middle, text, size=TEXT, bold=line == 0, colour=INK if line == 0 else QUIET, room=pitch - GAP)
    return sheet.figure()


def _fitted(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return the picture at the size at which its longer side fits `side` pixels."""
    from PIL import Image

    longest = max(picture.shape[:2])
    if longest <= side:
        factor = side // longest
        return np.repeat(np.repeat(picture, factor, axis=0), factor, axis=1)
    height, width = (max(round(length * side / longest), 1) for length in picture.shape[:2])
    image = Image.fromarray(np.ascontiguousarray(picture))
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
