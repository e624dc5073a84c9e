"""Pictures, films and pages on disk: whole or not at all, the same each time, and the scene as it was."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from cnnvis.core import Volume
from cnnvis.core.errors import CancelledError, FileFormatError, InvalidInputError, OutputError
from cnnvis.io import load, save
from cnnvis.rendering import ARTISTS, OffscreenWindow, export_html, film, render, write_picture
from cnnvis.scene import ITEM_KINDS, Scene, SceneGrid

SIZE = (128, 80)
PROCESSES = Path("/proc/self/task").exists()


def volume(seed=0):
    return Volume(np.random.default_rng(seed).standard_normal((5, 8, 8)).astype(np.float32), layer="conv")


def full_scene():
    """Every kind of item, visible from the front."""
    scene = Scene()
    scene.add_volume(volume())
    scene.add_image(np.full((4, 4, 3), (200, 0, 0), np.uint8), width=8, origin=(9, -0.5, 0))
    scene.add_labels([[4, 4, -3]], ["here"], size=20)
    return scene


def children():
    """Return the ids of the processes that this one started and that still run."""
    lists = [task / "children" for task in Path("/proc/self/task").iterdir()]
    return {int(pid) for file in lists if file.exists() for pid in file.read_text().split()}


def files(folder):
    return sorted(path.name for path in folder.iterdir())


# -- stills ----------------------------------------------------------------------------------------


def test_every_kind_of_item_is_drawn():
    assert set(ARTISTS) == set(ITEM_KINDS.values())
    scene = full_scene()
    scene.camera.view = "front"
    whole = render(scene, size=(240, 150)).astype(int)
    for item in scene:
        item.visible = False
        without = render(scene, size=(240, 150))
        assert (np.abs(whole - without).max(axis=2) > 20).sum() > 20, item.name
        item.visible = True
    np.testing.assert_array_equal(render(scene, size=(240, 150)), whole)


def test_images_stand_upright_where_they_are_put():
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[0, 0] = (255, 0, 0)  # top left
    picture[1, 1] = (0, 0, 255)
    scene = Scene(camera={"view": "front", "parallel": True})
    scene.add_image(picture, width=10)
    pixels = render(scene, size=(100, 100)).astype(int)
    red, blue = (np.argwhere((pixels == colour).all(axis=2)).mean(axis=0) for colour in ((255, 0, 0), (0, 0, 255)))
    assert red[0] < blue[0]
    assert red[1] < blue[1]


def test_the_same_scene_gives_the_same_pixels():
    first, second = (render(full_scene(), size=SIZE) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (80, 128, 3)
    assert first.dtype == np.uint8


def test_a_window_follows_its_scene():
    scene = full_scene()
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        scene.remove("image")
        scene["conv"].mode = "mip"
        scene.background = "dark"
        scene.add_volume(volume(1), origin=(12, 0, 0))
        scene["conv"].data = volume(2)
        after = window.draw()
    np.testing.assert_array_equal(after, render(scene, size=SIZE))
    window.close()  # once more does no harm
    scene["conv"].mode = "raycast"  # and nobody listens any more


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".PNG"])
def test_pictures_are_written_as_they_are_returned(suffix, tmp_path):
    pixels = render(full_scene(), tmp_path / f"x{suffix}", size=SIZE)
    back = np.asarray(Image.open(tmp_path / f"x{suffix}").convert("RGB")).astype(int)
    assert np.abs(back - pixels).mean() <= (0 if suffix.lower() in (".png", ".tif") else 4)
    assert files(tmp_path) == [f"x{suffix}"]


@pytest.mark.parametrize("name", ["x.bmpx", "x", "x.vti"])
def test_other_suffixes_are_refused(name, tmp_path):
    with pytest.raises(FileFormatError, match=r"allowed are \.png"):
        render(full_scene(), tmp_path / name, size=SIZE)
    with pytest.raises(FileFormatError, match=r"allowed are \.png"):
        write_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / name)
    with pytest.raises(FileFormatError, match=r"allowed are \.mp4, \.gif"):
        film(full_scene(), tmp_path / name, size=SIZE)
    with pytest.raises(FileFormatError, match=r"end in \.html"):
        export_html(full_scene(), tmp_path / name)
    assert files(tmp_path) == []


@pytest.mark.parametrize("size", [(14, 100), (100, 8), (20000, 100)])
def test_sizes_have_limits(size, tmp_path):
    for draw in (render, film):
        with pytest.raises(InvalidInputError, match=rf"16 to 16384 pixels on each side, got {size[0]} x {size[1]}"):
            draw(full_scene(), tmp_path / ("x.png" if draw is render else "x.mp4"), size=size)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("x")
    for write in (render, film):
        path = tmp_path / "file" / ("x.png" if write is render else "x.mp4")
        with pytest.raises(OutputError, match=r"Cannot write x\."):
            write(full_scene(), path, size=SIZE)
    with pytest.raises(OutputError):
        export_html(full_scene(), tmp_path / "file" / "x.html")
    assert files(tmp_path) == ["file"]


def test_a_saved_scene_renders_to_the_same_pixels(tmp_path):
    scene = full_scene()
    scene["conv"].clip_box = {"row": (0, 4)}
    scene.camera.update({"azimuth": 20.0, "zoom": 1.2})
    scene.background = "dark"
    grid = SceneGrid([scene, full_scene()])
    for shown in (scene, grid):
        back = load(save(shown, tmp_path / "s.json"))
        np.testing.assert_array_equal(render(back, size=(200, 120)), render(shown, size=(200, 120)))


# -- films -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_turn_has_as_many_pictures_as_asked_for(suffix, tmp_path):
    scene = full_scene()
    scene.camera.azimuth = 10.0
    before, done = scene.state(), []
    path = film(scene, tmp_path / f"x{suffix}", frames=5, size=(129, 81), progress=lambda n, of: done.append((n, of)))
    pictures = iio.imread(path)
    assert pictures.shape == (5, 80, 128, 3)
    assert done == [(n, 5) for n in range(1, 6)]
    assert scene.state() == before
    assert files(tmp_path) == [path.name]
    start = render(scene, size=SIZE)
    assert np.abs(pictures[0].astype(int) - start).mean() < 8  # a turn begins where the still stands
    assert np.abs(pictures[2].astype(int) - start).mean() > np.abs(pictures[0].astype(int) - start).mean()


def test_a_film_over_the_series_shows_each_frame(tmp_path):
    scene = Scene()
    scene.add_volume(volume(), name="v", axes=False)
    scene.set_frames("epoch", ["0", "1", "2"], {"v": [volume(seed) for seed in range(3)]})
    scene.frame = 1
    pictures = iio.imread(film(scene, tmp_path / "x.gif", over="series", size=SIZE, frames=99))
    assert len(pictures) == 3
    assert scene.frame == 1
    for frame in range(3):
        scene.frame = frame
        assert np.abs(pictures[frame].astype(int) - render(scene, size=SIZE)).mean() < 4


def test_a_linked_grid_turns_together(tmp_path):
    grid = SceneGrid([full_scene(), full_scene()])
    film(grid, tmp_path / "x.gif", frames=2, size=(160, 64))
    assert [scene.camera.azimuth for scene in grid] == [0, 0]
    first, second = iio.imread(tmp_path / "x.gif")
    np.testing.assert_array_equal(first[:, :80], first[:, 80:])
    np.testing.assert_array_equal(second[:, :80], second[:, 80:])
    assert (first != second).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": "series"}, "no series to film"),
        ({"over": "walk"}, "'turn', 'series', 'arrangement' or 'position', got 'walk'"),
        ({"frames": 0}, "at least one frame"),
        ({"fps": 0}, "one frame per second"),
    ],
)
def test_films_that_cannot_be(options, message, tmp_path):
    with pytest.raises(InvalidInputError, match=message):
        film(full_scene(), tmp_path / "x.mp4", size=SIZE, **options)
    assert files(tmp_path) == []


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_film_that_stops_in_the_middle_leaves_everything_as_it_was(suffix, tmp_path):
    def stop(done, total):
        if done == 2:
            raise CancelledError("enough")

    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"old")
    scene = full_scene()
    before, running = scene.state(), children() if PROCESSES else set()
    with pytest.raises(CancelledError):
        film(scene, path, frames=4, size=SIZE, progress=stop)
    assert path.read_bytes() == b"old"
    assert files(tmp_path) == [path.name]
    assert scene.state() == before
    if PROCESSES:
        assert children() <= running


KILLED = """
    import sys, time
    from pathlib import Path
    import numpy as np
    from cnnvis.rendering import film
    from cnnvis.scene import Scene

    def wait(done, total):
        if done == 2:
            tasks = [task / "children" for task in Path("/proc/self/task").iterdir()]
            print(" ".join(pid for file in tasks for pid in file.read_text().split()), flush=True)
            time.sleep(60)

    scene = Scene()
    scene.add_volume(np.ones((3, 3, 3)))
    film(scene, sys.argv[1], frames=9, size=(64, 64), progress=wait)
"""


@pytest.mark.skipif(not PROCESSES, reason="reads /proc")
def test_a_film_that_is_killed_leaves_the_old_one_and_no_encoder(tmp_path):
    path = tmp_path / "x.mp4"
    path.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        encoders = [int(pid) for pid in process.stdout.readline().split()]
        os.kill(process.pid, signal.SIGKILL)
    assert encoders
    deadline = time.monotonic() + 10
    while any(runs(pid) for pid in encoders) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(runs(pid) for pid in encoders)
    assert path.read_bytes() == b"old"


def runs(pid):
    """Whether a process exists and is not merely waiting to be counted as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_rendering_leaves_no_process(tmp_path):
    if not PROCESSES:
        pytest.skip("reads /proc")
    before = children()
    render(full_scene(), size=SIZE)
    film(full_scene(), tmp_path / "x.mp4", frames=2, size=SIZE)
    assert children() <= before
