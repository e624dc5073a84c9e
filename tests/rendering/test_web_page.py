"""The page that turns in a browser: what it carries, and that nothing in a name can break it."""

import base64
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from cnnvis.core import Ordering, PointSet, Provenance, Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.rendering import export_html, scene_html
from cnnvis.scene import Camera, Scene, SceneGrid, TransferFunction


def volume(shape=(4, 5, 6), **fields):
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    return Volume(values, **{"layer": "conv", **fields})


def scene_of(*volumes, view="three_quarter", **state):
    scene = Scene(camera=Camera(view=view))
    for shown in volumes:
        scene.add_volume(shown, **state)
    return scene


def page(target):
    """Return the data inside a page."""
    found = re.findall(r'<script id="scene" type="application/json">(.*?)</script>', scene_html(target), re.DOTALL)
    assert len(found) == 1
    return json.loads(found[0])


def volumes_of(data):
    """Return the volumes of all views of a page."""
    return [shown for view in data["views"] for shown in view["volumes"]]


def codes(stack):
    return np.frombuffer(base64.b64decode(stack["data"]), np.uint8).reshape(stack["shape"])


def test_codes_are_the_positions_and_missing_values_are_0():
    values = volume().values.copy()
    values[0, 0, 0], values[1, 1, 1] = np.nan, np.inf
    shown = Volume(values)
    item = (scene := scene_of(shown))["volume"]
    data = page(scene)
    got = codes(data["stacks"][0])
    assert got.shape == (4, 5, 6)
    assert (got == 0).sum() == 2
    assert got[0, 0, 0] == got[1, 1, 1] == 0
    assert data["stacks"][0]["missing"] is True
    positions = item.transfer.normalise(values)
    there = np.isfinite(values)
    np.testing.assert_allclose((got[there] - 1.0) / 254, positions[there], atol=0.5 / 254 + 1e-6)
    assert page(scene_of(volume()))["stacks"][0]["missing"] is False


def test_orders_of_the_same_maps_share_one_copy():
    original = volume()
    orders = [Ordering([3, 1, 0, 2], "pca"), Ordering([2, 3, 1, 0], "kmeans", groups=[0, 0, 1, 1])]
    scenes = [scene_of(original), *(scene_of(original.reordered(order)) for order in orders)]
    data = page(SceneGrid(scenes, link=("range",)))
    assert len(data["stacks"]) == 1
    assert [shown["stack"] for shown in volumes_of(data)] == [0, 0, 0]
    assert [shown["channels"] for shown in volumes_of(data)] == [[0, 1, 2, 3], [3, 1, 0, 2], [2, 3, 1, 0]]
    assert [view["name"] for view in data["views"]] == ["original", "PCA", "k-means"]
    assert [shown["reordered"] for shown in volumes_of(data)] == [False, True, True]
    runs = volumes_of(data)[2]["runs"]
    assert [run[:2] for run in runs] == [[0, 2], [2, 4]]
    assert runs[0][2] == pytest.approx(group_colour(1), abs=1e-3)


def test_stacks_of_equal_values_and_other_shapes_stay_apart():
    data = page(scene_of(Volume(np.zeros((2, 3, 4))), Volume(np.zeros((4, 3, 2)))))
    assert [stack["shape"] for stack in data["stacks"]] == [[2, 3, 4], [4, 3, 2]]


def test_some_channels_of_a_layer_are_looked_up_by_rank():
    shown = Volume(volume((3, 2, 2)).values, channels=[40, 7, 12])
    data = page(scene_of(shown))
    assert volumes_of(data)[0]["channels"] == [2, 0, 1]
    rows = codes(data["stacks"][0])[volumes_of(data)[0]["channels"]]
    assert (rows[0] == codes(page(scene_of(shown))["stacks"][0])[2]).all()


def test_factors_colours_and_labels_are_those_of_the_item():
    transfer = TransferFunction(span=(0, 2), colour_map="gray", opacity=((0, 0), (1, 0.5)))
    data = page(scene_of(volume(weights=[0, 1, 2, 4]), drive="importance", opacity=0.5, transfer=transfer))
    shown = volumes_of(data)[0]
    assert shown["factors"] == [0, 0.125, 0.25, 0.5]
    colours = np.frombuffer(base64.b64decode(shown["colours"]), np.uint8).reshape(256, 4)
    assert colours[0].tolist() == [0, 0, 0, 0]
    assert colours[255].tolist() == [255, 255, 255, 128]
    assert shown["labels"] == ["0", "0.5", "1", "1.5", "2"]


def test_several_layers_are_told_apart_on_their_buttons():
    data = page(scene_of(volume(layer="a"), volume(layer="b")))
    assert [view["name"] for view in data["views"]] == ["a: original", "b: original"]


@pytest.mark.parametrize(
    ("view", "direction"), [("front", [0, 0, -1]), ("back", [0, 0, 1]), ("side", [1, 0, 0]), ("top", [0, -1, 0])]
)
def test_the_page_starts_from_the_view_of_the_scene(view, direction):
    scene = scene_of(volume(), view=view)
    assert page(scene)["direction"] == pytest.approx(direction)
    scene.camera.azimuth = 360.0
    assert page(scene)["direction"] == pytest.approx(direction)


def test_a_custom_camera_gives_its_direction():
    scene = scene_of(volume(), view="custom")
    scene.camera.update({"position": (0.0, 3.0, -4.0), "focal_point": (0.0, 0.0, 0.0)})
    assert page(scene)["direction"] == pytest.approx([0, 0.6, -0.8])


EVIL = "</script><script>document.title='broken'</script><!-- '\"\\ \u2028"


def test_names_cannot_end_the_script():
    scene = scene_of(volume(layer=EVIL, quantity=EVIL, provenance=Provenance(model=EVIL)))
    text = scene_html(scene)
    assert text.count("</script>") == scene_html(scene_of(volume())).count("</script>")
    assert page(scene)["views"][0]["captions"] == [EVIL]


def test_the_page_needs_no_network():
    assert not re.search(r"https?://|src=|@import|url\(", scene_html(scene_of(volume())))


def test_without_a_visible_volume_there_is_no_page(tmp_path):
    scene = scene_of(volume())
    scene["conv"].visible = False
    for empty in (scene, Scene()):
        with pytest.raises(InvalidInputError, match="no visible volume"):
            export_html(empty, tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


def series(quantity="weight gradient", *, title=""):
    frames = [Volume(volume().values * scale, layer="conv", quantity=quantity) for scale in (1.0, -2.0)]
    scene = Scene.of_series("case", ("Shirt, right", "Shirt, wrong"), frames)
    scene.title = title
    return scene


def test_a_series_brings_all_its_frames_under_one_range_and_starts_with_the_one_shown():
    scene = series()
    scene.frame = 1
    (view,) = page(scene)["views"]
    assert (view["axis"], view["labels"], view["frame"]) == ("case", ["Shirt, right", "Shirt, wrong"], 1)
    first, second = view["volumes"]
    assert first["labels"] == second["labels"]
    assert first["colours"] == second["colours"]
    assert first["diverging"]
    assert not first["linear"]  # filters are not blended
    assert first["axes"] == ["filter", "kernel row", "kernel column"]
    stacks = [codes(stack).astype(int) for stack in page(scene)["stacks"]]
    assert np.all((stacks[0] - 128) * (stacks[1] - 128) <= 0)  # the colours change sides with the sign


def test_without_a_series_there_is_nothing_to_play():
    (view,) = page(scene_of(volume()))["views"]
    assert (view["axis"], view["labels"], view["frame"]) == ("", [""], 0)


def test_weights_of_the_channels_follow_each_frame():
    frames = [volume(weights=weights) for weights in ([1, 0, 0, 2], [0, 3, 3, 0])]
    data = page(Scene.of_series("class", "ab", frames, drive="importance"))
    assert [shown["factors"] for shown in volumes_of(data)] == [[0.5, 0, 0, 1], [0, 1, 1, 0]]


@pytest.mark.parametrize(
    ("scenes", "names"),
    [
        (
            (series(), series("weight gradient - reference")),
            ["conv: weight gradient", "conv: weight gradient - reference"],
        ),
        ((series(title="Shirt"), series(title="Bag")), ["Shirt", "Bag"]),
        ((series(), series()), ["1. conv: weight gradient", "2. conv: weight gradient"]),
    ],
)
def test_buttons_have_the_shortest_names_that_tell_them_apart(scenes, names):
    assert [view["name"] for view in page(SceneGrid(scenes, link=()))["views"]] == names


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def screenshot(scene, folder):
    """Return the page of a scene as a browser shows it, 640 x 480."""
    path, picture = export_html(scene, folder / "x.html"), folder / "x.png"
    options = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}", "--window-size=640,480"]
    options += ["--hide-scrollbars", "--virtual-time-budget=3000", path.as_uri()]
    subprocess.run([CHROMIUM, *options], check=True, capture_output=True, timeout=120)
    return np.asarray(Image.open(picture).convert("RGB")).astype(int)


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_draws_it(tmp_path):
    values = np.ones((8, 8, 8))
    scene = scene_of(
        Volume(values, layer="</script>"),
        view="front",
        transfer=TransferFunction(span=(0, 1), colour_map="Reds", opacity=((0, 1), (1, 1))),
    )
    pixels = screenshot(scene, tmp_path)
    middle = pixels[230:250, 310:330].reshape(-1, 3)
    wanted = 255 * scene["</script>"].transfer.colours([1.0])[0]
    assert np.abs(middle - wanted).max() < 25
    assert (pixels[470, :200] == 255).all()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_draws_signed_filters_on_both_sides_of_zero_and_unblended(tmp_path):
    values = np.ones((4, 2, 2), np.float32)
    values[:, :, 0] = -1
    frames = [Volume(sign * values, layer="conv", quantity="weight gradient") for sign in (1, -1)]
    scene = Scene.of_series("case", ("right", "wrong"), frames, density=50)
    scene.camera.view = "front"
    scene.frame = 1  # positive on the left
    pixels = screenshot(scene, tmp_path)
    low, high = (255 * scene["conv"].transfer.colours([end])[0] for end in (0.0, 1.0))
    row = pixels[215]
    reds, blues = (np.flatnonzero(np.abs(row - colour).max(axis=1) < 40) for colour in (high, low))
    assert len(reds) > 30
    assert len(blues) > 30
    assert reds.max() < blues.min() <= reds.max() + 4  # nothing in between, as blending would make


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_lights_units_from_where_the_window_does(tmp_path):
    units = PointSet(np.zeros((1, 3), np.float32), {"class_shares": np.ones((1, 1))})
    scene = Scene(camera={"view": "front"})
    state = {"size": 0.5, "depth_opacity": 0.0, "depth_exponent": 0.0, "light": 1.0, "light_azimuth": 60.0}
    scene.add_glyphs(units, class_names=("one",), shown_class=0, legend=False, **state)
    row = screenshot(scene, tmp_path)[190].sum(axis=1)  # the ball is larger than the picture
    seen = row[[60, 200, 320, 440, 580]]
    assert seen[0] < 30, "nothing falls on the side that is turned away"
    assert (np.diff(seen) > 20).all()
