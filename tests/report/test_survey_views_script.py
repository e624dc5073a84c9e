"""The linked views of a survey: what their script draws, finds and says."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw
from views_samples import N_CHANNELS, Script, views

from cnnvis.report.survey_views import LayerView, SurveyViews


@pytest.fixture(scope="module")
def script():
    return Script(views())


def test_every_cell_is_found_where_it_is_drawn(script):
    script("var cell = gridCell(data.layers, 600, 500);")
    for layer, n in enumerate(N_CHANNELS):
        for channel in range(n):
            place = script.value(f"cellOf(cell, {layer}, {channel})")
            middle = script.value(
                f"unitAtCell(data.layers, cell, {place['x']} + cell.width / 2, {place['y']} + cell.height / 2)"
            )
            assert middle == {"layer": layer, "channel": channel}
    assert script.value("unitAtCell(data.layers, cell, 8.5 * cell.width, 30)") is None  # between two layers
    assert script.value("unitAtCell(data.layers, cell, 5, 5)") is None  # a name
    assert (
        script.value("unitAtCell(data.layers, cell, 5.5 * cell.width, cellOf(cell, 0, 8).y + 1)") is None
    )  # no channel 13


def test_cells_have_the_colour_of_their_share(script):
    calls = [call for call in script.drawn("drawGrid", {}, (600, 500)) if call[0] == "fillRect"]
    colours = script.value("Array.from(data.colours)")
    values = np.abs(views().images[0].averages["a"].astype(np.float32))
    for call, share in zip(calls, values / values.max(), strict=False):
        level = 3 * round(255 * float(share))
        assert call[2]["fill"] == "rgb({},{},{})".format(*colours[level : level + 3])


def test_a_row_of_the_matrix_and_a_dot_lead_back_to_the_channel(script):
    for layer in (0, 1):
        script(f"var groups = data.layers[{layer}].groups;")
        side = script.value("groups.side")
        rows = script.value(f"Array.from({{length: {side}}}, (_, row) => rowOf(groups, channelAtRow(groups, row)))")
        assert rows == list(range(side))
        n = N_CHANNELS[layer]
        found = script.value("graphPlaces(groups, 400).map(([x, y], _, places) => nearest(places, x, y, 5))")
        assert found == list(range(n))
    assert script.value("channelAtRow(data.layers[0].groups, -1)") == -1
    assert script.value("nearest(graphPlaces(data.layers[0].groups, 400), -500, 0, 12)") == -1
    places = np.array(script.value("graphPlaces(data.layers[1].groups, 400)"))
    assert places.min() >= 11.9
    assert places.max() <= 388.1


@pytest.mark.parametrize(("name", "marks"), [("markGrid", 1), ("markMatrix", 1), ("markGraph", 3)])
def test_what_is_selected_is_marked_in_every_view(script, name, marks):
    state = {"selected": [{"layer": 1, "channel": 7}]}

    def inks(state):
        calls = script.drawn(name, state)
        return [call[2]["stroke"] for call in calls if call[0] in ("strokeRect", "stroke")]

    mark, ink = ("#d0021b", "#1c2129") if name == "markMatrix" else ("#ff0000", "#000000")
    assert inks(state).count(mark) == marks  # of the graph: two links of the ring, and a circle
    assert inks({}) == []
    hovering = state | {"hovered": {"layer": 1, "channel": 9}}
    assert inks(hovering).count(ink) == marks
    assert inks(hovering).count(mark) == marks
    elsewhere = {"selected": [{"layer": 0, "channel": 7}]}
    assert bool(inks(elsewhere)) is (name == "markGrid")  # matrix and graph are of layer 1


def test_marks_of_the_matrix_cross_in_the_channel(script):
    state = {"layer": 0, "selected": [{"layer": 0, "channel": 7}]}
    lines = [call[1] for call in script.drawn("markMatrix", state, (100, 100)) if call[0] in ("moveTo", "lineTo")]
    place = (list(views().layers[0].groups.order).index(7) + 0.5) * 10
    assert lines[:4] == [[0, place], [100, place], [place, 0], [place, 100]]


def test_links_are_drawn_under_the_dots(script):
    calls = script.drawn("drawGraph", {"layer": 0}, (400, 400))
    places = script.value("graphPlaces(data.layers[0].groups, 400)")
    starts = [call[1] for call in calls if call[0] == "moveTo"]
    ends = [call[1] for call in calls if call[0] == "lineTo"]
    assert starts == [places[channel] for channel in range(10)]
    assert ends == [places[(channel + 1) % 10] for channel in range(10)]
    names = [call[0] for call in calls]
    first_dot = names.index("fill")
    assert first_dot > len(names) - 1 - names[::-1].index("lineTo")
    assert script.value("linksOf(data.layers[0].groups, 0)") == [0, 9]
    alphas = [call[2]["alpha"] for call in calls[:first_dot] if call[0] == "stroke"]
    assert alphas == sorted(alphas)
    assert alphas[-1] == pytest.approx(0.75)


def test_names_of_layers_are_shortened_to_what_tells_them_apart(script):
    script("var context = recorder();")  # six pixels a letter
    names = ["_blocks.14._depthwise_conv", "features.3", "downsample_conv"]
    lines = script.value(f"{json.dumps(names)}.map((name) => nameLines(context, name, 54))")
    assert lines == [["…locks.14", "_depthwi…"], ["features", "3"], ["", "…ple_conv"]]
    assert script.value("shortened(context, 'name', 5, true)") == ""


def test_many_layers_are_scrolled_rather_than_made_illegible():
    layers = tuple(LayerView(f"l{number}", np.ones(1280), np.ones(1280)) for number in range(49))
    script = Script(SurveyViews("title", 1, layers))
    room = script.value("gridRoom(data.layers)")
    cell = script.value(f"gridCell(data.layers, {room['width']}, {room['height']})")
    assert (cell["width"], cell["height"]) == (5, 4)
    assert script.value("scrolled(100, 50, 120, 6)") == 100
    assert script.value("scrolled(100, 50, 80, 6)") == 80
    assert script.value("scrolled(100, 50, 200, 6)") == 156


def test_the_map_that_is_pointed_at_stands_beside_the_pinned_ones(script):
    one, two, three = ({"layer": 1, "channel": channel} for channel in (1, 2, 3))
    assert script.value("shownMaps({ hovered: null, selected: [] })") == [{"unit": None, "role": "pointed at"}]
    shown = script.value(f"shownMaps({json.dumps({'hovered': three, 'selected': [one, two]})})")
    assert [(item["unit"], item["role"]) for item in shown] == [(three, "pointed at"), (one, "pinned"), (two, "pinned")]
    many = [{"layer": 1, "channel": channel} for channel in range(9)]
    shown = script.value(f"shownMaps({json.dumps({'hovered': None, 'selected': many})})")
    assert [item["unit"] for item in shown] == [None, *many[-4:]]


def test_a_map_is_that_of_the_channel():
    shown = views()
    script = Script(shown)
    script("var map = mapOf(data, 1, { layer: 1, channel: 5 });")
    values = shown.images[1].maps["b"][5].astype(float)
    levels = np.round(255 * (values - values.min()) / (values.max() - values.min())).astype(int)
    table = np.array(script.value("Array.from(data.colours)")).reshape(256, 3)
    pixels = np.array(script.value("Array.from(map.pixels)")).reshape(4, 6, 4)
    assert np.array_equal(pixels[..., :3], table[levels])
    assert script.value("map.text") == f"b #5, {values.min():.3g} to {values.max():.3g}"
    without = Script(replace(shown, images=(replace(shown.images[0], maps={}),)))
    assert without.value("mapOf(data, 0, { layer: 1, channel: 5 })") == {
        "text": "b #5: no map on the page",
        "pixels": None,
    }


def test_clicks_add_and_take_out(script):
    script("var one = {layer: 0, channel: 1}, two = {layer: 1, channel: 2};")
    assert script.value("selected([one], two, false)") == [{"layer": 1, "channel": 2}]
    assert len(script.value("selected([one], two, true)")) == 2
    assert script.value("selected([one, two], {layer: 0, channel: 1}, true)") == [{"layer": 1, "channel": 2}]
    assert script.value("selected([one], null, false)") == []
    assert script.value("selected([one], null, true)") == [{"layer": 0, "channel": 1}]


@pytest.mark.parametrize(
    ("start", "key", "end"),
    [
        ((0, 0), "ArrowRight", (0, 1)),
        ((0, 7), "ArrowRight", (1, 0)),
        ((1, 8), "ArrowLeft", (0, 9)),
        ((1, 0), "ArrowDown", (1, 8)),
        ((1, 3), "ArrowUp", (1, 3)),
        ((2, 2), "ArrowDown", (2, 2)),
        ((0, 0), "ArrowLeft", (0, 0)),
    ],
)
def test_arrow_keys_go_from_cell_to_cell(script, start, key, end):
    unit = {"layer": start[0], "channel": start[1]}
    assert script.value(f"moved(data.layers, {json.dumps(unit)}, '{key}')") == {"layer": end[0], "channel": end[1]}
    assert script.value(f"moved(data.layers, {json.dumps(unit)}, 'Enter')") is None


def test_answers_mark_the_predicted_and_the_true_class(script):
    answers = script.value("answersOf(data, 0, 1)")
    assert [(answer["text"], answer["share"]) for answer in answers] == [("y", "70.0 %"), ("z", "10.0 %")]
    assert [(answer["isPredicted"], answer["isTrue"]) for answer in answers] == [(True, False), (False, True)]


def test_facts_are_those_of_the_channel(script):
    shown = views()
    facts = dict(script.value("factsOf(data, 1, {layer: 1, channel: 5})"))
    layer, average = shown.layers[1], shown.images[1].averages["b"][5]
    assert facts["group"] == str(layer.groups.labels[5])
    assert float(facts["average of image 1"]) == pytest.approx(average, rel=6e-3)
    assert float(facts["spreads from the mean"]) == pytest.approx((average - layer.mean[5]) / layer.std[5], rel=2e-2)
    assert float(facts["spread"]) == pytest.approx(layer.std[5], rel=6e-3)
    assert "group" not in dict(script.value("factsOf(data, -1, {layer: 2, channel: 0})"))


def test_a_picture_of_levels_has_their_colours(script):
    found = np.array(script.value("Array.from(rgba([0, 255], data.signed))")).reshape(2, 4)
    table = np.array(script.value("Array.from(data.signed)")).reshape(256, 3)
    assert np.array_equal(found[:, :3], table[[0, 255]])
    assert found[0, 2] > found[0, 0]  # blue is -1
    assert found[1, 0] > found[1, 2]  # red is 1
    assert np.all(found[:, 3] == 255)


def painted(calls, size):
    """Return the picture that recorded calls make."""
    picture = Image.new("RGB", size, "white")
    draw, circle = ImageDraw.Draw(picture), None
    for name, values, style in calls:
        if name == "arc":
            circle = [values[0] - values[2], values[1] - values[2], values[0] + values[2], values[1] + values[2]]
        elif name in ("fill", "stroke"):
            draw.ellipse(circle, fill=style["fill"] if name == "fill" else None, outline=style.get("stroke"))
        elif name in ("fillRect", "strokeRect"):
            box = [values[0], values[1], values[0] + values[2], values[1] + values[3]]
            draw.rectangle(
                box, **{"fill" if name == "fillRect" else "outline": style["fill" if name == "fillRect" else "stroke"]}
            )
        elif name == "fillText":
            draw.text((values[1], values[2] - 6), values[0], fill=style["fill"])
    return picture


def test_groups_stand_apart_in_the_painted_matrix():
    shown = views()
    labels = np.repeat([0, 1], 5)
    alike = np.where(labels[:, None] == labels, 1.0, -1.0)
    groups = replace(shown.layers[0].groups, labels=labels, matrix=alike)
    layer = LayerView("a", np.ones(10), np.ones(10), groups)
    script = Script(SurveyViews("title", 1, (layer, *shown.layers[1:])))
    calls = script.drawn("drawMatrix", {"image": -1, "layer": 0}, (100, 100))
    pixels = np.asarray(painted(calls, (100, 100))).astype(int)
    assert pixels[25, 25, 0] > pixels[25, 25, 2] + 50  # together: red
    assert pixels[25, 75, 2] > pixels[25, 75, 0] + 50  # apart: blue
