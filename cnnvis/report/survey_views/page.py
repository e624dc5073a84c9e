"""The linked views of a survey as one HTML page that needs no server."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.palette import group_colour
from cnnvis.report.scale import ColourScale
from cnnvis.report.survey_views.contents import GroupView, ImageView, LayerView, SurveyViews

RESOURCES = {
    "/*STYLE*/": "views.css",
    "/*VIEWS*/": "views.js",
    "/*DRAWING*/": "drawing.js",
    "/*WINDOW*/": "window.js",
}
"""Files of the page, by where they go."""

POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def survey_views_page(views: SurveyViews) -> str:
    """Return the page. The same views give the same text.

    Averages are stored as float32; similarities, weights, maps and pictures in 8 bits, each map between its own
    extremes.
    """
    # "<" could end the script: names of layers, classes and images are anybody's.
    data = json.dumps(_data(views), separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = _resource("views.html").replace("/*POLICY*/", POLICY).replace("/*TITLE*/", escape(views.title))
    for mark, name in RESOURCES.items():
        page = page.replace(mark, _resource(name))
    return page.replace("/*DATA*/", data)


def _resource(name: str) -> str:
    return files("cnnvis.report.survey_views").joinpath(name).read_text("utf-8")


def _data(views: SurveyViews) -> dict[str, Any]:
    steps = np.arange(256)
    return {
        "nImages": views.n_images,
        "classes": list(views.class_names),
        "note": views.note,
        "colours": _packed(ColourScale.of([np.zeros(1)], limits=(0.0, 255.0)).rgb(steps)),
        "signed": _packed(ColourScale.of([np.zeros(1)], limits=(-127.5, 127.5)).rgb(steps - 127.5)),
        "layers": [_layer(layer) for layer in views.layers],
        "images": [_image(image, views.layers) for image in views.images],
    }


def _layer(layer: LayerView) -> dict[str, Any]:
    return {
        "name": layer.name,
        "n": layer.mean.size,
        "mean": _floats(layer.mean),
        "std": _floats(layer.std),
        "groups": None if layer.groups is None else _groups(layer.groups),
    }


def _groups(groups: GroupView) -> dict[str, Any]:
    sizes = np.bincount(groups.labels)
    shown = np.where(sizes[groups.labels] > 1, groups.labels, -1)  # a group of one is none
    weight = groups.links.weight
    return {
        "labels": shown.tolist(),
        "colours": [_hex(label) for label in range(-1, int(shown.max()) + 1)],
        "order": groups.order.tolist(),
        "side": len(groups.matrix),
        "matrix": _packed(np.round((np.clip(groups.matrix, -1, 1) + 1) * 127.5).astype(np.uint8)),
        "places": _floats(groups.places),
        "ends": _packed(np.stack([groups.links.source, groups.links.target], axis=1).astype("<u2")),
        "weights": _packed(np.round(255 * weight / weight.max(initial=1e-12)).astype(np.uint8)),
    }


def _image(image: ImageView, layers: tuple[LayerView, ...]) -> dict[str, Any]:
    height, width = image.picture.shape[:2]
    return {
        "name": image.name,
        "width": width,
        "height": height,
        "pixels": _packed(image.picture),
        # JSON has no NaN: a network that gives one gives no answer.
        "probabilities": image.probabilities.round(5).tolist() if np.isfinite(image.probabilities).all() else [],
        "label": image.label,
        "averages": [_floats(image.averages[layer.name]) for layer in layers],
        "maps": [_maps(image.maps, layer.name) for layer in layers],
    }


def _maps(maps: Mapping[str, NDArray[np.float32]], layer: str) -> dict[str, Any] | None:
    """Return the maps of a layer in 8 bits, each between its own least and largest finite value.

    Values above and below are stored as these, NaN as 0 (or as the one of them that is nearest).
    """
    if layer not in maps:
        return None
    given = maps[layer].astype(np.float64)
    finite = np.isfinite(given)
    known = np.where(finite, given, 0.0)
    has_any = finite.any(axis=(1, 2))
    low = np.where(has_any, np.where(finite, known, np.inf).min(axis=(1, 2)), 0.0)
    high = np.where(has_any, np.where(finite, known, -np.inf).max(axis=(1, 2)), 0.0)
    values = np.clip(np.nan_to_num(given), low[:, None, None], high[:, None, None])
    spread = np.where(high > low, high - low, 1.0)
    levels = np.round(255 * (values - low[:, None, None]) / spread[:, None, None]).astype(np.uint8)
    return {
        "height": values.shape[1],
        "width": values.shape[2],
        "low": _floats(low),
        "high": _floats(high),
        "levels": _packed(levels),
    }


def _floats(values: NDArray[np.float64]) -> str:
    return _packed(np.ascontiguousarray(values, dtype="<f4"))


def _packed(values: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _hex(group: int) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in group_colour(group))
