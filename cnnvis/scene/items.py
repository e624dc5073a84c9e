"""Display state of what stands in a scene. Arrays are held beside the state, never inside it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from psygnal import EventedModel, Signal
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PrivateAttr

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.transfer import TransferFunction

Point = tuple[float, float, float]
Interval = tuple[float, float]


class SceneItem(EventedModel):
    """Base of all items: evented, validated state plus one data object.

    Every field emits `events.<field>` when it changes; `data_changed` is emitted when the data are replaced.
    The name is fixed: a scene finds its items by it.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True, allow_inf_nan=False)

    kind: str
    name: str = Field(min_length=1, frozen=True)
    visible: bool = True
    opacity: float = Field(default=1.0, ge=0, le=1)
    origin: Point = (0.0, 0.0, 0.0)

    data_changed: ClassVar[Signal] = Signal()
    data_type: ClassVar[type] = object
    look: ClassVar[tuple[str, ...]] = ("visible", "opacity")
    _data: Any = PrivateAttr(default=None)

    @property
    def data(self) -> Any:
        """The core object or array that is shown."""
        return self._data

    @data.setter
    def data(self, data: Any) -> None:
        self.check_data(data)
        self._data = data
        self.data_changed.emit()

    def check_data(self, *candidates: Any) -> None:
        """Raise InvalidInputError unless the item can show each of the candidates."""
        for data in candidates:
            if not isinstance(data, self.data_type):
                raise InvalidInputError(
                    f"Item {self.name!r} ({self.kind}) shows a {self.data_type.__name__}, got {type(data).__name__}."
                )
            self._check(data)

    def _check(self, data: Any) -> None:
        """Check more than the type, where there is more to check."""

    def look_for(self, other: SceneItem) -> dict[str, Any]:
        """Return the fields that let another item of this kind look like this one, as far as they suit its data."""
        return {name: getattr(self, name) for name in self.look}


class ValueItem(SceneItem):
    """Base of items whose colours stand for values.

    Parameters
    ----------
    transfer : TransferFunction
    legend : bool
        Scalar bar.
    """

    transfer: TransferFunction = TransferFunction()
    legend: bool = True

    @staticmethod
    def values_of(data: Any) -> NDArray[np.floating]:
        """Return the values that data of this kind of item hold."""
        raise NotImplementedError

    @property
    def measured(self) -> str:
        """The quantity that the values are of."""
        raise NotImplementedError

    def look_for(self, other: SceneItem) -> dict[str, Any]:
        """Return the fields of its look; the transfer function, whose range stays, only for values of one quantity."""
        fields = super().look_for(other)
        if isinstance(other, ValueItem) and other.measured == self.measured:
            fields["transfer"] = self.transfer.model_copy(update={"span": other.transfer.span})
        return fields

    def span_over(self, *data: Any) -> tuple[float, float]:
        """Return the smallest range that covers the colour range of each of the data."""
        spans = [self.transfer.span_of(self.values_of(each)) for each in data]
        return min(low for low, _ in spans), max(high for _, high in spans)

    def fix_span(self, span: tuple[float, float]) -> None:
        """Let the colours cover `span`, whatever is shown."""
        self.transfer = self.transfer.model_copy(update={"span": span})


class VolumeMode(StrEnum):
    """How a volume is drawn.

    `raycast`: emission and absorption through the whole stack. `mip`: the largest value along each ray.
    `isosurface`: surfaces of equal value. `slices`: planes through the stack.
    """

    RAYCAST = "raycast"
    MIP = "mip"
    ISOSURFACE = "isosurface"
    SLICES = "slices"


class Drive(StrEnum):
    """The second array that multiplies the opacity: nothing, the channels' weights, or chosen groups."""

    NONE = "none"
    IMPORTANCE = "importance"
    GROUP = "group"


class Slices(BaseModel):
    """Indices of the planes of `slices` mode; None leaves the plane out. Replaced as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: int | None = None
    row: int | None = None
    column: int | None = None


class ClipBox(BaseModel):
    """Part of a stack that is drawn, as inclusive index ranges; None is the whole axis. Replaced as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    channel: Interval | None = None
    row: Interval | None = None
    column: Interval | None = None


class VolumeItem(ValueItem):
    """A stack of feature maps.

    Parameters
    ----------
    mode : VolumeMode
    drive : Drive
        `importance` needs a volume with weights, `group` one with groups.
    shown_groups : tuple of int
        Groups at full opacity when `drive` is "group"; the others get `context`.
    context : float
        Opacity factor of the groups that are not shown.
    density : float
        Multiplies how much a ray absorbs on its way; 1 makes a stack of full opacity about opaque
        after a tenth of its depth.
    isovalues : tuple of float
        Data values of the surfaces; empty: the middle of the colour range.
    slices : Slices
        All None: the middle plane of each axis.
    clip_box : ClipBox
    interpolation : {"linear", "nearest"}
        `nearest` shows voxels as they are; `linear` also blends neighbouring channels.
    shade : bool
        Lambert shading; off for reading values.
    axes, group_marks : bool
        Axis names with ticks, marks at group boundaries.
    """

    kind: Literal["volume"] = "volume"
    mode: VolumeMode = VolumeMode.RAYCAST
    drive: Drive = Drive.NONE
    shown_groups: tuple[int, ...] = ()
    context: float = Field(default=0.03, ge=0, le=1)
    density: float = Field(default=1.0, gt=0)
    isovalues: tuple[float, ...] = ()
    slices: Slices = Slices()
    clip_box: ClipBox = ClipBox()
    interpolation: Literal["linear", "nearest"] = "linear"
    shade: bool = False
    axes: bool = True
    group_marks: bool = True

    data_type: ClassVar[type] = Volume
    look = ("visible", "opacity", "mode", "context", "density", "interpolation", "shade", "axes", "group_marks")

    @staticmethod
    def values_of(data: Volume) -> NDArray[np.floating]:
        """Return the (C, H, W) values of a volume."""
        return data.values

    @property
    def measured(self) -> str:
        """The quantity that the values are of."""
        volume: Volume = self.data
        return volume.quantity

    def look_for(self, other: SceneItem) -> dict[str, Any]:
        """Return the fields of its look; planes and clip box only for a volume of the same shape."""
        fields = super().look_for(other)
        if other.data.shape == self.data.shape:
            fields |= {"slices": self.slices, "clip_box": self.clip_box}
        return fields

    def channel_factors(self, volume: Volume | None = None) -> NDArray[np.float32]:
        """Return the opacity factor of each channel, (C,) in [0, 1], as `drive` asks for.

        Parameters
        ----------
        volume : Volume, optional
            Default: the one that is shown; a series has others.

        Raises
        ------
        InvalidInputError
            When the volume lacks the weights or groups that `drive` needs.
        """
        volume = self.data if volume is None else volume
        if self.drive is Drive.NONE:
            return np.ones(volume.shape[0], dtype=np.float32)
        if self.drive is Drive.IMPORTANCE:
            if volume.weights is None:
                raise InvalidInputError(
                    f"Item {self.name!r}: drive='importance' needs a volume with weights; "
                    "make it with maps.volume(ordering, importance=...)."
                )
            return self.transfer.weight_at(volume.weights)
        if volume.groups is None:
            raise InvalidInputError(
                f"Item {self.name!r}: drive='group' needs an ordering with groups, "
                f"the {volume.method!r} order has none; kmeans has."
            )
        return np.where(np.isin(volume.groups, self.shown_groups), 1.0, self.context).astype(np.float32)


class MatrixItem(ValueItem):
    """A table of numbers: importance, adjacency, agreement.

    Data: (R, C) ndarray of float32 or float64; NaN and infinity are missing, and drawn in the missing colour.

    Parameters
    ----------
    style : {"cells", "bars"}
        `cells`: coloured squares, upright and facing the front, first row on top. `bars`: on a floor, first row
        farthest, each as high as its value and coloured by it; negative ones go down.
    rows, columns : tuple of str
        Labels; empty: numbers.
    row_name, column_name : str
        What rows and columns are; "" for none.
    title, quantity : str
        Headline of the picture, and of the scalar bar, with the unit.
    cell_text : {"none", "number", "value"}
        Written on each cell where it fits: its running number, row after row, or its value.
    n_cells : int or None
        Only so many cells exist, counted row after row; the end of the last row stays empty.
    cell : (width, height) in scene units
        Of a cell; on the floor its height becomes depth. `origin` is the left, upper, front corner of all.
    height : float, scene units
        Of the bars' box, from the lowest to the highest value of the colour range, zero always among them; None: a
        third of its floor's sides.
    axes : bool
        Labels and names of rows and columns.
    """

    kind: Literal["matrix"] = "matrix"
    style: Literal["cells", "bars"] = "cells"
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    row_name: str = "row"
    column_name: str = "column"
    title: str = ""
    quantity: str = "value"
    cell_text: Literal["none", "number", "value"] = "none"
    n_cells: int | None = Field(default=None, ge=1)
    cell: tuple[PositiveFloat, PositiveFloat] = (1.0, 1.0)
    height: float | None = Field(default=None, gt=0)
    axes: bool = True

    data_type: ClassVar[type] = np.ndarray
    look = ("visible", "opacity", "style", "cell_text", "axes")

    @staticmethod
    def values_of(data: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the matrix itself."""
        return data

    @property
    def measured(self) -> str:
        """The quantity that the values are of."""
        return self.quantity

    def _check(self, data: NDArray[Any]) -> None:
        if data.dtype not in (np.float32, np.float64) or data.ndim != 2 or data.size == 0:
            raise InvalidInputError(
                f"Matrix {self.name!r} needs (R, C) float32 or float64, got {data.shape} {data.dtype}."
            )
        for what, labels, length in zip(("rows", "columns"), (self.rows, self.columns), data.shape, strict=True):
            if labels and len(labels) != length:
                raise InvalidInputError(f"Matrix {self.name!r} has {length} {what}, got {len(labels)} labels for them.")
        if self.n_cells is not None and self.n_cells > data.size:
            raise InvalidInputError(f"Matrix {self.name!r} has {data.size} cells, got n_cells={self.n_cells}.")

    @property
    def extent(self) -> tuple[float, float, float]:
        """Size (x, y, z) of the cells, or of the box of the bars, scene units."""
        rows, columns = self.data.shape
        width, depth = columns * self.cell[0], rows * self.cell[1]
        if self.style == "cells":
            return width, depth, 0.0
        return width, self.height or (width + depth) / 6, depth

    def exists(self) -> NDArray[np.bool_]:
        """Return which of the (R, C) cells exist, as `n_cells` says."""
        count = self.data.size if self.n_cells is None else self.n_cells
        return (np.arange(self.data.size) < count).reshape(self.data.shape)


class ImageItem(SceneItem):
    """A flat picture in the scene, upright and facing the front.

    Data: (H, W, 3) ndarray of uint8.

    Parameters
    ----------
    width : float, scene units
        The height follows from the picture's shape; `origin` is its top left corner.
    """

    kind: Literal["image"] = "image"
    width: float = Field(default=1.0, gt=0)

    data_type: ClassVar[type] = np.ndarray

    def _check(self, data: NDArray[Any]) -> None:
        if data.dtype != np.uint8 or data.ndim != 3 or data.shape[2] != 3 or data.size == 0:
            raise InvalidInputError(f"Image {self.name!r} needs (H, W, 3) uint8, got {data.shape} {data.dtype}.")


class LabelsItem(SceneItem):
    """Texts at points of the scene, always facing the viewer.

    Data: (L, 3) ndarray of float, scene units.

    Parameters
    ----------
    texts : tuple of str
        One per point.
    size : int or None
        Font size in points. None: texts grow with the picture as its others do, and stand before all else.
    """

    kind: Literal["labels"] = "labels"
    texts: tuple[str, ...] = ()
    size: int | None = Field(default=14, ge=4, le=96)

    data_type: ClassVar[type] = np.ndarray

    def _check(self, data: NDArray[Any]) -> None:
        if data.shape != (len(self.texts), 3) or not np.isfinite(data).all():
            raise InvalidInputError(
                f"Labels {self.name!r}: {len(self.texts)} texts need as many finite points (x, y, z), "
                f"got an array of shape {data.shape}."
            )
