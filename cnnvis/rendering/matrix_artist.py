"""Draws a table of numbers: coloured cells, or bars on a floor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering import matrix_frame
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.flat_artists import textured_plane
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Projection, ScreenBox
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import RGB, Theme, quad_polydata
from cnnvis.scene import MatrixItem

BAR = 0.8
"""Side of a bar, in cells."""

FACES = np.array(
    [
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],  # the upper end: y runs downwards
        [(0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)],
        [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)],
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
        [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0)],
        [(1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)],
    ]
)
"""Corners of a box's faces, (6, 4, 3): the low or high end of x, y and z."""

SHADES = np.array([1.0, 1.0, 0.86, 0.86, 0.72, 0.72])
"""Brightness of each face. Ends have the very colour of the value; light of VTK's would change it."""


class MatrixArtist(Artist[MatrixItem]):
    """Draws a matrix item."""

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the cells, or the bars."""
        transfer, values = self.item.transfer, self.item.data
        self._span = transfer.span_of(values)
        self.legend = Legend(transfer, self._span, self.item.quantity) if self.item.legend else None
        self.colours = self._cell_colours(theme.background)
        actor = self._cells() if self.item.style == "cells" else self._bars()
        actor.GetProperty().SetOpacity(self.item.opacity)
        yield actor

    def _cell_colours(self, background: RGB) -> NDArray[np.float32]:
        """Return the RGB (R, C, 3) of the cells: faint where the opacity curve says so, background where none is."""
        positions = self.item.transfer.normalise(self.item.data, self._span)
        alpha = self.item.transfer.opacity_at(positions)[..., None]
        seen = self.item.transfer.colours(positions) * alpha + np.array(background, np.float32) * (1 - alpha)
        seen[np.isnan(positions)] = MISSING_COLOUR
        seen[~self.item.exists()] = background
        return seen

    def _cells(self) -> vtk.vtkActor:
        width, height, _ = self.item.extent
        rgb = np.round(255 * self.colours).astype(np.uint8)
        corner = np.array(self.item.origin, float)
        return textured_plane(rgb, corner, np.array([width, 0.0, 0.0]), np.array([0.0, height, 0.0]))

    # -- bars ------------------------------------------------------------------------------------

    def _levels(self) -> tuple[float, float]:
        """Return the lowest and the highest level of the bars' box, in data units; zero is between them."""
        low, high = self.item.transfer.span_of(self.item.data)
        return min(low, 0.0), max(high, 0.0)

    def boxes(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        """Return row and column of each bar, (B,), and its lowest and highest corner, (B, 3), scene units."""
        exists = self.item.exists()
        row, column = np.nonzero(exists)
        low, high = self._levels()
        values = self.item.data[exists]
        values = np.clip(np.where(np.isfinite(values), values, 0.0), low, high)  # beyond the range as its end
        gap = (1 - BAR) / 2
        upper, lower = (high - np.maximum(values, 0)) / (high - low), (high - np.minimum(values, 0)) / (high - low)
        x, z = column + gap, len(self.item.data) - 1 - row + gap
        unit = np.array([self.item.cell[0], self.item.extent[1], self.item.cell[1]])
        corners = (np.stack([x, upper, z], axis=-1), np.stack([x + BAR, lower, z + BAR], axis=-1))
        first, last = (np.array(self.item.origin) + unit * corner for corner in corners)
        return row, column, first, last

    def _bars(self) -> vtk.vtkActor:
        exists = self.item.exists()
        ends = np.stack(self.boxes()[2:])  # (low or high, bar, axis)
        corners = np.stack([ends[FACES[..., axis], :, axis] for axis in range(3)], axis=-1)  # (face, corner, bar, axis)
        corners = corners.transpose(2, 0, 1, 3)
        colours = self.colours[exists][:, None] * SHADES[:, None]
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(quad_polydata(corners.reshape(-1, 4, 3), np.round(255 * colours).reshape(-1, 3)))
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().LightingOff()
        return actor

    def _floor(self) -> float:
        """Return the y of the value zero, scene units."""
        low, high = self._levels()
        return self.item.origin[1] + high / (high - low) * self.item.extent[1]

    # -- around it -------------------------------------------------------------------------------

    def bounds(self) -> NDArray[np.float64]:
        """Return two opposite corners of the cells, or of the box of the bars."""
        low = np.array(self.item.origin, dtype=float)
        return np.array([low, low + np.array(self.item.extent)])

    def margins(self, pane: Pane, taken: Margins) -> Margins | None:
        """Return the room of labels and names."""
        return matrix_frame.margins(self.item, pane, taken) if self.item.axes and pane.roomy else None

    def frame(self, projection: Projection, texts: ScreenTexts) -> Iterator[vtk.vtkProp]:
        """Yield outline, labels, names, and the texts on the cells."""
        box = ScreenBox(self.bounds(), projection)
        frame = matrix_frame.MatrixFrame(self.item, box, texts)
        yield frame.outline(None if self.item.style == "cells" else self._floor())
        if self.item.axes and texts.pane.roomy:
            yield from frame.labels()
        if self.item.style == "cells":
            yield from frame.cell_texts(self.colours)

    def notes(self) -> list[str]:
        """Say what is missing."""
        missing = int(np.count_nonzero(~np.isfinite(self.item.data[self.item.exists()])))
        return [f"{missing:,} values NaN or infinite (magenta)"] if missing else []
