"""The linked views of a survey: samples, and their script in an engine without a document."""

import base64
import json
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
from qtpy.QtCore import QCoreApplication
from qtpy.QtQml import QJSEngine

from cnnvis.core import EdgeSet
from cnnvis.report.survey_views import GroupView, ImageView, LayerView, SurveyViews, survey_views_page

SCRIPTS = ("views.js", "drawing.js")
N_CHANNELS = (10, 300, 3)

BROWSER = """
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
function atob(text) {
  let found = "";
  for (let at = 0; at < text.length; at += 4) {
    const four = [0, 1, 2, 3].map((place) => Math.max(0, letters.indexOf(text[at + place])));
    const bits = (four[0] << 18) | (four[1] << 12) | (four[2] << 6) | four[3];
    const count = text[at + 2] === "=" ? 1 : text[at + 3] === "=" ? 2 : 3;
    for (let byte = 0; byte < count; byte += 1) found += String.fromCharCode((bits >> (16 - 8 * byte)) & 255);
  }
  return found;
}
function recorder() {
  const calls = [];
  const style = () => ({ fill: context.fillStyle, stroke: context.strokeStyle, alpha: context.globalAlpha });
  const context = { calls, measureText: (text) => ({ width: 6 * text.length }) };
  const names = "fillRect strokeRect fillText arc fill stroke beginPath clearRect moveTo lineTo".split(" ");
  for (const name of names) {
    context[name] = (...values) => calls.push([name, values, style()]);
  }
  return context;
}
function drawn(draw, state, width, height) {
  const context = recorder();
  const style = { ink: "#000000", quiet: "#888888", mark: "#ff0000", paper: "#ffffff" };
  draw(context, data, state, { width, height }, style);
  return JSON.stringify(context.calls);
}
"""


def group_view(n, random):
    """Return groups whose matrix has 40 rows at most, and a ring of links that grow heavier."""
    side, ring = min(n, 40), np.arange(n)
    return GroupView(
        labels=random.integers(0, 3, n),
        matrix=np.corrcoef(random.random((side, 20))),
        places=random.random((n, 2)),
        links=EdgeSet(ring, (ring + 1) % n, ring + 1.0),
    )


def views(n_images=2, *, groups=True, names=("a", "b", "scores")):
    random = np.random.default_rng(0)
    layers = []
    for name, n in zip(names, N_CHANNELS, strict=True):
        found = group_view(n, random) if groups and n > 3 else None
        layers.append(LayerView(name, random.random(n) - 0.3, random.random(n), found))
    images = [
        ImageView(
            name=f"image {number}",
            picture=random.integers(0, 256, (5, 4, 3)).astype(np.uint8),
            probabilities=np.array([0.2, 0.7, 0.1]),
            label=2,
            averages={layer.name: random.random(layer.mean.size) for layer in layers},
            maps={name: random.random((n, 4, 6)).astype(np.float32) for name, n in zip(names, N_CHANNELS, strict=True)},
        )
        for number in range(n_images)
    ]
    return SurveyViews("title", 100, tuple(layers), tuple(images), ("x", "y", "z"), "a note")


class Scripts(HTMLParser):
    """The text of the scripts of a page."""

    def __init__(self):
        super().__init__()
        self.texts, self._inside = [], False

    def handle_starttag(self, tag, attrs):
        self._inside = tag == "script"
        if self._inside:
            self.texts.append("")

    def handle_endtag(self, tag):
        self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.texts[-1] += data


def data_of(page):
    scripts = Scripts()
    scripts.feed(page)
    data, *sources = scripts.texts
    assert ["use strict" in source for source in sources] == [True, True, True]
    return json.loads(data)


def array(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def source_of(name):
    return files("cnnvis.report.survey_views").joinpath(name).read_text("utf-8")


class Script:
    """The page's own script in an engine without a document, on the data of a page."""

    def __init__(self, shown):
        self._application = QCoreApplication.instance() or QCoreApplication([])
        self._engine = QJSEngine()
        sources = [BROWSER, *map(source_of, SCRIPTS)]
        self("\n".join(sources).replace('"use strict";', ""))  # at once: each text keeps its constants to itself
        self(f"var given = {json.dumps(json.dumps(data_of(survey_views_page(shown))))};")
        self("var data = unpack(JSON.parse(given));")

    def __call__(self, code):
        found = self._engine.evaluate(code)
        assert not found.isError(), found.toString()
        return found

    def value(self, code):
        return json.loads(self(f"JSON.stringify({code})").toString())

    def drawn(self, name, state, size=(600, 200)):
        state = {"image": 0, "layer": 1, "selected": [], "hovered": None} | state
        return json.loads(self(f"drawn({name}, {json.dumps(state)}, {size[0]}, {size[1]})").toString())
