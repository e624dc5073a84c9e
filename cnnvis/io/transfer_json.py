"""Transfer functions as JSON: our own, with all of their fields, and ParaView's colour map presets.

Ours::

    {"format": "cnnvis-transfer", "version": 1, "name": "...", "transfer": {... fields of TransferFunction ...}}

A preset of ParaView is a list of objects with `Name`, `RGBPoints` (value, red, green, blue, ...) and `Points` (value,
opacity, midpoint, sharpness, ...). Of these, colours and opacities are read and written; midpoints and sharpness other
than the plain ones are an error, since nothing here would draw them as ParaView does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.scene import TransferFunction

FORMAT = "cnnvis-transfer"
VERSION = 1

PLAIN = (0.5, 0.0)
"""Midpoint and sharpness of a straight line between two points."""

PARAVIEW_COLOURS = 33
"""Points by which a named colour map is written for ParaView."""

DENSE = 16
"""From so many points on, ParaView's ways to blend colours look alike."""


def save_transfer(transfer: TransferFunction, path: str | Path, *, name: str = "", paraview: bool = False) -> Path:
    """Write a transfer function.

    Parameters
    ----------
    transfer : TransferFunction
    path : str or Path
    name : str
        Default: that of the file.
    paraview : bool
        As a preset of ParaView: colours and opacities over [0, 1]. Range, normalisation and weights are left out, as
        presets there have none; with a centre, the opacity curve is written to both sides of it.

    Returns
    -------
    Path
        The file written.
    """
    path = Path(path)
    name = name or path.stem
    document: Any
    if paraview:
        document = [_for_paraview(transfer, name)]
    else:
        document = {"format": FORMAT, "version": VERSION, "name": name, "transfer": transfer.model_dump(mode="json")}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return save_bytes(text.encode("utf-8"), path)


def load_transfer(path: str | Path) -> TransferFunction:
    """Return the transfer function of a file of ours, or of the first preset in one of ParaView's.

    Raises
    ------
    MissingFileError
        When there is no such file.
    FileFormatError
        When it is neither, of a newer version, or holds what is not allowed.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"There is no file {path}.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"{path} is not JSON, or cut short: {error}.") from error
    try:
        if isinstance(document, list) and document and isinstance(document[0], dict):
            return _of_paraview(document[0])
        return _ours(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "transfer"
        raise FileFormatError(f"{path}: {where}: {first['msg']}, got {first['input']!r}.") from error
    except (InvalidInputError, ValueError, TypeError) as error:
        raise FileFormatError(f"{path} is no transfer function: {error}") from error


def _ours(document: Any) -> TransferFunction:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidInputError(f'it lacks "format": "{FORMAT}", and is no preset of ParaView either.')
    version = document.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InvalidInputError(f"it has version {version}, this cnnvis reads {VERSION}; update cnnvis.")
    return TransferFunction.model_validate(document.get("transfer"))


def _for_paraview(transfer: TransferFunction, name: str) -> dict[str, Any]:
    if transfer.colour_points:
        positions = np.array([position for position, _ in transfer.colour_points])
        rgb = np.array([list(bytes.fromhex(colour[1:])) for _, colour in transfer.colour_points]) / 255
    else:
        positions = np.linspace(0, 1, PARAVIEW_COLOURS)
        rgb = transfer.colours(positions).astype(float)
    along, heights = np.array(transfer.opacity).T
    if transfer.centre is not None:
        along, heights = np.concatenate([-along[::-1], along]) / 2 + 0.5, np.concatenate([heights[::-1], heights])
    opacity = np.column_stack([along, heights, np.broadcast_to(PLAIN, (len(along), 2))])
    return {
        "ColorSpace": "RGB",
        "Name": name,
        "RGBPoints": np.column_stack([positions, rgb]).round(6).ravel().tolist(),
        "Points": opacity.round(6).ravel().tolist(),
    }


def _of_paraview(preset: dict[str, Any]) -> TransferFunction:
    colours = _table(preset, "RGBPoints")
    if colours is None:
        raise InvalidInputError('the preset lacks "RGBPoints".')
    space = preset.get("ColorSpace", "RGB")
    if space != "RGB" and len(colours) < DENSE:
        raise InvalidInputError(
            f"its {len(colours)} colours are blended in the colour space {space!r}, allowed is 'RGB' for fewer than "
            f"{DENSE}; add points to it in ParaView."
        )
    positions, low, high = _positions(colours[:, 0])
    codes = ["#" + bytes(rgb.tolist()).hex() for rgb in np.round(255 * np.clip(colours[:, 1:], 0, 1)).astype(int)]
    fields: dict[str, Any] = {"colour_points": tuple(zip(positions.tolist(), codes, strict=True))}
    points = _table(preset, "Points")
    if points is not None:
        if np.any(points[1:-1, 2:] != PLAIN):  # those of the ends stand for nothing
            raise InvalidInputError("its opacity curve is bent by midpoints or sharpness; straighten it in ParaView.")
        along = np.clip((points[:, 0] - low) / (high - low), 0, 1)
        fields["opacity"] = tuple(zip(along.tolist(), points[:, 1].tolist(), strict=True))
    return TransferFunction(**fields)


def _table(preset: dict[str, Any], key: str) -> NDArray[np.float64] | None:
    """Return the list of numbers under a key in rows of four; None where there is none."""
    if preset.get(key) is None:
        return None
    numbers = np.array(preset[key], dtype=np.float64)
    if numbers.ndim != 1 or numbers.size < 8 or numbers.size % 4 or not np.isfinite(numbers).all():
        raise InvalidInputError(f'"{key}" must be two or more times four numbers.')
    return numbers.reshape(-1, 4)


def _positions(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Return values as positions in [0, 1], and the two that are at the ends."""
    low, high = float(values[0]), float(values[-1])
    if not low < high:
        raise InvalidInputError(f"its colours must stand at rising values, got {low:g} to {high:g}.")
    return np.clip((values - low) / (high - low), 0, 1), low, high
