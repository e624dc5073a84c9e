"""Pictures, films and files of the study of a bundled network."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import BundledNetwork, PointSet, PolylineSet
from cnnvis.core.classes import class_index
from cnnvis.io import save, save_bytes
from cnnvis.rendering import export_gltf, export_html, film, render
from cnnvis.report import picture_rows, to_png
from cnnvis.scene import Scene, SceneGrid
from cnnvis.studies.bundle_results import MAX_CLASSES, BundleResult, BundleStudy
from cnnvis.studies.stages import Stages

FILM_SHARE = 0.6
"""Sides of the films as a share of the pictures': 960 x 600 for 1600 x 1000."""

TURN_FPS, STEPS_FPS = 12, 4

COLUMNS = 4
"""Small pictures in a row of the overview."""

KEPT_LINES = 10_000
"""Lines of each step that are kept, the most important ones: two dozen steps of all would fill the memory."""

Picture = NDArray[np.uint8]


class Steps:
    """Keeps lines and units of each step, to be called with its name and the network as it is then."""

    def __init__(self) -> None:
        self.lines: dict[str, PolylineSet] = {}
        self.points: dict[str, PointSet] = {}

    def __call__(self, step: str, network: BundledNetwork) -> None:
        self.lines[step] = most_important(network.lines, KEPT_LINES)
        self.points[step] = network.points


def drawn_classes(study: BundleStudy, network: BundledNetwork) -> tuple[int, ...]:
    """Return the classes that get a picture of their own, as columns of the profiles.

    Raises
    ------
    InvalidInputError
        When a class is named that is not there, or none are known.
    """
    if study.classes and network.profiles is None:
        raise InvalidInputError(
            f"The importance by {network.parameters['importance']} has no classes, so none can be drawn by itself. "
            "Take a method that tells them apart, with labelled images: batchnorm, gradient, taylor."
        )
    if study.classes:
        return tuple(dict.fromkeys(class_index(name, network.class_names) for name in study.classes))
    n_classes = 0 if network.profiles is None else network.profiles.shape[1]
    return tuple(range(n_classes)) if n_classes <= MAX_CLASSES else ()
