"""Light on balls and tubes: brightness is that of a surface that faces so far away from it, pixel by pixel."""

import json

import numpy as np
import pytest
from network_shots import flat_scene, lines_of, units_at

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.palette import group_colour
from cnnvis.rendering import OffscreenWindow, Picker, export_html, render
from cnnvis.rendering.scene_shapes import shapes_of
from cnnvis.rendering.web_network import drawing
from cnnvis.scene import Scene

SIZE = (200, 200)
SHARES = {"class_shares": np.ones((1, 1))}
STATE = {"size": 1.0, "class_names": ("one",), "shown_class": 0, "legend": False}
COLOUR = 255 * np.array(group_colour(0))


def ball(**light):
    return flat_scene(units=units_at([[0, 0, 0]], **SHARES), unit_state={}, **(STATE | light))


def tube(**light):
    lines = lines_of([[0, -3, 0], [0, 3, 0]], class_shares=np.ones((2, 1)))
    return flat_scene(lines, **(STATE | {"shown_class": "all"} | light))  # of one class there would be a note


def brightness(scene):
    """Colour of each pixel as a share of the class's, (H, W), NaN on the background."""
    pixels = render(scene, size=SIZE).astype(float)
    shares = pixels @ COLOUR / (COLOUR @ COLOUR)
    return np.where((pixels == 255).all(axis=2), np.nan, shares)


def normals(shown):
    """To the right and upwards, -1 to 1 from rim to rim, of all that is shown."""
    rows, columns = np.nonzero(np.isfinite(shown))
    y, x = np.indices(shown.shape)
    low, high = (np.array([f(columns), f(rows)]) for f in (np.min, np.max))
    middle, half = (low + high) / 2, (high - low + 1) / 2
    return (x - middle[0]) / half[0], (middle[1] - y) / half[1]


@pytest.mark.parametrize("light", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("azimuth", "elevation"), [(0, 0), (60, 0), (0, -45), (-30, 50), (90, 0)])
def test_a_ball_is_as_bright_as_its_surface_faces_the_light(light, azimuth, elevation) -> None:
    scene = ball(light=light, light_azimuth=azimuth, light_elevation=elevation)
    (item,) = scene
    shown = brightness(scene)
    right, up = normals(shown)
    inside = right**2 + up**2 < 0.8
    facing = np.sqrt(np.maximum(1 - right**2 - up**2, 0))
    falling = np.maximum(np.stack([right, up, facing], axis=-1) @ item.light_from, 0)
    np.testing.assert_allclose(shown[inside], (1 - light + light * falling)[inside], atol=0.06)


def test_a_tube_is_lit_across_but_not_along() -> None:
    shown = brightness(tube(light=1.0, light_azimuth=60.0))
    right, up = normals(shown)
    left_side, right_side = (shown[(np.abs(right - at) < 0.15) & (np.abs(up) < 0.5)] for at in (-0.6, 0.6))
    assert right_side.min() > left_side.max() + 0.3
    assert np.ptp(right_side) < 0.3
    dark = brightness(tube(light=1.0, light_elevation=60.0))
    assert np.nanmax(dark[np.abs(right) < 0.5]) < 0.6, "light along a tube reaches less of it"


def test_the_light_is_of_the_viewer_and_not_of_the_scene() -> None:
    one = ball(light=1.0, light_azimuth=45.0)
    other = ball(light=1.0, light_azimuth=45.0)
    other.camera.update({"azimuth": 130.0, "elevation": 20.0})
    first, second = brightness(one), brightness(other)
    assert np.isfinite(first).sum() == pytest.approx(np.isfinite(second).sum(), rel=0.02)
    for x, y in ((70, 100), (100, 100), (130, 100), (100, 70), (100, 130)):
        assert first[y, x] == pytest.approx(second[y, x], abs=0.03)


def test_what_is_flat_is_not_lit() -> None:
    for scene in (tube(mode="lines", light=1.0, light_azimuth=80.0), ball(mode="points", light=1.0)):
        shown = brightness(scene)
        assert np.nanmedian(shown) == pytest.approx(1, abs=0.01)


def test_to_move_the_light_builds_nothing() -> None:
    scene = ball()
    with OffscreenWindow(scene, SIZE) as window:
        before = np.array(window.draw())
        network = window.panes[0].drawn.network
        builds, version = network.builds, network.version
        Picker(window.panes[0].drawn).prepare()
        scene["units"].light_azimuth = 70.0
        after = np.array(window.draw())
        assert network.builds == builds
        assert network.version > version
    assert np.abs(after.astype(int) - before).max() > 30


def test_light_is_saved_and_bounded() -> None:
    scene = ball(light=0.75, light_azimuth=-20.0, light_elevation=10.0)
    again = Scene.from_state(json.loads(json.dumps(scene.state())), {"units": scene["units"].data})
    np.testing.assert_array_equal(render(again, size=SIZE), render(scene, size=SIZE))
    for name, value in (("light", 1.2), ("light_azimuth", 91.0), ("light_elevation", -91.0)):
        with pytest.raises((ValueError, InvalidInputError)):
            setattr(scene["units"], name, value)
    assert np.linalg.norm(scene["units"].light_from) == pytest.approx(1)


def test_the_page_has_the_same_light(tmp_path) -> None:
    scene = ball(light=0.75, light_azimuth=90.0)
    (look,) = drawing([shapes_of(scene)], 10)["looks"]
    assert look["light"] == pytest.approx([1, 0, 0, 0.75], abs=1e-9)
    export_html(scene, tmp_path / "page.html")
    assert "brightness" in (tmp_path / "page.html").read_text(encoding="utf-8")
