"""Scenes of networks as glTF and as a page: what is in the files, and what a browser makes of them."""

import base64
import json
import logging
import re
import shutil
import subprocess

import numpy as np
import pytest
import pyvista as pv
from network_samples import sagging_network
from PIL import Image
from vtkmodules.vtkIOGeometry import vtkGLTFReader

from cnnvis.core import PointSet, PolylineSet, Volume
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.rendering import export_gltf, export_html, scene_html
from cnnvis.scene import Camera, Scene, SceneGrid

NETWORK = sagging_network((6, 5, 4), samples=6, classes=3)


def scene_of(**state):
    return Scene.of_network(NETWORK, **state)


# -- glTF ----------------------------------------------------------------------------------------


def read(path):
    """Return what VTK's own reader finds, by the names of the nodes."""
    reader = vtkGLTFReader()
    reader.SetFileName(str(path))
    reader.Update()
    found = list(pv.wrap(reader.GetOutput()).recursive_iterator())
    return dict(zip([node["name"] for node in document(path)["nodes"][1:]], found, strict=True))


def document(path):
    raw = path.read_bytes()
    if path.suffix == ".gltf":
        return json.loads(raw)
    return json.loads(raw[20 : 20 + int.from_bytes(raw[12:16], "little")])


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_lines_and_units_as_they_are_shown(suffix, tmp_path):
    scene = scene_of(importance_threshold=0.0, base_opacity=0.5)
    meshes = read(export_gltf(scene, tmp_path / f"x{suffix}"))
    assert list(meshes) == ["bundle", "units"]
    lines = NETWORK.lines
    assert meshes["bundle"].n_cells == len(lines.points) - len(lines)
    points = meshes["bundle"].points * [1, -1, -1]
    order = np.argsort(lines.line_arrays["importance"], kind="stable")
    np.testing.assert_allclose(points, lines.take(order).points, atol=1e-6)
    low, high = np.array(meshes["units"].bounds).reshape(3, 2).T
    ends = NETWORK.layout.positions * [1, -1, -1]
    assert (low <= ends.min(axis=0)).all()
    assert (high >= ends.max(axis=0)).all()


def test_the_opacity_of_an_item_and_its_blend_are_baked(tmp_path):
    scene = scene_of(blend=0.0, opacity=0.5, base_opacity=1.0, shown_class="none")
    lines = read(export_gltf(scene, tmp_path / "x.glb"))["bundle"]
    np.testing.assert_allclose(lines.point_data["COLOR_0"][:, 3], 0.5, atol=1e-4)
    assert np.ptp(lines.point_data["COLOR_0"][:, :3]) < 0.01  # one ink
    first = lines.points[:6] * [1, -1, -1]
    np.testing.assert_allclose(np.cross(first - first[0], first[-1] - first[0]), 0, atol=1e-5)  # straight


def test_one_class_has_its_colour_and_only_its_share(tmp_path):
    scene = scene_of(shown_class="class 1", importance_opacity=1.0, importance_threshold=0.0)
    scene["units"].visible = False
    colours = read(export_gltf(scene, tmp_path / "x.glb"))["bundle"].point_data["COLOR_0"]
    srgb = np.array(group_colour(1))
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(colours[:, :3], np.tile(linear, (len(colours), 1)), atol=1e-4)
    lines = NETWORK.lines.take(np.argsort(NETWORK.lines.line_arrays["importance"], kind="stable")).point_arrays
    np.testing.assert_allclose(colours[:, 3], lines["importance"] * lines["class_shares"][:, 1], atol=1e-4)


def test_the_budget_and_what_is_left_out_are_said(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    scene = scene_of(importance_threshold=0.0, base_opacity=0.1)
    scene.add_volume(np.ones((2, 3, 4)), name="maps")
    path = export_gltf(scene, tmp_path / "x.glb", n_lines=7)
    assert read(path)["bundle"].n_cells == 7 * 5
    notes = document(path)["asset"]["extras"]["notes"]
    assert notes == [
        NETWORK.edges.caption,
        "bundle: the 7 most important of 50 lines",
        "not in this file, since glTF has nothing for them: layers, maps",
    ]
    assert all(note in caplog.text for note in notes)
    assert {record.levelname for record in caplog.records} == {"INFO"}  # nothing is wrong


def test_an_item_stands_at_its_origin(tmp_path):
    scene = Scene()
    scene.add_glyphs(PointSet(np.zeros((1, 3))), size=0.1, origin=(1.0, 2.0, 3.0))
    sphere = read(export_gltf(scene, tmp_path / "x.glb"))["units"]
    np.testing.assert_allclose(np.array(sphere.bounds).reshape(3, 2).mean(axis=1), [1, -2, -3], atol=1e-2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda scene: [scene[name].update({"visible": False}) for name in ("bundle", "units")], "no visible bundle"),
        (lambda scene: [scene[name].update({"opacity": 0.0}) for name in ("bundle", "units")], "Nothing of the scene"),
        (lambda scene: [scene.remove(name) for name in ("bundle", "units")], "no visible bundle or units"),
    ],
)  # fmt: skip
def test_a_scene_with_nothing_to_show_is_no_gltf(change, message, tmp_path):
    scene = scene_of()
    change(scene)
    with pytest.raises(InvalidInputError, match=message):
        export_gltf(scene, tmp_path / "x.glb")
    assert list(tmp_path.iterdir()) == []


def test_bad_input_of_gltf_is_explained(tmp_path):
    with pytest.raises(FileFormatError, match=r"'x\.obj'; its name must end in \.glb or \.gltf"):
        export_gltf(scene_of(), tmp_path / "x.obj")
    with pytest.raises(InvalidInputError, match="got SceneGrid; export each scene"):
        export_gltf(SceneGrid([scene_of()]), tmp_path / "x.glb")
    for export, name in ((export_gltf, "x.glb"), (export_html, "x.html")):
        with pytest.raises(InvalidInputError, match="at least 1, got 0"):
            export(scene_of(), tmp_path / name, n_lines=0)
    assert list(tmp_path.iterdir()) == []


# -- the page ------------------------------------------------------------------------------------


def page(target, **options):
    found = re.findall(r'type="application/json">(.*?)</script>', scene_html(target, **options), re.DOTALL)
    return json.loads(found[0])


def unpacked(text, dtype, top):
    return np.frombuffer(base64.b64decode(text), dtype) / top


def test_the_page_carries_places_importance_and_shares():
    data = page(scene_of())
    assert (data["stacks"], [view["volumes"] for view in data["views"]]) == ([], [[]])
    (drawing,) = data["drawings"]
    (cloud,) = drawing["frames"]
    lines = NETWORK.lines.take(np.argsort(NETWORK.lines.line_arrays["importance"], kind="stable"))
    n = len(lines.points)
    low, high = np.array(cloud["low"]), np.array(cloud["high"])
    places = low + unpacked(cloud["places"], "<u2", 65535).reshape(-1, 3) * (high - low)
    np.testing.assert_allclose(places[:n], lines.points, atol=1e-4)
    assert len(places) == n + len(NETWORK.layout)
    np.testing.assert_allclose(unpacked(cloud["t"], "<u2", 65535)[:n], lines.point_arrays["t"], atol=1e-4)
    np.testing.assert_allclose(
        unpacked(cloud["importance"], "<u2", 65535)[:n], lines.point_arrays["importance"], atol=1e-4
    )
    shares = unpacked(cloud["shares"], "u1", 255).reshape(-1, 3)
    np.testing.assert_allclose(shares[:n], lines.point_arrays["class_shares"], atol=1 / 255)
    assert unpacked(cloud["counts"], "<u2", 1).tolist() == [6] * len(lines) + [1] * len(NETWORK.layout)
    assert unpacked(cloud["looks"], "u1", 1).tolist() == [0] * len(lines) + [1] * len(NETWORK.layout)
    strength = unpacked(cloud["strength"], "<u2", 65535)[: len(lines)]
    assert (np.diff(strength) >= 0).all()  # the most important last: while it turns, the others are left out


def test_the_page_starts_as_the_scene_is_shown():
    scene = scene_of(shown_class="class 2", blend=0.25, size=0.03, mode="lines", importance_threshold=0.04, opacity=0.5)
    scene.background = "dark"
    (drawing,) = page(scene)["drawings"]
    assert drawing["state"] == {"blend": 0.25, "hide": 0.04, "depth": 0.5, "shownClass": 2}
    assert drawing["classes"] == list(NETWORK.class_names)
    lines, units = drawing["looks"]
    assert (lines["unit"], lines["grows"], lines["opacity"], lines["importance"]) == (False, False, 0.5, 1.1)
    assert lines["radius"] == pytest.approx(0.003)
    assert (units["unit"], units["grows"], units["radius"], units["exponent"]) == (True, True, 0.04, 0.5)
    assert [text for text, _ in drawing["labels"]] == ["fc0 (6)", "fc1 (5)", "fc2 (4)"]
    assert page(scene_of())["drawings"][0]["state"]["shownClass"] == "all"
    assert min(drawing["plain"]) > 0.5  # light ink on a dark page


def test_the_page_says_what_it_leaves_out():
    (drawing,) = page(scene_of(), n_lines=7)["drawings"]
    assert drawing["notes"] == [NETWORK.edges.caption, "bundle: the 7 most important of 50 lines"]
    assert len(unpacked(drawing["frames"][0]["counts"], "<u2", 1)) == 7 + len(NETWORK.layout)


def test_a_network_stands_with_every_volume_of_its_scene():
    scene = scene_of()
    for name in ("first", "second"):
        scene.add_volume(Volume(np.ones((2, 3, 4)), layer=name), origin=(0.5, 0.0, 0.0))
    data = page(scene)
    assert [(view["drawing"], len(view["volumes"])) for view in data["views"]] == [(0, 1), (0, 1)]
    assert data["views"][0]["volumes"][0]["origin"] == [0.5, 0.0, 0.0]
    assert len(data["drawings"]) == 1


def test_networks_of_a_grid_get_a_button_each():
    scenes = [scene_of(), scene_of()]
    for scene, title in zip(scenes, ("untrained", "trained"), strict=True):
        scene.title = title
    data = page(SceneGrid(scenes))
    assert [(view["name"], view["drawing"]) for view in data["views"]] == [("untrained", 0), ("trained", 1)]


def test_stages_of_bundling_become_frames():
    scene = Scene()
    scene.add_bundle(NETWORK, name="net")
    scene.add_glyphs(NETWORK)
    scene.set_frames("iteration", ["0", "1"], {"net": [NETWORK.lines.blended(0), NETWORK.lines]})
    data = page(scene)
    (view,) = data["views"]
    assert (view["axis"], view["labels"], len(view["titles"])) == ("iteration", ["0", "1"], 2)
    first, second = data["drawings"][0]["frames"]
    assert first["places"] != second["places"]
    assert first["counts"] == second["counts"]


def test_items_without_classes_or_with_others_share_a_page():
    scene = scene_of()
    scene.add_bundle(PolylineSet(NETWORK.lines.points[:6], [0, 6]), name="plain")
    (drawing,) = page(scene)["drawings"]
    shares = unpacked(drawing["frames"][0]["shares"], "u1", 255).reshape(-1, 3)
    assert len(shares) == len(NETWORK.lines.points) + 6 + len(NETWORK.layout)
    for number in range(7):
        scene.add_glyphs(PointSet(np.eye(3)), name=f"more {number}")
    with pytest.raises(InvalidInputError, match="at most 8 bundles and sets of units"):
        scene_html(scene)


def test_a_hidden_network_leaves_no_trace():
    scene = scene_of()
    for item in scene:
        item.visible = False
    with pytest.raises(InvalidInputError, match="no visible volume, bundle or units"):
        scene_html(scene)
    scene.add_volume(np.ones((2, 3, 4)))
    assert page(scene)["drawings"] == []


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


def screenshot(scene, folder):
    """Return the page of a scene as a browser shows it, 640 x 480."""
    path, picture = export_html(scene, folder / "x.html"), folder / "x.png"
    options = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    options += [f"--user-data-dir={folder / 'profile'}", f"--screenshot={picture}", "--window-size=640,480"]
    options += ["--hide-scrollbars", "--virtual-time-budget=3000", path.as_uri()]
    subprocess.run([CHROMIUM, *options], check=True, capture_output=True, timeout=120)
    return np.asarray(Image.open(picture).convert("RGB")).astype(int)


READER = """<script>
const seen = [];
const move = (kind, x) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 1, clientX: x, clientY: 90 }));
const slide = (name, value) => {
  const input = document.querySelector(name);
  input.value = value; input.dispatchEvent(new Event("input"));
};
canvas.setPointerCapture = () => {};
for (const act of [() => slide("#frames input", 1), () => { move("pointerdown", 100); move("pointermove", 160); },
    () => move("pointerup", 160), () => slide("#blend", 0.5), () => slide("#hide", 0.9), () => slide("#lines", 1),
    () => document.querySelectorAll("#classes button")[2].click(), () => document.getElementById("mip").click()]) {
  act();
  paint();  // on the way
  state.moving = false;
  paint();  // at rest
  seen.push(gl.getError(), current.cloud.shown);
}
const chosen = [state.frame, state.blend, state.shownClass, state.mip];
document.title = JSON.stringify({ seen, yaw: state.yaw, state: chosen });
</script></body>"""
"""What a reader does, one thing after another: after each, WebGL's error and the number of pieces drawn."""


@browser
def test_a_reader_turns_plays_and_chooses_without_an_error(tmp_path):
    scene = scene_of(importance_threshold=0.0)
    scene.set_frames("iteration", ["0", "1"], {"bundle": [NETWORK.lines.blended(0), NETWORK.lines]})
    scene.add_volume(Volume(np.ones((4, 4, 4)), layer="maps"))
    path = tmp_path / "x.html"
    path.write_text(scene_html(scene).replace("</body>", READER))
    options = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--dump-dom"]
    options += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=240,320", path.as_uri()]
    done = subprocess.run([CHROMIUM, *options], check=True, capture_output=True, text=True, timeout=120)
    found = json.loads(re.search(r"<title>(.*?)</title>", done.stdout).group(1).replace("&quot;", '"'))
    errors, pieces = found["seen"][::2], found["seen"][1::2]
    assert errors == [0] * 8
    assert found["state"] == [1, 0.5, 0, True]
    assert found["yaw"] != 0
    units = scene["units"].data.arrays["importance"] >= scene["units"].importance_threshold
    everything = len(NETWORK.lines.points) - len(NETWORK.lines) + units.sum()
    assert pieces[0] == everything
    hidden = NETWORK.lines.line_arrays["importance"] < 0.9**2
    assert pieces[4] < everything
    assert pieces[-1] == everything - 5 * hidden.sum()


def near(pixels, colour, reach=60):
    """Return which pixels between title, legend and controls have about a colour."""
    stage = pixels[60:335, :490]
    return np.abs(stage - 255 * np.array(colour)).max(axis=2) < reach


def arc(sag, shares, *, z=0.0):
    """Return one thick line along x that sags downwards."""
    t = np.linspace(0, 1, 41, dtype=np.float32)
    points = np.column_stack([2 * t - 1, sag * 4 * t * (1 - t), np.full(41, z)])
    arrays = {"t": t, "importance": np.ones(41, np.float32), "class_shares": np.tile(np.float32(shares), (41, 1))}
    return PolylineSet(points, [0, 41], arrays)


def front():
    return Scene(camera=Camera(view="front"))


OPAQUE = {"size": 0.05, "base_opacity": 1.0, "depth_opacity": 0.0, "class_names": ("a", "b")}


@browser
def test_a_browser_draws_bundled_lines_where_they_run_in_the_colour_of_the_class(tmp_path):
    scene = front()
    scene.add_bundle(arc(0.8, [0, 1]), shown_class=1, **OPAQUE)
    bent = near(screenshot(scene, tmp_path), group_colour(1))
    assert bent.sum() > 1000
    rows, columns = np.nonzero(bent)
    ends = rows[(columns < columns.min() + 10) | (columns > columns.max() - 10)].mean()
    middle = rows[np.abs(columns - columns.mean()) < 10].mean()
    assert middle > ends + 50  # y is down
    scene["bundle"].blend = 0.0
    straight = near(screenshot(scene, tmp_path), group_colour(1))
    assert np.ptp(np.nonzero(straight)[0]) < 40 < np.ptp(rows)


@browser
def test_a_browser_draws_the_nearer_line_over_the_farther(tmp_path):
    scene = front()
    scene.add_bundle(arc(0.3, [1, 0], z=1.0), name="far", shown_class=0, **OPAQUE)
    scene.add_bundle(arc(0.3, [0, 1], z=0.5), name="near", shown_class="all", **OPAQUE)
    scene["far"].shown_class = "all"
    before = screenshot(scene, tmp_path)
    scene.camera.view = "back"
    behind = screenshot(scene, tmp_path)
    assert near(before, group_colour(1)).sum() > 2 * near(before, group_colour(0)).sum()
    assert near(behind, group_colour(0)).sum() > 2 * near(behind, group_colour(1)).sum()


@browser
def test_a_browser_draws_a_unit_inside_a_volume_only_where_the_volume_lets_it_through(tmp_path):
    scene = front()
    scene.add_glyphs(
        PointSet(np.float32([[0, 0, -2], [0, 0, 2]]), {"class_shares": np.eye(2, dtype=np.float32)}),
        shown_class="all",
        **OPAQUE | {"size": 0.4},
    )
    values = np.full((8, 8, 8), 1.0, np.float32)
    volume = Volume(values, layer="solid", spacing=(0.25, 0.25, 0.25))
    scene.add_volume(volume, origin=(-0.875, -0.875, -0.875), density=100.0, group_marks=False)
    scene["solid"].transfer = scene["solid"].transfer.model_copy(update={"opacity": ((0, 1), (1, 1)), "span": (0, 1)})
    pixels = screenshot(scene, tmp_path)
    assert near(pixels, group_colour(0)).sum() > 300  # before it
    assert near(pixels, group_colour(1), 30).sum() == 0  # behind it
    scene["solid"].visible = False
    scene.camera.view = "back"
    assert near(screenshot(scene, tmp_path), group_colour(1), 60).sum() > 300
