"""The display state of one view."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import EventedModel, Signal
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator

from cnnvis.core import FeatureMaps, Importance, Ordering, Volume
from cnnvis.core.axes import FILTER_AXES
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.scene.camera import Camera, View
from cnnvis.scene.contents import importance_by_class, importance_grid, matrix_to_show, volume_to_show
from cnnvis.scene.items import ITEM_KINDS, ImageItem, LabelsItem, MatrixItem, SceneItem, ValueItem, VolumeItem
from cnnvis.scene.selection import Selection
from cnnvis.scene.transfer import SOLID, TransferFunction


class Series(BaseModel):
    """Names of the frames of a scene: images, classes, epochs or iterations.

    Parameters
    ----------
    axis : str
        What the frames run over.
    labels : tuple of str
        One per frame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    axis: str = "image"
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


class Scene(EventedModel):
    """What one view shows: items, camera, background, selection, frames.

    Parameters
    ----------
    title : str
        Shown at the top; "" lets the first volume speak: layer, order, model, image.
    background : {"light", "dark"}
    size : (width, height) in pixels, or None
        Size in which it is meant to be rendered; None leaves it to who renders.
    camera : Camera
    selection : Selection
    series : Series
    frame : int
        Frame of the series that is shown.

    Examples
    --------
    >>> import numpy as np, cnnvis
    >>> scene = cnnvis.Scene()
    >>> item = scene.add_volume(np.random.default_rng(0).random((8, 16, 16)), name="noise")
    >>> item.mode = "mip"
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    title: str = ""
    background: Literal["light", "dark"] = "light"
    size: tuple[int, int] | None = None
    camera: Camera = Field(default_factory=Camera)
    selection: Selection = Selection()
    series: Series = Series()
    frame: int = 0

    item_added: ClassVar[Signal] = Signal(SceneItem)
    item_removed: ClassVar[Signal] = Signal(SceneItem)
    _items: dict[str, SceneItem] = PrivateAttr(default_factory=dict)
    _frames: dict[str, tuple[Any, ...]] = PrivateAttr(default_factory=dict)

    @field_validator("frame")
    @classmethod
    def _check_frame(cls, frame: int, info: ValidationInfo) -> int:
        last = max(len(info.data["series"]) - 1, 0) if "series" in info.data else frame
        if not 0 <= frame <= last:
            raise ValueError(f"the series has frames 0 to {last}, got {frame}")
        return frame

    def __init__(self, **state: Any) -> None:
        super().__init__(**state)
        self.events.frame.connect(self._show_frame)

    # -- items -----------------------------------------------------------------------------------

    @property
    def items(self) -> tuple[SceneItem, ...]:
        """All items, in the order they were added."""
        return tuple(self._items.values())

    def __getitem__(self, name: str) -> SceneItem:
        try:
            return self._items[name]
        except KeyError:
            hint = did_you_mean(name, self._items, what="items")
            raise InvalidInputError(f"No item {name!r} in the scene. {hint}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[SceneItem]:  # type: ignore[override]
        return iter(self.items)

    def add(self, item: SceneItem, data: Any) -> SceneItem:
        """Add `item` showing `data`, and return it.

        Raises
        ------
        InvalidInputError
            When its name is taken, or it cannot show such data.
        """
        if item.name in self._items:
            raise InvalidInputError(f"The scene has an item {item.name!r} already; give this one another name.")
        item.data = data
        self._items[item.name] = item
        self.item_added.emit(item)
        return item

    def _free_name(self, wanted: str) -> str:
        """Return the name, with a number behind it where it is taken."""
        numbered = (f"{wanted} {count}" for count in itertools.count(2))
        return next(name for name in itertools.chain([wanted], numbered) if name not in self._items)

    def remove(self, name: str) -> None:
        """Take the item out of the scene."""
        item = self[name]
        del self._items[name]
        self._frames.pop(name, None)
        self.item_removed.emit(item)

    def add_volume(
        self,
        maps: Volume | FeatureMaps | ArrayLike,
        ordering: Ordering | None = None,
        *,
        importance: Importance | ArrayLike | None = None,
        name: str = "",
        transfer: TransferFunction | None = None,
        **state: Any,
    ) -> VolumeItem:
        """Add a stack of feature maps.

        Parameters
        ----------
        maps : Volume, FeatureMaps, or (C, H, W) / (N, C, H, W) array_like
            Of several images the first is shown; `set_frames` plays them all.
        ordering : Ordering, optional
        importance : Importance or (C,) array_like, optional
            Weights of the channels; they drive the opacity unless `drive` says otherwise.
        name : str
            Default: the layer's name. One that is taken gets a number.
        transfer : TransferFunction, optional
            Default: the preset "linear", fitted to the sign of the data.
        **state
            Any other field of `VolumeItem`.

        Returns
        -------
        VolumeItem
        """
        volume = volume_to_show(maps, ordering, importance)
        driven = importance is not None
        if transfer is None:
            transfer = TransferFunction.preset("linear", values=volume.values)
        state.setdefault("drive", "importance" if driven else "none")
        if volume.axis_names == FILTER_AXES:  # kernels are a few voxels wide; blended, filters would run together
            state.setdefault("interpolation", "nearest")
        name = self._free_name(name or volume.layer or "volume")
        item = VolumeItem(name=name, transfer=transfer, **state)
        self.add(item, volume)
        return item

    @classmethod
    def of(
        cls,
        maps: Volume | FeatureMaps | ArrayLike,
        ordering: Ordering | None = None,
        *,
        importance: Importance | ArrayLike | None = None,
        **state: Any,
    ) -> Scene:
        """Return a scene of one volume; arguments as for `add_volume`."""
        scene = cls()
        scene.add_volume(maps, ordering, importance=importance, **state)
        return scene

    def add_matrix(
        self,
        values: ArrayLike,
        *,
        rows: Sequence[object] = (),
        columns: Sequence[object] = (),
        name: str = "matrix",
        transfer: TransferFunction | None = None,
        **state: Any,
    ) -> MatrixItem:
        """Add a table of numbers as coloured cells or as bars.

        As the first item of a scene whose camera is as new, it is looked at as it is meant to be: cells from the
        front, bars from above a corner.

        Parameters
        ----------
        values : (R, C) array_like
            NaN and infinity are missing.
        rows, columns : sequence, optional
            Labels, one per row and column; without them both are numbered.
        name : str
            One that is taken gets a number.
        transfer : TransferFunction, optional
            Default: opaque colours over all values, fitted to their sign.
        **state
            Any other field of `MatrixItem`.

        Returns
        -------
        MatrixItem
        """
        data = matrix_to_show(values)
        if transfer is None:
            transfer = TransferFunction.preset("linear", values=data, clip=(0.0, 100.0), opacity=SOLID)
        state |= {"rows": tuple(map(str, rows)), "columns": tuple(map(str, columns))}
        item = MatrixItem(name=self._free_name(name), transfer=transfer, **state)
        alone = not self.items and self.camera == Camera()
        self.add(item, data)
        if alone:
            self.camera.update({"view": View.FRONT if item.style == "cells" else View.ISOMETRIC, "parallel": True})
        return item

    def add_importance(
        self,
        importance: Importance,
        layer: str,
        *,
        classes: Sequence[str | int] | Literal["all"] | None = None,
        columns: int | None = None,
        **state: Any,
    ) -> MatrixItem:
        """Add the importance of a layer's channels as a matrix: a grid of channels, or class by channel.

        Parameters
        ----------
        importance : Importance
        layer : str
        classes : sequence of str or int, "all" or None
            One row for each of these classes, by name or index; None: the scores over all classes, on a grid.
        columns : int, optional
            Of the grid; default: near-rectangular.
        **state
            Any other field of `MatrixItem`: `style="bars"` ...

        Returns
        -------
        MatrixItem
        """
        if classes is None:
            values, shown = importance_grid(importance, layer, columns)
        else:
            values, shown = importance_by_class(importance, layer, classes)
        return self.add_matrix(values, **({"name": layer} | shown | state))

    @classmethod
    def of_series(cls, axis: str, labels: Sequence[str], volumes: Sequence[Volume], **state: Any) -> Scene:
        """Return a scene that plays one volume per frame, in colours fitted to all of them.

        `add_volume` and `set_frames` would fit them to the sign of the first frame.

        Parameters
        ----------
        axis, labels
            As for `set_frames`.
        volumes : sequence of Volume
            One per label.
        **state
            As for `add_volume`.
        """
        if not volumes:
            raise InvalidInputError(f"A series over {axis!r} needs at least one volume, got none.")
        ranges = np.array([volume.finite_range for volume in volumes])
        state.setdefault("transfer", TransferFunction.preset("linear", values=ranges))
        scene = cls()
        item = scene.add_volume(volumes[0], **state)
        scene.set_frames(axis, labels, {item.name: volumes})
        return scene

    def add_image(self, image: NDArray[np.uint8], *, name: str = "image", **state: Any) -> ImageItem:
        """Add an (H, W, 3) uint8 picture; see `ImageItem`."""
        item = ImageItem(name=self._free_name(name), **state)
        self.add(item, np.asarray(image))
        return item

    def add_labels(
        self, positions: ArrayLike, texts: Sequence[str], *, name: str = "labels", **state: Any
    ) -> LabelsItem:
        """Add one text at each of the (L, 3) positions."""
        positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
        item = LabelsItem(name=self._free_name(name), texts=tuple(texts), **state)
        self.add(item, positions)
        return item

    # -- frames ----------------------------------------------------------------------------------

    def set_frames(self, axis: str, labels: Sequence[str], frames: Mapping[str, Sequence[Any]]) -> None:
        """Let items show other data in each frame, under one fixed colour range.

        Parameters
        ----------
        axis : str
            What the frames run over: "image", "class", "epoch", "iteration".
        labels : sequence of str
            One per frame.
        frames : mapping of item name to sequence of data
            As many as labels. Items whose transfer function has no span get the span of all frames.

        Raises
        ------
        InvalidInputError
            When there is no such item, or it has not one frame per label that it can show. Nothing is changed then.
        """
        labels = tuple(str(label) for label in labels)
        if not labels:
            raise InvalidInputError(f"A series over {axis!r} needs at least one frame, got none.")
        self._check_frames(frames, len(labels))
        for name, data in frames.items():
            item = self[name]
            if isinstance(item, ValueItem) and item.transfer.span is None:
                item.fix_span(item.span_over(*data))
        self._frames = {}  # the old frames are not shown once more on the way
        self.frame = 0
        self.series = Series(axis=axis, labels=labels)
        self._frames = {name: tuple(data) for name, data in frames.items()}
        self._show_frame(0)

    def _check_frames(self, frames: Mapping[str, Sequence[Any]], n: int) -> None:
        for name, data in frames.items():
            self[name].check_data(*data)
            if len(data) != n:
                raise InvalidInputError(f"Item {name!r} has {len(data)} frames but there are {n} labels.")

    @property
    def frames(self) -> Mapping[str, tuple[Any, ...]]:
        """Data of every frame by item name."""
        return dict(self._frames)

    def _show_frame(self, frame: int) -> None:
        for name, data in self._frames.items():
            self._items[name].data = data[frame]

    # -- state as data ---------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return all display state as JSON-able data, arrays left out."""
        state = self.model_dump(mode="json")
        state["items"] = [item.model_dump(mode="json") for item in self.items]
        return state

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        data: Mapping[str, Any],
        frames: Mapping[str, Sequence[Any]] | None = None,
    ) -> Scene:
        """Build the scene that `state` describes, showing `data` (by item name).

        Raises
        ------
        InvalidInputError
            For an item kind this version does not know.
        """
        fields = dict(state)
        item_states = fields.pop("items", [])
        scene = cls(**fields)
        for item_state in item_states:
            kind = item_state.get("kind")
            if kind not in ITEM_KINDS:
                raise InvalidInputError(
                    f"Scene item {item_state.get('name')!r} is a {kind!r}; this version knows {', '.join(ITEM_KINDS)}."
                )
            scene.add(ITEM_KINDS[kind](**item_state), data[item_state["name"]])
        scene._check_frames(frames or {}, len(scene.series))
        scene._frames = {name: tuple(series) for name, series in (frames or {}).items()}
        scene._show_frame(scene.frame)
        return scene
