"""Colours that mean the same in every picture: groups, constant channels, missing values."""

from __future__ import annotations

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
        # Each next one lies farthest from all before it, from white, black and the grey below: the smallest
        # OKLab distance over normal vision and full protan, deutan and tritan deficiency (Machado et al., 2009).
        *("78000f", "003c78", "a5d2b4", "a52d3c", "5a00f0", "8769ff", "69e1ff"),
        *("a5ffb4", "6900b4", "874b78", "5a2d4b", "a5b487", "e1c369"),
    )
)
"""Colour of group 0, 1, ...: 20, largest group first; further groups start over."""

NO_GROUP_COLOUR: RGB = _rgb("969696")
"""Grey of constant channels and of channels in no group."""

MISSING_COLOUR: RGB = _rgb("ff00ff")
"""Magenta of NaN and infinity: in no colour map used here, also for the colour-blind."""


def group_colour(group: int) -> RGB:
    """Return the colour of `group`: cyclic over `GROUP_COLOURS`, grey for a negative number (no group)."""
    return NO_GROUP_COLOUR if group < 0 else GROUP_COLOURS[int(group) % len(GROUP_COLOURS)]
