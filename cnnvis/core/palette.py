"""Colours that mean the same in every picture: groups, constant channels, missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

RGB = tuple[float, float, float]
"""Red, green and blue, sRGB, each 0 to 1."""


def _rgb(code: str) -> RGB:
    red, green, blue = bytes.fromhex(code)
    return (red / 255, green / 255, blue / 255)


GROUP_COLOURS: tuple[RGB, ...] = tuple(
    _rgb(code)
    for code in (
        # Okabe and Ito (2008), without black: known to be told apart in every common colour blindness.
        *("0072b2", "e69f00", "009e73", "d55e00", "cc79a7", "56b4e9", "f0e442"),
        # Each next one lies farthest from all before it, white, black, NO_GROUP_COLOUR and MISSING_COLOUR: least OKLab
        # distance over normal vision and full protan, deutan and tritan deficiency (Machado et al., 2009).
        *("4b3c00", "0000c3", "a5d2b4", "780069", "69e1ff", "964b0f", "a5ffb4"),
        *("3c1ef0", "784b78", "96b487", "d200b4", "e1c369", "96003c"),
    )
)
"""Colour of group 0, 1, ...: 20, largest group first; further groups start over."""

NO_GROUP_COLOUR: RGB = _rgb("737373")
"""Grey of constant channels and of channels in no group."""

MISSING_COLOUR: RGB = _rgb("ff00ff")
"""Magenta of NaN and infinity: in no colour map used here, also for the colour-blind."""


def group_colour(group: int) -> RGB:
    """Return the colour of `group`: cyclic over `GROUP_COLOURS`, grey for a negative number (no group)."""
    return NO_GROUP_COLOUR if group < 0 else GROUP_COLOURS[int(group) % len(GROUP_COLOURS)]


CONTRAST = 3
"""Exponent on class shares before colours are mixed: of many colours mixed evenly, all mixtures are the same grey."""


def class_colours(shares: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Return the colours of classes mixed by shares (N, K) to the power of CONTRAST, as (N, 3) sRGB from 0 to 1.

    What has a share of none is grey, as what is in no group.
    """
    colours = np.array([group_colour(number) for number in range(shares.shape[1])], shares.dtype).reshape(-1, 3)
    weights = shares**CONTRAST
    total = weights.sum(axis=1, keepdims=True)
    mixed: NDArray[np.floating[Any]] = weights @ colours
    mixed /= np.maximum(total, np.finfo(shares.dtype).tiny)
    mixed[total[:, 0] == 0] = NO_GROUP_COLOUR
    return mixed
