"""A network built by hand in the window: steps, shapes, its picture, its file, and what somebody saves there."""

from __future__ import annotations

import textwrap
import time

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox, QPushButton

from cnnvis.core.plan import ConvolutionStep, DenseStep, PoolingStep
from cnnvis.models.plan_files import read_plan
from cnnvis.viewer.panels.plan_editor import PLANS

pytestmark = pytest.mark.qt

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def editor(driver):
    """The editor in a window that draws the network."""
    driver.press(Qt.Key.Key_B, CTRL)
    driver.settle()
    return driver.window.network.editor


def wait_for(condition, seconds=20) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)
    assert condition()


def type_in(box, value) -> None:
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, str(value))
    QTest.keyClick(box, Qt.Key.Key_Return)


def push(editor, name) -> None:
    """Click the button of a name, once it has been laid out: rows are made anew."""

    def found():
        buttons = [b for b in editor.findChildren(QPushButton) if name in (b.accessibleName(), b.text())]
        return [button for button in buttons if button.isVisible() and button.height() > 10]

    wait_for(found)
    QTest.mouseClick(found()[-1], LEFT)


def shown(driver) -> dict[str, int]:
    (item,) = driver.scene
    return {layer: len(stack) for layer, stack in zip(item.data.layers, item.data.values, strict=True)}


def test_it_is_drawn_as_it_is_built(driver, editor):
    assert shown(driver)["conv3"] == 16
    camera = driver.scene.camera
    camera.azimuth += 25
    scene = driver.scene
    type_in(editor.rows[4].boxes["channels"], 24)
    wait_for(lambda: shown(driver).get("conv3") == 24)
    assert driver.scene is scene
    assert driver.scene.camera.azimuth == camera.azimuth
    assert editor.rows[4].makes.text() == "24 × 7 × 7, 1,752 parameters"


def test_steps_are_added_moved_removed_and_taken_back(editor):
    push(editor, "+ convolution")
    kinds = [type(step) for step in editor.plan.steps]
    assert kinds == [*[ConvolutionStep, PoolingStep] * 3, ConvolutionStep, DenseStep, DenseStep]
    push(editor, "Move it up: step 7")
    assert isinstance(editor.plan.steps[5], ConvolutionStep)
    push(editor, "Remove it: step 1")
    assert isinstance(editor.plan.steps[0], PoolingStep)
    assert [row.title.text() for row in editor.rows][:2] == ["<b>1</b> max pooling", "<b>2</b> convolution"]
    before = editor.plan
    for _ in range(3):
        push(editor, "Undo")
    assert editor.plan == next(iter(PLANS.values()))
    assert not editor.undo.isEnabled()
    for _ in range(3):
        push(editor, "Redo")
    assert editor.plan == before


def test_what_does_not_fit_is_said_at_its_step_and_nothing_is_drawn(driver, editor):
    drawn = shown(driver)
    type_in(editor.rows[2].boxes["kernel"], 30)
    assert "30 x 30 has no room in 14 x 14" in editor.rows[2].problem.text()
    assert editor.rows[2].problem.isVisible()
    assert not editor.rows[3].problem.isVisible()
    assert not editor.write_button.isEnabled()
    assert not editor.draw_button.isEnabled()
    driver.settle()
    assert shown(driver) == drawn
    push(editor, "Undo")
    assert not editor.rows[2].problem.isVisible()
    editor.classes.setText("cat, dog")
    editor.classes.editingFinished.emit()
    assert "2 classes, but the last step makes 10" in editor.state.text()


def test_another_plan_and_another_input(editor):
    editor.begin.setFocus()
    QTest.keyClick(editor.begin, Qt.Key.Key_End)
    assert editor.plan == PLANS["a perceptron"]
    type_in(editor.sides[1], 14)
    assert editor.rows[0].makes.text() == "81, 31,833 parameters"


def test_a_file_is_written_edited_by_hand_broken_and_mended(driver, editor, tmp_path, monkeypatch):
    said = []
    driver.workspace.message.connect(said.append)
    path = tmp_path / "mine.py"
    editor.write(path)
    assert read_plan(path) == (editor.plan, False)
    text = path.read_text()
    other = tmp_path / "other"  # as editors do that put another file in the place of the old one
    other.write_text(text.replace("nn.Conv2d(8, 16", "nn.Conv2d(8, 20").replace("16 * 3 * 3", "20 * 3 * 3"))
    other.replace(path)
    wait_for(lambda: shown(driver).get("conv3") == 20)
    broken = path.read_text().replace("nn.Flatten()", "nn.Flatten(")
    path.write_text(broken)
    wait_for(lambda: any("SyntaxError" in text and "mine.py:" in text for text in said))
    assert shown(driver)["conv3"] == 20
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "exec", lambda _: answers.pop(0))
    editor.write(path)
    assert path.read_text() == broken
    editor.write(path)
    assert read_plan(path) == (editor.plan, False)
    driver.settle()


def test_a_plan_is_read_from_its_file(driver, editor, tmp_path):
    path = tmp_path / "mine.py"
    type_in(editor.rows[0].boxes["channels"], 7)
    editor.write(path)
    push(editor, "Undo")
    editor.read(path)
    driver.settle()
    assert editor.plan.steps[0].channels == 7
    assert shown(driver)["conv1"] == 7
    (tmp_path / "none.py").write_text("x = 1")
    editor.read(tmp_path / "none.py")
    (problem,) = driver.problems
    assert "no plan of cnnvis" in str(problem[1])
    driver.problems.clear()


CODE = """
    import torch
    from torch import nn

    from cnnvis.models import ImageSpec, Network

    def build():
        module = nn.Sequential(nn.Conv2d(1, {channels}, 3), nn.ReLU())
        return Network(module, image=ImageSpec((28, 28), colour="L"))
"""


def test_a_network_whose_code_was_opened_is_shown_again_when_it_is_saved(driver, tmp_path):
    said = []
    driver.workspace.message.connect(said.append)
    path = tmp_path / "nets.py"
    path.write_text(textwrap.dedent(CODE.format(channels=4)))
    driver.window.files.open_model(f"{path}:build", "chelsea", layers=("0",))
    driver.settle()
    (volume,) = driver.scene
    driver.scene.camera.azimuth = 77
    volume.density = 2.0
    path.write_text(textwrap.dedent(CODE.format(channels=6)))
    wait_for(lambda: len(next(iter(driver.scene)).data.values) == 6)
    (volume,) = driver.scene
    assert (driver.scene.camera.azimuth, volume.density) == (77, 2.0)
    path.write_text("def build():\n    return 1 / 0\n")
    wait_for(lambda: any("nets.py:2: ZeroDivisionError" in text for text in said))
    assert len(next(iter(driver.scene)).data.values) == 6
    path.write_text(textwrap.dedent(CODE.format(channels=3)))
    wait_for(lambda: len(next(iter(driver.scene)).data.values) == 3)
