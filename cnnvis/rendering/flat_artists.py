"""Artists of flat pictures and labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist, Translucency
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import Theme, style_text
from cnnvis.scene import ImageItem, LabelsItem

LABEL = 0.9
"""Size of a label that grows with the pane, in letters."""


def textured_plane(
    rgb: np.ndarray, origin: np.ndarray, along_columns: np.ndarray, along_rows: np.ndarray
) -> vtk.vtkActor:
    """Return a flat (H, W, 3) uint8 picture; `origin` is the corner of its first pixel."""
    height, width = rgb.shape[:2]
    image = vtk.vtkImageData()
    image.SetDimensions(width, height, 1)
    texture = vtk.vtkTexture()
    texture.SetInputData(image)
    texture.SetInterpolate(False)
    texture.SetRepeat(False)
    plane = vtk.vtkPlaneSource()
    plane.SetOrigin(*origin)
    plane.SetPoint1(*(origin + along_columns))
    plane.SetPoint2(*(origin + along_rows))
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputConnection(plane.GetOutputPort())
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    actor.SetTexture(texture)
    actor.GetProperty().LightingOff()
    recolour(actor, rgb)
    return actor


def recolour(actor: vtk.vtkActor, rgb: np.ndarray) -> None:
    """Show another (H, W, 3) uint8 picture of the same size on a textured plane."""
    image = actor.GetTexture().GetInput()
    image.GetPointData().SetScalars(vtk.numpy_to_vtk(np.ascontiguousarray(rgb).reshape(-1, 3), deep=True))


class ImageArtist(Artist[ImageItem]):
    """Draws an image item as a textured plane, rows downwards."""

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the plane."""
        low, high = self.bounds()
        columns, rows = np.diag(high - low)[:2]
        actor = textured_plane(self.item.data, low, columns, rows)
        actor.GetProperty().SetOpacity(self.item.opacity)
        yield actor

    def bounds(self) -> NDArray[np.float64]:
        """Return two opposite corners of the plane."""
        height, width = self.item.data.shape[:2]
        low = np.array(self.item.origin, dtype=float)
        return np.array([low, low + np.array([self.item.width, self.item.width / width * height, 0.0])])


class LabelsArtist(Artist[LabelsItem]):
    """Draws each label as a text that faces the viewer."""

    translucency = Translucency.NONE

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield one text per label, hidden by what stands before it."""
        if self.item.size is None:
            return
        for position, text in zip(self._points(), self.item.texts, strict=True):
            actor = vtk.vtkBillboardTextActor3D()
            actor.SetInput(text)
            actor.SetPosition(*position)
            style_text(
                actor.GetTextProperty(),
                colour=theme.text,
                size=self.item.size,
                horizontal="centre",
                vertical="centre",
            )
            actor.GetTextProperty().SetOpacity(self.item.opacity)
            yield actor

    def frame(self, projection: Projection, texts: ScreenTexts) -> Iterator[vtk.vtkProp]:
        """Yield the texts whose size is that of the pane's, before all else: only so are small ones sharp."""
        if self.item.size is not None or not self.item.texts:
            return
        for at, text in zip(projection(self._points()), self.item.texts, strict=True):
            place = texts.kept_whole(text, at, size=LABEL)
            actor = texts.actor(text, place, size=LABEL, colour=texts.pane.theme.text)
            actor.GetTextProperty().SetOpacity(self.item.opacity)
            yield actor

    def _points(self) -> NDArray[np.float64]:
        return np.array(self.item.origin) + self.item.data

    def bounds(self) -> NDArray[np.float64]:
        """Return the box around the points; the size of the texts depends on the camera, and is left out."""
        points = self._points() if len(self.item.texts) else np.array([self.item.origin])
        return np.array([points.min(axis=0), points.max(axis=0)])
