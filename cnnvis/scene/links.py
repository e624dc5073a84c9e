"""What panes side by side have in common, and keep in common whichever of them is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import Volume
from cnnvis.scene.items import SceneItem, ValueItem, VolumeItem
from cnnvis.scene.scene import Scene
from cnnvis.scene.selection import Selection

Link = Literal["camera", "range", "order", "selection", "look"]
LINKS: tuple[Link, ...] = ("camera", "range", "order", "selection", "look")


class PaneLinks:
    """Lets scenes begin as the first is in what they are linked in, and follow each other from then on.

    Parameters
    ----------
    scenes : sequence of Scene
    links : sequence of Link
        See `SceneGrid`.

    Notes
    -----
    The links end with this object: psygnal holds bound methods, also inside `partial`, weakly.
    """

    def __init__(self, scenes: Sequence[Scene], links: Sequence[Link]) -> None:
        self._scenes = tuple(scenes)
        start = {
            "order": self._link_orders,
            "range": self._link_ranges,
            "camera": self._link_cameras,
            "selection": self._link_selections,
            "look": self._link_looks,
        }
        for name, link in start.items():
            if name in links:
                link()

    # A value that is equal already emits nothing, so that no change comes back round.

    # -- cameras and selections ------------------------------------------------------------------

    def _link_cameras(self) -> None:
        for scene in self._scenes:
            scene.events.camera.connect(partial(self._replace_camera, scene))
            scene.camera.events.connect(partial(self._spread_camera, scene))
        self._spread_camera(self._scenes[0])

    def _replace_camera(self, source: Scene, *_: Any) -> None:
        source.camera.events.connect(partial(self._spread_camera, source))
        self._spread_camera(source)

    def _spread_camera(self, source: Scene, *_: Any) -> None:
        state = source.camera.model_dump()
        for scene in self._scenes:
            if scene is not source:
                scene.camera.update(state)

    def _link_selections(self) -> None:
        for scene in self._scenes:
            scene.events.selection.connect(self._spread_selection)
        self._spread_selection(self._scenes[0].selection)

    def _spread_selection(self, selection: Selection) -> None:
        for scene in self._scenes:
            scene.selection = selection

    # -- orders ----------------------------------------------------------------------------------

    def _link_orders(self) -> None:
        volumes = self._items(VolumeItem)
        for item in volumes:
            item.data_changed.connect(partial(self._spread_order, item))
        if volumes:
            self._spread_order(volumes[0])

    def _spread_order(self, source: VolumeItem) -> None:
        wanted: Volume = source.data
        for scene in self._scenes:
            for item in scene:
                if isinstance(item, VolumeItem) and _differs(item.data, wanted):
                    _take_order(scene, item, wanted)

    # -- ranges ----------------------------------------------------------------------------------

    def _link_ranges(self) -> None:
        for item in self._items(ValueItem):
            item.events.transfer.connect(partial(self._spread_range, item))
        for group in self._measured_alike():
            _fix(_union(item.span_over(item.data) for item in group), group)

    def _spread_range(self, source: ValueItem, *_: Any) -> None:
        """Give the range of one to all; where it is to be found from the data, from those of all."""
        alone = [source]  # one that was taken out of its scene
        group = next((group for group in self._measured_alike() if any(item is source for item in group)), alone)
        transfer = source.transfer
        _fix(transfer.span or _union(transfer.span_of(item.values_of(item.data)) for item in group), group)

    def _measured_alike(self) -> Collection[list[ValueItem]]:
        """Return what has one range: the first items of one kind and quantity of all scenes, the second ones ..."""
        groups: dict[tuple[str, str, int], list[ValueItem]] = {}
        for scene in self._scenes:
            seen: Counter[tuple[str, str]] = Counter()
            for item in scene:
                if isinstance(item, ValueItem):
                    of = (item.kind, item.measured)
                    groups.setdefault((*of, seen[of]), []).append(item)
                    seen[of] += 1
        return groups.values()

    # -- looks -----------------------------------------------------------------------------------

    def _link_looks(self) -> None:
        for number, scene in enumerate(self._scenes):
            for item in scene:
                self._take_look(item, self._scenes[:number])
            scene.item_added.connect(partial(self._take_look, scenes=self._scenes))

    def _take_look(self, item: SceneItem, scenes: Sequence[Scene]) -> None:
        """Let an item look as the first that it is compared with, and all follow it from now on."""
        first = next(counterparts(item, scenes), None)
        if first is not None:
            item.update(first.look_for(item))
        item.events.connect(partial(self._spread_look, item))

    def _spread_look(self, source: SceneItem, *_: Any) -> None:
        for other in counterparts(source, self._scenes):
            other.update(source.look_for(other))

    def _items(self, kind: type[Any]) -> list[Any]:
        return [item for scene in self._scenes for item in scene if isinstance(item, kind)]


def counterparts(item: SceneItem, scenes: Sequence[Scene]) -> Iterator[SceneItem]:
    """Yield the items of scenes that one is to be compared with: those of its kind and name, without itself."""
    for scene in scenes:
        if item.name in scene and scene[item.name] is not item and scene[item.name].kind == item.kind:
            yield scene[item.name]


def take_look(scene: Scene, other: Scene) -> None:
    """Let a scene look like another, seen from the same place: items like their counterparts there."""
    scene.camera = other.camera.model_copy()
    scene.background = other.background
    scene.selection = other.selection
    for item in scene:
        for counterpart in counterparts(item, [other]):
            item.update(counterpart.look_for(item))


def fitting_links(scenes: Sequence[Scene]) -> set[Link]:
    """Return what scenes can be linked in without changing more than colours, as they are now.

    That is the selection, the camera where all are seen from the same place, the look where all look alike, and the
    range of colours where all are volumes of the same layer and quantity: those can be compared.
    """
    found: set[Link] = {"selection"}
    if all(scene.camera == scenes[0].camera for scene in scenes):
        found.add("camera")
    if look_alike(scenes):
        found.add("look")
    data = [item.data for scene in scenes for item in scene]
    volumes = all(isinstance(each, Volume) for each in data)
    return found | {"range"} if volumes and len({(each.layer, each.quantity) for each in data}) == 1 else found


def look_alike(scenes: Sequence[Scene]) -> bool:
    """Whether something of each scene has a counterpart in all the others, and looks as they do."""
    pairs = [(item, list(counterparts(item, scenes))) for item in scenes[0]]
    if not any(len(others) == len(scenes) - 1 for _, others in pairs):
        return False
    return all(
        getattr(other, name) == value
        for item, others in pairs
        for other in others
        for name, value in item.look_for(other).items()
    )


def _differs(volume: Volume, wanted: Volume) -> bool:
    """Whether a volume of as many channels shows them in another order, or in other groups."""
    if len(volume.channels) != len(wanted.channels):
        return False
    same = np.array_equal(volume.channels, wanted.channels) and volume.method == wanted.method
    return not (same and np.array_equal(_groups(volume), _groups(wanted)))


def _groups(volume: Volume) -> NDArray[np.int64]:
    return np.zeros(0, np.int64) if volume.groups is None else volume.groups


def _take_order(scene: Scene, item: VolumeItem, wanted: Volume) -> None:
    """Put what an item shows, and all its frames, into the order of another volume."""
    frames = scene.frames
    item.data = item.data.in_order_of(wanted)
    if item.name in frames:
        ordered = [volume.in_order_of(wanted) for volume in frames[item.name]]
        scene.restore_frames(scene.series, {**frames, item.name: ordered}, scene.frame)


def _union(spans: Iterable[tuple[float, float]]) -> tuple[float, float]:
    low, high = zip(*spans, strict=True)
    return min(low), max(high)


def _fix(span: tuple[float, float], items: Sequence[ValueItem]) -> None:
    for item in items:
        item.fix_span(span)
