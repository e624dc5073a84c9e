"""The items of a scene that show one drawn network: another one is put behind them, for good or for a look."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from cnnvis.core import BundledNetwork
from cnnvis.scene import BundleItem, GlyphsItem, LabelsItem, NetworkItem, Scene, Series
from cnnvis.scene.network_contents import layer_labels, lines_to_show, points_to_show

PREVIEW_LINES = 10_000
"""Lines of a picture on the way, the most important ones: building more takes the GUI thread too long."""


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

    def look(self, network: BundledNetwork) -> None:
        """Show a network on its way; `back` takes it away again."""
        self._show_data(network)

    def back(self) -> None:
        """Show what was shown at first, where it is still there."""
        for item, data in self._before:
            if item.data is not data:
                item.data = data

    def leave(self) -> None:
        """Let the items show what they show: `back` does nothing from now on."""
        self._before = []

    def show(self, network: BundledNetwork) -> None:
        """Show a network for good: captions and classes are its own."""
        items = {item.name for item, _ in self._before}
        if items & self.scene.frames.keys():  # they were of the network before
            self.scene.restore_frames(Series(), {}, 0)
        _, state = lines_to_show(network)
        shown = [self._without_class(item, state) for item in (*self.bundles, *self.units)]
        self._show_data(network)
        for item, before in zip((*self.bundles, *self.units), shown, strict=True):
            item.shown_class = before
        for item in self.bundles:
            item.caption = state["caption"]

    @staticmethod
    def _without_class(item: NetworkItem, state: dict[str, Any]) -> int | str:
        """Let an item show no class while its classes change; return which it is to show after."""
        names = state.get("class_names", ())
        shown = item.shown_class
        if names == item.class_names:
            return shown
        item.shown_class = "none"
        item.class_names = names
        return shown if shown == "none" or (names and shown == "all") else "all" if names else "none"

    def _show_data(self, network: BundledNetwork) -> None:
        lines, _ = lines_to_show(network)
        points, _ = points_to_show(network)
        positions, _ = layer_labels(network)
        for item in self.bundles:
            item.data = lines
        for item in self.units:
            item.data = points
        for item in self.labels:
            item.data = positions


def preview(network: BundledNetwork) -> BundledNetwork:
    """Return the network with its most important lines only, for a picture on the way; cheap, for any thread."""
    if len(network.lines) <= PREVIEW_LINES:
        return network
    importance = network.lines.line_arrays.get("importance", network.edges.weight)
    kept = np.sort(np.argpartition(-importance, PREVIEW_LINES)[:PREVIEW_LINES])
    return replace(network, edges=network.edges.take(kept), lines=network.lines.take(kept))
