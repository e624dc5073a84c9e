"""What exports draw of a scene's bundles and units: geometry with its look, cut down to a budget of lines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core import PolylineSet
from cnnvis.core.palette import RGB, class_colours, group_colour
from cnnvis.scene import Stance

N_LINES = 20_000
"""Lines of a bundle that an export holds by default: of 13 points and 10 classes, 7 MB in a page and in glTF."""


CONTEXT, FAINTER = 0.2, 0.35
"""Shares of its colour and of its opacity that something keeps while others are selected, as in network.geom.glsl."""

STANCE = "stance"
"""Line array of `Stance` in the lines of a shape; without it all are plain."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the lines or units of one item are drawn: the six shader parameters of nn_vis, and what they leave open.

    Parameters
    ----------
    size : float, scene units
        Radius at importance 1.
    grows : bool
        Whether the radius grows with importance; else it is the same everywhere.
    opacity : float
        Of the item; multiplies all.
    base_opacity, importance_opacity, depth_opacity, depth_exponent, importance_threshold : float
        See `opacity_of`; what is less important than the threshold is not drawn.
    light : float
        Share of the brightness that comes from the light.
    light_from : (x, y, z)
        Where it is: to the right, upwards, to the viewer.
    """

    size: float = 0.02
    grows: bool = True
    opacity: float = 1.0
    base_opacity: float = 0.0
    importance_opacity: float = 1.1
    depth_opacity: float = 0.5
    depth_exponent: float = 0.25
    importance_threshold: float = 0.01
    light: float = 0.4
    light_from: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def opacity_of(
        self, importance: NDArray[np.floating], share: ArrayLike = 1.0, stance: ArrayLike = Stance.PLAIN
    ) -> NDArray[np.float64]:
        """Return the opacity of what stands nearest and is seen through its middle, 0 to 1, as the shaders have it.

        Parameters
        ----------
        importance : ndarray
            0 to 1.
        share : array_like
            Of the one class that is shown.
        stance : array_like of Stance
            What is faded keeps a share, what is chosen is raised, what is marked is seen in full.
        """
        stance = np.asarray(stance)
        important = 1 - self.importance_opacity + self.importance_opacity * np.asarray(importance, np.float64)
        important = np.maximum(important, 0) * share
        important = np.where(stance == Stance.CHOSEN, np.sqrt(important), important)
        important = np.where(stance == Stance.MARKED, 1.0, important)
        kept = np.where(stance == Stance.FADED, FAINTER, 1.0) * self.opacity
        return kept * np.clip(important * (1 - self.base_opacity) + self.base_opacity, 0, 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """The lines or units of one item of a scene.

    Parameters
    ----------
    name : str
    lines : PolylineSet
        As by `as_lines`, in scene units; a unit is a line of one point.
    is_units : bool
    look : Look
    classes : tuple of str
        Names of the classes that the shares are of.
    shown : "none", "all" or int
        Whether classes are coloured: not, all of them mixed, or the one of this number alone.
    plain, paper : (r, g, b)
        Colour without classes, and that of the background.
    blend : float
        How bundled the lines are meant to be shown, from 0, straight, to 1, as they are here.
    caption : str
        What of the network is drawn, in words.
    """

    name: str
    lines: PolylineSet
    is_units: bool = False
    look: Look = Look()
    classes: tuple[str, ...] = ()
    shown: Literal["none", "all"] | int = "none"
    plain: RGB = (0.1, 0.1, 0.12)
    paper: RGB = (1.0, 1.0, 1.0)
    blend: float = 1.0
    caption: str = ""

    @property
    def importance(self) -> NDArray[np.floating]:
        """Importance of each point, (P,), at most 1."""
        return np.minimum(self.lines.point_arrays["importance"], 1)

    @property
    def t(self) -> NDArray[np.floating]:
        """Place of each point on its line, (P,), 0 to 1."""
        return self.lines.point_arrays["t"]

    @property
    def strength(self) -> NDArray[np.floating]:
        """Importance by which lines are ranked and hidden, (E,)."""
        return self.lines.line_arrays["importance"]

    @property
    def shares(self) -> NDArray[np.floating]:
        """Share of each class in each point, (P, K); of points without, the same of each."""
        n, k = len(self.lines.points), len(self.classes)
        return self.lines.point_arrays.get("class_shares", np.full((n, k), 1 / max(k, 1), np.float32))

    @property
    def stance(self) -> NDArray[np.uint8]:
        """Stance of each line, (E,)."""
        return self.lines.line_arrays.get(STANCE, np.full(len(self.lines), Stance.PLAIN, np.uint8))

    def within(self, n_lines: int) -> Shape:
        """Return the same with the `n_lines` most important lines, least important first; units are all kept.

        What is selected is more important than all else.
        """
        order = np.lexsort((self.strength, self.stance >= Stance.CHOSEN))
        return replace(self, lines=self.lines.take(order if self.is_units else order[-n_lines:]))

    def notes_within(self, n_lines: int) -> list[str]:
        """Return what is drawn, and what `within` leaves out, in words."""
        notes = [self.caption] if self.caption else []
        if not self.is_units and len(self.lines) > n_lines:
            notes.append(f"{self.name}: the {n_lines:,} most important of {len(self.lines):,} lines")
        return notes

    def above_threshold(self) -> Shape:
        """Return the same without the lines or units that the threshold hides."""
        shown = (self.strength >= self.look.importance_threshold) | (self.stance == Stance.MARKED)
        return replace(self, lines=self.lines.take(shown))

    def rgba(self) -> NDArray[np.float64]:
        """Return colour and opacity of each point, (P, 4), 0 to 1, sRGB."""
        rgb, share = np.tile(np.array(self.plain), (len(self.importance), 1)), np.float64(1)
        if self.classes and self.shown == "all":
            rgb = class_colours(self.shares)
        elif self.classes and self.shown != "none":
            rgb[:] = palette(self.classes)[int(self.shown)]
            share = self.shares[:, int(self.shown)]
        stance = np.repeat(self.stance, np.diff(self.lines.offsets))
        pale = np.array(self.paper) + CONTEXT * (rgb - self.paper)
        rgb = np.where((stance == Stance.FADED)[:, None], pale, rgb)
        return np.column_stack([rgb, self.look.opacity_of(self.importance, share, stance)])


def palette(classes: tuple[str, ...]) -> list[RGB]:
    """Return the colour of each class."""
    return [group_colour(index) for index in range(len(classes))]
