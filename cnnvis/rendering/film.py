"""A film of a scene or a grid: a turn around it, its series of frames, or the arrangements of its tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.atomic import AtomicWrite
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.rendering.offscreen import OffscreenWindow
from cnnvis.scene import Scene, SceneGrid, TilesItem, scenes_of

DEFAULT_SIZE = (960, 600)

FILM_SUFFIXES = (".mp4", ".gif")

Picture = NDArray[np.uint8]


def film(
    target: Scene | SceneGrid,
    path: str | Path,
    *,
    over: Literal["turn", "series", "arrangement", "position"] = "turn",
    frames: int = 48,
    fps: int = 24,
    size: tuple[int, int] | None = None,
    progress: Progress = silent,
) -> Path:
    """Write a film of a scene that turns, plays its series, or whose tiles move.

    `turn` goes once around the scene, `series` shows the frames of `Scene.series`, `arrangement` moves the maps of a
    network from the grid over the circle to the line, and back, `position` the windows over these maps, row by row.

    Parameters
    ----------
    target : Scene or SceneGrid
        Comes back as it was: camera, frame, arrangement and position are restored, also on an error.
    path : path-like
        .mp4 (H.264, plays in every browser) or .gif; written whole or not at all.
    over : {"turn", "series", "arrangement", "position"}
    frames : int, default: 48
        Pictures of a turn, of arrangements or positions; a series has its own number.
    fps : int, default: 24
        Pictures per second.
    size : (width, height) in pixels, optional
        Default: the size of the scene or grid, else (960, 600). Rounded down to even numbers, as H.264 needs.
    progress : callable, optional
        Called as progress(done, total) after each picture.

    Returns
    -------
    Path

    Notes
    -----
    Time is that of `render` for each picture; the encoder runs beside it in its own process.
    """
    path = Path(path)
    if path.suffix.lower() not in FILM_SUFFIXES:
        raise FileFormatError(f"Cannot write a film as {path.name!r}; allowed are {', '.join(FILM_SUFFIXES)}.")
    if over not in ("turn", "series", "arrangement", "position"):
        raise InvalidInputError(f"A film runs over 'turn', 'series', 'arrangement' or 'position', got {over!r}.")
    if fps < 1 or frames < 1:
        raise InvalidInputError(f"A film needs at least one frame and one frame per second, got {frames} and {fps}.")
    scenes = scenes_of(target)
    width, height = size or target.size or DEFAULT_SIZE
    size = (width // 2 * 2, height // 2 * 2)
    total = max(len(scene.series) for scene in scenes) if over == "series" else frames
    if total == 0:
        raise InvalidInputError("The scene has no series to film; give it one with scene.set_frames(...).")
    if over in ("arrangement", "position") and not _tiles(scenes):
        raise InvalidInputError("The scene has no tiles to arrange; add some with scene.add_tiles(...).")
    with (
        _restored(scenes),
        OffscreenWindow(target, size, turning=over == "turn") as window,
        AtomicWrite() as write,
        _writer(write.file(path), path.suffix.lower(), fps, size) as add,
    ):
        for index in _moments(scenes, over, total):
            add(window.draw())
            progress(index + 1, total)
    return path


def film_of_pictures(
    pictures: Iterable[Picture], path: str | Path, *, size: tuple[int, int], fps: int = 12, progress: Progress = silent
) -> Path:
    """Write pictures that were drawn elsewhere as a film.

    Parameters
    ----------
    pictures : iterable of (H, W, 3) ndarray of uint8
        Of at least `size`; what is more, below and at the right, is cut off.
    path : path-like
        .mp4 or .gif, as for `film`.
    size : (width, height) in pixels
        Rounded down to even numbers.
    fps : int, default: 12
    progress : callable, optional
        Called as progress(done, 0) after each picture.

    Returns
    -------
    Path
    """
    path = Path(path)
    if path.suffix.lower() not in FILM_SUFFIXES:
        raise FileFormatError(f"Cannot write a film as {path.name!r}; allowed are {', '.join(FILM_SUFFIXES)}.")
    width, height = (side // 2 * 2 for side in size)
    with AtomicWrite() as write, _writer(write.file(path), path.suffix.lower(), fps, (width, height)) as add:
        for index, picture in enumerate(pictures):
            add(np.ascontiguousarray(picture[:height, :width]))
            progress(index + 1, 0)
    return path


def _moments(scenes: tuple[Scene, ...], over: str, total: int) -> Iterator[int]:
    """Bring the scenes to the state of one picture after the other; yields their numbers."""
    start = [scene.camera.azimuth for scene in scenes]
    for index in range(total):
        if over == "arrangement":
            for item in _tiles(scenes):
                item.arrangement = 1 + math.cos(2 * math.pi * index / total)
        if over == "position":
            _go_to_position(scenes, index, total)
        for scene, azimuth in zip(scenes, start, strict=True):
            if over == "turn":
                scene.camera.azimuth = azimuth + 360.0 * index / total
            elif over == "series" and index < len(scene.series):
                scene.frame = index
        yield index


def _go_to_position(scenes: tuple[Scene, ...], index: int, total: int) -> None:
    """Show what is read at one of `total` positions, row by row, of which a row has as many as there are rows."""
    side = math.isqrt(total - 1) + 1
    row, column = divmod(index, side)
    for item in _tiles(scenes):
        item.update({"row": (row + 0.5) / side, "column": (column + 0.5) / side, "expansion": max(item.expansion, 2.0)})


@contextmanager
def _restored(scenes: tuple[Scene, ...]) -> Iterator[None]:
    """Put camera, frame, arrangement and position of every scene back on exit."""
    before = [(scene.camera.azimuth, scene.frame) for scene in scenes]
    moved = ("arrangement", "row", "column", "expansion")
    states = [(item, {name: getattr(item, name) for name in moved}) for item in _tiles(scenes)]
    try:
        yield
    finally:
        for scene, (azimuth, frame) in zip(scenes, before, strict=True):
            scene.camera.azimuth, scene.frame = azimuth, frame
        for item, state in states:
            item.update(state)


def _tiles(scenes: tuple[Scene, ...]) -> list[TilesItem]:
    return [item for scene in scenes for item in scene if isinstance(item, TilesItem)]


@contextmanager
def _writer(path: Path, suffix: str, fps: int, size: tuple[int, int]) -> Iterator[Callable[[Picture], None]]:
    """Give the function that takes one picture after the other; the file is complete on leaving."""
    if suffix == ".gif":
        pictures: list[Picture] = []
        yield pictures.append
        _write_gif(pictures, path, fps)
        return
    encoder = _encoder(path, fps, size)
    try:
        yield encoder.send
    finally:
        encoder.close()


def _encoder(path: Path, fps: int, size: tuple[int, int]) -> Generator[None, Picture, None]:
    """Start ffmpeg; it takes each picture through `send`, and ends on `close`."""
    import imageio_ffmpeg

    encoder = imageio_ffmpeg.write_frames(
        path,
        size,
        fps=fps,
        codec="libx264",
        quality=None,
        macro_block_size=2,
        # yuv420p and even sizes are what browsers play; faststart lets them begin before the end is read.
        pix_fmt_out="yuv420p",
        output_params=["-crf", "20", "-preset", "veryfast", "-movflags", "+faststart", "-f", "mp4"],
        ffmpeg_log_level="error",
    )
    encoder.send(None)
    return encoder


def _write_gif(pictures: Sequence[Picture], path: Path, fps: int) -> None:
    from PIL import Image

    frames = [Image.fromarray(picture).quantize(256) for picture in pictures]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0)
