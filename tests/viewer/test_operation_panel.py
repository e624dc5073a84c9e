"""One operation explained in the window: clicked, chosen, played, its channel scaled."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from test_pointing_at_tiles import middle_of_tile
from viewer_scenes import volume_scene

import cnnvis

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def opened(driver):
    """A window with fashion-cnn as tiles, and its operations."""
    driver.window.resize(1100, 800)
    driver.window.files.open_model("fashion-cnn", tiles=True)
    driver.settle()
    driver.press(Qt.Key.Key_E, CTRL)
    driver.settle()
    return driver


def seen(panel) -> np.ndarray:
    """The pixels of the picture of the operation, (H, W, 3)."""
    image = panel.picture.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits().asstring(image.byteCount()), np.uint8)
    return lines.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()].astype(int)


def place_of(panel) -> tuple:
    return panel.bench.operation.layer, panel.bench.channel, panel.bench.position


def test_the_network_that_is_open_is_explained_with_the_image_that_is_shown(opened):
    panel = opened.window.operation
    assert opened.window.docks["operation"].isVisible()
    assert panel.state.text() == "fashion-cnn looks at fashion-mnist test 0000."
    assert panel.layer.value == "conv1"
    (item,) = opened.scene
    np.testing.assert_array_equal(panel.bench.subject.inputs[0].numpy(), item.data.values[0])
    assert seen(panel).shape[0] > 200
    assert len(np.unique(seen(panel))) > 50
    assert panel.answer.lines()[0] == ("Ankle boot", pytest.approx(1, abs=0.01), True)


def test_a_pixel_that_is_clicked_is_explained(opened):
    panel = opened.window.operation
    (item,) = opened.scene
    at = middle_of_tile(opened, item.data.units.id("pool1", 3))
    hits = []
    opened.window.pointing.hit.connect(hits.append)
    opened.click(at)
    opened.settle()
    layer, channel, position = place_of(panel)
    assert (layer, channel, position) == ("pool1", 3, (hits[0].row, hits[0].column))
    assert all(4 < index < 10 for index in position)
    assert (panel.row.value, panel.column.value) == position
    opened.click(middle_of_tile(opened, 0))  # of the input: nothing computes it
    opened.settle()
    assert place_of(panel) == (layer, channel, position)


def test_layers_channels_and_positions_are_chosen_and_played(opened):
    panel = opened.window.operation
    panel.layer.setFocus()
    QTest.keyClicks(panel.layer, "conv2")
    panel.layer.activated.emit(panel.layer.currentIndex())
    opened.settle()
    assert panel.bench.operation.layer == "conv2"
    assert panel.channel.box.maximum() == 31
    before = seen(panel)
    for field, value in ((panel.channel, "5"), (panel.row, "4"), (panel.column, "13")):
        field.box.setFocus()
        field.box.selectAll()
        QTest.keyClicks(field.box, value)
        QTest.keyClick(field.box, Qt.Key.Key_Return)
    assert place_of(panel) == ("conv2", 5, (4, 13))
    assert seen(panel).shape != before.shape or (seen(panel) != before).any()
    panel.timer.setInterval(1)
    QTest.mouseClick(panel.play, LEFT)
    started = time.monotonic()
    while panel.bench.position == (4, 13) and time.monotonic() - started < 10:
        QApplication.processEvents()
    QTest.mouseClick(panel.play, LEFT)
    assert panel.bench.position[0] >= 5  # the end of a row goes on with the next
    assert not panel.timer.isActive()


def test_a_channel_is_switched_off_and_the_answer_follows(opened):
    panel = opened.window.operation
    panel.explain("conv3", (20,))
    opened.settle()
    before = [line[1] for line in panel.answer.lines()]
    panel.factor.slider.setFocus()
    for _ in range(3):
        QTest.keyClick(panel.factor.slider, Qt.Key.Key_Home)
    opened.settle()
    assert panel.bench.factor == 0
    found = cnnvis.capture.scaled_probabilities(
        panel.bench.subject.network, panel.bench.subject.inputs, "conv3", 20, [0.0]
    )[0]
    np.testing.assert_allclose(panel.bench.probabilities, found)
    assert [line[1] for line in panel.answer.lines()] != before
    panel.layer.set_value("softmax")
    panel.bench.explain("softmax")
    opened.settle()
    assert not panel.factor.isEnabled()
    assert panel.bench.factor == 1


def test_ones_own_image(opened, tmp_path, monkeypatch):
    panel = opened.window.operation
    path = tmp_path / "mine.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)).save(path)
    monkeypatch.setattr("cnnvis.viewer.panels.operation.QFileDialog.getOpenFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(panel.own, LEFT)
    opened.settle()
    assert panel.state.text() == "fashion-cnn looks at mine.png."
    panel.explain("conv2")  # as a click does, which stays with that image
    opened.settle()
    assert panel.state.text() == "fashion-cnn looks at mine.png."


def test_a_file_that_is_no_image_is_a_sentence(opened, tmp_path):
    panel = opened.window.operation
    (tmp_path / "none.png").write_text("no picture")
    panel.bench.open(("fashion-cnn", None), str(tmp_path / "none.png"))
    opened.settle()
    (problem,) = opened.problems
    assert "none.png" in str(problem[1])
    opened.problems.clear()
    assert panel.bench.subject.image == "fashion-mnist test 0000"


def test_nothing_is_open_or_is_of_no_network(driver):
    said = []
    driver.workspace.message.connect(said.append)
    driver.workspace.show(volume_scene())
    driver.press(Qt.Key.Key_E, CTRL)
    driver.settle()
    assert any("open a model first" in text for text in said)
    assert not driver.window.operation.layer.isEnabled()


def test_it_draws_in_as_many_columns_as_there_is_room_for(opened):
    panel = opened.window.operation
    assert panel.picture._columns == 1
    opened.window.resize(1700, 800)
    opened.settle()
    assert panel.picture._columns >= 2
    assert panel.picture.canvas.width() <= panel.picture.width()


def test_stepping_is_quick(opened):
    panel = opened.window.operation
    panel.explain("conv2", (5, 0, 0))
    opened.settle()
    times = []
    for _ in range(15):
        start = time.perf_counter()
        panel.bench.step(1)
        QApplication.processEvents()
        times.append(time.perf_counter() - start)
    assert np.median(times) < 0.4  # 30 ms on a quiet machine, which the benchmark holds; here others work beside it


def test_the_network_that_is_open_is_shown_layer_by_layer_and_undo_goes_back(driver):
    driver.window.files.open_model("fashion-cnn", "chelsea", layers=("conv1",))
    driver.settle()
    (volume,) = driver.scene
    driver.press(Qt.Key.Key_L, CTRL)
    driver.settle()
    (tiles,) = driver.scene
    assert tiles.kind == "tiles"
    assert tiles.data.provenance.inputs == ("chelsea",)
    driver.press(Qt.Key.Key_Z, CTRL)
    driver.settle()
    (back,) = driver.scene
    assert (back.kind, back.data) == ("volume", volume.data)


def test_there_is_nothing_to_show_layer_by_layer(driver):
    said = []
    driver.workspace.message.connect(said.append)
    driver.workspace.show(volume_scene())
    driver.press(Qt.Key.Key_L, CTRL)
    assert any("open a model first" in text for text in said)


def test_of_a_training_the_network_of_the_epoch_that_is_shown_is_explained(driver):
    driver.window.files.open_example("training")
    driver.settle()
    driver.press(Qt.Key.Key_E, CTRL)
    driver.settle()
    panel = driver.window.operation
    panel.explain("conv2", (3, 5, 6))
    driver.settle()
    values = {}
    for frame in (10, 0, 1):
        driver.scene.frame = frame
        driver.settle()
        assert place_of(panel) == ("conv2", 3, (5, 6))
        assert f"epoch {frame}," in panel.state.text()
        values[frame] = panel.bench.operation.at(3, (5, 6)).value
        recorded = driver.scene.frames["conv2"][frame]
        position = int(np.flatnonzero(recorded.channels == 3)[0])
        assert values[frame] == pytest.approx(float(recorded.values[position, 5, 6]), rel=1e-4, abs=1e-5)
    assert len(set(values.values())) == 3


def test_another_network_that_is_opened_is_explained_while_somebody_looks(opened):
    panel = opened.window.operation
    opened.window.files.open_model("mnist-mlp", tiles=True)
    opened.settle()
    assert panel.state.text().startswith("mnist-mlp looks at mnist test 0000")
    assert panel.layer.value == panel.bench.operation.layer
    opened.window.docks["operation"].hide()
    opened.window.files.open_model("fashion-cnn", tiles=True)
    opened.settle()
    assert panel.bench.subject.network.name == "mnist-mlp"
    opened.press(Qt.Key.Key_E, CTRL)
    opened.settle()
    assert panel.bench.subject.network.name == "fashion-cnn"
