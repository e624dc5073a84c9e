"""Draws a stack of feature maps: ray cast, maximum projection, isosurfaces or slices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.axes import image_dimensions, to_points
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering import axes_box
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.flat_artists import textured_plane
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.style import Theme, format_values
from cnnvis.scene import Drive, TransferFunction, VolumeItem, VolumeMode
from cnnvis.scene.transfer import SEQUENTIAL_MAP

ABSORPTION_DEPTH = 0.05
"""Share of the stack's mean side after which a ray is absorbed at density 1 and full opacity (0.9)."""

MAX_OPACITY = 0.9

STEPS_PER_VOXEL = 1.0
"""Ray samples per voxel along the shortest voxel side; fewer show wood grain, more cost in proportion."""

MIP_STEPS_PER_VOXEL = 3.0
"""The same for maximum projection, where a peak between two samples is lost altogether."""

NEAREST_STEPS_PER_VOXEL, NEAREST_STEPS = 12.0, 500
"""The same for voxels shown as they are, whose faces a coarse ray saws up; and the most of them across the stack."""

MAX_TEXTURE = 2048
"""Largest side of a 3-D texture that every OpenGL driver offers; longer stacks are thinned, and say so."""

MAX_MISSING_POINTS = 20_000
"""Missing voxels drawn as points; of more, an even sample."""


class VolumeArtist(Artist[VolumeItem]):
    """Draws a volume item.

    The mapper gets two dependent components: the position on the colour map, and the opacity, which is the
    opacity curve times the channel's factor. So any second array can drive opacity, missing voxels are
    transparent, and normalisations other than linear lose no resolution.
    """

    def build(self, theme: Theme) -> Iterator[vtk.vtkProp]:
        """Yield the props of the current mode, then missing voxels as points."""
        values, legend = _shown(self.item)
        self.legend = legend if self.item.legend else None
        self._transfer, self._span = legend.transfer, legend.span
        factors = self.item.channel_factors()
        step = _thinning(self.item)
        values, factors = values[:: step[0], :: step[1], :: step[2]], factors[:: step[0]]
        spacing = tuple(size * stride for size, stride in zip(self.item.data.spacing, step[::-1], strict=True))
        if self.item.mode is VolumeMode.ISOSURFACE:
            missing = ~np.isfinite(values)
            props: Iterator[vtk.vtkProp] = self._surfaces(np.where(missing, self._span[0], values), factors, spacing)
        else:
            positions = legend.transfer.normalise(values, legend.span)
            missing = np.isnan(positions)
            slices = self.item.mode is VolumeMode.SLICES
            props = self._planes(positions, spacing) if slices else self._cast(positions, factors, spacing)
        planes = self._clip_planes()
        for prop in props:
            self._clip(prop, planes)
            yield prop
        if missing.any() and self.item.mode is not VolumeMode.SLICES:
            yield from self._missing(missing, spacing)

    def bounds(self) -> NDArray[np.float64]:
        """Return the corners of the stack, half a voxel outside its first and last voxels."""
        first, spacing = np.array(self.item.origin, dtype=float), np.array(self.item.data.spacing)
        return np.array([first - spacing / 2, first + (np.array(self.item.data.shape[::-1]) - 0.5) * spacing])

    def margins(self, pane: Pane, taken: Margins) -> Margins | None:
        """Return the room of ticks and names."""
        return axes_box.margins(pane) if self.item.axes and pane.roomy else None

    def frame(self, projection: Projection, pane: Pane, taken: Margins) -> Iterator[vtk.vtkProp]:
        """Yield outline, named axes and group marks."""
        if self.item.axes:
            yield from axes_box.AxesBox(self.item, self.bounds(), projection, pane, taken).props()

    def notes(self) -> list[str]:
        """Say how it is drawn, what drives the opacity, what is missing, and what was thinned out."""
        volume: Volume = self.item.data
        notes = list(self._mode_notes())
        driven = "value" if self.item.mode is VolumeMode.MIP else "opacity"
        drive = Drive.NONE if self.item.mode is VolumeMode.SLICES else self.item.drive
        if drive is Drive.IMPORTANCE:
            notes.append(f"{driven} × {volume.axis_names[0]} importance")
        elif drive is Drive.GROUP:
            shown = ", ".join(str(group) for group in self.item.shown_groups) or "none"
            notes.append(f"{driven} by group, shown: {shown}")
        if volume.n_missing:
            notes.append(f"{volume.n_missing:,} values NaN or infinite (magenta)")
        step = _thinning(self.item)
        if step != (1, 1, 1):
            notes.append(f"drawn every {step[0]} x {step[1]} x {step[2]} ({' x '.join(volume.axis_names)})")
        return notes

    def _mode_notes(self) -> Iterator[str]:
        if self.item.mode is VolumeMode.MIP:
            yield "maximum projection"
        elif self.item.mode is VolumeMode.SLICES:
            names, planes = self.item.data.axis_names, self._shown_planes()
            shown = [f"{name} {plane}" for name, plane in zip(names, planes, strict=True) if plane is not None]
            if planes[0] is not None:  # by the network's own number, whatever the order
                shown[0] = f"{names[0]} #{self.item.data.channels[planes[0]]}"
            yield "slices: " + ", ".join(shown)
        elif self.item.mode is VolumeMode.ISOSURFACE:
            values = ", ".join(format_values(self._isovalues()))
            yield f"surfaces at {values}" if self._surface_found else f"no surface at {values}"

    # -- data ------------------------------------------------------------------------------------

    def _image(
        self, stack: NDArray[np.float32], spacing: tuple[float, float, float], *, voxels: bool = False
    ) -> vtk.vtkImageData:
        """Return an image of a (C, H, W) or (C, H, W, components) stack.

        Values stand at points, and the image ends with the first and last ones; as `voxels` they fill cells, half a
        voxel farther. VTK draws nothing of an image without depth, so a single channel, row or column at points is
        doubled to a slab that fills its voxels.
        """
        origin = np.array(self.item.origin) - (np.array(spacing) / 2 if voxels else 0.0)
        for axis in () if voxels else range(3):
            if stack.shape[axis] == 1:
                stack = np.repeat(stack, 2, axis=axis)
                origin[2 - axis] -= spacing[2 - axis] / 2
        image = vtk.vtkImageData()
        image.SetDimensions(*(size + voxels for size in image_dimensions(stack.shape[:3])))
        image.SetSpacing(*spacing)
        image.SetOrigin(*origin)
        components = 1 if stack.ndim == 3 else stack.shape[3]
        self._array = to_points(stack).reshape(-1, components)  # VTK shares this memory
        (image.GetCellData() if voxels else image.GetPointData()).SetScalars(vtk.numpy_to_vtk(self._array))
        return image

    # -- ray casting -----------------------------------------------------------------------------

    def _cast(
        self, positions: NDArray[np.float32], factors: NDArray[np.float32], spacing: tuple[float, float, float]
    ) -> Iterator[vtk.vtkProp]:
        item = self.item
        factor = factors[:, None, None]
        filled = np.nan_to_num(positions, nan=0.0)
        mip, nearest = item.mode is VolumeMode.MIP, item.interpolation == "nearest"
        if mip:  # VTK projects the largest value of one component; weights scale the value itself
            image = self._image(filled * factor, spacing, voxels=nearest)
        else:
            opacity = self._transfer.opacity_at(positions) * factor * np.float32(item.opacity)
            image = self._image(np.stack([filled, opacity], axis=-1), spacing, voxels=nearest)
        mapper = vtk.vtkGPUVolumeMapper()
        mapper.SetInputData(image)
        if nearest:
            mapper.SetScalarModeToUseCellData()
        mapper.SetAutoAdjustSampleDistances(False)
        mapper.SetSampleDistance(self._step(image.GetLength(), min(spacing)))
        if mip:
            mapper.SetBlendModeToMaximumIntensity()
        actor = vtk.vtkVolume()
        actor.SetMapper(mapper)
        actor.SetProperty(self._property(image, mip=mip))
        yield actor

    def _step(self, length: float, voxel: float) -> float:
        """Return the distance between two samples on a ray, for a stack of this diagonal and this shortest side."""
        steps = MIP_STEPS_PER_VOXEL if self.item.mode is VolumeMode.MIP else STEPS_PER_VOXEL
        if self.item.interpolation == "linear":
            return voxel / steps
        return min(voxel / steps, max(voxel / NEAREST_STEPS_PER_VOXEL, length / NEAREST_STEPS))

    def _property(self, image: vtk.vtkImageData, *, mip: bool) -> vtk.vtkVolumeProperty:
        sides = np.array(image.GetBounds()).reshape(3, 2)
        extent = float(np.mean(sides[:, 1] - sides[:, 0])) or 1.0
        curve = vtk.vtkPiecewiseFunction()
        for position, opacity in self._transfer.opacity if mip else ((0.0, 0.0), (1.0, MAX_OPACITY)):
            curve.AddPoint(position, opacity * self.item.opacity if mip else opacity)
        prop = vtk.vtkVolumeProperty()
        prop.SetIndependentComponents(mip)
        prop.SetColor(colour_function(self._transfer))
        prop.SetScalarOpacity(curve)
        for component in (0, 1):  # of two dependent components VTK reads the second one's
            prop.SetScalarOpacityUnitDistance(component, ABSORPTION_DEPTH * extent / self.item.density)
        if self.item.interpolation == "linear":
            prop.SetInterpolationTypeToLinear()
        else:
            prop.SetInterpolationTypeToNearest()
        prop.SetShade(self.item.shade)
        return prop

    # -- surfaces --------------------------------------------------------------------------------

    def _isovalues(self) -> tuple[float, ...]:
        """Return the values asked for, else a quarter from the ends of a diverging range, the middle of another."""
        positions = (0.25, 0.75) if self._transfer.centre is not None else (0.5,)
        return self.item.isovalues or tuple(self._transfer.denormalise(positions, self._span).tolist())

    def _surfaces(
        self, values: NDArray[np.floating], factors: NDArray[np.float32], spacing: tuple[float, float, float]
    ) -> Iterator[vtk.vtkProp]:
        levels = self._isovalues()
        contour = vtk.vtkFlyingEdges3D()
        contour.SetInputData(self._image(values, spacing))
        contour.ComputeNormalsOn()
        contour.ComputeScalarsOn()
        for index, level in enumerate(levels):
            contour.SetValue(index, level)
        contour.Update()
        surface = contour.GetOutput()
        self._surface_found = surface.GetNumberOfPoints() > 0
        if not self._surface_found:
            return
        points = vtk.vtk_to_numpy(surface.GetPoints().GetData())
        at = self._transfer.normalise(vtk.vtk_to_numpy(surface.GetPointData().GetScalars()), self._span)
        channel = (points[:, 2] - self.item.origin[2]) / spacing[2]
        alpha = np.interp(channel, np.arange(len(factors)), factors) * self.item.opacity
        if len(levels) > 1:  # inner surfaces show through outer ones; the most opaque needs no blending
            strength = self._transfer.opacity_at(at)
            alpha = alpha * np.clip(strength / max(float(strength.max()), 1e-6), 0.15, 1.0)
        rgba = np.concatenate([self._transfer.colours(at), alpha[:, None]], axis=1)
        colours = vtk.numpy_to_vtk(np.round(255 * rgba).astype(np.uint8), deep=True)
        surface.GetPointData().SetScalars(colours)
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(surface)
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().SetInterpolationToPhong()
        actor.GetProperty().SetSpecular(0.2)
        actor.GetProperty().SetAmbient(0.3)  # or surfaces seen at a flat angle are black, which is no colour of the map
        actor.GetProperty().SetDiffuse(0.7)
        if alpha.min() < 0.999:
            actor.ForceTranslucentOn()
        else:
            actor.ForceOpaqueOn()
        yield actor

    # -- slices ----------------------------------------------------------------------------------

    def _shown_planes(self) -> list[int | None]:
        """Return the index of the plane across each axis of the stack, as near to the one asked for as there is."""
        slices, shape = self.item.slices, self.item.data.shape
        wanted = (slices.channel, slices.row, slices.column)
        if wanted == (None, None, None):
            return [size // 2 for size in shape]
        return [
            None if index is None else min(max(index, 0), size - 1) for index, size in zip(wanted, shape, strict=True)
        ]

    def _planes(self, positions: NDArray[np.float32], spacing: tuple[float, float, float]) -> Iterator[vtk.vtkProp]:
        for axis, plane in enumerate(self._shown_planes()):
            if plane is None:
                continue
            picture = np.take(positions, plane, axis=axis)
            rows_axis, columns_axis = [other for other in (0, 1, 2) if other != axis]
            rgb = np.round(255 * self._transfer.colours(picture)).astype(np.uint8)
            yield self._plane(rgb, axis, plane, rows_axis, columns_axis, spacing)

    def _plane(
        self,
        rgb: NDArray[np.uint8],
        axis: int,
        index: int,
        rows_axis: int,
        columns_axis: int,
        spacing: tuple[float, float, float],
    ) -> vtk.vtkActor:
        # Array axis a is VTK axis 2 - a; a pixel is centred on its voxel, so planes reach half a voxel out.
        step = np.array(spacing)
        origin = np.array(self.item.origin)
        along = np.zeros((2, 3))
        for row, (array_axis, length) in enumerate(zip((columns_axis, rows_axis), rgb.shape[1::-1], strict=True)):
            vtk_axis = 2 - array_axis
            along[row, vtk_axis] = step[vtk_axis] * length
            origin[vtk_axis] -= step[vtk_axis] / 2
        origin[2 - axis] += step[2 - axis] * index
        actor = textured_plane(rgb, origin, along[0], along[1])
        actor.GetProperty().SetOpacity(self.item.opacity)
        return actor

    # -- missing voxels and clipping -------------------------------------------------------------

    def _missing(self, missing: NDArray[np.bool_], spacing: tuple[float, float, float]) -> Iterator[vtk.vtkProp]:
        at = np.argwhere(missing)
        at = at[:: max(1, -(-len(at) // MAX_MISSING_POINTS))]
        polydata = vtk.vtkPolyData()
        points = vtk.vtkPoints()
        positions = np.array(self.item.origin) + at[:, ::-1] * np.array(spacing)
        points.SetData(vtk.numpy_to_vtk(np.ascontiguousarray(positions), deep=True))
        polydata.SetPoints(points)
        cells = vtk.vtkCellArray()
        for index in range(len(at)):
            cells.InsertNextCell(1, [index])
        polydata.SetVerts(cells)
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(polydata)
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().SetColor(*MISSING_COLOUR)
        actor.GetProperty().SetPointSize(3)
        actor.GetProperty().LightingOff()
        self._clip(actor, self._clip_planes())
        yield actor

    def _clip_planes(self) -> vtk.vtkPlaneCollection:
        planes = vtk.vtkPlaneCollection()
        box = self.item.clip_box
        for axis, interval in enumerate((box.column, box.row, box.channel)):
            if interval is None:
                continue
            for end, direction in zip(sorted(interval), (1.0, -1.0), strict=True):
                plane = vtk.vtkPlane()
                origin, normal = np.array(self.item.origin), np.zeros(3)
                # Half a voxel outwards: the end voxels themselves stay.
                origin[axis] += (end - 0.5 * direction) * self.item.data.spacing[axis]
                normal[axis] = direction
                plane.SetOrigin(*origin)
                plane.SetNormal(*normal)
                planes.AddItem(plane)
        return planes

    @staticmethod
    def _clip(prop: vtk.vtkProp, planes: vtk.vtkPlaneCollection) -> None:
        if planes.GetNumberOfItems():
            prop.GetMapper().SetClippingPlanes(planes)


def _shown(item: VolumeItem) -> tuple[NDArray[np.floating], Legend]:
    """Return the values an item draws and what their colours mean.

    A maximum projection of signed data shows magnitudes: the largest value along a ray would hide every
    negative one.
    """
    volume: Volume = item.data
    transfer, span = item.transfer, item.transfer.span_of(volume.values)
    if item.mode is not VolumeMode.MIP or transfer.centre is None:
        return volume.values, Legend(transfer, span, volume.quantity)
    reach = span[1] - transfer.centre
    magnitude = {"centre": None, "colour_map": SEQUENTIAL_MAP, "span": (0.0, reach)}
    values = np.abs(volume.values - transfer.centre)
    return values, Legend(transfer.model_copy(update=magnitude), (0.0, reach), f"|{volume.quantity}|")


def colour_function(transfer: TransferFunction) -> vtk.vtkColorTransferFunction:
    """Return the colour map over positions [0, 1] as VTK's function."""
    function = vtk.vtkColorTransferFunction()
    positions = np.linspace(0, 1, 256)
    for position, rgb in zip(positions, transfer.colours(positions), strict=True):
        function.AddRGBPoint(float(position), *(float(part) for part in rgb))
    return function


def _thinning(item: VolumeItem) -> tuple[int, int, int]:
    """Return the step along (channel, row, column) at which a stack fits into a 3-D texture, where it needs one."""
    if item.mode not in (VolumeMode.RAYCAST, VolumeMode.MIP):
        return (1, 1, 1)
    channel, row, column = (-(-size // MAX_TEXTURE) for size in item.data.shape)
    return channel, row, column
