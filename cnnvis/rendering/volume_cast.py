"""A stack on the graphics card, ray cast or projected: what it looks like is uniforms and tables beside its texture."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.volume_look import VolumeLook
from cnnvis.rendering.volume_texels import Steps, Texels, thinned
from cnnvis.scene import Drive, Normalisation, TransferFunction, VolumeItem, VolumeMode

ABSORPTION_DEPTH = 0.05
"""Share of the stack's mean side after which a ray is absorbed at density 1 and full opacity (0.9)."""

MAX_OPACITY = 0.9

STEPS_PER_VOXEL = 1.0
"""Ray samples per voxel along the shortest voxel side; fewer show wood grain, more cost in proportion."""

MIP_STEPS_PER_VOXEL = 2.0
"""The same for maximum projection, which goes on from the largest sample to the peak beside it."""

NEAREST_STEPS_PER_VOXEL, NEAREST_STEPS = 12.0, 500
"""The same for voxels shown as they are, whose faces a coarse ray saws up; and the most of them across the stack."""

MAX_TEXTURE = 2048
"""Largest side of a 3-D texture that every OpenGL driver offers; longer stacks are thinned, and say so."""

TABLE = 1024
"""Points of the tables of colours and opacities, as many as VTK makes of them."""

N_MOVING = 1_000_000
"""Voxels that rays go through while something moves, at most."""

FINEST, FIRST, COARSEST = 1.5, 3.0, 8.0
"""Pixels of a row that share a ray while something moves: at least, at an effort of 1, at most."""

FLOAT_MAX = 3e38
"""About the largest number of single precision, which uniforms have."""


class VolumeCast:
    """The one vtkVolume of an item in the modes `raycast` and `mip`.

    The texture holds the values themselves. A fragment shader turns them into positions on the colour map, looks up
    the opacity curve there, multiplies it by the factor of the channel, and corrects it for the length of a step. So
    the texture stays whatever becomes of the look, and a second array can drive the opacity.

    Parameters
    ----------
    item : VolumeItem
    bounds : (2, 3) ndarray of float
        Corners of the stack, half a voxel outside its first and last voxels, scene units.
    """

    full_effort = (FIRST / FINEST) ** 2

    def __init__(self, item: VolumeItem, bounds: NDArray[np.float64]) -> None:
        channel, row, column = thinning(item)
        self._bounds = bounds
        self._texels = Texels.of(item.data.values[::channel, ::row, ::column])
        self._full = _mapper(self._texels.image(bounds))
        self._coarse: vtk.vtkGPUVolumeMapper | None = None  # made when it is first asked for
        self._coarseness = 1.0  # pixels of a row that share a ray
        self._volume = vtk.vtkVolume()
        self.props: tuple[vtk.vtkProp, ...] = (self._volume,)

    def restyle(self, look: VolumeLook) -> None:
        """Show the stack as the item looks now; `adapt` has to be called after it."""
        self._look = look
        for mapper in (self._full, self._coarse):
            if mapper is not None:
                self._set_mapper(mapper)
        self._set_property()
        self._set_shaders()

    def adapt(self, effort: float) -> None:
        """Draw all of it at an effort of infinity; else fewer rays, through larger voxels where there are many."""
        at_rest = effort == np.inf
        self._coarseness = coarseness = 1.0 if at_rest else float(np.clip(FIRST / effort**0.5, FINEST, COARSEST))
        if coarseness > 1 and self._coarse is None:
            self._coarse = self._thin()
        mapper = self._coarse if coarseness > 1 and self._coarse is not None else self._full
        mapper.SetImageSampleDistance(coarseness)
        step = self._step(mapper.GetInput())
        mapper.SetSampleDistance(step)
        for component in (0, 1):  # VTK must not correct the table, the shader does
            self._volume.GetProperty().SetScalarOpacityUnitDistance(component, step)
        self._volume.SetMapper(mapper)

    def _thin(self) -> vtk.vtkGPUVolumeMapper:
        """Return a mapper of fewer voxels, or the full one where there are few."""
        n_channels, n_rows, n_columns = self._texels.array.shape[:3]
        steps = thinned((n_channels, n_rows, n_columns), self._full.GetInput().GetSpacing(), N_MOVING)
        if steps == (1, 1, 1):
            return self._full
        mapper = _mapper(self._texels.every(steps).image(self._bounds))
        self._set_mapper(mapper)
        return mapper

    # -- VTK's own settings ----------------------------------------------------------------------

    def _set_mapper(self, mapper: vtk.vtkGPUVolumeMapper) -> None:
        mapper.SetBlendMode(int(self._look.item.mode is VolumeMode.MIP))  # 0: composite, 1: maximum
        mapper.SetClippingPlanes(self._look.clip_planes(self._middles()))

    def _middles(self) -> NDArray[np.float64]:
        """Return the box that is drawn: blended voxels end at their middles, unless one stands alone on an axis."""
        item = self._look.item
        low, high = self._bounds
        alone = np.array(item.data.shape[::-1]) == 1
        inset = np.where(alone | (item.interpolation == "nearest"), -np.inf, np.array(item.data.spacing) / 2)
        return np.array([low + inset, high - inset])

    def _step(self, image: vtk.vtkImageData) -> float:
        """Return the distance between two samples on a ray."""
        voxel, item = min(image.GetSpacing()), self._look.item
        if self._coarseness > 1:
            return voxel
        steps = MIP_STEPS_PER_VOXEL if item.mode is VolumeMode.MIP else STEPS_PER_VOXEL
        if item.interpolation == "linear":
            return voxel / steps
        return min(voxel / steps, max(voxel / NEAREST_STEPS_PER_VOXEL, image.GetLength() / NEAREST_STEPS))

    def _set_property(self) -> None:
        item, transfer = self._look.item, self._look.transfer
        prop = self._volume.GetProperty()
        prop.SetIndependentComponents(not self._texels.missing)
        prop.SetColor(colour_function(transfer))
        top = item.opacity if item.mode is VolumeMode.MIP else item.opacity * MAX_OPACITY
        prop.SetScalarOpacity(opacity_function(transfer, top))
        prop.SetInterpolationType(int(item.interpolation == "linear"))
        prop.SetShade(item.shade)

    # -- shaders ---------------------------------------------------------------------------------

    def _set_shaders(self) -> None:
        look, item = self._look, self._look.item
        asked = {
            "PROJECTION": item.mode is VolumeMode.MIP,
            "MAGNITUDE": look.magnitude,
            "CENTRED": look.transfer.centre is not None,
            "LOG": look.transfer.normalisation is Normalisation.LOG,
            "CBRT": look.transfer.normalisation is Normalisation.CBRT,
            "MISSING": self._texels.missing,
            "DRIVEN": item.drive is not Drive.NONE,
            "NEAREST": item.interpolation == "nearest",
        }
        folder = files("cnnvis.rendering") / "shaders"
        defines = "".join(f"#define {name}\n" for name, wanted in asked.items() if wanted)
        opacity = defines + (folder / "volume.opacity.glsl").read_text(encoding="utf-8")
        sample, peak = ((folder / f"volume.{name}.glsl").read_text(encoding="utf-8") for name in ("sample", "peak"))
        shaders = self._volume.GetShaderProperty()
        if opacity != self._opacity_shader:
            self._opacity_shader = opacity
            shaders.ClearAllFragmentShaderReplacements()
            shaders.AddFragmentShaderReplacement("//VTK::ComputeOpacity::Dec", True, opacity, False)
            shaders.AddFragmentShaderReplacement("//VTK::Shading::Impl", True, sample, False)
            shaders.AddFragmentShaderReplacement("//VTK::Shading::Exit", True, peak, False)
        uniforms = shaders.GetFragmentCustomUniforms()
        for name, number in self._normalisation().items():
            uniforms.SetUniformf(name, float(np.clip(number, -FLOAT_MAX, FLOAT_MAX)))
        uniforms.SetUniformf("absorption", absorption(self._look.item))
        if asked["DRIVEN"]:
            factors = look.factors[:: thinning(item)[0]]
            table = np.pad(factors, (1, 16 - (len(factors) + 1) % 16), mode="edge")  # whole matrices
            uniforms.SetUniformf("channels", len(factors))
            uniforms.SetUniformMatrix4x4v("factors", len(table) // 16, table.tolist())

    _opacity_shader = ""

    def _normalisation(self) -> dict[str, float]:
        """Return the numbers by which the shader does of texels what `TransferFunction.normalise` does of values."""
        texels, (low, high) = self._texels, self._look.legend.span
        centre = texels(self._look.item.transfer.centre or 0.0)
        transfer = self._look.transfer
        ends = [low / texels.half, high / texels.half] if self._look.magnitude else [texels(low), texels(high)]
        found = {"low": ends[0], "high": ends[1], "centre": centre}
        if transfer.normalisation is Normalisation.LINEAR:
            return found | {"zero": ends[0], "unit": 1.0, "bottom": 0.0, "gain": 1 / (ends[1] - ends[0])}
        scale = max(abs(low), abs(high))
        bottom, top = (float(end) for end in transfer.stretched(np.array([low, high]) / scale))
        zero = 0.0 if self._look.magnitude else texels(0.0)
        return found | {"zero": zero, "unit": texels.half / scale, "bottom": bottom, "gain": 1 / (top - bottom)}


def absorption(item: VolumeItem) -> float:
    """Return how many units of depth a scene unit is: an opacity is that of one unit of depth."""
    sides = np.array(item.data.shape[::-1])
    if item.interpolation == "linear":
        sides = np.maximum(sides - 1, 1)
    extent = float(np.mean(sides * np.array(item.data.spacing)))
    return item.density / (ABSORPTION_DEPTH * extent)


def _mapper(image: vtk.vtkImageData) -> vtk.vtkGPUVolumeMapper:
    mapper = vtk.vtkGPUVolumeMapper()
    mapper.SetInputData(image)
    mapper.SetScalarModeToUseCellData()
    mapper.SetAutoAdjustSampleDistances(False)
    mapper.SetColorRangeType(1)  # tables cover the range of their functions, 0 to 1, not that of the values
    mapper.SetScalarOpacityRangeType(1)
    return mapper


def colour_function(transfer: TransferFunction) -> vtk.vtkColorTransferFunction:
    """Return the colour map over positions [0, 1] as VTK's function."""
    function = vtk.vtkColorTransferFunction()
    colours = transfer.colours(np.linspace(0, 1, 256))
    function.BuildFunctionFromTable(0.0, 1.0, len(colours), colours.ravel().tolist())
    return function


def opacity_function(transfer: TransferFunction, top: float) -> vtk.vtkPiecewiseFunction:
    """Return the opacity curve over [0, 1], times `top`, as VTK's function."""
    function = vtk.vtkPiecewiseFunction()
    along, heights = np.array(transfer.opacity).T
    curve = top * np.interp(np.linspace(0, 1, TABLE), along, heights)
    function.BuildFunctionFromTable(0.0, 1.0, TABLE, curve.tolist(), 1)
    return function


def thinning(item: VolumeItem) -> Steps:
    """Return the step along (channel, row, column) at which a stack fits into a 3-D texture, where it needs one."""
    if item.mode not in (VolumeMode.RAYCAST, VolumeMode.MIP):
        return (1, 1, 1)
    channel, row, column = (-(-size // MAX_TEXTURE) for size in item.data.shape)
    return channel, row, column
