"""One panel per kind of item, and the widgets of the docks. A panel knows the workspace, never the window."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from cnnvis.scene import SceneItem
    from cnnvis.viewer.workspace import Workspace

PANELS: dict[str, str] = {
    "volume": "cnnvis.viewer.panels.volume:VolumePanel",
    "matrix": "cnnvis.viewer.panels.flat:MatrixPanel",
    "bundle": "cnnvis.viewer.panels.network:BundlePanel",
    "glyphs": "cnnvis.viewer.panels.network:GlyphsPanel",
    "image": "cnnvis.viewer.panels.flat:ImagePanel",
    "labels": "cnnvis.viewer.panels.flat:LabelsPanel",
    "tiles": "cnnvis.viewer.panels.tiles:TilesPanel",
}
"""Item kind -> "module:Class" of its panel, imported when it is first shown; the class is called as
panel(workspace, item)."""


def panel_of(workspace: Workspace, item: SceneItem) -> QWidget:
    """Return a new panel for an item."""
    module, name = PANELS[item.kind].split(":")
    return getattr(import_module(module), name)(workspace, item)
