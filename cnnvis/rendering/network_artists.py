"""Artists of the lines and units of a network: what `NetworkActor` draws of them, key and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import group_colour
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist, Translucency
from cnnvis.rendering.key import Key
from cnnvis.rendering.network_actor import DrawnItem
from cnnvis.rendering.network_prepared import OUTWARDS, PlacedData
from cnnvis.rendering.style import Theme
from cnnvis.scene import BundleItem, GlyphsItem, Selection, Stance, stances

Item = TypeVar("Item", BundleItem, GlyphsItem)

KEY_IMPORTANCES = (1.0, 0.75, 0.5, 0.25)
"""Importances whose opacity the key of a bundle of one ink shows."""


class NetworkArtist(Artist[Item]):
    """Keeps what is drawn of a network item, and says what its colours mean; it has no props of its own."""

    what: ClassVar[str]
    drawn: DrawnItem

    placed: PlacedData | None = None
    translucency = Translucency.NONE
    """Here; what draws them is asked for itself."""

    def take(self, placed: PlacedData) -> None:
        """Draw data that were placed beforehand."""
        self.placed, self.dirty = placed, True

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield nothing: one actor draws the items of a scene together, or they could not be sorted by depth."""
        if self.placed is None or not self.placed.is_of(self.item):
            self.placed = PlacedData.of(self.item.data, self.item.origin)
        self.drawn = DrawnItem(self.item, self.placed.data, theme.text)
        self.key = self._key(theme) if self.item.legend else None
        yield from ()

    def bounds(self) -> NDArray[np.float64]:
        """Return the box around the points and what may be as thick as `size` there."""
        corners = self.corners()
        return np.array([corners.min(axis=0), corners.max(axis=0)])

    def corners(self) -> NDArray[np.float64]:
        """Return the outermost points: a network fills the corners of its box seldom."""
        return self.placed.outermost + self.item.size * OUTWARDS

    def notes(self) -> list[str]:
        """Say how many lines or units are not drawn."""
        n, hidden = len(self.placed.strength), self.item.hidden_layers
        shown = self._n_shown()
        without = f", without {', '.join(hidden)}" if hidden else ""
        above = f"{self.item.measured} {self.item.importance_threshold:g} and above{without}"
        return [f"drawn: {shown:,} of {n:,} {self.what}, {above}"] * (shown < n)

    def _n_shown(self) -> int:
        """Return how many lines or units threshold and hidden layers leave."""
        seen = stances(self.item, Selection()) != Stance.HIDDEN
        return int(((self.placed.strength >= self.item.importance_threshold) & seen).sum())

    def _key(self, theme: Theme) -> Key:
        item, number = self.item, self.item.class_index
        if item.shown_class != "none":
            chosen = range(len(item.class_names)) if number is None else [number]
            names = tuple(item.class_names[index] for index in chosen)
            return Key(item.class_title, names, tuple(group_colour(index) for index in chosen))
        steps = np.array(KEY_IMPORTANCES)
        alpha = np.maximum(1 - item.importance_opacity + item.importance_opacity * steps, 0)
        alpha = np.clip(alpha * (1 - item.base_opacity) + item.base_opacity, 0, 1)[:, None] * item.opacity
        seen = np.array(theme.text) * alpha + np.array(theme.background) * (1 - alpha)
        return Key(item.measured, tuple(f"{step:g}" for step in steps), tuple(map(tuple, seen.tolist())))


class BundleArtist(NetworkArtist[BundleItem]):
    """Draws bundled lines."""

    what = "lines"

    def notes(self) -> list[str]:
        """Say what of the network was bundled, how far it is, what the opacity of one class is, and what is drawn."""
        item = self.item
        bundled = (
            "bundled: " if self._n_shown() < len(self.placed.strength) else ""
        )  # or both counts would be taken for one
        notes = [bundled + item.caption] if item.caption else []
        if item.blend < 1:
            notes.append(f"{item.blend:.0%} bundled" if item.blend else "straight lines")
        if item.class_index is not None:
            notes.append(f"opacity: {item.measured} × share of {item.class_title} {item.class_names[item.class_index]}")
        return notes + super().notes()


class GlyphsArtist(NetworkArtist[GlyphsItem]):
    """Draws units."""

    what = "units"
