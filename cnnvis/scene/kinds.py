"""Every kind of item by its name."""

from __future__ import annotations

from cnnvis.scene.items import ImageItem, LabelsItem, MatrixItem, SceneItem, VolumeItem
from cnnvis.scene.network_items import BundleItem, GlyphsItem
from cnnvis.scene.tiles_item import TilesItem

ITEM_KINDS: dict[str, type[SceneItem]] = {
    kind.model_fields["kind"].default: kind
    for kind in (VolumeItem, MatrixItem, BundleItem, GlyphsItem, ImageItem, LabelsItem, TilesItem)
}
"""Every kind of item by its name; `rendering.ARTISTS` has one artist for each."""
