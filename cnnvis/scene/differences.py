"""What two scenes do not have in common: the signed difference of their volumes, or of their networks' links."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet, Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene.items import LabelsItem, VolumeItem
from cnnvis.scene.network_items import BundleItem, GlyphsItem, NetworkItem
from cnnvis.scene.scene import Scene

MINUS = "\N{MINUS SIGN}"


def difference(first: Scene, second: Scene) -> Scene:
    """Return a scene of the second minus the first.

    Volumes are paired by layer, and subtracted channel by channel whatever their orders; the difference is shown in the
    order of the first. Links of networks with the same layers are paired by the units they join, and drawn as strong as
    their importances differ, in two colours: one where the first has more, one where the second has. A link that only
    one has counts nothing in the other. Units likewise.

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
        When they have neither a layer in common nor a network with the same layers, or the layer has other shapes.

    Notes
    -----
    Importances of a network are divided by its largest, so that of two networks only the shares are compared.
    """
    ours, theirs = _name(first, "first"), _name(second, "second")
    name = f"{theirs} {MINUS} {ours}" if ours != theirs else f"second {MINUS} first"
    scene = Scene(title=name, background=first.background)
    for item in first:
        if isinstance(item, VolumeItem):
            _add_volume(scene, item, second)
        elif isinstance(item, BundleItem | GlyphsItem):
            _add_network(scene, item, second, name)
    if not len(scene):
        raise InvalidInputError(
            f"{ours!r} and {theirs!r} have nothing in common to subtract: volumes of a layer of one name, or two "
            "networks with the same layers."
        )
    if any(isinstance(item, NetworkItem) for item in scene):
        scene.title = f"second {MINUS} first"  # names of networks are long; the caption has them
        for item in first:
            if isinstance(item, LabelsItem):
                scene.add_labels(item.data, item.texts, name=item.name, size=item.size)
    scene.camera.update(first.camera.model_dump())
    return scene


def _name(scene: Scene, otherwise: str) -> str:
    """Return what a scene is called, without what its title adds about it."""
    return scene.title.split(" \N{MIDDLE DOT} ")[0] or otherwise


def _add_volume(scene: Scene, item: VolumeItem, second: Scene) -> None:
    layer = item.data.layer
    other = next((each for each in second if isinstance(each, VolumeItem) and each.data.layer == layer), None)
    if other is not None:
        shown = volume_difference(item.data, other.data)
        scene.add_volume(shown, name=item.name, mode=item.mode, origin=item.origin)


def _add_network(scene: Scene, item: BundleItem | GlyphsItem, second: Scene, name: str) -> None:
    numbering = {"layers": item.layers, "layer_sizes": item.layer_sizes}
    alike = (each for each in second if type(each) is type(item) and numbering.items() <= dict(each).items())
    other = next(alike, None)
    if other is None:
        return
    look = {"class_title": "more in", "class_names": ("first", "second"), "shown_class": "all", **numbering}
    if isinstance(item, BundleItem):
        caption = f"{name} \N{MIDDLE DOT} opacity is the size of the difference"
        scene.add_bundle(lines_difference(item.data, other.data), name=item.name, caption=caption, **look)
    else:
        points = points_difference(item.data, other.data)
        scene.add_glyphs(points, name=item.name, legend=False, **look)
    scene[item.name].update(item.look_for(scene[item.name]))


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
    models = [each.provenance.model for each in (second, first)]
    provenance = Provenance(model=f" {MINUS} ".join(model or "unknown" for model in models) if any(models) else "")
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
