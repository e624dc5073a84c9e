"""Display state of a view: items, transfer functions, camera, selection, series, grids. No VTK, Qt or torch."""

from cnnvis.scene.as_python import as_python
from cnnvis.scene.camera import Camera, View
from cnnvis.scene.grid import SceneGrid, scenes_of
from cnnvis.scene.items import (
    ClipBox,
    Drive,
    ImageItem,
    LabelsItem,
    MatrixItem,
    SceneItem,
    Slices,
    ValueItem,
    VolumeItem,
    VolumeMode,
)
from cnnvis.scene.kinds import ITEM_KINDS
from cnnvis.scene.layer_row import scene_of_layers
from cnnvis.scene.network_items import BundleItem, BundleMode, GlyphsItem, NetworkItem
from cnnvis.scene.scene import Scene
from cnnvis.scene.scene_state import SceneState, Series
from cnnvis.scene.selection import Selection
from cnnvis.scene.snapshot import SceneSnapshot, copy_of, copy_scene
from cnnvis.scene.stances import Stance, stances
from cnnvis.scene.tiles_item import Depth, TilesItem
from cnnvis.scene.transfer import Normalisation, TransferFunction
from cnnvis.scene.watching import SceneWatch

__all__ = [
    "ITEM_KINDS",
    "BundleItem",
    "BundleMode",
    "Camera",
    "ClipBox",
    "Depth",
    "Drive",
    "GlyphsItem",
    "ImageItem",
    "LabelsItem",
    "MatrixItem",
    "NetworkItem",
    "Normalisation",
    "Scene",
    "SceneGrid",
    "SceneItem",
    "SceneSnapshot",
    "SceneState",
    "SceneWatch",
    "Selection",
    "Series",
    "Slices",
    "Stance",
    "TilesItem",
    "TransferFunction",
    "ValueItem",
    "View",
    "VolumeItem",
    "VolumeMode",
    "as_python",
    "copy_of",
    "copy_scene",
    "scene_of_layers",
    "scenes_of",
    "stances",
]
