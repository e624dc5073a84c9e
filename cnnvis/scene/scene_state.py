"""What a scene holds: items with their data, camera, frames, and all of it as plain state."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from psygnal import EventedModel, Signal
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationInfo, field_validator

from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.scene.camera import Camera
from cnnvis.scene.items import SceneItem, ValueItem
from cnnvis.scene.kinds import ITEM_KINDS
from cnnvis.scene.selection import Selection


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


class SceneState(EventedModel):
    """Items, camera, background, selection and frames of a scene; `Scene` adds the ways to fill it."""

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
    items_arranged: ClassVar[Signal] = Signal()
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

    def arrange(self, names: Sequence[str]) -> None:
        """Put the items into the order of `names`, in which titles, keys and lists of items name them.

        Raises
        ------
        InvalidInputError
            When `names` are not the names of all items, each once.
        """
        if sorted(names) != sorted(self._items):
            raise InvalidInputError(f"An arrangement names each of {list(self._items)} once, got {list(names)}.")
        if list(names) != list(self._items):
            self._items = {name: self._items[name] for name in names}
            self.items_arranged.emit()

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

    def restore_frames(self, series: Series, frames: Mapping[str, Sequence[Any]], frame: int) -> None:
        """Take frames as `frames` and `series` gave them before, and show one of them; spans are left alone."""
        self._frames = {}
        self.frame = 0
        self.series = series
        self.frame = frame
        self._frames = {name: tuple(data) for name, data in frames.items()}

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
    ) -> Self:
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
