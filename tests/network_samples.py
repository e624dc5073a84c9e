"""Bundled networks to save, convert and export, and what it means that two are the same; for several packages."""

import dataclasses
from itertools import pairwise

import numpy as np

from cnnvis.core import (
    BundledNetwork,
    BundleQuality,
    EdgeSet,
    LayerLink,
    LayerNode,
    Layout,
    ModelGraph,
    PolylineSet,
    Provenance,
    Units,
)

QUALITY = BundleQuality(900, 300, 0.1, 0.25, 1.05, 1.2, 0.99, 0.3, 64)


def sagging_network(sizes=(4, 3, 2), *, samples=5, classes=3, seed=0):
    """Return a network whose layers are rows along x and whose lines sag towards the axis of the layers."""
    rng = np.random.default_rng(seed)
    units = Units(tuple(f"fc{index}" for index in range(len(sizes))), sizes, 1, {"fc1": {"a": sizes[1] - 1, "b": 1}})
    layer_of_unit = np.repeat(np.arange(len(sizes)), sizes)
    x = np.concatenate([np.linspace(-0.5, 0.5, size) for size in sizes])
    layout = Layout(np.column_stack([x, np.zeros(len(x)), 0.5 * layer_of_unit]), layer_of_unit, layers=units.layers)
    pairs = [np.indices((a, b)).reshape(2, -1) + units.offsets[[i, i + 1], None]
             for i, (a, b) in enumerate(pairwise(sizes))]  # fmt: skip
    source, target = np.concatenate(pairs, axis=1)
    edges = EdgeSet(
        source,
        target,
        rng.random(source.size),
        layer_of_unit[source],
        n_total=2 * source.size,
        weight_total=80.0,
        units=units,
        importance=rng.random(source.size),
        importance_total=60.0,
        notes=("The bias is not drawn.",),
    )
    profiles = rng.random((len(units), classes)) if classes else None
    importance = rng.random(len(units))
    return BundledNetwork(
        edges=edges,
        layout=layout,
        lines=sagging_lines(edges, layout, importance, profiles, samples=samples),
        importance=importance,
        profiles=profiles,
        class_names=tuple(f"class {index}" for index in range(classes)),
        graph=small_graph(units),
        parameters={"bandwidth": 0.5, "mode": "advect", "layers": ["a", None, True], "nested": {"seed": 3}},
        quality=QUALITY,
        provenance=Provenance("net", "trained", inputs=("a.png",), notes={"links": "half of them"}),
    )


def sagging_lines(edges, layout, importance, profiles, *, samples=5, sag=0.5):
    """Return one line per link, with the arrays that bundling gives."""
    t = np.tile(np.linspace(0, 1, samples, dtype=np.float32), len(edges))
    first, last = (np.repeat(ends, samples) for ends in (edges.source, edges.target))

    def along(of_unit):
        place = t.reshape(-1, *[1] * (of_unit.ndim - 1))
        return ((1 - place) * of_unit[first] + place * of_unit[last]).astype(np.float32)

    points = along(layout.positions)
    points[:, 0] *= 1 - sag * 4 * t * (1 - t)
    strength = along(importance) * np.repeat(edges.weight, samples)
    strength = (strength / strength.max(initial=1e-9)).astype(np.float32)
    arrays = {"t": t, "importance": strength, "layer": along(layout.layer_of_unit)}
    if profiles is not None:
        arrays["class_shares"] = along(profiles / profiles.sum(axis=1, keepdims=True))
    ends = {"source": edges.source, "target": edges.target, "weight": edges.weight.astype(np.float32)}
    mean = strength.reshape(-1, samples).mean(axis=1)
    return PolylineSet(points, np.arange(len(edges) + 1) * samples, arrays, ends | {"importance": mean})


def small_graph(units):
    """Return a chain of dense layers."""
    layers = [
        LayerNode(name, "Linear", "dense", (size,), 7, name, {"in_features": 3, "kernel": [1, 2]})
        for name, size in zip(units.layers, units.sizes, strict=True)
    ]
    links = [LayerLink(a, b) for a, b in pairwise(units.layers)]
    return ModelGraph(layers, links, "Net")


def assert_same(got, want):
    """Check that two values are of one type and equal, through data classes, mappings and arrays, dtypes included."""
    if isinstance(want, np.ndarray):
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want)
    elif dataclasses.is_dataclass(want):
        assert type(got) is type(want)
        for field in dataclasses.fields(want):
            assert_same(getattr(got, field.name), getattr(want, field.name))
    elif hasattr(want, "keys"):
        assert list(got) == list(want)
        for key in want:
            assert_same(got[key], want[key])
    elif isinstance(want, tuple | list):
        assert len(got) == len(want)
        for one, other in zip(got, want, strict=True):
            assert_same(one, other)
    else:
        assert got == want
