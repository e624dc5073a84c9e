"""The few controls beside an interactive view: which there are for a scene, and what they change in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cnnvis.core import Volume
from cnnvis.scene import BundleItem, NetworkItem, Scene, SceneItem, VolumeItem

ORDERS = ("original", "pca", "kmeans", "leaf")
"""Methods that the channels can be put in order by; others stay as they were made."""

STEP = 0.01


@dataclass(frozen=True, slots=True)
class Control:
    """A slider or a list of choices.

    Parameters
    ----------
    label : str
    value : callable
        Returns what it stands at.
    change : callable
        Called with what it was moved to.
    choices : tuple of (value, text)
        Of a list; empty for a slider.
    low, high, step : float
        Of a slider.
    """

    label: str
    value: Callable[[], Any]
    change: Callable[[Any], None]
    choices: tuple[tuple[Any, str], ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float = STEP


def controls_of(scenes: Sequence[Scene]) -> tuple[Control, ...]:
    """Return the controls of some scenes, each of which changes all of them: frame, order, blend, class, opacity ...

    Those that nothing in the scenes answers to are left out.
    """
    items = [item for scene in scenes for item in scene]
    volumes = [item for item in items if isinstance(item, VolumeItem)]
    networks = [item for item in items if isinstance(item, NetworkItem)]
    found = [*_frames(scenes)]
    if volumes and not any(scene.frames for scene in scenes):  # frames of a series have one order
        found.append(_orders(volumes))
    bundles = [item for item in networks if isinstance(item, BundleItem)]
    if bundles:
        found.append(_field("straight to bundled", bundles, "blend"))
    if networks:
        found += [*_classes(networks), _field("hide below importance", networks, "importance_threshold")]
    if volumes or networks:
        found.append(_field("opacity", [*volumes, *networks], "opacity"))
    return tuple(found)


def _field(label: str, items: Sequence[SceneItem], name: str) -> Control:
    """Return a slider of a field from 0 to 1 that all items have."""

    def change(value: Any) -> None:
        for item in items:
            setattr(item, name, float(value))

    return Control(label, lambda: getattr(items[0], name), change)


def _frames(scenes: Sequence[Scene]) -> list[Control]:
    playing = [scene for scene in scenes if len(scene.series) > 1]
    if not playing:
        return []
    last = max(len(scene.series) for scene in playing) - 1

    def change(value: Any) -> None:
        for scene in playing:
            scene.frame = min(int(value), len(scene.series) - 1)

    longest = max(playing, key=lambda scene: len(scene.series))
    return [Control(longest.series.axis, lambda: longest.frame, change, high=last, step=1)]


def _classes(items: Sequence[NetworkItem]) -> list[Control]:
    named = [item for item in items if item.class_names]
    if not named:
        return []
    names = named[0].class_names
    choices = (("none", "one ink"), ("all", "all classes"), *((number, name) for number, name in enumerate(names)))

    def change(value: Any) -> None:
        for item in named:
            if value in ("none", "all") or int(value) < len(item.class_names):
                item.shown_class = value if value in ("none", "all") else int(value)

    def value() -> Any:
        index = named[0].class_index
        return named[0].shown_class if index is None else index

    return [Control("class", value, change, choices)]


def _orders(items: Sequence[VolumeItem]) -> Control:
    """Return the choice of an order; the one that came with a volume stays among the choices."""
    first = [item.data for item in items]
    came = first[0].method
    choices = tuple((method, method) for method in dict.fromkeys((came, *ORDERS)))

    def change(method: Any) -> None:
        for item, volume in zip(items, first, strict=True):
            item.data = volume if method == volume.method else in_order(item.data, method)

    return Control("order", lambda: items[0].data.method, change, choices)


def in_order(volume: Volume, method: str) -> Volume:
    """Return a volume with its channels in the order of a method of `cnnvis.order`, by their patterns."""
    from cnnvis.analysis import order

    return volume.reordered(order(volume.values[volume.inverse], method, normalize="zscore"))  # type: ignore[arg-type]
