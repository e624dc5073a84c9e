"""What the curve says is what the pixels do: points are dragged, pictures before and after are measured."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication
from transfer_hand import Hand
from viewer_scenes import volume_scene

import cnnvis
from cnnvis.core import Volume
from cnnvis.scene import Scene, TransferFunction

pytestmark = pytest.mark.qt

PLAIN = {"axes": False, "legend": False, "group_marks": False, "interpolation": "nearest"}
FLAT = ((0.0, 0.9), (0.25, 0.9), (0.75, 0.9), (1.0, 0.9))
BLACK = {"colour_map": "gray_r", "span": (0.0, 1.0)}
SIZE = (200, 160)

GONE = 18
"""What may be left of 255: a hand misses the value by half a pixel, and rays add up the little that this leaves."""


@pytest.fixture
def open_hand(edit_transfer):
    def make(volume, transfer, **state):
        scene = Scene(title=" ", camera={"view": "front", "parallel": True})
        scene.add_volume(volume, transfer=transfer, **(PLAIN | state))
        return edit_transfer(scene, (420, 760))

    return make


def halves(low=0.25, high=0.75):
    """A stack whose left half has one value, its right half another."""
    values = np.full((4, 12, 12), low, np.float32)
    values[:, :, 6:] = high
    return Volume(values, layer="conv1")


def shot(hand):
    return cnnvis.render(hand.workspace.scene, size=SIZE).astype(int)


def ink(pixels):
    """How far the middles of the left and of the right half are from the background, 0 to 255."""
    background = pixels[-1, 0]
    row, middle = pixels.shape[0] // 2, pixels.shape[1] // 2
    return tuple(int(np.abs(pixels[row, middle + away] - background).max()) for away in (-25, 25))


def bar_places(hand):
    """Where the histogram has bars, in positions."""
    bars = hand.plot._bars.opts
    return np.asarray(bars["x"])[np.asarray(bars["height"]) > 0]


def test_lowering_the_point_over_a_bar_hides_the_voxels_of_this_bar(open_hand):
    hand = open_hand(halves(), TransferFunction(opacity=FLAT, **BLACK))
    left, right = ink(shot(hand))
    assert min(left, right) > 40
    low_bar, high_bar = bar_places(hand)  # two values, two bars
    view = hand.plot.viewport()
    hand.drag(view, hand.at(0.75, 0.9), hand.at(high_bar, 0.0))
    assert ink(shot(hand)) == (pytest.approx(left, abs=1), pytest.approx(0, abs=GONE))
    hand.workspace.history.undo()
    assert ink(shot(hand)) == (left, right)
    hand.drag(view, hand.at(0.25, 0.9), hand.at(low_bar, 0.0))
    assert ink(shot(hand)) == (pytest.approx(0, abs=GONE), pytest.approx(right, abs=1))


def test_heights_of_the_curve_are_absorption_of_the_ray(open_hand):
    """Of the same stack drawn by a script with the curve that the plot shows."""
    hand = open_hand(halves(), TransferFunction(opacity=FLAT, **BLACK))
    hand.drag(hand.plot.viewport(), hand.at(0.75, 0.9), hand.at(0.75, 0.1))
    points = hand.plot.grip.points
    assert points[2] == pytest.approx((0.75, 0.1), abs=0.015)
    scene = Scene(title=" ", camera={"view": "front", "parallel": True})
    scene.add_volume(halves(), transfer=TransferFunction(opacity=points, **BLACK), **PLAIN)
    np.testing.assert_array_equal(cnnvis.render(scene, size=SIZE), shot(hand))
    before = ink(shot(hand))
    hand.drag(hand.plot.viewport(), hand.at(*points[2]), hand.at(0.75, 0.4))
    after = ink(shot(hand))
    assert after[0] == before[0]
    assert after[1] > before[1] + 15


def test_a_point_between_the_bars_changes_no_pixel(open_hand):
    steps = ((0.0, 0.9), (0.3, 0.9), (0.5, 0.9), (0.7, 0.9), (1.0, 0.9))
    hand = open_hand(halves(), TransferFunction(opacity=steps, **BLACK))
    before = shot(hand)
    hand.drag(hand.plot.viewport(), hand.at(0.5, 0.9), hand.at(0.5, 0.1))
    assert hand.item.transfer.opacity[2][1] < 0.15
    np.testing.assert_array_equal(shot(hand), before)


def test_with_a_centre_both_signs_follow_one_point(open_hand):
    signed = TransferFunction(opacity=((0, 0), (0.5, 0.9), (1, 0.9)), centre=0.0, colour_map="RdBu_r", span=(-1, 1))
    hand = open_hand(halves(-0.5, 0.5), signed)
    assert min(ink(shot(hand))) > 40
    hand.drag(hand.plot.viewport(), hand.at(0.25, 0.9), hand.at(0.25, 0.0))  # held on the left
    assert max(ink(shot(hand))) < GONE


def test_a_colour_point_colours_the_values_it_stands_at(open_hand):
    points = ((0.0, "#ff0000"), (0.4, "#ff0000"), (0.6, "#0000ff"), (1.0, "#0000ff"))
    hand = open_hand(halves(), TransferFunction(opacity=((0, 1), (1, 1)), colour_points=points, span=(0, 1)), density=9)
    pixels = shot(hand)
    row, middle = SIZE[1] // 2, SIZE[0] // 2
    assert pixels[row, middle - 25].tolist() == pytest.approx([255, 0, 0], abs=12)
    assert pixels[row, middle + 25].tolist() == pytest.approx([0, 0, 255], abs=12)
    hand.drag(hand.strip, hand.along(0.6), hand.along(0.95))  # 0.75 is between red and blue now
    pixels = shot(hand)
    assert pixels[row, middle - 25].tolist() == pytest.approx([255, 0, 0], abs=12)
    share = (0.75 - 0.4) / (0.95 - 0.4)
    assert pixels[row, middle + 25].tolist() == pytest.approx([255 * (1 - share), 0, 255 * share], abs=16)


def test_the_curve_of_importance_hides_channels(open_hand):
    """Seen from the side, channels stand side by side: the unimportant half goes."""
    volume = Volume(np.ones((12, 12, 4), np.float32), weights=np.repeat([0.3, 1.0], 6))
    hand = open_hand(volume, TransferFunction(opacity=((0, 0.9), (1, 0.9)), weight=((0, 1), (0.3, 1), (1, 1)), **BLACK))
    hand.workspace.scene.camera.view = "side"
    hand.item.drive = "importance"
    before = ink(shot(hand))
    assert min(before) > 40
    hand.plot = hand.editor.weights.plot
    hand.drag(hand.plot.viewport(), hand.at(0.3, 1.0), hand.at(0.3, 0.0))
    assert ink(shot(hand)) == (pytest.approx(0, abs=GONE), pytest.approx(before[1], abs=1))


def test_the_end_of_the_range_is_where_pixels_saturate(open_hand, qtbot):
    ramp = np.broadcast_to(np.linspace(0, 1, 12, dtype=np.float32), (4, 12, 12))
    hand = open_hand(
        Volume(np.array(ramp)), TransferFunction(opacity=((0, 0), (0.5, 0), (0.5, 0.9), (1, 0.9)), **BLACK)
    )
    seen = np.abs(shot(hand) - shot(hand)[-1, 0]).max(axis=2)[SIZE[1] // 2] > 20
    half = np.count_nonzero(seen)
    high = hand.editor.range.high
    high.setFocus()
    high.selectAll()
    qtbot.keyClicks(high, "0.5")
    qtbot.keyClick(high, Qt.Key.Key_Return)  # the step in the middle of the range is at a quarter of the values now
    seen = np.abs(shot(hand) - shot(hand)[-1, 0]).max(axis=2)[SIZE[1] // 2] > 20
    assert np.count_nonzero(seen) == pytest.approx(1.5 * half, abs=0.1 * half)


def test_points_are_where_they_are_drawn(open_hand):
    """The pixels of the plot itself: a point's ring, and the curve through it."""
    hand = open_hand(halves(), TransferFunction(opacity=FLAT, **BLACK))
    picture = hand.plot.grab().toImage()
    for position, height in FLAT:
        at = hand.plot.viewport().mapTo(hand.plot, hand.at(position, height))
        near = [picture.pixelColor(at.x() + dx, at.y()) for dx in range(-7, 8)]
        assert any(pixel.red() > 200 and pixel.blue() < 90 for pixel in near)
    empty = hand.plot.viewport().mapTo(hand.plot, hand.at(0.5, 0.5))
    assert picture.pixelColor(empty).lightness() > 200


def test_in_the_window_a_key_opens_the_editor_and_the_view_follows_a_drag(driver, qtbot):
    scene = volume_scene()
    scene["ball"].axes = False
    driver.workspace.show(scene)
    before = driver.pixels()
    assert driver.window.transfer.widget() is None  # nobody looked yet
    QApplication.setActiveWindow(driver.window)  # there is no window manager to do it
    qtbot.waitUntil(driver.window.isActiveWindow)
    driver.window.canvas.view.setFocus()
    qtbot.keyClick(driver.window.canvas.view, Qt.Key.Key_T)
    driver.settle()
    hand = Hand(driver.window.transfer.widget())
    transfer = hand.item.transfer
    view = hand.plot.viewport()
    hand.drag(view, hand.at(1.0, 1.0), hand.at(1.0, 0.0))  # linear was the curve: now all of it is 0
    after = driver.pixels()
    row, column = (length // 2 for length in before.shape[:2])
    middle = (slice(row - 10, row + 10), slice(column - 10, column + 10))
    assert np.abs(after - before)[middle].max() > 60
    background = after[-1, 0]
    assert np.abs(after[middle] - background).max() < GONE
    driver.workspace.history.undo()
    assert hand.item.transfer == transfer
    np.testing.assert_allclose(driver.pixels()[middle], before[middle], atol=2)
