"""The items of a scene that show one drawn network: another one is put behind them, for good or for a look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, PointSet, PolylineSet
from cnnvis.scene import BundleItem, GlyphsItem, LabelsItem, NetworkItem, Scene, Series
from cnnvis.scene.network_contents import layer_labels, lines_to_show, points_to_show

PREVIEW_LINES = 4_000
"""Lines of a picture on the way, the most important ones: building more keeps the GUI thread for too long."""


@dataclass(frozen=True, slots=True, eq=False)
class ShownNetwork:
    """What items show of a network; made in a thread, since it takes some time.

    Parameters
    ----------
    network : BundledNetwork
    lines : PolylineSet
    points : PointSet
    labels : (L, 3) ndarray of float
    state : dict
        Fields that suit the lines.
    """

    network: BundledNetwork
    lines: PolylineSet
    points: PointSet
    labels: NDArray[np.float64]
    state: dict[str, Any]

    @classmethod
    def of(cls, network: BundledNetwork) -> ShownNetwork:
        """Return all of a network."""
        lines, state = lines_to_show(network)
        return cls(network, lines, points_to_show(network)[0], layer_labels(network)[0], state)

    @classmethod
    def rough(cls, network: BundledNetwork) -> ShownNetwork:
        """Return the most important lines only, for a picture on the way."""
        return cls.of(preview(network))


class NetworkDisplay:
    """What of a scene shows a network.

    Items are found by their size: bundles with as many lines as the network, sets of units with as many units, and
    texts with as many as layers are named.

    Parameters
    ----------
    scene : Scene
    network : BundledNetwork
    """

    def __init__(self, scene: Scene, network: BundledNetwork) -> None:
        self.scene, self.network = scene, network
        n_texts = len(layer_labels(network)[1])
        self.bundles = [i for i in scene if isinstance(i, BundleItem) and len(i.data) == len(network.lines)]
        self.units = [i for i in scene if isinstance(i, GlyphsItem) and len(i.data) == len(network.layout)]
        self.labels = [i for i in scene if isinstance(i, LabelsItem) and len(i.texts) == n_texts]
        self._before = [(item, item.data) for item in (*self.bundles, *self.units, *self.labels)]

    def look(self, shown: ShownNetwork) -> None:
        """Show a network on its way; `back` takes it away again."""
        self._show_data(shown)

    def back(self) -> None:
        """Show what was shown at first, where it is still there."""
        for item, data in self._before:
            if item.data is not data:
                item.data = data

    def leave(self) -> None:
        """Let the items show what they show: `back` does nothing from now on."""
        self._before = []

    def show(self, shown: ShownNetwork) -> None:
        """Show a network for good: captions and classes are its own."""
        items = {item.name for item, _ in self._before}
        if items & self.scene.frames.keys():  # they were of the network before
            self.scene.restore_frames(Series(), {}, 0)
        drawn = (*self.bundles, *self.units)
        classes = [self._without_class(item, shown.state) for item in drawn]
        self._show_data(shown)
        for item, before in zip(drawn, classes, strict=True):
            item.shown_class = before
        for item in self.bundles:
            item.caption = shown.state["caption"]

    @staticmethod
    def _without_class(item: NetworkItem, state: dict[str, Any]) -> int | str:
        """Let an item show no class while its classes change; return which it is to show after."""
        names = state.get("class_names", ())
        shown = item.shown_class
        if names == item.class_names:
            return shown
        item.update({"shown_class": "none", "class_names": names})  # at once: linked panes keep their classes and class
        return shown if shown == "none" or (names and shown == "all") else "all" if names else "none"

    def _show_data(self, shown: ShownNetwork) -> None:
        for items, data in ((self.bundles, shown.lines), (self.units, shown.points), (self.labels, shown.labels)):
            for item in items:
                item.data = data


def preview(network: BundledNetwork) -> BundledNetwork:
    """Return the network with its most important lines only, for a picture on the way; cheap, for any thread."""
    if len(network.lines) <= PREVIEW_LINES:
        return network
    importance = network.lines.line_arrays.get("importance", network.edges.weight)
    kept = np.sort(np.argpartition(-importance, PREVIEW_LINES)[:PREVIEW_LINES])
    return replace(network, edges=network.edges.take(kept), lines=network.lines.take(kept))
