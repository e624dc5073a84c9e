"""Display state of a view: items, transfer functions, camera, selection, series, grids. No VTK, Qt or torch."""

from cnnvis.scene.camera import Camera, View
from cnnvis.scene.grid import SceneGrid
from cnnvis.scene.items import (
    ITEM_KINDS,
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
from cnnvis.scene.scene import Scene, Series
from cnnvis.scene.selection import Selection
from cnnvis.scene.transfer import Normalisation, TransferFunction

__all__ = [
    "ITEM_KINDS",
    "Camera",
    "ClipBox",
    "Drive",
    "ImageItem",
    "LabelsItem",
    "MatrixItem",
    "Normalisation",
    "Scene",
    "SceneGrid",
    "SceneItem",
    "Selection",
    "Series",
    "Slices",
    "TransferFunction",
    "ValueItem",
    "View",
    "VolumeItem",
    "VolumeMode",
]
