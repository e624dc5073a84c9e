"""The page of linked views under hands: its own class, on elements that only remember."""

import json
from dataclasses import replace

import numpy as np
import pytest
from views_samples import Script, source_of, views

DOCUMENT = """
var elements = {};
function element(tag) {
  const listeners = {};
  const pen = recorder();
  for (const name of ["setTransform", "drawImage", "putImageData"]) {
    pen[name] = (...values) => pen.calls.push([name, values]);
  }
  return {
    tag, listeners, pen, style: {}, children: [], attributes: {}, clientWidth: 400, clientHeight: 400,
    scrollLeft: 0, scrollTop: 0, value: "1",
    getContext() { return pen; },
    addEventListener(name, listener) { listeners[name] = listener; },
    setAttribute(name, value) { this.attributes[name] = value; },
    append(...given) { this.children.push(...given); },
    replaceChildren(...given) { this.children = given; },
  };
}
var document = {
  documentElement: null,
  createElement: element,
  getElementById(name) { return elements[name] || (elements[name] = element(name)); },
};
var timers = [];
var window = {
  devicePixelRatio: 2,
  listeners: {},
  getComputedStyle: () => ({ getPropertyValue: () => "#123456" }),
  addEventListener(name, listener) { window.listeners[name] = listener; },
  matchMedia: () => ({ addEventListener(name, listener) { window.listeners.theme = listener; } }),
  setInterval(run, time) { timers.push(time); return timers.length; },
  clearInterval() {},
  ImageData: function (pixels, width, height) { this.width = width; this.height = height; },
};
function fire(name, what, event) {
  const whole = Object.assign({ offsetX: 0, offsetY: 0, ctrlKey: false, metaKey: false, preventDefault() {} }, event);
  elements[name].listeners[what](whole);
}
function captions() {
  return elements.pictures.children.slice(1).map((figure) => figure.children[1].textContent);
}
function drawings() {
  const pens = Object.keys(page.drawn).map((name) => page.drawn[name].pen);
  return pens.map((pen) => pen.calls.filter((call) => call[0] === "clearRect").length);
}
"""


class Page(Script):
    """The page on a document of the kind above."""

    def __init__(self, shown):
        super().__init__(shown)
        source = (
            source_of("window.js").replace('"use strict";', "").replace("new SurveyPage(", "var page = new SurveyPage(")
        )
        self(DOCUMENT + "document.getElementById('pictures').append(element('figure'));")
        self("document.getElementById('data').textContent = given;")
        self(source)

    def fire(self, name, what, **event):
        self(f"fire('{name}', '{what}', {json.dumps(event)});")

    def over(self, layer, channel):
        """Return where the channel's cell is."""
        place = self.value(f"cellOf(gridCell(data.layers, 400, 400), {layer}, {channel})")
        return {"offsetX": place["x"] + 1, "offsetY": place["y"] + 1}

    @property
    def selected(self):
        return [(unit["layer"], unit["channel"]) for unit in self.value("page.state.selected")]


@pytest.fixture
def page():
    return Page(views())


def test_a_pinned_map_stays_beside_the_one_that_is_pointed_at(page):
    assert page.value("captions()") == ["point at a channel to see its map"]
    page.fire("grid", "mousemove", **page.over(1, 5))
    page.fire("grid", "click", **page.over(1, 5))
    page.fire("grid", "mousemove", **page.over(1, 6))
    pointed, pinned = page.value("captions()")
    assert pointed.startswith("pointed at: b #6, ")
    assert pinned.startswith("pinned: b #5, ")
    page.fire("grid", "mouseleave")
    assert page.value("captions()") == ["point at a channel to see its map", pinned]
    assert page.value("elements.about.textContent") == "Channel pinned"


@pytest.mark.parametrize("key", ["ctrlKey", "metaKey"])
def test_ctrl_and_cmd_add_by_mouse_and_by_keys(page, key):
    page.fire("grid", "click", **page.over(0, 1))
    page.fire("grid", "click", **page.over(0, 2), **{key: True})
    assert page.selected == [(0, 1), (0, 2)]
    page.fire("grid", "keydown", key="ArrowRight")
    page.fire("grid", "keydown", key="Enter", **{key: True})
    assert page.selected == [(0, 1), (0, 2), (0, 3)]
    page.fire("grid", "keydown", key="Enter")
    assert page.selected == [(0, 3)]
    page.fire("clear", "click")
    assert page.selected == []


def test_a_click_in_any_view_selects_in_all(page):
    page("page.show(0);")
    place = page.value("graphPlaces(data.layers[0].groups, 400)[4]")
    page.fire("graph", "click", offsetX=place[0], offsetY=place[1])
    assert page.selected == [(0, 4)]
    row = page.value("rowOf(data.layers[0].groups, 7)")
    page.fire("matrix", "click", offsetX=1, offsetY=40 * row + 20)
    assert page.selected == [(0, 7)]
    page.fire("grid", "click", **page.over(1, 8))
    assert page.selected == [(1, 8)]
    assert page.value("page.state.layer") == 1
    assert page.value("elements.layer.value") == "1"


def test_a_hand_that_moves_draws_marks_only(page):
    before = page.value("drawings()")
    page.fire("grid", "mousemove", **page.over(1, 5))
    assert page.value("drawings()") == before
    page.fire("next", "click")  # another image: other cells, the same matrix and graph
    assert [after - now for after, now in zip(page.value("drawings()"), before, strict=True)] == [1, 0, 0]
    page("window.listeners.theme();")
    assert [after - now for after, now in zip(page.value("drawings()"), before, strict=True)] == [2, 1, 1]
    assert page.value("elements.graph.width") == 800  # as sharp as the screen


def test_the_grid_scrolls_to_what_is_reached_by_keys_or_chosen_elsewhere(page):
    page("Object.assign(document.getElementById('frame'), { clientWidth: 50, clientHeight: 60 });")
    for _ in range(20):
        page.fire("grid", "keydown", key="ArrowRight")
    place = page.over(2, 2)
    left = page.value("elements.frame.scrollLeft")
    assert left <= place["offsetX"] <= left + 50
    page.fire("layer", "change", target={"value": "0"})
    assert page.value("elements.frame.scrollLeft") == 0
    page.fire("layer", "change", target={"value": "1"})
    page.fire("matrix", "click", offsetX=1, offsetY=399)
    ((layer, channel),) = page.selected
    left, top = page.value("[elements.frame.scrollLeft, elements.frame.scrollTop]")
    place = page.over(layer, channel)
    assert left <= place["offsetX"] <= left + 50
    assert top <= place["offsetY"] <= top + 60


def test_stepping_and_playing_go_round(page):
    page.fire("back", "click")
    assert page.value("elements.shown.textContent") == "image 1 (2 of 2)"
    page.fire("next", "click")
    assert page.value("page.state.image") == 0
    page("elements.speed.value = '5';")
    page.fire("play", "click")
    assert page.value("timers") == [200]
    assert page.value("elements.play.textContent") == "Pause"
    page.fire("play", "click")
    assert page.value("page.timer") is None


@pytest.mark.parametrize("n_images", [0, 1])
def test_fewer_than_two_images_are_not_stepped_through(n_images):
    page = Page(views(n_images))
    assert [page.value(f"elements.{name}.disabled") for name in ("back", "play", "next")] == [True] * 3
    assert page.value("elements.shown.textContent") == ("image 0 (1 of 1)" if n_images else "Means over 100 images")
    page.fire("grid", "mousemove", **page.over(0, 0))
    assert len(page.value("captions()")) == 1


def test_the_true_class_is_marked_where_it_is_none_of_the_likeliest():
    shown = views(1)
    probabilities = np.array([0.0, 0.5, 0.01, 0.2, 0.15, 0.14])
    page = Page(replace(shown, images=(replace(shown.images[0], probabilities=probabilities),)))
    lines = page.value("elements.answers.children.map((line) => [line.className, line.children[0].textContent])")
    assert lines == [
        ["predicted", "y (predicted)"],
        *(["", f"class {number}"] for number in (3, 4, 5)),
        ["true", "z (true)"],
    ]


def test_images_without_labels_have_no_true_class():
    shown = views(1)
    page = Page(replace(shown, images=(replace(shown.images[0], label=None),)))
    assert page.value("elements.answers.children.map((line) => line.className)") == ["predicted", "", ""]
