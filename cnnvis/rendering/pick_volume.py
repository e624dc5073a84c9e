"""Which voxel of a stack is seen at a pixel: the first along the ray that can be seen, as the mode draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.rendering.volume_cast import absorption
from cnnvis.rendering.volume_planes import planes_of
from cnnvis.scene import VolumeItem, VolumeMode

Places = NDArray[np.float64]
Voxels = NDArray[np.int64]

SEEN = 0.1
"""Opacity that must have come together along a ray before a voxel counts as seen."""

STEPS_PER_VOXEL = 2.0
"""Samples along a ray, per shortest side of a voxel."""

MAX_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class _Ray:
    """Places along a ray within what is drawn of a stack, and their voxels (channel, row, column)."""

    places: Places
    voxels: Voxels
    step: float


def voxel_at(artist: VolumeArtist, start: Places, direction: Places) -> tuple[Voxels, Places] | None:
    """Return the voxel (channel, row, column) that a ray shows, and where it meets it; None where nothing is seen.

    Ray casting: where the opacity that has come together passes `SEEN`. Maximum projection: the largest value.
    Surfaces: the first crossing of one of their values. Slices: the nearest plane.

    Parameters
    ----------
    artist : VolumeArtist
    start, direction : (3,) ndarray of float
        Of the ray, scene units; `direction` has length 1.

    Notes
    -----
    Values are those of the voxels themselves, never blended. 1 ms for 64 x 224 x 224.
    """
    item = artist.item
    box = _drawn_box(artist)
    if item.mode is VolumeMode.SLICES:
        return _on_planes(item, box, start, direction)
    ray = _through(item, box, start, direction)
    if ray is None:
        return None
    found = _FINDERS[item.mode](artist, ray)
    return None if found is None else (ray.voxels[found], ray.places[found])


def _drawn_box(artist: VolumeArtist) -> Places:
    """Return the corners (2, 3) of the part of the stack that is drawn: within the clip box."""
    item, (low, high) = artist.item, artist.bounds()
    clip = item.clip_box
    for axis, interval in enumerate((clip.column, clip.row, clip.channel)):
        if interval is not None:
            ends = item.origin[axis] + (np.array(sorted(interval)) + np.array([-0.5, 0.5])) * item.data.spacing[axis]
            low[axis], high[axis] = max(low[axis], ends[0]), min(high[axis], ends[1])
    return np.array([low, high])


def _through(item: VolumeItem, box: Places, start: Places, direction: Places) -> _Ray | None:
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = (box - start) / direction
    ends = np.where(np.isnan(ends), np.array([[-np.inf], [np.inf]]), ends)  # along a side of the box
    first, last = max(ends.min(axis=0).max(), 0.0), ends.max(axis=0).min()
    if not first < last:
        return None
    wanted = (last - first) * STEPS_PER_VOXEL / min(item.data.spacing)
    n = int(np.clip(np.ceil(wanted), 1, MAX_STEPS))
    step = (last - first) / n
    places = start + (first + (np.arange(n) + 0.5) * step)[:, None] * direction
    return _Ray(places, _voxels(item, places), step)


def _voxels(item: VolumeItem, places: Places) -> Voxels:
    index = np.rint((places - item.origin) / item.data.spacing)[..., ::-1]
    return np.clip(index, 0, np.array(item.data.shape) - 1).astype(np.int64)


def _cast(artist: VolumeArtist, ray: _Ray) -> int | None:
    look, channel = artist.look, ray.voxels[:, 0]
    curve = look.transfer.opacity_at(look.transfer.normalise(_values(artist, ray), look.span))
    opacity = np.minimum(curve * look.factors[channel] * artist.item.opacity, 0.9)
    through = np.cumsum(np.log1p(-opacity) * ray.step * absorption(artist.item))
    return _first(through <= np.log1p(-SEEN))


def _project(artist: VolumeArtist, ray: _Ray) -> int | None:
    look, transfer = artist.look, artist.look.transfer
    values = _values(artist, ray)
    shown = np.abs(values - (artist.item.transfer.centre or 0.0)) if look.magnitude else values
    positions = np.nan_to_num(transfer.normalise(shown, look.legend.span)) * look.factors[ray.voxels[:, 0]]
    best = int(np.argmax(positions))
    seen = float(transfer.opacity_at(positions[best])) * artist.item.opacity >= SEEN
    return best if seen and np.isfinite(values[best]) else None


def _surface(artist: VolumeArtist, ray: _Ray) -> int | None:
    values = np.nan_to_num(_values(artist, ray).astype(np.float64), nan=artist.look.span[0])
    above = values[:, None] >= np.array(artist.levels())
    crossed = (above[1:] != above[:-1]).any(axis=1)
    visible = artist.look.factors[ray.voxels[1:, 0]] * artist.item.opacity >= SEEN
    found = _first(crossed & visible)
    return None if found is None else found + 1


_FINDERS: dict[VolumeMode, Callable[[VolumeArtist, _Ray], int | None]] = {
    VolumeMode.RAYCAST: _cast,
    VolumeMode.MIP: _project,
    VolumeMode.ISOSURFACE: _surface,
}


def _on_planes(item: VolumeItem, box: Places, start: Places, direction: Places) -> tuple[Voxels, Places] | None:
    hits = []
    for axis, plane in enumerate(planes_of(item)):
        along = 2 - axis
        if plane is None or direction[along] == 0 or item.opacity < SEEN:
            continue
        distance = (item.origin[along] + plane * item.data.spacing[along] - start[along]) / direction[along]
        place = start + distance * direction
        if distance > 0 and ((place >= box[0]) & (place <= box[1])).all():
            hits.append((distance, axis, plane, place))
    if not hits:
        return None
    _, axis, plane, place = min(hits, key=lambda hit: hit[0])
    voxel = _voxels(item, place)
    voxel[axis] = plane
    return voxel, place


def _values(artist: VolumeArtist, ray: _Ray) -> NDArray[np.floating]:
    channel, row, column = ray.voxels.T
    values: NDArray[np.floating] = artist.item.data.values[channel, row, column]
    return values


def _first(mask: NDArray[np.bool_]) -> int | None:
    found = int(np.argmax(mask))
    return found if mask[found] else None
