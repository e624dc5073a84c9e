"""What two scenes do not have in common: the signed difference of their volumes, or of their networks' links."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet, Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.items import VolumeItem
from cnnvis.scene.network_items import BundleItem, GlyphsItem
from cnnvis.scene.scene import Scene


def difference(first: Scene, second: Scene) -> Scene:
    """Return a scene of the second minus the first.

    Volumes are paired by layer, and subtracted channel by channel whatever their orders; the difference is shown in the
    order of the first. Links are paired by the units they join, and drawn as strong as their importances differ, in two
    colours: one where the first has more, one where the second has. A link that only one has counts nothing in the
    other. Units likewise.

    Parameters
    ----------
    first, second : Scene

    Returns
    -------
    Scene
        Seen as the first is.

    Raises
    ------
    InvalidInputError
        When they have no layer of equal shape, and not both a network, in common.

    Notes
    -----
    Importances of a network are divided by its largest, so that of two networks only the shares are compared.
    """
    names = (first.title or "first", second.title or "second")
    scene = Scene(title=f"{names[1]} \N{MINUS SIGN} {names[0]}", background=first.background)
    if names[0] == names[1]:
        names = (f"{names[0]} (first)", f"{names[1]} (second)")
    theirs = {item.data.layer: item for item in second if isinstance(item, VolumeItem)}
    for item in first:
        if isinstance(item, VolumeItem) and item.data.layer in theirs:
            shown = volume_difference(item.data, theirs[item.data.layer].data)
            scene.add_volume(shown, name=item.name, mode=item.mode, origin=item.origin)
        elif isinstance(item, BundleItem | GlyphsItem):
            _add_network(scene, item, second, names)
    if not len(scene):
        raise InvalidInputError(
            f"{names[0]!r} and {names[1]!r} have nothing in common to subtract: volumes of a layer of one name and "
            "shape, or the lines of a network in both."
        )
    scene.camera.update(first.camera.model_dump())
    return scene


def _add_network(scene: Scene, item: BundleItem | GlyphsItem, second: Scene, names: tuple[str, str]) -> None:
    other = next((each for each in second if type(each) is type(item)), None)
    if other is None:
        return
    look = {"class_names": tuple(f"more in {name}" for name in names), "shown_class": "all", "size": item.size}
    if isinstance(item, BundleItem):
        lines = lines_difference(item.data, other.data)
        scene.add_bundle(lines, name=item.name, mode=item.mode, caption="opacity: difference of importance", **look)
    else:
        scene.add_glyphs(points_difference(item.data, other.data), name=item.name, legend=False, **look)


def volume_difference(first: Volume, second: Volume) -> Volume:
    """Return `second` minus `first` in the order of `first`; NaN where either is missing.

    Raises
    ------
    InvalidInputError
        When they have other shapes.
    """
    if first.shape != second.shape:
        raise InvalidInputError(
            f"Volumes of other shapes have no difference: {first.layer!r} is {first.shape}, the other {second.shape}."
        )
    values = second.in_order_of(first).values.astype(np.float32) - first.values.astype(np.float32)
    provenance = Provenance(model=f"{second.provenance.model} \N{MINUS SIGN} {first.provenance.model}")
    return replace(first, values=values, quantity=f"difference of {first.quantity}", provenance=provenance)


def lines_difference(first: PolylineSet, second: PolylineSet) -> PolylineSet:
    """Return the links of both, as important as their importances differ.

    Class 0 has more in the first, class 1 in the second. Lines run as in the first, and those that only the second has
    as there.
    """
    keys, others = _keys(first), _keys(second)
    mine, theirs = _importance(first), _importance(second)
    change = _taken(theirs, _look_up(others, keys)) - mine
    new = np.flatnonzero(_look_up(keys, others) < 0)
    added = second.take(new)
    parts = [_toned(first, change), _toned(added, theirs[new])]
    return _joined(parts)


def points_difference(first: PointSet, second: PointSet) -> PointSet:
    """Return the units of the first, as important as their importances differ; classes as in `lines_difference`."""
    paired = _look_up(second.arrays["unit"].astype(np.int64), first.arrays["unit"].astype(np.int64))
    change = _taken(_scaled(second.arrays["importance"]), paired) - _scaled(first.arrays["importance"])
    return replace(first, arrays={**first.arrays, "importance": np.abs(change), "class_shares": _sides(change)})


def _keys(lines: PolylineSet) -> NDArray[np.int64]:
    missing = {"source", "target", "importance"} - lines.line_arrays.keys()
    if missing:
        raise InvalidInputError(f"Lines are paired by the units they join; they lack the arrays {sorted(missing)}.")
    source, target = (lines.line_arrays[name].astype(np.int64) for name in ("source", "target"))
    keys: NDArray[np.int64] = (source << 32) + target
    return keys


def _look_up(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each wanted key is among the keys, -1 where it is not."""
    if not keys.size:
        return np.full(wanted.shape, -1)
    order = np.argsort(keys, kind="stable")
    place = np.minimum(np.searchsorted(keys[order], wanted), keys.size - 1)
    return np.where(keys[order][place] == wanted, order[place], -1)


def _taken(values: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the values at some places, 0 for the place -1."""
    return np.concatenate([values, np.zeros(1, np.float32)])[places]


def _importance(lines: PolylineSet) -> NDArray[np.float32]:
    return _scaled(lines.line_arrays["importance"])


def _scaled(values: NDArray[np.floating]) -> NDArray[np.float32]:
    scaled: NDArray[np.float32] = (values / (float(values.max(initial=0.0)) or 1.0)).astype(np.float32)
    return scaled


def _sides(change: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return which side has more, (N, 2): 1 for the first or for the second, half each where they are equal."""
    second = np.where(change > 0, 1.0, np.where(change < 0, 0.0, 0.5)).astype(np.float32)
    return np.stack([1 - second, second], axis=1)


def _toned(lines: PolylineSet, change: NDArray[np.floating]) -> PolylineSet:
    counts = np.diff(lines.offsets)
    strength = np.abs(change).astype(np.float32)
    kept = {name: lines.point_arrays[name] for name in ("t", "layer") if name in lines.point_arrays}
    ends = {name: lines.line_arrays[name] for name in ("source", "target")}
    return PolylineSet(
        lines.points,
        lines.offsets,
        {**kept, "importance": np.repeat(strength, counts), "class_shares": np.repeat(_sides(change), counts, axis=0)},
        {**ends, "importance": strength},
    )


def _joined(parts: list[PolylineSet]) -> PolylineSet:
    """Return all lines as one set, with the arrays that all have."""
    ends = np.cumsum([0, *(len(part.points) for part in parts)])
    offsets = [part.offsets[:-1] + start for part, (start, _) in zip(parts, pairwise(ends), strict=True)]
    points = [name for name in parts[0].point_arrays if all(name in part.point_arrays for part in parts)]
    return PolylineSet(
        np.concatenate([part.points for part in parts]),
        np.concatenate([*offsets, ends[-1:]]),
        {name: np.concatenate([part.point_arrays[name] for part in parts]) for name in points},
        {name: np.concatenate([part.line_arrays[name] for part in parts]) for name in parts[0].line_arrays},
    )
