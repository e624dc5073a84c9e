"""What must not happen, whatever is done: windows that open by themselves, crashes at the end, blank frames."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvista
from pyvistaqt import QtInteractor
from qtpy.QtWidgets import QApplication, QMessageBox
from viewer_scenes import network_scene, random_network, small_network_maps, volume_scene
from vtkmodules.vtkRenderingCore import vtkRenderWindow

import cnnvis
from cnnvis.core.errors import CnnvisError
from cnnvis.io.registry import FORMATS
from cnnvis.rendering import _vtk
from cnnvis.scene import ITEM_KINDS, Scene
from cnnvis.viewer import comparing
from cnnvis.viewer.panels import panel_of
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt


def scene_of_all_kinds() -> Scene:
    scene = network_scene()
    scene.add_volume(volume_scene()["ball"].data, name="ball")
    scene.add_matrix(np.eye(3), name="matrix")
    scene.add_image(np.zeros((4, 4, 3), dtype=np.uint8), name="image")
    scene.add_tiles(small_network_maps())
    return scene


def test_panels_that_are_gone_listen_no_more(qtbot) -> None:
    workspace, scene = Workspace(), scene_of_all_kinds()
    workspace.show(scene)
    assert {item.kind for item in scene} == set(ITEM_KINDS)
    for item in scene:
        panel = panel_of(workspace, item)
        panel.deleteLater()
        qtbot.wait(20)
        item.data_changed.emit()
        for name in item.events:
            value = getattr(item, name)
            item.events[name].emit(value, value)
        assert panel is not None, "it is still referred to, as it would be in a cycle"
    workspace.close()


# -- one view, and no other window -----------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch) -> list[object]:
    """What draws and was made during a test: render windows of the library, plotters of pyvista."""
    made: list[object] = []

    def render_window() -> vtkRenderWindow:
        made.append(vtkRenderWindow())
        return made[-1]

    begin = pyvista.plotting.plotter.BasePlotter.__init__

    def plotter(self, *args, **kwargs) -> None:
        made.append(self)
        begin(self, *args, **kwargs)

    monkeypatch.setattr(_vtk, "vtkRenderWindow", render_window)
    monkeypatch.setattr(pyvista.plotting.plotter.BasePlotter, "__init__", plotter)
    return made


def on_screen() -> list[vtkRenderWindow]:
    gc.collect()
    windows = [each for each in gc.get_objects() if issubclass(type(each), vtkRenderWindow)]
    return [each for each in windows if not each.GetOffScreenRendering()]


def test_no_second_plotter_ever_opens_on_the_screen(opened, open_driver, tmp_path) -> None:
    already = len(on_screen())
    driver = open_driver()
    exports, workspace = driver.window.exports, driver.workspace
    workspace.show(network_scene(), random_network())
    path = cnnvis.save(volume_scene(), tmp_path / "ball.json")
    acts = [
        lambda: exports.picture(tmp_path / "a.png", (160, 120)),
        lambda: exports.page(tmp_path / "a.html"),
        lambda: exports.gltf(tmp_path / "a.glb"),
        lambda: exports.paraview(tmp_path / "a.vtm"),
        lambda: cnnvis.film(driver.scene, tmp_path / "a.gif", frames=2, size=(160, 120)),  # as its process does
        lambda: driver.hover((200, 200)),
        lambda: driver.click((200, 200)),
        lambda: comparing.add_files(workspace, [path]),
        lambda: comparing.add_files(workspace, [path]),
        lambda: comparing.keep_active(workspace),
        driver.window.show_keys,
        driver.window.toggle_theme,
        driver.window.toggle_theme,
        driver.window.screenshot,
    ]
    for act in acts:
        act()
        driver.settle()
        assert len(on_screen()) - already == 1
        assert len(QApplication.instance().findChildren(QtInteractor)) == 0, "plotters belong to a window"
    plotters = [each for each in opened if isinstance(each, pyvista.plotting.plotter.BasePlotter)]
    assert plotters == [driver.window.plotter]
    headless = [each for each in opened if isinstance(each, vtkRenderWindow)]
    assert headless, "pictures are drawn in windows that nobody sees"
    assert all(each.GetOffScreenRendering() and not each.GetShowWindow() for each in headless)


# -- no flashing -----------------------------------------------------------------------------------


def test_while_the_window_changes_its_size_no_frame_is_blank(driver) -> None:
    driver.workspace.show(volume_scene())
    driver.settle()
    view = driver.window.canvas.view
    blank = []
    for step in range(24):
        driver.window.resize(760 + 14 * step, 460 + (90 if step % 2 else 0))
        for moment in range(3):
            QApplication.processEvents()
            seen = view.grabFramebuffer()
            middle = seen.copy(seen.width() // 2 - 30, seen.height() // 2 - 30, 60, 60)
            colours = {middle.pixel(x, y) for x in range(0, 60, 6) for y in range(0, 60, 6)}
            if len(colours) < 3:
                blank.append((step, moment))
    assert not blank, "the ball is in the middle of every frame, if only stretched"


# -- the end ---------------------------------------------------------------------------------------


def use(what: str, folder: Path, wait_ms: int, monkeypatch) -> subprocess.CompletedProcess:
    """Let a process open a window, begin something and close it some milliseconds later."""
    monkeypatch.setenv("CNNVIS_SETTINGS", str(folder / "settings"))
    command = [sys.executable, str(Path(__file__).with_name("closing.py")), what, str(folder), str(wait_ms)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("what", "slot", "wait_ms"),
    [
        ("bundling", "bundling", 300),
        pytest.param("recording", "open", 500, marks=pytest.mark.slow),
        pytest.param("page", "page", 0, marks=pytest.mark.slow),
        pytest.param("film", "film", 1500, marks=pytest.mark.slow),
    ],
)
def test_closing_in_the_middle_of_work_ends_the_process_cleanly(tmp_path, monkeypatch, what, slot, wait_ms) -> None:
    done = use(what, tmp_path, wait_ms, monkeypatch)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == f"closed during: {slot}\n"
    assert not list(tmp_path.glob("turn.*")), "no half of a film"
    assert not list((tmp_path / "settings" / "autosave").glob("*")), "the session ended as it should"


def test_a_python_error_in_a_slot_is_a_message_with_details_and_the_window_lives_on(tmp_path, monkeypatch) -> None:
    done = use("error", tmp_path, 800, monkeypatch)
    assert done.returncode == 0, done.stderr
    message, last = done.stdout.rsplit("\n", 2)[:2]
    assert message.startswith("Something failed | KeyError: 'no such thing' | Traceback"), (
        "once, though it failed twice"
    )
    assert 'raise KeyError("no such thing")' in message
    assert message.count("Something failed") == 1
    assert last == "shown: True logged: True"
    assert "KeyError: 'no such thing'" in done.stderr, "who started it from a script sees it as well"


def boxes_of(driver) -> list[QMessageBox]:
    return [box for box in driver.window.findChildren(QMessageBox) if box.isVisible()]


# -- files that cannot be read ---------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"nonsense \x00\xff", b"{}"])
def test_a_file_that_cannot_be_read_says_why(driver, tmp_path, content) -> None:
    for suffix in [*FORMATS, ".txt", ""]:
        path = tmp_path / f"broken{suffix}"
        path.write_bytes(content)
        driver.window.files.open([path])
        driver.settle()
        ((what, error),) = driver.problems
        driver.problems.clear()
        assert isinstance(error, CnnvisError), suffix
        assert "broken" in str(error)
        assert len(str(error)) > 30, "a reason, not just a name"
        assert what == f"Opening {path.name}"
        (box,) = boxes_of(driver)
        assert box.text() == str(error)
        box.close()


def test_what_fails_at_every_step_is_told_once(driver) -> None:
    for _ in range(3):
        driver.workspace.problem.emit("Turning", ZeroDivisionError("by nothing"))
    driver.problems.clear()
    (box,) = boxes_of(driver)
    assert box.text() == "ZeroDivisionError: by nothing"
    box.close()


def test_a_closed_view_knows_nothing_of_qt_that_qt_deletes(open_driver) -> None:
    """With PySide6 what is made in the same place later would be taken for it: widgets with methods of a surface."""
    driver = open_driver()
    driver.workspace.show(volume_scene())
    driver.settle()
    view = driver.window.canvas.view
    assert view._surface is not None
    view.window().close()
    assert view._surface is None
