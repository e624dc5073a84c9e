"""Leaving with it: every form is written from a thread or a process, and reads back."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core import Ordering
from cnnvis.core.errors import InvalidInputError
from cnnvis.scene import Scene, SceneGrid, copy_of
from cnnvis.viewer.export_dialogs import FilmDialog, SizeDialog
from cnnvis.viewer.exports import parts_of

pytestmark = pytest.mark.qt


def test_a_picture_of_any_size(driver, tmp_path) -> None:
    driver.workspace.show(volume_scene())
    driver.window.exports.picture(tmp_path / "a.png", (320, 240))
    driver.settle()
    from PIL import Image

    picture = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(picture, cnnvis.render(driver.scene, size=(320, 240)))


def test_a_film_of_a_turn_is_drawn_by_another_process(driver, tmp_path) -> None:
    driver.workspace.show(volume_scene())
    seen = []
    driver.workspace.jobs.progressed.connect(lambda slot, done, total: seen.append((slot, done, total)))
    driver.window.exports.film(tmp_path / "turn.gif", over="turn", frames=4, fps=4, size=(160, 120))
    driver.settle()
    from PIL import Image

    film = Image.open(tmp_path / "turn.gif")
    assert film.n_frames == 4
    assert ("film", 4, 4) in seen
    assert driver.scene.camera.azimuth == 0, "the scene in the window did not turn"


def test_a_film_that_cannot_be_made_says_why(driver, tmp_path) -> None:
    driver.workspace.show(volume_scene())
    driver.window.exports.film(tmp_path / "none.gif", over="series", frames=4, fps=4, size=(160, 120))
    driver.settle()
    ((_, error),) = driver.problems
    driver.problems.clear()
    assert "series" in str(error)
    assert not (tmp_path / "none.gif").exists()


def test_paraview_files_hold_what_is_seen(driver, tmp_path) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.scene["units"].visible = False
    driver.window.exports.paraview(tmp_path / "net.vtm")
    driver.settle()
    assert set(cnnvis.load(tmp_path / "net.vtm")) == {"bundle"}
    driver.workspace.show(Scene())
    with pytest.raises(InvalidInputError, match="none of them"):
        driver.window.exports.paraview(tmp_path / "none.vtm")


@pytest.mark.parametrize(("name", "write"), [("a.html", "page"), ("a.glb", "gltf")])
def test_pages_and_gltf(driver, tmp_path, name, write) -> None:
    driver.workspace.show(network_scene(), random_network())
    getattr(driver.window.exports, write)(tmp_path / name)
    driver.settle()
    assert (tmp_path / name).stat().st_size > 1000


def test_python_on_the_clipboard_makes_the_same_picture(driver, tmp_path, monkeypatch) -> None:
    path = tmp_path / "s.json"
    driver.workspace.show(volume_scene())
    driver.scene["ball"].opacity = 0.5
    driver.window.files.save_to(path)
    driver.settle()
    driver.window.commands.run("file.python")
    text = QApplication.clipboard().text()
    assert "opacity" in text
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(text, names)
    made = next(each for each in names.values() if isinstance(each, Scene))
    np.testing.assert_array_equal(cnnvis.render(made, size=(200, 150)), cnnvis.render(driver.scene, size=(200, 150)))


def copied(driver) -> str:
    driver.window.commands.run("file.python")
    return QApplication.clipboard().text()


def picture_of(text: str) -> np.ndarray:
    names: dict = {}
    exec(text, names)
    return cnnvis.render(names["scene"], size=(200, 150))


def test_python_says_that_the_file_has_other_data_and_is_right_once_it_is_saved(driver, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    rising = np.arange(6, dtype=np.float32)[:, None, None] + np.random.default_rng(0).random((6, 9, 9))
    driver.workspace.show(Scene.of(rising.astype(np.float32), name="ball"))
    driver.window.files.save_to(tmp_path / "s.json")
    driver.settle()
    item = driver.scene["ball"]
    assert copied(driver).startswith("import")
    item.data = item.data.reordered(Ordering(np.array([3, 0, 5, 1, 4, 2]), method="by hand"))
    text, seen = copied(driver), cnnvis.render(driver.scene, size=(200, 150))
    first, names = text.splitlines()[:2]
    assert first.startswith("# s.json has other data of these items than are shown; save the scene")
    assert names == "# 'ball'"
    assert "'ball'" not in driver.window.status.currentMessage()
    assert "Save the scene before you run it: s.json has other data of ball" in driver.window.status.currentMessage()
    assert (picture_of(text) != seen).any(), "the script as it is shows the file's"
    driver.window.commands.run("file.save")
    driver.settle()
    np.testing.assert_array_equal(picture_of(text), seen)
    assert copied(driver).startswith("import")


def test_undo_brings_back_the_data_that_the_file_has(driver, tmp_path) -> None:
    driver.workspace.show(volume_scene())
    driver.window.files.save_to(tmp_path / "s.json")
    driver.settle()
    driver.workspace.history.commit()
    driver.scene.add_image(np.zeros((2, 2, 3), np.uint8), name="new\nline")
    driver.scene["ball"].data = volume_scene()["ball"].data
    assert driver.workspace.unsaved_data == ("ball", "new\nline")
    assert copied(driver).splitlines()[1] == "# 'ball', 'new\\nline'", "no name leaves the comment"
    driver.workspace.history.undo()
    assert driver.workspace.unsaved_data == ()


def test_frames_that_are_played_are_no_other_data(driver, tmp_path) -> None:
    volumes = [volume_scene()["ball"].data for _ in range(3)]
    driver.workspace.show(Scene.of_series("epoch", ["0", "1", "2"], volumes))
    driver.window.files.save_to(tmp_path / "s.json")
    driver.settle()
    driver.scene.frame = 2
    assert driver.workspace.unsaved_data == ()
    driver.workspace.show(Scene.of_series("epoch", ["0", "1", "2"], volumes), path=tmp_path / "opened.vti")
    assert driver.workspace.unsaved_data == ()
    (item,) = driver.scene
    driver.scene.restore_frames(driver.scene.series, {item.name: volumes[::-1]}, 0)
    assert driver.workspace.unsaved_data == (item.name,)
    assert "opened.vti has other data" in copied(driver)
    assert "copy this text anew" in copied(driver)


def test_a_copy_is_not_changed_any_more() -> None:
    grid = SceneGrid([volume_scene(), volume_scene()])
    copied = copy_of(grid)
    before = copied.state()
    grid.scenes[0]["ball"].opacity = 0.1
    grid.scenes[0].camera.azimuth = 50
    assert copied.state() == before
    assert copied.scenes[1]["ball"].data is grid.scenes[1]["ball"].data
    assert list(parts_of(grid.scenes)) == ["1 ball", "2 ball"]


def test_dialogs_ask_for_what_is_needed(qtbot) -> None:
    volumes = [volume_scene()["ball"].data] * 3
    scene = Scene.of_series("epoch", ["0", "1", "2"], volumes)
    scene.size = (640, 480)
    film = FilmDialog(scene)
    qtbot.addWidget(film)
    assert film.options == {"over": "turn", "frames": 48, "fps": 24, "size": (640, 480)}
    film.over.set_value("series")
    assert film.options["over"] == "series"
    size = SizeDialog(volume_scene())
    qtbot.addWidget(size)
    assert size.size_asked == (1600, 1000)
