from . import (
    analysis,
    attribution,
    capture,
    core,
    geometry,
    io,
    layout,
    models,
    pruning,
    rendering,
    report,
    scene,
    studies,
    training,
)
from .analysis import communities, order, similarity
from .attribution import connect, diagnose, grad_cam, importance, network_maps, occlusion
from .capture import explain, record, survey, trace
from .geometry import to_pyvista
from .io import load, save
from .layout import bundle
from .notebook import show
from .rendering import film, render
from .scene import Scene, SceneGrid, TransferFunction
from .training import Watcher

__all__ = [
    "Scene",
    "SceneGrid",
    "TransferFunction",
    "Watcher",
    "analysis",
    "attribution",
    "bundle",
    "capture",
    "communities",
    "connect",
    "core",
    "diagnose",
    "explain",
    "film",
    "geometry",
    "grad_cam",
    "importance",
    "io",
    "layout",
    "load",
    "models",
    "network_maps",
    "occlusion",
    "order",
    "pruning",
    "record",
    "render",
    "rendering",
    "report",
    "save",
    "scene",
    "show",
    "similarity",
    "studies",
    "survey",
    "to_pyvista",
    "trace",
    "training",
]

__version__: str
