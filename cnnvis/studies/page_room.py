"""How much of a survey goes onto its page: the images, and how small pictures, matrices and maps are made."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cnnvis.core import Survey
from cnnvis.studies.image_stream import ImageAnswer

PAGE_BYTES = 6_000_000
"""The page is no larger, unless the figures of all channels alone are: from about 80,000 channels on."""

N_IMAGES = (12, 8, 6, 4, 3, 2)
"""Images on the page: the first number that leaves room for maps, else the first that fits without."""

PICTURE_SIDES = (224, 160, 112, 80, 56)
MATRIX_SIDES = (256, 192, 128, 96, 64, 48, 32, 16)
MAP_SIDES = (16, 14, 12, 10, 8, 7, 6, 5, 4)
MATRIX_SHARE, PICTURE_SHARE = 1 / 3, 1 / 6
"""Of what is left when figures are in, then of what matrices leave; maps take the rest."""

TEXT_BYTES = 50_000
"""Script, style, colours and all else of which there is one."""

GROUP_BYTES = 45
"""Of each channel with a group: its place, its row, and LINKS_PER_CHANNEL links at most."""

LAYER_BYTES, MAP_BYTES, CLASS_BYTES = 300, 100, 8
"""Of a layer beside its name and figures, of its maps beside their values, and of the probability of a class."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the page has room for.

    Parameters
    ----------
    n_images : int
    picture, matrix, map : int
        Rows and columns at most; `map` is 0 where there is no room for maps.
    """

    n_images: int
    picture: int
    matrix: int
    map: int


def page_room(survey: Survey, grouped: Iterable[str], n_images: int, answer: ImageAnswer | None) -> Room:
    """Return what the page of a survey has room for.

    Parameters
    ----------
    survey : Survey
    grouped : iterable of str
        Its layers that have groups.
    n_images : int
        Images there are.
    answer : ImageAnswer, optional
        One of them; None where there are none.
    """
    sizes = [survey[name].n_channels for name in grouped]
    left = PAGE_BYTES - _text(survey) - GROUP_BYTES * sum(sizes)
    matrix = _largest(MATRIX_SIDES, lambda side: _matrices(sizes, side), left * MATRIX_SHARE)
    left -= _matrices(sizes, matrix)
    if answer is None:
        return Room(0, 0, matrix, 0)
    for sides, most in itertools.product((MAP_SIDES, (0,)), N_IMAGES):
        n_shown = min(most, n_images)
        picture, side = _images_within(left, n_shown, answer, sides)
        if side is not None:
            return Room(n_shown, picture, matrix, side)
    return Room(min(N_IMAGES[-1], n_images), PICTURE_SIDES[-1], matrix, 0)


def within(shape: tuple[int, int], side: int) -> tuple[int, int]:
    """Return rows and columns of the same proportions, at most `side` of them."""
    scale = min(1.0, side / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def plane(shape: Sequence[int]) -> tuple[int, int]:
    """Return rows and columns of a map of any number of dimensions: the last are the columns."""
    *rows, columns = shape or (1,)
    return int(np.prod(rows, dtype=int)), columns


def _images_within(left: float, n_images: int, answer: ImageAnswer, sides: Sequence[int]) -> tuple[int, int | None]:
    """Return the side of pictures, and that of maps; None where there is no room for the smallest."""
    n_channels = sum(len(maps) for maps in answer.maps.values())
    left -= n_images * (_packed(4 * n_channels) + CLASS_BYTES * answer.probabilities.size)
    height, width = answer.image.shape[:2]

    def pictures(side: int) -> int:
        return n_images * _packed(3 * math.prod(within((height, width), side)))

    def maps(side: int) -> int:
        if not side:
            return 0
        shapes = ((len(maps), *within(plane(maps.shape[1:]), side)) for maps in answer.maps.values())
        return n_images * (_packed(8 * n_channels) + sum(_packed(math.prod(shape)) + MAP_BYTES for shape in shapes))

    picture = _largest(PICTURE_SIDES, pictures, left * PICTURE_SHARE)
    left -= pictures(picture)
    return picture, next((side for side in sides if maps(side) <= left), None)


def _text(survey: Survey) -> int:
    """Return the size of script and names, and of the figures of all layers."""
    names = sum(len(name) + LAYER_BYTES for name in survey) + sum(len(name) + 4 for name in survey.class_names or ())
    return TEXT_BYTES + names + _packed(8 * survey.n_channels)


def _matrices(sizes: Sequence[int], side: int) -> int:
    return sum(_packed(min(side, size) ** 2) for size in sizes)


def _largest(sides: Sequence[int], size: Callable[[int], int], room: float) -> int:
    """Return the largest of the sides, in falling order, for which there is room, else the smallest."""
    return next((side for side in sides if size(side) <= room), sides[-1])


def _packed(n_bytes: int) -> int:
    """Return the length in base64."""
    return 4 * -(-n_bytes // 3)
