"""What takes long of a picture is made in a thread; until then the last one stays, and what is stale is dropped."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from qtpy.QtTest import QTest
from viewer_scenes import network_scene, random_network

import cnnvis
from cnnvis.core import PolylineSet
from cnnvis.rendering import network_actor, network_prepared, scene_renderer
from cnnvis.viewer import preparing
from cnnvis.viewer.network_work import NetworkWork

pytestmark = pytest.mark.qt

GUI = threading.main_thread()


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Let every network be one that takes long."""
    monkeypatch.setattr(scene_renderer, "LARGE", 0)


@pytest.fixture
def builders(monkeypatch) -> list[threading.Thread]:
    """The threads that build geometry, in their order."""
    threads: list[threading.Thread] = []
    for module in (network_actor, network_prepared):

        def noted(items, build=module.network_geometry):
            if items:
                threads.append(threading.current_thread())
            return build(items)

        monkeypatch.setattr(module, "network_geometry", noted)
    return threads


def moved(lines: PolylineSet, by: float) -> PolylineSet:
    return PolylineSet(lines.points + np.float32(by), lines.offsets, lines.point_arrays, lines.line_arrays)


def headless(driver) -> np.ndarray:
    height, width = driver.window.canvas.pixels().shape[:2]
    return cnnvis.render(driver.scene, size=(width, height))


def test_a_network_is_built_in_a_thread_and_looks_as_it_does_headless(driver, builders) -> None:
    driver.workspace.show(network_scene(), random_network())
    pixels = driver.pixels()
    assert len(builders) == 1
    assert builders[0] is not GUI
    np.testing.assert_array_equal(pixels, headless(driver))


def test_all_of_a_bundling_is_built_in_threads(driver, builders) -> None:
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    work = NetworkWork.of(driver.workspace)
    work.rebundle({**random_network().parameters, "hubs": 3})
    after = driver.pixels()
    driver.workspace.history.undo()
    np.testing.assert_array_equal(driver.pixels(), before)
    assert (after != before).any()
    assert len(builders) >= 3
    assert GUI not in builders


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Keeps threads from building until it is set."""
    opened, make = threading.Event(), preparing.prepared_network

    def prepared(items):
        assert opened.wait(60)
        return make(items)

    monkeypatch.setattr(preparing, "prepared_network", prepared)
    return opened


def test_the_last_picture_stays_until_the_next_is_ready_and_the_newest_data_win(driver, gate, builders) -> None:
    gate.set()
    driver.workspace.show(network_scene(), random_network())
    before = driver.pixels()
    gate.clear()
    item = driver.scene["bundle"]
    for by in (0.1, 0.2, 0.3):
        item.data = moved(item.data, by)
        QTest.qWait(30)
    np.testing.assert_array_equal(driver.window.canvas.pixels(), before)
    assert not driver.window.canvas.resting
    driver.scene.camera.azimuth += 20
    QTest.qWait(60)
    assert (driver.window.canvas.pixels() != before).any(), "the last picture can be turned"
    gate.set()
    after = driver.pixels()
    assert len(builders) == 3, "the first of them was being built, and the second is out of date"
    assert GUI not in builders
    np.testing.assert_array_equal(after, headless(driver))


def test_something_else_that_is_opened_meanwhile_is_what_is_shown(driver, gate) -> None:
    driver.workspace.show(network_scene(), random_network())
    QTest.qWait(30)
    driver.workspace.show(network_scene(), random_network())
    driver.scene["bundle"].size = 0.5
    QTest.qWait(30)
    gate.set()
    np.testing.assert_array_equal(driver.pixels(), headless(driver))


def test_what_was_stopped_is_built_all_the_same(driver, gate) -> None:
    driver.workspace.show(network_scene(), random_network())
    QTest.qWait(30)
    driver.window.status.stop.click()
    gate.set()
    np.testing.assert_array_equal(driver.pixels(), headless(driver))


def test_what_a_thread_fails_to_build_is_told_once(driver, monkeypatch) -> None:
    def fail(_):
        raise MemoryError("no room")

    monkeypatch.setattr(preparing, "prepared_network", fail)
    driver.workspace.show(network_scene(), random_network())
    np.testing.assert_array_equal(driver.pixels(), headless(driver))
    assert [(what, str(error)) for what, error in driver.problems] == [("Building the picture", "no room")]
    driver.problems.clear()
