"""The display state of one view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import EventedModel, Signal
from pydantic import ConfigDict, Field, PrivateAttr

from cnnvis.core import FeatureMaps, Importance, Ordering, Volume
from cnnvis.core.axes import stack_spacing
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.scene.camera import Camera
from cnnvis.scene.items import ITEM_KINDS, ImageItem, LabelsItem, SceneItem, VolumeItem
from cnnvis.scene.selection import Selection
from cnnvis.scene.transfer import TransferFunction


class Series(EventedModel):
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
    camera: Camera = Field(default_factory=Camera)
    selection: Selection = Selection()
    series: Series = Series()
    frame: int = 0

    item_added: ClassVar[Signal] = Signal(SceneItem)
    item_removed: ClassVar[Signal] = Signal(SceneItem)
    _items: dict[str, SceneItem] = PrivateAttr(default_factory=dict)
    _frames: dict[str, tuple[Any, ...]] = PrivateAttr(default_factory=dict)

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
        """Add `item` showing `data`; a name that is taken gets a number."""
        name, count = item.name, 1
        while name in self._items:
            count += 1
            name = f"{item.name} {count}"
        item.name = name
        item.data = data
        self._items[name] = item
        self.item_added.emit(item)
        return item

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
            Default: the layer's name.
        transfer : TransferFunction, optional
            Default: the preset that fits the sign of the data ("importance" with weights).
        **state
            Any other field of `VolumeItem`.

        Returns
        -------
        VolumeItem
        """
        volume = as_volume(maps, ordering, importance)
        driven = importance is not None
        if transfer is None:
            transfer = TransferFunction.preset("importance" if driven else "linear", values=volume.values)
        state.setdefault("drive", "importance" if driven else "none")
        item = VolumeItem(name=name or volume.layer or "volume", transfer=transfer, **state)
        self.add(item, volume)
        return item

    def add_image(self, image: NDArray[np.uint8], *, name: str = "image", **state: Any) -> ImageItem:
        """Add an (H, W, 3) uint8 picture; see `ImageItem`."""
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise InvalidInputError(f"An image item needs (H, W, 3) uint8, got {image.shape} {image.dtype}.")
        item = ImageItem(name=name, **state)
        self.add(item, image)
        return item

    def add_labels(
        self, positions: ArrayLike, texts: Sequence[str], *, name: str = "labels", **state: Any
    ) -> LabelsItem:
        """Add one text at each of the (L, 3) positions."""
        positions = np.asarray(positions, dtype=np.float64).reshape(-1, 3)
        if len(positions) != len(texts):
            raise InvalidInputError(f"Labels {name!r}: {len(positions)} positions but {len(texts)} texts.")
        item = LabelsItem(name=name, texts=tuple(texts), **state)
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
            As many as labels. Volumes whose transfer function has no span get the span of all frames.
        """
        labels = tuple(str(label) for label in labels)
        if not labels:
            raise InvalidInputError(f"A series over {axis!r} needs at least one frame, got none.")
        for name, data in frames.items():
            item = self[name]
            if len(data) != len(labels):
                raise InvalidInputError(f"Item {name!r} has {len(data)} frames but there are {len(labels)} labels.")
            if isinstance(item, VolumeItem) and item.transfer.span is None:
                spans = [item.transfer.span_of(volume.values) for volume in data]
                span = (min(low for low, _ in spans), max(high for _, high in spans))
                item.transfer = item.transfer.model_copy(update={"span": span})
        self._frames = {name: tuple(data) for name, data in frames.items()}
        self.series = Series(axis=axis, labels=labels)
        self.frame = 0
        self._show_frame(0)

    @property
    def frames(self) -> Mapping[str, tuple[Any, ...]]:
        """Data of every frame by item name."""
        return dict(self._frames)

    def _show_frame(self, frame: int) -> None:
        for name, data in self._frames.items():
            if not 0 <= frame < len(data):
                raise InvalidInputError(f"The series has frames 0 to {len(data) - 1}, got {frame}.")
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
        scene._frames = {name: tuple(series) for name, series in (frames or {}).items()}
        if scene._frames:
            scene._show_frame(scene.frame)
        return scene


def as_volume(
    maps: Volume | FeatureMaps | ArrayLike,
    ordering: Ordering | None = None,
    importance: Importance | ArrayLike | None = None,
) -> Volume:
    """Return what `add_volume` shows: a Volume of the first image, in the given order, with weights.

    Weights are given in the network's own channel order.
    """
    if isinstance(importance, Importance):
        weights: Any = importance[maps.layer]  # type: ignore[union-attr]
    else:
        weights = None if importance is None else np.asarray(importance, dtype=np.float64)
    if isinstance(maps, Volume):
        if weights is not None:
            from dataclasses import replace

            maps = replace(maps, weights=weights[maps.channels])
        return maps if ordering is None else maps.reordered(ordering)
    if not isinstance(maps, FeatureMaps):
        array = np.asarray(maps)
        if array.ndim == 3:
            volume = Volume(array, weights=weights, spacing=stack_spacing(array.shape))
            return volume if ordering is None else volume.reordered(ordering)
        maps = FeatureMaps(array)
    return maps.volume(ordering, importance=weights)
