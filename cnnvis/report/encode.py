"""Pictures as bytes: PNG, JPEG, data URIs."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.errors import InvalidInputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

JPEG_QUALITY = 90


def to_rgb(figure: Figure) -> NDArray[np.uint8]:
    """Return a figure as the (H, W, 3) array of its pixels, at its own resolution."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with rc_context({"text.hinting": "force_autohint", "text.antialiased": True}):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return pixels[..., :3].copy()


def to_png(picture: Figure | NDArray[np.uint8]) -> bytes:
    """Return a figure, or an (H, W, 3) or (H, W) array of uint8, as a PNG file: the same picture, the same bytes."""
    return _encode(picture, "PNG", compress_level=1)


def to_jpeg(picture: Figure | NDArray[np.uint8]) -> bytes:
    """Return the same as a JPEG file: smaller for photographs, with artefacts around text."""
    return _encode(picture, "JPEG", quality=JPEG_QUALITY, subsampling=0)


def data_uri(content: bytes) -> str:
    """Return the bytes of a PNG, JPEG or MP4 file as a data URI.

    Raises
    ------
    InvalidInputError
        When the bytes are none of these.
    """
    kinds = {b"\x89PNG": (0, "image/png"), b"\xff\xd8\xff": (0, "image/jpeg"), b"ftyp": (4, "video/mp4")}
    for magic, (start, mime) in kinds.items():
        if content[start : start + len(magic)] == magic:
            return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
    raise InvalidInputError(f"A picture or film begins with {content[:8]!r}; allowed are PNG, JPEG and MP4 files.")


def _encode(picture: Figure | NDArray[np.uint8], kind: str, **options: int) -> bytes:
    from PIL import Image

    array = picture if isinstance(picture, np.ndarray) else to_rgb(picture)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)) or 0 in array.shape:
        raise InvalidInputError(
            f"A picture is an (H, W, 3) or (H, W) array of uint8, got shape {array.shape} of {array.dtype}."
        )
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(buffer, kind, **options)
    return buffer.getvalue()
