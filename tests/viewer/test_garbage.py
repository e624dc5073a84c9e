"""Rings of objects are freed in the GUI thread, whatever threads make meanwhile."""

import gc
import threading
import weakref

import pytest
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QWidget
from viewer_scenes import network_scene, random_network, volume_scene

from cnnvis.viewer.garbage import GuiCollector
from cnnvis.viewer.garbage import collector as the_collector
from cnnvis.viewer.jobs import Jobs
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt


class Ring:
    """Refers to itself, and notes in which thread it was freed."""

    def __init__(self, freed):
        self.itself = self
        weakref.finalize(self, lambda: freed.append(threading.current_thread()))


def make_objects(tell):
    """What lets Python collect many times over."""
    kept = []
    for done in range(300):
        tell.progress(done, 300)
        kept.append([[] for _ in range(1000)])
    return kept


@pytest.fixture
def python_collects(qtbot):
    """As in a program before its first window; the tests' own hold on the collector waits."""
    gc.enable()
    gc.unfreeze()
    yield
    gc.disable()


@pytest.fixture
def collector(python_collects):
    collector = GuiCollector()
    collector.begin()
    yield collector
    collector.end()


@pytest.fixture
def jobs(qtbot):
    jobs = Jobs()
    yield jobs
    jobs.close()


def test_what_threads_make_lets_nothing_of_the_window_be_freed_there(collector, jobs, qtbot):
    freed, kept = [], []
    qtbot.wait(300)  # what was there before is put aside
    for _ in range(20):
        Ring(freed)
    with qtbot.waitSignal(jobs.ended, timeout=20_000):
        jobs.run("objects", make_objects, kept.extend)  # as long as they are there, a collection is due
    qtbot.waitUntil(lambda: len(freed) == 20)
    assert set(freed) == {threading.main_thread()}


def test_no_thread_of_a_library_collects_either(collector, qtbot):
    freed, made = [], []
    qtbot.wait(300)
    for _ in range(20):
        Ring(freed)
    thread = threading.Thread(target=lambda: made.extend([] for _ in range(300_000)))
    thread.start()
    thread.join()
    assert freed == []
    qtbot.waitUntil(lambda: len(freed) == 20)
    assert set(freed) == {threading.main_thread()}


def test_python_collects_again_when_the_last_holder_has_let_go(python_collects):
    collector = GuiCollector()
    collector.begin()
    collector.begin()
    collector.end()
    assert not gc.isenabled()
    collector.end()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_who_had_switched_it_off_finds_it_off(python_collects):
    gc.disable()
    collector = GuiCollector()
    collector.begin()
    collector.end()
    assert not gc.isenabled()


def test_a_workspace_holds_it_until_it_is_closed(qtbot):
    before = the_collector()._n_holders
    workspace = Workspace()
    assert the_collector()._n_holders == before + 1
    workspace.close()
    workspace.close()
    assert the_collector()._n_holders == before


def made_by_qt() -> dict[int, str]:
    """The objects that Python keeps of widgets that it has not made, by id."""
    sip = pytest.importorskip("PyQt5.sip", reason="of PyQt5")
    gc.unfreeze()
    gc.collect()
    parts = [each for each in gc.get_objects() if issubclass(type(each), QWidget | QAction)]
    return {id(each): type(each).__name__ for each in parts if not sip.ispycreated(each)}


def test_nothing_is_kept_of_widgets_that_qt_has_made_for_itself(open_driver) -> None:
    """PyQt does not hear of their end, and takes what it has kept of them for what comes to lie in their place."""
    before = made_by_qt()
    driver = open_driver()
    for scene, network in ((network_scene(), random_network()), (volume_scene(), None)):
        driver.workspace.show(scene, network)
        for dock in driver.window.docks.values():
            dock.raise_()
            driver.settle()
    kept = made_by_qt()
    assert sorted(kept[each] for each in kept.keys() - before.keys()) == []
