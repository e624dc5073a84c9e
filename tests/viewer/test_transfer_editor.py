"""The transfer-function editor, used as a person does: mouse, keys and numbers change the item, in whole steps."""

import threading
import time

import numpy as np
import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QColor, QKeyEvent
from qtpy.QtWidgets import QApplication, QColorDialog, QFileDialog
from transfer_hand import RIGHT

from cnnvis.core import Volume
from cnnvis.core.errors import FileFormatError
from cnnvis.io.transfer_json import load_transfer, save_transfer
from cnnvis.rendering.style import format_values
from cnnvis.scene import Scene, TransferFunction
from cnnvis.viewer import transfer_editor
from cnnvis.viewer.theme import palette_of
from cnnvis.viewer.transfer.curve_plot import plot_left
from cnnvis.viewer.transfer.values import ValueCounts
from cnnvis.viewer.transfer_editor import CHANGE_MS, TransferEditor
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt

CURVE = ((0.0, 0.0), (0.5, 0.5), (1.0, 1.0))
BLUES = ((0.0, "#000000"), (0.5, "#0072b2"), (1.0, "#ffffff"))


def stack(values=None, **fields):
    if values is None:
        values = np.random.default_rng(0).random((6, 8, 8))
    return Volume(np.asarray(values, np.float32), layer="conv1", **fields)


@pytest.fixture
def open_editor(edit_transfer):
    def make(volume=None, *, size=(340, 760), **state):
        scene = Scene()
        state.setdefault("transfer", TransferFunction(opacity=CURVE, clip=(0, 100)))
        scene.add_volume(volume if volume is not None else stack(), name="conv1", **state)
        return edit_transfer(scene, size)

    return make


@pytest.fixture
def hand(open_editor):
    return open_editor()


def one_step(hand, before):
    """Whether undo goes back to `before` in one step, and redo comes back."""
    after, history = hand.item.transfer, hand.workspace.history
    history.undo()
    back = hand.item.transfer == before and not history.can_undo
    history.redo()
    return back and hand.item.transfer == after


# -- points of the curve ---------------------------------------------------------------------------


def test_a_drag_moves_a_point_and_is_one_step_of_undo(hand):
    before = hand.item.transfer
    hand.drag(hand.plot.viewport(), hand.at(0.5, 0.5), hand.at(0.7, 0.2))
    assert hand.item.transfer.opacity[1] == pytest.approx((0.7, 0.2), abs=0.01)
    assert hand.item.transfer.opacity[::2] == CURVE[::2]
    assert one_step(hand, before)


def test_a_long_rest_within_a_drag_is_still_one_step(hand, qtbot):
    before, view = hand.item.transfer, hand.plot.viewport()
    hand.press(view, hand.at(0.5, 0.5))
    hand.move(view, hand.at(0.6, 0.4))
    qtbot.wait(500)  # longer than what ends a step elsewhere
    hand.move(view, hand.at(0.7, 0.2))
    hand.release(view, hand.at(0.7, 0.2))
    assert one_step(hand, before)


def test_ends_move_upwards_only_and_points_stop_at_their_neighbours(hand):
    view = hand.plot.viewport()
    hand.drag(view, hand.at(0, 0), hand.at(0.3, 0.4))
    assert hand.item.transfer.opacity[0] == (0.0, pytest.approx(0.4, abs=0.01))
    hand.drag(view, hand.at(0.5, 0.5), hand.at(0.5, 2))
    assert hand.item.transfer.opacity[1] == (pytest.approx(0.5, abs=0.01), 1.0)


def test_a_double_click_adds_a_point_that_a_right_click_removes(hand):
    view, before = hand.plot.viewport(), hand.item.transfer
    hand.double_click(view, hand.at(0.25, 0.8))
    assert hand.item.transfer.opacity[1] == pytest.approx((0.25, 0.8), abs=0.01)
    assert len(hand.item.transfer.opacity) == 4
    assert hand.plot.grip.index == 1
    assert one_step(hand, before)
    hand.click(view, hand.at(*hand.item.transfer.opacity[1]), RIGHT)
    assert hand.item.transfer.opacity == CURVE
    hand.click(view, hand.at(0, 0), RIGHT)  # an end stays
    assert hand.item.transfer.opacity == CURVE


def test_a_click_beside_all_points_changes_nothing(hand):
    hand.drag(hand.plot.viewport(), hand.at(0.3, 0.8), hand.at(0.6, 0.1))
    assert hand.item.transfer.opacity == CURVE
    assert not hand.workspace.history.can_undo


def test_keys_choose_move_add_and_remove(hand):
    plot, control = hand.plot, Qt.KeyboardModifier.ControlModifier
    hand.key(plot, Qt.Key.Key_Right)  # none was chosen: the first is
    assert plot.grip.index == 0
    hand.key(plot, Qt.Key.Key_Right, control)
    hand.key(plot, Qt.Key.Key_Left)
    hand.key(plot, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
    assert hand.item.transfer.opacity[1] == pytest.approx((0.49, 0.6))
    hand.key(plot, Qt.Key.Key_Insert)
    assert hand.item.transfer.opacity[2] == pytest.approx((0.745, 0.8), abs=0.01)
    hand.key(plot, Qt.Key.Key_Delete)
    assert len(hand.item.transfer.opacity) == 3
    assert plot.grip.index == -1


def test_arrow_keys_are_kept_from_shortcuts_of_the_window(hand):
    event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(hand.plot, event)
    assert event.isAccepted()
    other = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_T, Qt.KeyboardModifier.NoModifier)
    other.ignore()
    QApplication.sendEvent(hand.plot, other)
    assert not other.isAccepted()


def type_number(qtbot, edit, text):
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClicks(edit, text)
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def test_the_chosen_point_is_typed_in_values_of_the_data(open_editor, qtbot):
    hand = open_editor(transfer=TransferFunction(opacity=CURVE, span=(10, 30)))
    row = hand.editor.point_row
    assert not row.isEnabled()
    hand.click(hand.plot.viewport(), hand.at(0.5, 0.5))
    assert (row.number.text(), row.position.value, row.height_edit.value) == ("2/3", 20, 0.5)
    type_number(qtbot, row.position, "15")
    type_number(qtbot, row.height_edit, "0.125")
    assert hand.item.transfer.opacity[1] == (0.25, 0.125)
    type_number(qtbot, row.height_edit, "7")  # more than there is: the line does not take it
    assert hand.item.transfer.opacity[1] == (0.25, 0.125)
    hand.click(hand.plot.viewport(), hand.at(0, 0))
    assert not row.position.isEnabled()
    assert row.height_edit.isEnabled()


def test_with_a_centre_points_are_held_on_either_side(open_editor):
    values = np.random.default_rng(0).normal(size=(4, 8, 8))
    hand = open_editor(stack(values), transfer=TransferFunction(opacity=CURVE, centre=1.0, span=(-1, 3)))
    view = hand.plot.viewport()
    hand.drag(view, hand.at(0.25, 0.5), hand.at(0.1, 0.9))  # half way to the left: the distance 0.5
    assert hand.item.transfer.opacity[1] == pytest.approx((0.8, 0.9), abs=0.02)
    hand.drag(view, hand.at(0.9, 0.9), hand.at(0.6, 0.3))
    assert hand.item.transfer.opacity[1] == pytest.approx((0.2, 0.3), abs=0.03)
    assert hand.editor.point_row.position.value == pytest.approx(1.4, abs=0.06)  # 0.2 of the way from 1 to 3


def test_a_drag_changes_the_item_about_thirty_times_a_second(hand, qtbot):
    changes, view = [], hand.plot.viewport()
    hand.item.events.transfer.connect(lambda _: changes.append(time.perf_counter()))
    hand.press(view, hand.at(0.5, 0.5))
    for step in range(30):  # a hand quicker than any frame
        hand.move(view, hand.at(0.5, 0.5 - step / 100))
    assert len(changes) == 1
    qtbot.waitUntil(lambda: len(changes) == 2)
    start, moves = time.perf_counter(), 0
    while time.perf_counter() - start < 0.6:
        hand.move(view, hand.at(0.5 + np.sin(time.perf_counter()) / 4, 0.3))
        QApplication.processEvents()
        moves += 1
    most = 1.1 * (time.perf_counter() - start) * 1000 / CHANGE_MS + 3  # single ones come early after a late one
    assert 5 < len(changes) <= most
    assert moves > len(changes)
    hand.move(view, hand.at(0.6, 0.3))
    hand.release(view, hand.at(0.6, 0.3))
    assert hand.item.transfer.opacity == hand.plot.grip.points  # the last one is not lost
    assert hand.item.transfer.opacity[1] == pytest.approx((0.6, 0.3), abs=0.01)


# -- the histogram ---------------------------------------------------------------------------------


def bars(hand):
    return np.asarray(hand.plot._bars.opts["height"])


def test_bars_say_how_often_values_occur_missing_ones_left_out(open_editor):
    values = np.zeros((1, 4, 4))
    values[0, 0] = 1.0
    values[0, 1, 0] = np.nan
    hand = open_editor(stack(values))
    heights = bars(hand)
    assert (heights[0], heights[-1]) == (1.0, pytest.approx(4 / 11))
    assert not heights[1:-1].any()
    assert "1 values are missing" in hand.editor.range.told.text()
    hand.editor.log.click()
    assert bars(hand)[-1] == pytest.approx(np.log1p(4) / np.log1p(11))


def test_what_is_clipped_stands_at_the_ends_and_in_words(open_editor, qtbot):
    hand = open_editor(stack(np.arange(1000).reshape(10, 10, 10)))
    tools = hand.editor.range
    assert "Nothing is clipped" in tools.told.text()
    tools.buttons["percentiles"].click()
    assert hand.item.transfer.clip == (1, 99)
    assert "1.0 % below, 1.0 % above" in tools.told.text()
    type_number(qtbot, tools.low, "20")
    assert hand.item.transfer.clip == (20, 99)
    type_number(qtbot, tools.high, "400")  # no percentile
    assert hand.item.transfer.clip == (20, 99)
    assert tools.high.text() == "99"


def test_bars_of_what_is_clipped_have_the_scale_of_the_others(open_editor):
    values = np.concatenate([np.full(50, 0.2), np.full(40, 0.9), [-5.0], np.full(3, 7.0)])
    hand = open_editor(stack(values.reshape(1, 2, 47)), transfer=TransferFunction(span=(0, 1)))
    assert hand.plot._clipped.opts["height"] == pytest.approx([1 / 50, 3 / 50])
    assert sorted(bars(hand))[-2:] == pytest.approx([0.8, 1])
    hand.editor.change(span=(0.8, 1))  # 51 below, 40 inside: cut off, rather than making the others flat
    assert hand.plot._clipped.opts["height"] == pytest.approx([1, 3 / 40])


def test_other_data_have_other_bars(hand):
    hand.item.data = stack(np.full((6, 8, 8), 3.0))
    assert np.count_nonzero(bars(hand)) == 1


def test_many_values_are_sorted_in_a_thread(open_editor, monkeypatch, qtbot):
    monkeypatch.setattr(transfer_editor, "IN_THREAD", 10)
    threads, sort = [], ValueCounts.of
    monkeypatch.setattr(ValueCounts, "of", lambda values: (threads.append(threading.current_thread()), sort(values))[1])
    hand = open_editor()
    assert threads != [threading.current_thread()]
    qtbot.waitUntil(lambda: hand.editor.counts is not None)
    assert bars(hand).any()


def test_an_editor_that_is_gone_hears_nothing(hand, qtbot, tmp_path):
    editor = TransferEditor(hand.workspace, hand.item, presets=tmp_path)
    with qtbot.waitSignal(editor.destroyed):
        editor.deleteLater()
    hand.item.transfer = TransferFunction()
    hand.item.data = stack()
    hand.item.drive = "none"


# -- range, spread, centre -------------------------------------------------------------------------


def test_range_tools(open_editor, qtbot):
    hand = open_editor(stack(np.arange(96).reshape(6, 4, 4)), transfer=TransferFunction())
    tools = hand.editor.range
    pressed = lambda: {name for name, button in tools.buttons.items() if button.isChecked()}  # noqa: E731
    assert pressed() == {"percentiles"}
    tools.buttons["data"].click()
    assert (hand.item.transfer.span, hand.item.transfer.clip, pressed()) == (None, (0, 100), {"data"})
    hand.item.clip_box = {"channel": (1, 2)}
    tools.buttons["visible"].click()
    assert (hand.item.transfer.span, pressed()) == ((16, 47), {"custom"})
    type_number(qtbot, tools.low, "20.5")
    assert hand.item.transfer.span == (20.5, 47)
    type_number(qtbot, tools.high, "-3")  # falling ends are taken the other way round
    assert hand.item.transfer.span == (-3, 20.5)
    tools.buttons["data"].click()
    tools.buttons["custom"].click()
    assert hand.item.transfer.span == (0, 95)


def test_spread_and_centre(hand, qtbot):
    tools = hand.editor.range
    tools.spread.setFocus()
    qtbot.keyClick(tools.spread, Qt.Key.Key_Down)
    assert hand.item.transfer.normalisation == "cbrt"
    tools.signed.click()
    assert hand.item.transfer.centre == 0
    type_number(qtbot, tools.centre, "0.5")
    assert hand.item.transfer.centre == 0.5
    tools.signed.click()
    assert hand.item.transfer.centre is None
    assert not tools.centre.isEnabled()


def test_ticks_are_values_of_the_data(open_editor):
    hand = open_editor(transfer=TransferFunction(span=(0, 8), normalisation="cbrt"))
    ticks = hand.plot.plotItem.getAxis("bottom")._tickLevels[0]
    assert [text for _, text in ticks] == format_values([0, 0.125, 1, 27 / 8, 8])


# -- colours ---------------------------------------------------------------------------------------


def test_maps_by_name_and_inverted(hand, qtbot):
    maps = hand.editor.maps
    maps.maps.setFocus()
    qtbot.keyClick(maps.maps, Qt.Key.Key_Down)
    assert hand.item.transfer.colour_map == "cividis"
    maps.invert.click()
    assert hand.item.transfer.colour_map == "cividis_r"
    hand.item.transfer = TransferFunction(colour_map="jet")  # not in the list
    assert (maps.maps.value, maps.invert.value) == ("jet", False)


def test_the_first_double_click_makes_points_that_look_like_the_map(hand):
    before = hand.item.transfer.colours(np.linspace(0, 1, 101))
    hand.double_click(hand.strip, hand.along(0.4))
    points = hand.item.transfer.colour_points
    assert [position for position, _ in points] == pytest.approx(sorted([*np.linspace(0, 1, 9), 0.4]), abs=5e-3)
    assert hand.strip.grip.index == 4
    np.testing.assert_allclose(hand.item.transfer.colours(np.linspace(0, 1, 101)), before, atol=0.08)
    assert hand.editor.maps.maps.value == "own"


@pytest.fixture
def painted(open_editor):
    return open_editor(transfer=TransferFunction(colour_points=BLUES, clip=(0, 100)))


def test_colour_points_are_moved_added_and_removed(painted):
    hand, before = painted, painted.item.transfer
    hand.drag(hand.strip, hand.along(0.5), hand.along(0.8))
    assert hand.item.transfer.colour_points[1] == (pytest.approx(0.8, abs=0.005), "#0072b2")
    assert one_step(hand, before)
    hand.double_click(hand.strip, hand.along(0.4))
    place, colour = hand.item.transfer.colour_points[1]
    assert place == pytest.approx(0.4, abs=0.005)
    assert QColor(colour).blue() == pytest.approx(0x59, abs=2)  # half way from black to the blue
    hand.click(hand.strip, hand.along(0.4), RIGHT)
    assert len(hand.item.transfer.colour_points) == 3
    hand.key(hand.strip, Qt.Key.Key_Up)
    assert hand.strip.grip.index == 0
    hand.key(hand.strip, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    hand.key(hand.strip, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert hand.item.transfer.colour_points[1] == (pytest.approx(0.7, abs=0.005), "#0072b2")


@pytest.mark.parametrize("accept", [True, False])
def test_a_colour_is_chosen_live_and_taken_back_on_cancel(painted, accept, qtbot):
    hand, before = painted, painted.item.transfer
    hand.double_click(hand.strip, hand.along(0.5))
    dialog = hand.editor.findChild(QColorDialog)
    dialog.setCurrentColor(QColor("#d55e00"))
    qtbot.waitUntil(lambda: hand.item.transfer.colour_points[1] == (0.5, "#d55e00"))
    dialog.accept() if accept else dialog.reject()
    qtbot.waitUntil(lambda: hand.editor.findChild(QColorDialog) is None)
    assert (hand.item.transfer == before) is not accept
    if accept:
        assert one_step(hand, before)


def test_own_points_are_turned_round_and_dropped(painted):
    hand = painted
    hand.editor.maps.invert.click()
    assert hand.item.transfer.colour_points == ((0.0, "#ffffff"), (0.5, "#0072b2"), (1.0, "#000000"))
    assert not hand.editor.maps.invert.value
    hand.editor.maps.changed.emit("magma")
    assert (hand.item.transfer.colour_map, hand.item.transfer.colour_points) == ("magma", ())


def test_the_strip_has_the_colours_of_the_values_at_their_places(painted):
    picture = painted.strip.grab().toImage()
    for position, colour in ((0.03, "#000810"), (0.5, "#0072b2"), (0.97, "#f0f6fa")):
        pixel = picture.pixelColor(round(plot_left(painted.strip, position)), 10)
        expected = QColor(colour)
        assert abs(pixel.red() - expected.red()) < 12
        assert abs(pixel.blue() - expected.blue()) < 12


# -- importance ------------------------------------------------------------------------------------


def test_importance_drives_the_opacity_by_a_curve(open_editor, qtbot):
    hand = open_editor(stack(weights=np.array([0.0, 1, 1, 2, 3, 4])))
    box = hand.editor.weights
    assert (box.isEnabled(), box.isChecked()) == (True, False)
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert hand.item.drive == "importance"
    assert box.isChecked()
    assert box.told.text() == "5 of 6 channels are seen."
    places, _ = box.plot._rug.getData()
    assert sorted(set(places)) == [0, 0.25, 0.5, 0.75, 1]
    hand.plot = box.plot
    before = hand.item.transfer
    hand.double_click(box.plot.viewport(), hand.at(0.6, 0.0))
    assert hand.item.transfer.weight[1] == pytest.approx((0.6, 0), abs=0.02)
    assert hand.item.channel_factors()[:4].max() < 0.02
    assert before.opacity == hand.item.transfer.opacity


def test_without_importance_the_box_is_off(hand):
    assert not hand.editor.weights.isEnabled()
    hand.item.data = stack(weights=np.ones(6))
    assert hand.editor.weights.isEnabled()


def test_a_matrix_has_no_importance(qtbot, tmp_path):
    scene = Scene()
    item = scene.add_matrix(np.arange(6.0).reshape(2, 3))
    workspace = Workspace()
    workspace.show(scene)
    editor = TransferEditor(workspace, item, presets=tmp_path)
    qtbot.addWidget(editor)
    assert editor.weights is None
    editor.change(colour_map="magma")
    assert item.transfer.colour_map == "magma"
    workspace.close()


# -- presets and other layers ----------------------------------------------------------------------


def test_presets_change_the_curve_and_leave_range_and_colours(hand, qtbot):
    presets = hand.editor.preset_bar.presets
    presets.setFocus()
    qtbot.keyClick(presets, Qt.Key.Key_B)
    assert presets.value == "band"
    assert hand.item.transfer == TransferFunction.preset("band", clip=(0, 100))


def test_the_preset_of_importance_switches_it_on(open_editor):
    hand = open_editor(stack(weights=np.arange(6.0)))
    hand.editor.preset_bar.preset_chosen.emit("importance")
    assert hand.item.drive == "importance"
    assert hand.item.transfer.opacity == TransferFunction.preset("importance").opacity


def test_own_presets_are_saved_listed_and_taken_without_their_range(hand, tmp_path, monkeypatch):
    bar = hand.editor.preset_bar
    own = TransferFunction(colour_points=BLUES, opacity=CURVE, span=(5, 6), normalisation="log")
    hand.item.transfer = own
    names = [(tmp_path / "presets" / "mine", ""), (tmp_path / "p.json", "Preset of ParaView (*.json)")]
    answers = ((str(path), kind) for path, kind in names)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: next(answers))
    bar.save.click()
    assert load_transfer(tmp_path / "presets" / "mine.json") == own
    bar.save.click()
    assert load_transfer(tmp_path / "p.json").colour_points == BLUES
    hand.item.transfer = TransferFunction(clip=(3, 97))
    index = bar.presets.findText("mine")
    bar.presets.setCurrentIndex(index)
    bar.presets.activated.emit(index)
    assert hand.item.transfer == own.with_changes(span=None, clip=(3, 97))


def test_a_file_is_opened_and_a_bad_one_is_a_message(hand, tmp_path, monkeypatch):
    path, problems = tmp_path / "one.json", []
    save_transfer(TransferFunction(colour_map="plasma"), path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    hand.editor.preset_bar.load.click()
    assert hand.item.transfer.colour_map == "plasma"
    path.write_text("{}")
    hand.workspace.problem.connect(lambda what, error: problems.append(error))
    hand.editor.preset_bar.load.click()
    assert [type(problem) for problem in problems] == [FileFormatError]
    assert hand.item.transfer.colour_map == "plasma"


def test_other_layers_are_listed_and_given_a_copy(hand):
    others = [hand.workspace.scene.add_volume(stack(), name=name) for name in ("conv2", "conv3")]
    hand.workspace.scene.add_labels([(0, 0, 0)], ["a"])
    hand.workspace.history.commit()
    menu = hand.editor.preset_bar.menu
    menu.aboutToShow.emit()
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert list(actions) == ["All 2 others", "conv2", "conv3"]
    before = others[1].transfer
    actions["conv2"].trigger()
    assert (others[0].transfer, others[1].transfer) == (hand.item.transfer, before)
    actions["All 2 others"].trigger()
    assert others[1].transfer == hand.item.transfer
    hand.workspace.history.undo()
    assert others[1].transfer == before
    assert others[0].transfer == hand.item.transfer


# -- other hands, and the look ---------------------------------------------------------------------


def test_what_scripts_and_undo_change_is_shown(hand):
    hand.item.transfer = TransferFunction(opacity=((0, 1), (0.25, 0), (1, 1)), colour_map="magma_r", span=(0, 2))
    assert hand.plot.grip.points[1] == (0.25, 0)
    assert (hand.editor.maps.maps.value, hand.editor.maps.invert.value) == ("magma", True)
    assert hand.editor.range.high.value == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_plot_follows_the_palette(hand, theme):
    hand.editor.setPalette(palette_of(theme))
    QApplication.processEvents()
    picture = hand.plot.grab().toImage()
    ground = picture.pixelColor(picture.width() - 2, 2)
    assert (ground.lightness() > 200) is (theme == "light")
    pixels = [picture.pixelColor(x, y) for x in range(0, 60, 2) for y in range(0, picture.height(), 2)]
    assert max(abs(pixel.lightness() - ground.lightness()) for pixel in pixels) > 150  # axis and its texts


def test_it_fits_beside_the_view_and_every_control_says_what_it_does(hand):
    assert hand.editor.minimumSizeHint().width() <= 320
    controls = [
        *hand.editor.preset_bar.findChildren(object, "", Qt.FindChildOption.FindDirectChildrenOnly),
        *hand.editor.range.buttons.values(),
        hand.editor.range.low,
        hand.editor.range.high,
        hand.editor.range.spread,
        hand.editor.range.signed,
        hand.editor.range.centre,
        hand.editor.maps.maps,
        hand.editor.maps.invert,
        hand.editor.log,
        hand.plot,
        hand.strip,
    ]
    without = [control for control in controls if hasattr(control, "text") and not control.toolTip()]
    assert [control.text() for control in without] == ["&Preset"]
