"""The window as its user meets it: it shows, turns, undoes, opens, saves and closes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QMenu, QMessageBox
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.scene import Camera, ClipBox, Scene, SceneGrid, View, VolumeMode
from cnnvis.viewer.app import run, show
from cnnvis.viewer.examples import EXAMPLES
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.window import ViewerWindow

pytestmark = pytest.mark.qt

KEY = Qt.Key
NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def ink(pixels: np.ndarray) -> float:
    """Share of pixels that are not paper."""
    return float((pixels.min(axis=2) < 250).mean())


def press(driver, key, modifiers=NONE) -> None:
    driver.press(key, modifiers)


@pytest.mark.parametrize("make", [volume_scene, network_scene])
def test_the_view_shows_the_very_pixels_of_a_headless_render(driver, make) -> None:
    scene = make()
    driver.workspace.show(scene)
    shown = driver.pixels()
    height, width = shown.shape[:2]
    assert ink(shown) > 0.02
    np.testing.assert_array_equal(shown, cnnvis.render(scene, size=(width, height)))


def test_what_is_on_the_screen_is_what_was_drawn(driver) -> None:
    driver.workspace.show(volume_scene())
    drawn = driver.pixels()
    view = driver.window.canvas.view
    image = driver.window.screenshot().toImage()
    at = view.mapTo(driver.window, QPoint(0, 0))
    for x, y in [(view.width() // 2, view.height() // 2), (5, view.height() - 5), (view.width() // 2, 40)]:
        seen = image.pixelColor(at + QPoint(x, y)).getRgb()[:3]
        assert seen == tuple(drawn[y, x]), (x, y)


def test_a_drag_turns_the_camera_and_the_scene_knows(driver) -> None:
    driver.workspace.show(volume_scene())
    before = driver.pixels()
    driver.drag((200, 200), (280, 210))
    camera = driver.scene.camera
    assert camera.view is View.CUSTOM
    after = driver.pixels()
    assert np.abs(after - before).max() > 50
    height, width = after.shape[:2]
    np.testing.assert_array_equal(after, cnnvis.render(driver.scene, size=(width, height)))


def test_rough_while_moving_and_full_at_rest(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.settle()
    kinds: list[bool] = []
    driver.window.canvas.painted.connect(kinds.append)
    driver.drag((200, 200), (260, 220), release=False)
    assert kinds
    assert not any(kinds)
    driver.release((260, 220))
    driver.settle()
    assert kinds[-1]


def test_linked_panes_turn_together(driver) -> None:
    grid = SceneGrid([volume_scene(), volume_scene()], columns=2)
    driver.workspace.show(grid)
    driver.settle()
    view = driver.window.canvas.view
    right = (view.width() * 3 // 4, view.height() // 2)
    driver.drag(right, (right[0] + 50, right[1] + 10))
    pixels = driver.pixels()
    assert driver.workspace.scene is grid.scenes[1], "the pane that was touched is the active one"
    assert grid.scenes[0].camera == grid.scenes[1].camera
    width = pixels.shape[1]
    halves = [pixels[:, : width // 2], pixels[:, width - width // 2 :]]
    middles = [np.argwhere(np.ptp(half, axis=2) > 60).mean(axis=0) for half in halves]
    np.testing.assert_allclose(*middles, atol=1.5)


def test_a_change_of_the_scene_by_a_script_is_drawn(driver) -> None:
    scene = volume_scene()
    driver.workspace.show(scene)
    before = ink(driver.pixels()[100:-100])
    scene["ball"].visible = False
    assert ink(driver.pixels()[100:-100]) < before / 2


def test_undo_and_redo_by_keys(driver) -> None:
    scene = volume_scene()
    driver.workspace.show(scene)
    first = driver.pixels()
    scene["ball"].mode = VolumeMode.SLICES
    second = driver.pixels()
    assert np.abs(second - first).max() > 30
    press(driver, KEY.Key_Z, CTRL)
    assert scene["ball"].mode is VolumeMode.RAYCAST
    np.testing.assert_array_equal(driver.pixels(), first)
    press(driver, KEY.Key_Y, CTRL)
    np.testing.assert_array_equal(driver.pixels(), second)
    assert not driver.workspace.history.can_redo


def test_undo_is_grey_in_the_menu_where_there_is_nothing_to_undo_but_keys_always_work(driver) -> None:
    driver.workspace.show(volume_scene())
    driver.workspace.history.commit()
    actions = driver.window.commands.actions
    menu = next(menu for menu in driver.window.menuBar().findChildren(QMenu) if actions["edit.undo"] in menu.actions())

    def black() -> tuple[bool, bool]:
        menu.popup(driver.window.mapToGlobal(QPoint(40, 20)))
        seen = actions["edit.undo"].isEnabled(), actions["edit.redo"].isEnabled()
        menu.close()
        return seen

    assert black() == (False, False)
    driver.scene["ball"].opacity = 0.5
    assert black() == (True, False), "before the step is taken, too"
    press(driver, KEY.Key_Z, CTRL)
    assert driver.scene["ball"].opacity == 1
    assert black() == (False, True)
    driver.scene["ball"].opacity = 0.25
    press(driver, KEY.Key_Z, CTRL)
    assert driver.scene["ball"].opacity == 1, "though the menu was grey last time"


def test_a_drag_is_one_step_of_undo(driver, qtbot) -> None:
    driver.workspace.show(volume_scene())
    driver.settle()
    camera = driver.scene.camera.model_copy()
    driver.drag((200, 200), (280, 210), steps=12)
    driver.settle()
    press(driver, KEY.Key_Z, CTRL)
    assert driver.scene.camera == camera
    assert not driver.workspace.history.can_undo


@pytest.mark.parametrize(
    ("key", "view", "azimuth"), [(KEY.Key_1, View.FRONT, 0), (KEY.Key_3, View.SIDE, 180), (KEY.Key_8, View.BACK, 0)]
)
def test_digits_take_positions_and_r_goes_back(driver, key, view, azimuth) -> None:
    driver.workspace.show(volume_scene())
    start = driver.scene.camera.model_copy()
    before = driver.pixels()
    press(driver, key)
    assert (driver.scene.camera.view, driver.scene.camera.azimuth) == (view, azimuth)
    assert np.abs(driver.pixels() - before).max() > 30
    press(driver, KEY.Key_R)
    assert driver.scene.camera == start


def test_h_turns_until_h(driver, qtbot) -> None:
    driver.workspace.show(volume_scene())
    driver.settle()
    press(driver, KEY.Key_H)
    qtbot.waitUntil(lambda: driver.scene.camera.azimuth >= 2)
    press(driver, KEY.Key_H)
    stopped = driver.scene.camera.azimuth
    QTest.qWait(120)
    assert driver.scene.camera.azimuth == stopped


def test_keys_of_vtk_do_nothing_here(driver) -> None:
    driver.workspace.show(volume_scene())
    before = driver.pixels()
    for key in (KEY.Key_E, KEY.Key_Q, KEY.Key_S, KEY.Key_W, KEY.Key_F, KEY.Key_J):
        press(driver, key)
    assert driver.window.isVisible()
    np.testing.assert_array_equal(driver.pixels(), before)


def test_arrows_go_through_channels(driver) -> None:
    driver.workspace.show(volume_scene())
    item = driver.scene["ball"]
    press(driver, KEY.Key_Right)
    assert (item.mode, item.slices.channel) == (VolumeMode.SLICES, 4)
    press(driver, KEY.Key_Right)
    assert item.slices.channel == 5
    for _ in range(12):
        press(driver, KEY.Key_Left)
    assert item.slices.channel == 0, "they end at the first"


def test_c_and_b_of_a_network(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    bundle, units = driver.scene["bundle"], driver.scene["units"]
    before = driver.pixels()
    press(driver, KEY.Key_B)
    assert bundle.blend == 0
    assert np.abs(driver.pixels() - before).max() > 30
    press(driver, KEY.Key_B)
    assert bundle.blend == 1
    shown = []
    for _ in range(6):
        press(driver, KEY.Key_C)
        assert bundle.shown_class == units.shown_class
        shown.append(bundle.shown_class)
    assert shown == ["none", 0, 1, 2, 3, "all"]


def test_x_clips_and_unclips(driver) -> None:
    driver.workspace.show(volume_scene())
    before = driver.pixels()
    press(driver, KEY.Key_X)
    assert driver.scene["ball"].clip_box.column == (0, 5)
    assert ink(driver.pixels()) < ink(before)
    press(driver, KEY.Key_X)
    assert driver.scene["ball"].clip_box == ClipBox()


def test_pages_and_space_belong_to_the_view_alone(driver) -> None:
    scene = volume_scene()
    scene.add_volume(scene["ball"].data, name="second", visible=False)
    driver.workspace.show(scene)
    driver.settle()
    press(driver, KEY.Key_PageDown)
    assert [item.visible for item in scene] == [False, True], "of volumes seen one at a time, the next is seen"
    assert driver.workspace.item.name == "second"
    press(driver, KEY.Key_PageUp)
    assert [item.visible for item in scene] == [True, False]


def test_files_dropped_on_the_window_are_opened(driver, tmp_path) -> None:
    path = cnnvis.save(volume_scene(), tmp_path / "dropped.json")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    place, left = QPoint(100, 100), Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(place, Qt.DropAction.CopyAction, data, left, NONE)
    QApplication.sendEvent(driver.window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(driver.window, QDropEvent(place, Qt.DropAction.CopyAction, data, left, NONE))
    driver.settle()
    assert driver.workspace.path == path
    assert "ball" in driver.scene
    assert driver.window.windowTitle().startswith("dropped.json")
    assert driver.window.settings.recent == [path]


def test_what_cannot_be_opened_says_why_and_leaves_what_was_there(driver, tmp_path) -> None:
    scene = volume_scene()
    driver.workspace.show(scene)
    broken = tmp_path / "broken.json"
    broken.write_text('{"version": 1, "items"')
    for path, kind in [(broken, FileFormatError), (tmp_path / "none.vti", MissingFileError)]:
        driver.window.files.open([path])
        driver.settle()
        assert driver.scene is scene
        (_, error), driver.problems[:] = driver.problems[-1], []
        assert isinstance(error, kind)
        assert path.name in str(error)
        boxes = driver.window.findChildren(QMessageBox)
        assert str(error) in [box.text() for box in boxes]
        assert path.name in driver.window.log.toPlainText()
        for box in boxes:
            box.close()


def test_an_error_in_a_command_is_told_and_the_window_lives_on(driver, monkeypatch) -> None:
    driver.workspace.show(volume_scene())

    def fail() -> None:
        raise InvalidInputError("There is no such thing.")

    monkeypatch.setattr(driver.window, "toggle_rotation", fail)
    press(driver, KEY.Key_H)
    assert [str(error) for _, error in driver.problems] == ["There is no such thing."]
    driver.problems.clear()
    press(driver, KEY.Key_1)
    assert driver.scene.camera.view is View.FRONT


def test_saved_here_rendered_headless_to_the_same_picture(driver, tmp_path) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.drag((200, 200), (230, 260))
    driver.scene["bundle"].shown_class = 2
    shown = driver.pixels()
    path = tmp_path / "kept.json"
    driver.window.files.save_to(path)
    driver.settle()
    np.testing.assert_array_equal(shown, cnnvis.render(cnnvis.load(path)))  # in the size that was seen
    assert driver.scene.size is None  # the scene that is open stays as it is


def test_panes_saved_here_stand_the_same_when_rendered_headless(driver, tmp_path) -> None:
    """In a picture of another shape they would stand side by side."""
    driver.workspace.show(SceneGrid([volume_scene(), volume_scene()]))
    driver.window.resize(900, 900)
    shown = driver.pixels()
    assert shown.shape[0] > 1.2 * shown.shape[1]
    path = tmp_path / "kept.json"
    driver.window.files.save_to(path)
    driver.settle()
    np.testing.assert_array_equal(shown, cnnvis.render(cnnvis.load(path)))


def test_what_is_typed_in_a_list_chooses_there_and_is_no_shortcut(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.press(Qt.Key.Key_P, Qt.KeyboardModifier.ShiftModifier)
    classes = driver.window.ask.classes
    assert QApplication.focusWidget() is classes
    camera, shown = driver.scene.camera.model_dump(), driver.scene["bundle"].shown_class
    QTest.keyClick(classes, Qt.Key.Key_3)
    driver.settle()
    assert classes.currentText() == "3"
    assert driver.scene.camera.model_dump() == camera
    assert driver.scene["bundle"].shown_class == shown
    QTest.keyClick(classes, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)  # with Ctrl it is one
    driver.press(Qt.Key.Key_3)
    assert driver.scene.camera.model_dump() != camera  # and in the view


def test_pointing_at_what_has_much_to_say_leaves_the_window_its_size(driver) -> None:
    driver.workspace.show(volume_scene())
    driver.settle()
    before = driver.window.width()
    driver.window.status.show_under_cursor("layer " * 200)
    driver.settle()
    assert driver.window.width() == before
    assert driver.window.minimumSizeHint().width() <= before


def test_a_picture_of_the_whole_window_and_exit_code(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CNNVIS_SETTINGS", str(tmp_path / "settings"))
    path = cnnvis.save(volume_scene(), tmp_path / "scene.json")
    assert run([path], screenshot=tmp_path / "window.png") == 0
    from PIL import Image

    picture = np.asarray(Image.open(tmp_path / "window.png").convert("RGB")).astype(int)
    assert picture.shape == (800, 1280, 3)
    view = picture[150:550, 300:900]
    assert np.ptp(view, axis=2).max() > 60, "the colours of the volume are in it"
    assert run([tmp_path / "missing.vti"], screenshot=tmp_path / "none.png") == 1


def test_show_opens_a_window_on_the_very_scene(qtbot, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CNNVIS_SETTINGS", str(tmp_path))
    scene, seen = volume_scene(), []

    def change_and_close() -> None:
        (window,) = [
            each for each in QApplication.topLevelWidgets() if isinstance(each, ViewerWindow) and each.isVisible()
        ]
        seen.append(window.workspace.target)
        window.commands.run("camera.position_1")
        window.close()

    QTimer.singleShot(500, change_and_close)
    assert show(scene) is None
    assert seen == [scene]
    assert scene.camera.view is View.FRONT


def test_show_ends_with_its_own_window_whatever_else_is_open(open_driver, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CNNVIS_SETTINGS", str(tmp_path))
    other = open_driver().window

    def close() -> None:
        (window,) = [
            each
            for each in QApplication.topLevelWidgets()
            if isinstance(each, ViewerWindow) and each.isVisible() and each is not other
        ]
        window.close()

    QTimer.singleShot(500, close)
    latest = QTimer(singleShot=True, interval=10_000)
    latest.timeout.connect(other.close)
    latest.start()
    assert show(volume_scene()) is None
    assert other.isVisible()
    latest.stop()


def test_layout_theme_and_recent_files_are_remembered(open_driver, settings, tmp_path) -> None:
    first = open_driver()
    first.window.toggle_dock("log")
    hidden = first.window.docks["scene"]
    hidden.close()
    first.window.toggle_theme()
    assert first.scene.background == "dark"
    settings.add_recent(cnnvis.save(volume_scene(), tmp_path / "a.json"))
    first.window.close()
    second = open_driver()
    assert not second.window.docks["scene"].isVisible()
    assert second.window.theme == "dark"
    assert second.window.start_page.recent.item(0).text() == "a.json"
    second.window.toggle_theme()


def test_settings_survive_nonsense(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    settings._store.setValue("recent", "{nonsense")
    settings._store.setValue("keys", "[1, 2]")
    settings._store.setValue("geometry", 7)
    assert settings.recent == []
    assert settings.keys == {}
    assert settings.layout == (None, None)


def test_keys_can_be_changed_and_are_remembered(open_driver) -> None:
    first = open_driver()
    first.workspace.show(volume_scene())
    press(first, KEY.Key_F1)
    dialog = first.window.findChild(QDialog)
    rows = [dialog.list.topLevelItem(group) for group in range(dialog.list.topLevelItemCount())]
    commands = {group.child(index).text(0): group.child(index) for group in rows for index in range(group.childCount())}
    dialog.list.setCurrentItem(commands["Turn by itself"])
    QTest.keyClick(dialog.edit, KEY.Key_R)
    QTest.mouseClick(dialog.assign, Qt.MouseButton.LeftButton)
    assert "belongs to" in dialog.said.text()
    QTest.keyClick(dialog.edit, KEY.Key_J)
    QTest.qWait(1200)  # the editor waits for a second key
    dialog.edit.setKeySequence("J")
    QTest.mouseClick(dialog.assign, Qt.MouseButton.LeftButton)
    dialog.close()
    press(first, KEY.Key_J)
    assert first.window.rotating
    press(first, KEY.Key_H)
    assert first.window.rotating, "the old key means nothing any more"
    first.window.close()
    second = open_driver()
    assert second.window.commands.keys("camera.rotate") == "J"


def test_no_two_commands_share_keys(driver) -> None:
    commands = driver.window.commands
    keys = [key for name in commands.commands for key in commands.keys(name).split("; ") if key]
    assert len(keys) == len(set(keys))


def test_closing_while_something_runs_ends_cleanly(open_driver) -> None:
    driver = open_driver()
    driver.workspace.show(volume_scene())
    stopped = []

    def work(tell) -> None:
        try:
            while True:
                tell.progress(0, 0)
                time.sleep(0.001)
        finally:
            stopped.append(True)

    driver.workspace.jobs.run("endless", work, print)
    QTest.qWait(50)
    assert driver.window.status.stop.isVisible()
    driver.window.close()
    assert stopped == [True]


def test_while_a_job_runs_only_rough_frames_are_drawn(driver) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.settle()
    driver.window.canvas._full_seconds = 1.0  # as of a large network
    kinds: list[bool] = []
    driver.window.canvas.painted.connect(kinds.append)
    going = [True]

    def work(tell) -> None:
        while going[0]:
            tell.progress(0, 0)
            time.sleep(0.001)

    driver.workspace.jobs.run("work", work, lambda _: None)
    driver.scene["bundle"].blend = 0.5
    QTest.qWait(500)
    assert kinds
    assert not any(kinds)
    going[0] = False
    driver.settle()
    assert kinds[-1]


def test_examples_on_the_start_page_name_networks_that_come_along(driver) -> None:
    from cnnvis.models.bundled import BUNDLED

    assert driver.window.start_page.isVisible()
    for name, button in driver.window.start_page.examples.items():
        assert EXAMPLES[name].model in BUNDLED
        assert button.toolTip()


def test_show_refuses_networks_that_do_not_fit(driver) -> None:
    with pytest.raises(InvalidInputError, match="1 scenes"):
        driver.workspace.show(volume_scene(), [None, None])


def test_an_empty_scene_is_drawn(driver) -> None:
    driver.workspace.show(Scene(camera=Camera(azimuth=10)))
    assert ink(driver.pixels()) < 0.01
    for key in (KEY.Key_Right, KEY.Key_PageDown, KEY.Key_C, KEY.Key_B, KEY.Key_X, KEY.Key_Space, KEY.Key_Escape):
        press(driver, key)
