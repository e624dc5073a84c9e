"""A session that is not closed leaves what it had open; one that is closed leaves nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.viewer.autosave import lost_sessions

pytestmark = pytest.mark.qt


def ended_process() -> int:
    """The number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_what_was_open_comes_back(open_driver, settings) -> None:
    first = open_driver()
    scene = network_scene()
    first.workspace.show(scene, random_network())
    scene["bundle"].blend = 0.25
    scene.camera.azimuth = 77
    first.window.autosave.save()
    first.settle()
    left = first.window.autosave.folder
    assert lost_sessions(settings.autosave_folder) == [], "this session is alive"
    left.rename(left.with_name(str(ended_process())))  # as if it had crashed

    second = open_driver()
    button = second.window.start_page.restore
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    second.settle()
    assert second.scene["bundle"].blend == 0.25
    assert second.scene.camera.azimuth == 77
    assert second.workspace.network.edges.caption == random_network().edges.caption
    assert lost_sessions(settings.autosave_folder) == []


def test_a_session_that_is_closed_leaves_nothing(open_driver, settings) -> None:
    driver = open_driver()
    driver.workspace.show(volume_scene())
    driver.window.autosave.save()
    driver.settle()
    assert driver.window.autosave.folder.is_dir()
    driver.window.close()
    assert not driver.window.autosave.folder.exists()
    assert not open_driver().window.start_page.restore.isVisible()


def test_changes_are_kept_after_a_rest(driver) -> None:
    driver.window.autosave._rest.setInterval(50)
    driver.workspace.show(volume_scene())
    driver.scene["ball"].opacity = 0.5
    QTest.qWait(80)
    driver.settle()
    assert (driver.window.autosave.folder / "scene.json").is_file()


def test_folders_of_others_are_left_alone(settings) -> None:
    strange = settings.autosave_folder / "notes"
    strange.mkdir(parents=True)
    (strange / "scene.json").write_text("{}")
    assert lost_sessions(settings.autosave_folder) == []
