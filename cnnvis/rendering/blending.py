"""How what is translucent is blended: in order where one is known, which takes one pass, else peeled layer by layer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist, Translucency

Box = NDArray[np.float64]
"""Lowest and highest corner (2, 3)."""


class Blending(Enum):
    """What is done with the translucent polygons of a scene: lines, units, surfaces, sorted each, and the rest."""

    BEFORE_VOLUMES = auto()
    """They are drawn one over the other as they come, and the volumes that are cast over them."""

    AFTER_VOLUMES = auto()
    """The other way round."""

    PEELED = auto()
    """All is taken apart into layers: right for anything, and up to twenty times as long."""

    MEAN = auto()
    """Weighted means, whatever is in front: while something moves that would have to be peeled."""


def apart(boxes: Sequence[Box]) -> bool:
    """Return whether no two of the boxes share any of their insides."""
    return all(bool(((a[1] <= b[0]) | (b[1] <= a[0])).any()) for a, b in combinations(boxes, 2))


@dataclass(frozen=True, eq=False)
class Translucent:
    """What of a scene is translucent, and where.

    Parameters
    ----------
    network : Box, optional
        Where lines and units are; those are sorted among each other.
    surfaces : list of Box
        Things whose translucent parts are sorted, too.
    cast : list of Box
        Stacks that are cast.
    crossing : bool
        Whether anything else is translucent, of which no order is known: planes cross each other.
    """

    network: Box | None
    surfaces: list[Box]
    cast: list[Box]
    crossing: bool

    @classmethod
    def of(cls, shown: Iterable[Artist], network: Box | None) -> Translucent:
        """Collect it from artists of what is visible, and the box of lines and units."""
        found: dict[Translucency, list[Artist]] = {kind: [] for kind in Translucency}
        for artist in shown:
            found[artist.translucency].append(artist)
        surfaces, cast = ([each.bounds() for each in found[kind]] for kind in (Translucency.SORTED, Translucency.CAST))
        return cls(network, surfaces, cast, crossing=bool(found[Translucency.CROSSING]))

    @property
    def sorted(self) -> list[Box]:
        """Boxes of lines and units, and of surfaces."""
        return ([] if self.network is None else [self.network]) + self.surfaces

    @property
    def may_be_peeled(self) -> bool:
        """Whether lines and units have to be peeled with the rest, seen from one side or another."""
        return self.crossing or len(self.cast) > 1 or not apart([*self.sorted, *self.cast])

    def blending(self, camera: vtk.vtkCamera) -> Blending:
        """Return how to blend it as it is seen now."""
        if not self.crossing and apart([*self.sorted, *self.cast]):
            if all(_may_be_first(each, stack, camera) for each in self.sorted for stack in self.cast):
                return Blending.BEFORE_VOLUMES
            if all(_may_be_first(stack, each, camera) for each in self.sorted for stack in self.cast):
                return Blending.AFTER_VOLUMES
        return Blending.PEELED


def _may_be_first(a: Box, b: Box, camera: vtk.vtkCamera) -> bool:
    """Return whether nothing of box a is seen before box b: the viewer is on b's side of a plane between them."""
    eye, towards = np.array(camera.GetPosition()), -np.array(camera.GetDirectionOfProjection())
    if camera.GetParallelProjection():
        above, below = towards >= 0, towards <= 0
    else:
        above, below = eye >= a[1], eye <= a[0]
    return bool((((a[1] <= b[0]) & above) | ((b[1] <= a[0]) & below)).any())


class Blender:
    """Lets a renderer blend in one way or another."""

    def __init__(self, renderer: vtk.vtkRenderer) -> None:
        self.renderer = renderer
        self._passes = {smooth: _volumes_first(smooth) for smooth in (False, True)}

    def use(self, blending: Blending, *, volumes: bool, smooth: bool) -> None:
        """Blend so from the next frame on.

        Parameters
        ----------
        blending : Blending
        volumes : bool
            Peel the volumes as well, where anything is peeled.
        smooth : bool
            Whether edges are smoothed.
        """
        peeled = blending is Blending.PEELED
        self.renderer.SetUseDepthPeeling(peeled)
        self.renderer.SetUseDepthPeelingForVolumes(peeled and volumes)
        self.renderer.SetUseOIT(blending is Blending.MEAN)
        self.renderer.SetUseFXAA(smooth)
        wanted = self._passes[smooth] if blending is Blending.AFTER_VOLUMES else None
        if self.renderer.GetPass() is not wanted:
            self.renderer.SetPass(wanted)


def _volumes_first(smooth: bool) -> vtk.vtkRenderPass:
    """Return the passes of a frame, volumes before translucent polygons; texts are smooth by themselves."""
    scene: vtk.vtkRenderPass = _in_turn(
        vtk.vtkLightsPass(), vtk.vtkOpaquePass(), vtk.vtkVolumetricPass(), vtk.vtkTranslucentPass()
    )
    if smooth:
        smoothed = vtk.vtkOpenGLFXAAPass()
        smoothed.SetDelegatePass(scene)
        scene = smoothed
    camera = vtk.vtkCameraPass()
    camera.SetDelegatePass(_in_turn(scene, vtk.vtkOverlayPass()))
    return camera


def _in_turn(*passes: vtk.vtkRenderPass) -> vtk.vtkSequencePass:
    collection = vtk.vtkRenderPassCollection()
    for each in passes:
        collection.AddItem(each)
    sequence = vtk.vtkSequencePass()
    sequence.SetPasses(collection)
    return sequence
