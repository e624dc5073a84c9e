"""A training in the window: opened, scrubbed through, seen otherwise, followed; and what goes wrong."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog
from test_reach import controls, lacks, letters
from watched_run import SAMPLES, Training

import cnnvis
from cnnvis.core.pictures import as_picture
from cnnvis.scene import Scene, TilesItem
from cnnvis.scene.run_view import RunLook
from cnnvis.viewer.runs import bench as bench_module

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A training of three epochs, finished."""
    path = tmp_path_factory.mktemp("runs") / "done"
    Training(path).epochs(3).end()
    return path


@pytest.fixture
def driver(open_driver, monkeypatch):
    monkeypatch.setattr(bench_module, "LOOK_MS", 20)
    return open_driver()


@pytest.fixture
def messages(driver):
    said = []
    driver.workspace.message.connect(said.append)
    return said


def opened(driver, path):
    driver.window.files.open([path])
    driver.settle()
    return driver.window.timeline.run


def copied(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def press(widget, key):
    widget.setFocus()
    QTest.keyClick(widget, key)
    QApplication.processEvents()


def place_of(curve, step):
    """The pixel of the viewport above a step."""
    view = curve.plotItem.vb
    middle = view.viewRange()[1]
    return curve.mapFromScene(view.mapViewToScene(QPointF(step, sum(middle) / 2)))


# -- opened, and looked at -----------------------------------------------------------------------


@pytest.mark.parametrize("way", ["its run.json", "the command for folders"])
def test_a_run_opens_at_its_newest_epoch(driver, folder, messages, monkeypatch, way) -> None:
    if way == "its run.json":
        panel = opened(driver, folder / "run.json")
    else:
        monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
        driver.window.commands.run("file.training")
        driver.settle()
        panel = driver.window.timeline.run
    scene, window = driver.scene, driver.window
    assert panel.bench.epochs == (0, 1, 2, 3)
    assert panel.bench.epoch == 3
    assert [scene.series.axis, scene.items[0].name] == ["epoch", "2"]
    assert (window.timeline.slider.maximum(), window.timeline.slider.value()) == (3, 3)
    assert "finished" in panel.state.text()
    assert not panel.follow.value
    assert window.settings.recent[0] == folder.resolve()
    plots = (panel.loss.viewport(), panel.accuracy.viewport())
    for part in (panel, panel.look, panel.layer, panel.sample, *plots, panel.picture):
        assert not part.visibleRegion().isEmpty(), part
    assert messages[-1].endswith("done")
    assert not [each for widget in controls(panel) for each in lacks(widget, panel)]
    assert not letters(panel)


def test_the_slider_goes_through_the_epochs(driver, folder) -> None:
    panel = opened(driver, folder)
    newest, text = driver.pixels(), panel.answer.text()
    press(driver.window.timeline.slider, Qt.Key.Key_Home)
    assert panel.bench.epoch == 0
    assert [curve._now.value() for curve in (panel.loss, panel.accuracy)] == [0, 0]
    assert (driver.pixels() != newest).any()
    assert panel.answer.text() != text
    press(driver.window.timeline.slider, Qt.Key.Key_Right)
    assert panel.bench.epoch == 1
    assert panel.loss._now.value() == 3, "steps until then"
    checkpoint = panel.bench.run.checkpoints[1]
    taken = ("cat", "dog")[checkpoint.predicted[panel.bench.view.sample]]
    assert f"taken for <b>{taken}</b>" in panel.answer.text()
    driver.workspace.history.undo()
    assert panel.bench.epoch == 3


def test_a_click_and_a_drag_in_a_curve_go_to_an_epoch(driver, folder) -> None:
    panel = opened(driver, folder)
    curve = panel.loss
    QTest.mouseClick(curve.viewport(), LEFT, pos=place_of(curve, 3.4))
    assert panel.bench.epoch == 1
    assert driver.window.timeline.slider.value() == 1
    QTest.mousePress(curve.viewport(), LEFT, pos=place_of(curve, 3))
    at = place_of(curve, 5.8)
    none, keys = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(curve.viewport(), QMouseEvent(QEvent.Type.MouseMove, QPointF(at), none, LEFT, keys))
    assert panel.bench.epoch == 2
    QTest.mouseRelease(curve.viewport(), LEFT, pos=at)
    QApplication.sendEvent(
        curve.viewport(), QMouseEvent(QEvent.Type.MouseMove, QPointF(place_of(curve, 0)), none, none, keys)
    )
    assert panel.bench.epoch == 2, "the button is not held any more"
    assert panel.accuracy._now.value() == 6


def test_what_is_drawn_are_the_values_of_the_run(driver, folder) -> None:
    panel = opened(driver, folder)
    run = cnnvis.load(folder)
    press(panel.sample, Qt.Key.Key_End)
    driver.settle()
    assert panel.bench.view.sample == 2
    item = driver.scene.items[0]
    for epoch, volume in zip(run.epochs, driver.scene.frames["2"], strict=True):
        maps = run.recording(epoch)["2"].activations[2]
        np.testing.assert_array_equal(volume.values[volume.inverse], maps)
        np.testing.assert_array_equal(volume.channels, item.data.channels)
    every = np.stack([volume.values for volume in driver.scene.frames["2"]])
    assert item.transfer.span == pytest.approx(item.transfer.with_changes(span=None).span_of(every))
    drawn = panel.picture.pixmap().toImage().pixelColor(40, 40).red()
    expected = as_picture(SAMPLES[2].numpy())[40 * 10 // 84, 40 * 10 // 84, 0]
    assert abs(drawn - int(expected)) < 12
    x, y = panel.accuracy._epochs.getData()
    np.testing.assert_array_equal(x, [3, 6, 9])
    np.testing.assert_allclose(y, [0.5, 0.75, 0.875])


def test_another_sample_layer_and_look_are_steps_of_undo(driver, folder) -> None:
    panel = opened(driver, folder)
    bench, history = panel.bench, driver.workspace.history
    first = bench.view
    driver.scene.items[0].opacity = 0.7
    history.commit()
    press(panel.sample, Qt.Key.Key_End)
    driver.settle()
    history.commit()
    press(panel.layer, Qt.Key.Key_Up)
    driver.settle()
    history.commit()
    assert driver.scene.items[0].data.layer == "0"
    assert driver.scene.items[0].opacity == 0.7, "it looks as the other one did"
    press(panel.look, Qt.Key.Key_Down)
    pixels = driver.pixels()
    item = driver.scene.items[0]
    assert isinstance(item, TilesItem)
    assert driver.workspace.item is item
    assert not panel.layer.isEnabled()
    assert len({tuple(maps.limits) for maps in driver.scene.frames[item.name]}) == 1
    assert item.data.layers[1:] == ("0", "2", "4"), "an input, and what was recorded: its code is not known"
    driver.window.timeline.slider.setValue(0)
    assert (driver.pixels() != pixels).any()
    for layer, sample in (("0", 2), ("0", 2), ("2", 2), ("2", first.sample)):  # epoch, look, layer, sample
        history.undo()
        driver.settle()
        assert (bench.view.layer, bench.view.sample) == (layer, sample)
    assert (panel.look.value, panel.layer.value, panel.sample.value()) == ("layer", "2", first.sample)
    history.redo()
    driver.settle()
    assert panel.sample.value() == 2
    assert driver.scene.items[0].opacity == 0.7


def test_a_scene_of_a_training_is_saved_and_copied_as_python(driver, folder, tmp_path) -> None:
    opened(driver, folder)
    driver.window.timeline.slider.setValue(2)
    driver.window.files.save_to(tmp_path / "scene.json")
    driver.settle()
    saved = cnnvis.load(tmp_path / "scene.json")
    assert saved.series == driver.scene.series
    driver.window.exports.copy_python()
    text = QApplication.clipboard().text()
    assert "scene.frame = 2" in text
    assert "first" not in text.splitlines()[0]


# -- followed ------------------------------------------------------------------------------------


def test_a_training_is_followed_until_it_ends(driver, qtbot, tmp_path, messages) -> None:
    training = Training(tmp_path / "run").epochs(1)
    qtbot.waitUntil(lambda: cnnvis.load(tmp_path / "run").epochs == (0, 1))
    panel = opened(driver, tmp_path / "run")
    bench, slider = panel.bench, driver.window.timeline.slider
    assert panel.follow.value
    assert "goes on" in panel.state.text()
    training.epochs(1)
    qtbot.waitUntil(lambda: bench.epochs == (0, 1, 2))
    assert (bench.epoch, slider.maximum()) == (2, 2), "it was at the newest, and stays there"
    assert len(panel.loss._steps.getOriginalDataset()[0]) == 6
    order = driver.scene.items[0].data.channels
    slider.setValue(1)
    training.epochs(2)
    qtbot.waitUntil(lambda: bench.epochs == (0, 1, 2, 3, 4))
    assert (bench.epoch, slider.value()) == (1, 1), "it was elsewhere, and stays there"
    np.testing.assert_array_equal(driver.scene.frames["2"][4].channels, order)
    every = np.stack([volume.values for volume in driver.scene.frames["2"]])
    transfer = driver.scene.items[0].transfer
    assert transfer.span == pytest.approx(transfer.with_changes(span=None).span_of(every)), "grown with the values"
    driver.workspace.history.undo()
    driver.settle()
    assert (bench.epochs, bench.epoch) == ((0, 1, 2, 3, 4), 2), "undo takes the move back, but no epoch"
    QTest.mouseClick(panel.follow, LEFT, pos=QPoint(8, panel.follow.height() // 2))
    assert not bench.is_followed
    training.epochs(1)
    QTest.qWait(150)
    assert bench.epochs[-1] == 4
    QTest.mouseClick(panel.follow, LEFT, pos=QPoint(8, panel.follow.height() // 2))
    qtbot.waitUntil(lambda: bench.epochs[-1] == 5)
    training.end()
    qtbot.waitUntil(lambda: not bench.is_followed)
    assert not panel.follow.value
    assert panel.state.text() == messages[-1] == "The training has finished."


def test_a_training_that_was_killed_says_so_and_stays(driver, tmp_path, qtbot) -> None:
    Training(tmp_path / "run").epochs(2).die()
    panel = opened(driver, tmp_path / "run")
    assert panel.bench.is_followed
    os.utime(tmp_path / "run" / "alive", (0, 0))
    qtbot.waitUntil(lambda: not panel.bench.is_followed)
    assert "may have been killed" in panel.state.text()
    panel.bench.choose(sample=1)
    driver.settle()
    driver.window.timeline.slider.setValue(0)
    assert panel.bench.epoch == 0


def test_a_run_that_is_deleted_can_still_be_looked_at(driver, tmp_path, qtbot, messages) -> None:
    Training(tmp_path / "run").epochs(2).die()
    panel = opened(driver, tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    qtbot.waitUntil(lambda: not panel.bench.is_followed)
    assert "no run.json" in panel.state.text()
    assert "can still be seen" in messages[-1]
    driver.window.timeline.slider.setValue(0)
    panel.bench.choose(layer="0", sample=2)
    driver.settle()
    assert driver.scene.items[0].data.layer == "0", "its recordings were kept"
    panel.bench.follow(True)
    qtbot.waitUntil(lambda: not panel.bench.is_followed)


def test_another_training_in_the_same_folder_is_opened_anew(driver, tmp_path, qtbot, messages) -> None:
    Training(tmp_path / "run").epochs(2).die()
    panel = opened(driver, tmp_path / "run")
    second = Training(tmp_path / "run", name="other", overwrite=True)
    qtbot.waitUntil(lambda: driver.window.timeline.run is not panel)
    qtbot.waitUntil(lambda: driver.window.timeline.run.bench.epochs == (0,))
    assert driver.window.timeline.run.bench.run.facts.name == "other"
    assert any("Another training" in text for text in messages)
    second.end()


def test_something_else_that_is_opened_ends_following(driver, tmp_path, qtbot) -> None:
    training = Training(tmp_path / "run").epochs(1)
    panel = opened(driver, tmp_path / "run")
    qtbot.waitUntil(lambda: panel.bench.epochs == (0, 1))
    driver.workspace.show(Scene())
    assert not panel.bench.is_followed
    assert not driver.window.timeline.area.isVisible()
    training.epochs(1).end()
    QTest.qWait(100)
    assert driver.scene.items == ()


# -- what is damaged -----------------------------------------------------------------------------


def test_a_damaged_recording_is_left_out_and_named(driver, folder, tmp_path, messages) -> None:
    path = copied(folder, tmp_path)
    piece = path / "recordings" / "000002.safetensors"
    piece.write_bytes(bytes(piece.stat().st_size))  # the size is right
    panel = opened(driver, path)
    assert panel.bench.epochs == (0, 1, 3)
    assert "1 left out" in panel.state.text()
    assert "epoch 2 is left out" in panel.state.toolTip()
    panel.bench.choose(look=RunLook.NETWORK)
    driver.settle()
    assert panel.bench.epochs == (0, 1, 3)
    QTest.mouseClick(panel.loss.viewport(), LEFT, pos=place_of(panel.loss, 6.4))
    assert panel.bench.epoch == 3, "the nearest that can be seen"


def test_a_run_without_an_epoch_waits_for_one(driver, tmp_path, qtbot) -> None:
    training = Training(tmp_path / "run")
    qtbot.waitUntil((tmp_path / "run" / "recordings" / "000000.safetensors").exists)
    qtbot.waitUntil(lambda: cnnvis.load(tmp_path / "run").epochs == (0,))
    (tmp_path / "run" / "recordings" / "000000.safetensors").unlink()
    panel = opened(driver, tmp_path / "run")
    assert panel.bench.epochs == ()
    assert "no epoch to see yet" in panel.answer.text()
    QTest.mouseClick(panel.loss.viewport(), LEFT, pos=QPoint(80, 40))  # nowhere to go
    training.epochs(1).end()
    qtbot.waitUntil(lambda: panel.bench.epochs == (1,))
    driver.settle()
    assert driver.scene.items[0].data.layer == "2"
    driver.workspace.history.undo()
    assert panel.bench.epochs == (1,)


def test_a_damaged_manifest_is_a_message(driver, folder, tmp_path) -> None:
    path = copied(folder, tmp_path)
    (path / "run.json").write_text("{")
    opened(driver, path)
    [(_, error)] = driver.problems
    driver.problems.clear()
    assert "run.json" in str(error)
    assert driver.window.timeline.run is None


def test_an_architecture_that_does_not_fit_is_a_message(driver, folder) -> None:
    driver.window.files.open([folder], ("fashion-cnn", None))
    driver.settle()
    [(_, error)] = driver.problems
    driver.problems.clear()
    assert "fit" in str(error) or "shape" in str(error), error


def test_accuracy_of_some_epochs_only_is_drawn_without_a_warning(driver, tmp_path, recwarn) -> None:
    training = Training(tmp_path / "run")
    for accuracy in (None, 0.5):
        training.watcher.epoch(accuracy=accuracy)
    training.end()
    panel = opened(driver, tmp_path / "run")
    assert panel.accuracy.isVisible()
    assert not panel.loss.isVisible(), "none was measured"
    np.testing.assert_array_equal(panel.accuracy._epochs.getData()[1], [0.5])
    assert not [each for each in recwarn if "NaN" in str(each.message)]
