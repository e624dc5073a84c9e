"""A scene's bundles and units as a glTF file, which 3-D programs, slides and browsers open."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersSources import vtkSphereSource

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.rendering.gltf import LINES, TRIANGLES, Mesh, gltf_bytes
from cnnvis.rendering.scene_shapes import shapes_of
from cnnvis.rendering.shapes import N_LINES, Shape
from cnnvis.scene import Scene, Stance

logger = logging.getLogger(__name__)

GLTF_SUFFIXES = (".glb", ".gltf")

FAINTEST = 1 / 255
"""Opacity below which a segment or a unit is left out: no screen shows it."""


SMALLEST_MARK = 0.25
"""Radius, in sizes, that a selected unit has at least."""


def export_gltf(scene: Scene, path: str | Path, *, n_lines: int = N_LINES) -> Path:
    """Write the bundles and units of a scene as one glTF 2.0 file: lines, and units as spheres.

    Colours and opacity are baked as a still has them, for a viewer who stands near (nearness 1, thickness 1): glTF has
    no formula for them. What is selected stands out, and hidden layers are left out, as in a still. What glTF cannot
    hold - volumes, matrices, labels - is left out. That, and the budget of lines, is said in `asset.extras.notes` of
    the file, and logged (as information).

    Parameters
    ----------
    scene : Scene
    path : path-like ending in .glb (binary) or .gltf (text)
        Written whole or not at all; one file either way.
    n_lines : int, default: 20,000
        At most so many lines, the most important ones; about 28 bytes per point.

    Raises
    ------
    InvalidInputError
        When the scene has no visible bundle or units, or is a grid.
    FileFormatError
        For another suffix.
    """
    path = Path(path)
    if path.suffix.lower() not in GLTF_SUFFIXES:
        raise FileFormatError(f"Cannot write glTF as {path.name!r}; its name must end in .glb or .gltf.")
    if not isinstance(scene, Scene):
        raise InvalidInputError(
            f"A glTF file holds one Scene, got {type(scene).__name__}; export each scene of a grid by itself."
        )
    if n_lines < 1:
        raise InvalidInputError(f"n_lines must be at least 1, got {n_lines}.")
    shapes = shapes_of(scene)
    if not shapes:
        raise InvalidInputError("The scene has no visible bundle or units; a glTF file shows these.")
    meshes = [mesh_of(shape.within(n_lines).above_threshold()) for shape in shapes]
    meshes = [mesh for mesh in meshes if mesh.indices.size]
    if not meshes:
        raise InvalidInputError("Nothing of the scene can be seen; raise an opacity or lower importance_threshold.")
    notes = [*(note for shape in shapes for note in shape.notes_within(n_lines)), *_left_out(scene, shapes)]
    for note in notes:
        logger.info("%s: %s", path.name, note)
    return save_bytes(gltf_bytes(meshes, title=scene.title, notes=notes, binary=path.suffix.lower() == ".glb"), path)


def mesh_of(shape: Shape) -> Mesh:
    """Return lines as segments and units as spheres; what is too faint to be seen is left out."""
    return _spheres(shape) if shape.is_units else _segments(shape)


def _segments(shape: Shape) -> Mesh:
    rgba, ends = shape.rgba(), shape.lines.offsets[1:] - 1
    first = np.delete(np.arange(len(rgba)), ends[np.diff(shape.lines.offsets) > 0])
    first = first[np.maximum(rgba[first, 3], rgba[first + 1, 3]) >= FAINTEST]
    return Mesh(shape.name, LINES, shape.lines.points, rgba, np.stack([first, first + 1], axis=1).ravel())


def _spheres(shape: Shape) -> Mesh:
    rgba = shape.rgba()
    seen = rgba[:, 3] >= FAINTEST
    least = np.where(shape.stance == Stance.MARKED, SMALLEST_MARK, 0)
    radii = shape.look.size * np.maximum(shape.importance if shape.look.grows else np.ones(len(rgba)), least)
    radii = radii[seen, None, None]
    corners, triangles = _sphere()
    points = shape.lines.points[seen, None, :] + radii * corners
    first = len(corners) * np.arange(len(points))
    indices = triangles[None] + first[:, None, None]
    return Mesh(
        shape.name, TRIANGLES, points.reshape(-1, 3), np.repeat(rgba[seen], len(corners), axis=0), indices.ravel()
    )


def _sphere() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the corners (C, 3) and triangles (T, 3) of a sphere of radius 1, about 60 and 120."""
    source = vtkSphereSource()
    source.SetRadius(1.0)
    source.SetThetaResolution(10)
    source.SetPhiResolution(8)
    source.Update()
    sphere = source.GetOutput()
    corners = vtk_to_numpy(sphere.GetPoints().GetData()).astype(np.float64)
    return corners, vtk_to_numpy(sphere.GetPolys().GetConnectivityArray()).reshape(-1, 3)


def _left_out(scene: Scene, shapes: list[Shape]) -> list[str]:
    drawn = {shape.name for shape in shapes}
    names = [item.name for item in scene if item.visible and item.name not in drawn]
    return [f"not in this file, since glTF has nothing for them: {', '.join(names)}"] if names else []
