"""Draws a stack of feature maps: ray cast, maximum projection, isosurfaces or slices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.core.axes import image_dimensions, to_points
from cnnvis.core.palette import MISSING_COLOUR
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.flat_artists import textured_plane
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.style import Theme
from cnnvis.scene import Drive, TransferFunction, VolumeItem, VolumeMode
from cnnvis.scene.transfer import SEQUENTIAL_MAP

ABSORPTION_DEPTH = 0.05
"""Share of the stack's mean side after which a ray is absorbed at density 1 and full opacity (0.9)."""

MAX_OPACITY = 0.9

STEPS_PER_VOXEL = 1.0
"""Ray samples per voxel along the shortest voxel side; fewer show wood grain, more cost in proportion."""

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
        step = _thinning(values.shape)
        values = values[:: step[0], :: step[1], :: step[2]]
        factors = self.item.channel_factors()[:: step[0]]
        spacing = tuple(size * stride for size, stride in zip(self.item.data.spacing, step[::-1], strict=True))
        positions = legend.transfer.normalise(values, legend.span)
        if self.item.mode in (VolumeMode.RAYCAST, VolumeMode.MIP):
            props: Iterator[vtk.vtkProp] = self._cast(positions, factors, spacing)
        elif self.item.mode is VolumeMode.ISOSURFACE:
            props = self._surfaces(positions, factors, spacing)
        else:
            props = self._planes(positions, spacing)
        planes = self._clip_planes()
        for prop in props:
            self._clip(prop, planes)
            yield prop
        missing = np.isnan(positions)
        if missing.any() and self.item.mode is not VolumeMode.SLICES:
            yield from self._missing(missing, spacing)

    def notes(self) -> list[str]:
        """Say what drives the opacity, what is missing, and what was thinned out."""
        volume: Volume = self.item.data
        notes = []
        if self.item.drive is Drive.IMPORTANCE:
            notes.append("opacity × channel importance")
        elif self.item.drive is Drive.GROUP:
            shown = ", ".join(str(group) for group in self.item.shown_groups) or "none"
            notes.append(f"opacity by group, shown: {shown}")
        if self.item.mode is VolumeMode.MIP:
            notes.append("maximum projection")
        if volume.n_missing:
            notes.append(f"{volume.n_missing:,} values NaN or infinite (magenta)")
        step = _thinning(volume.shape)
        if step != (1, 1, 1):
            notes.append(f"drawn every {step[0]} x {step[1]} x {step[2]} (channel x row x column)")
        return notes

    # -- data ------------------------------------------------------------------------------------

    def _image(self, stack: NDArray[np.float32], spacing: tuple[float, float, float]) -> vtk.vtkImageData:
        """Return an image of a (C, H, W) or (C, H, W, components) stack; a single channel is doubled to a slab."""
        if stack.shape[0] == 1:
            stack = np.repeat(stack, 2, axis=0)
        image = vtk.vtkImageData()
        image.SetDimensions(*image_dimensions(stack.shape[:3]))
        image.SetSpacing(*spacing)
        image.SetOrigin(*self.item.origin)
        components = 1 if stack.ndim == 3 else stack.shape[3]
        self._array = to_points(stack).reshape(-1, components)  # VTK shares this memory
        image.GetPointData().SetScalars(vtk.numpy_to_vtk(self._array))
        return image

    # -- ray casting -----------------------------------------------------------------------------

    def _cast(
        self, positions: NDArray[np.float32], factors: NDArray[np.float32], spacing: tuple[float, float, float]
    ) -> Iterator[vtk.vtkProp]:
        item = self.item
        factor = (factors * np.float32(item.opacity))[:, None, None]
        filled = np.nan_to_num(positions, nan=0.0)
        mip = item.mode is VolumeMode.MIP
        if mip:  # VTK projects the largest value of one component; weights scale the value itself
            image = self._image(filled * factor, spacing)
        else:
            opacity = self._transfer.opacity_at(positions) * factor
            image = self._image(np.stack([filled, opacity], axis=-1), spacing)
        mapper = vtk.vtkGPUVolumeMapper()
        mapper.SetInputData(image)
        mapper.SetAutoAdjustSampleDistances(False)
        mapper.SetSampleDistance(min(spacing) / STEPS_PER_VOXEL)
        if mip:
            mapper.SetBlendModeToMaximumIntensity()
        actor = vtk.vtkVolume()
        actor.SetMapper(mapper)
        actor.SetProperty(self._property(image, mip=mip))
        yield actor

    def _property(self, image: vtk.vtkImageData, *, mip: bool) -> vtk.vtkVolumeProperty:
        sides = np.array(image.GetBounds()).reshape(3, 2)
        extent = float(np.mean(sides[:, 1] - sides[:, 0])) or 1.0
        curve = vtk.vtkPiecewiseFunction()
        curve.AddPoint(0.0, 0.0)
        curve.AddPoint(1.0, 1.0 if mip else MAX_OPACITY)
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

    def _surfaces(
        self, positions: NDArray[np.float32], factors: NDArray[np.float32], spacing: tuple[float, float, float]
    ) -> Iterator[vtk.vtkProp]:
        transfer, span = self._transfer, self._span
        levels = transfer.normalise(self.item.isovalues or _default_isovalues(transfer, span), span)
        image = self._image(np.nan_to_num(positions, nan=0.0), spacing)
        contour = vtk.vtkFlyingEdges3D()
        contour.SetInputData(image)
        contour.ComputeNormalsOn()
        contour.ComputeScalarsOn()
        for index, level in enumerate(levels):
            contour.SetValue(index, float(level))
        contour.Update()
        surface = contour.GetOutput()
        if surface.GetNumberOfPoints() == 0:
            return
        points = vtk.vtk_to_numpy(surface.GetPoints().GetData())
        at = vtk.vtk_to_numpy(surface.GetPointData().GetScalars())
        channel = (points[:, 2] - self.item.origin[2]) / spacing[2]
        alpha = np.interp(channel, np.arange(len(factors)), factors) * self.item.opacity
        if len(levels) > 1:
            alpha = alpha * np.clip(transfer.opacity_at(at), 0.15, 1.0)
        rgba = np.concatenate([transfer.colours(at), alpha[:, None]], axis=1)
        colours = vtk.numpy_to_vtk(np.round(255 * rgba).astype(np.uint8), deep=True)
        surface.GetPointData().SetScalars(colours)
        mapper = vtk.vtkPolyDataMapper()
        mapper.SetInputData(surface)
        actor = vtk.vtkActor()
        actor.SetMapper(mapper)
        actor.GetProperty().SetInterpolationToPhong()
        actor.GetProperty().SetSpecular(0.2)
        if alpha.min() < 0.999:
            actor.ForceTranslucentOn()
        else:
            actor.ForceOpaqueOn()
        yield actor

    # -- slices ----------------------------------------------------------------------------------

    def _planes(self, positions: NDArray[np.float32], spacing: tuple[float, float, float]) -> Iterator[vtk.vtkProp]:
        wanted = (self.item.slices.channel, self.item.slices.row, self.item.slices.column)
        if wanted == (None, None, None):
            wanted = tuple(size // 2 for size in positions.shape)
        # (axis, direction of the picture's columns, of its rows), as VTK axes x = 0, y = 1, z = 2
        for axis, index in enumerate(wanted):
            if index is None:
                continue
            plane = int(np.clip(index, 0, positions.shape[axis] - 1))
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


def _default_isovalues(transfer: TransferFunction, span: tuple[float, float]) -> tuple[float, ...]:
    """Return data values a quarter from the ends of a diverging range, the middle of a sequential one."""
    positions = (0.25, 0.75) if transfer.centre is not None else (0.5,)
    return tuple(float(value) for value in transfer.denormalise(positions, span))


def _thinning(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the step along (channel, row, column) at which a stack fits into a 3-D texture."""
    channel, row, column = (-(-size // MAX_TEXTURE) for size in shape)
    return channel, row, column
