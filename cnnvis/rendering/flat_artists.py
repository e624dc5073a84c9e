"""Artists of flat pictures and labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.style import Theme, style_text
from cnnvis.scene import ImageItem, LabelsItem


def textured_plane(
    rgb: np.ndarray, origin: np.ndarray, along_columns: np.ndarray, along_rows: np.ndarray
) -> vtk.vtkActor:
    """Return a flat (H, W, 3) uint8 picture; `origin` is the corner of its first pixel."""
    height, width = rgb.shape[:2]
    image = vtk.vtkImageData()
    image.SetDimensions(width, height, 1)
    image.GetPointData().SetScalars(vtk.numpy_to_vtk(np.ascontiguousarray(rgb).reshape(-1, 3), deep=True))
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
    return actor


class ImageArtist(Artist[ImageItem]):
    """Draws an image item as a textured plane, rows downwards."""

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the plane."""
        height, width = self.item.data.shape[:2]
        step = self.item.width / width
        actor = textured_plane(
            self.item.data,
            np.array(self.item.origin),
            np.array([self.item.width, 0.0, 0.0]),
            np.array([0.0, step * height, 0.0]),
        )
        actor.GetProperty().SetOpacity(self.item.opacity)
        yield actor


class LabelsArtist(Artist[LabelsItem]):
    """Draws each label as a text that faces the viewer."""

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield one text per label."""
        for position, text in zip(self.item.data, self.item.texts, strict=True):
            actor = vtk.vtkBillboardTextActor3D()
            actor.SetInput(text)
            actor.SetPosition(*(np.array(self.item.origin) + position))
            style_text(
                actor.GetTextProperty(),
                colour=theme.text,
                size=self.item.size,
                horizontal="centre",
                vertical="centre",
            )
            actor.GetTextProperty().SetOpacity(self.item.opacity)
            yield actor
