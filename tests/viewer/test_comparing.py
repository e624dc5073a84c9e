"""Panes side by side: files, networks, frames, orders and differences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialogButtonBox
from viewer_scenes import network_scene, random_network, volume_scene

import cnnvis
from cnnvis.core import Provenance
from cnnvis.core.errors import InvalidInputError
from cnnvis.io.showing import Shown
from cnnvis.scene import Scene, SceneGrid
from cnnvis.scene.links import LINKS
from cnnvis.viewer import comparing
from cnnvis.viewer.acts.comparisons import LINK_WORDS
from cnnvis.viewer.choice_dialogs import ChooseSeveral, FindOne
from cnnvis.viewer.examples import ABOUT, MODELS, UNTRAINED
from cnnvis.viewer.layer_distance import LayerDistance

pytestmark = pytest.mark.qt


def series_scene() -> Scene:
    volumes = [volume_scene()["ball"].data for _ in range(5)]
    return Scene.of_series("epoch", ["0", "1", "2", "3", "4"], volumes, name="ball")


def parts(driver) -> list[np.ndarray]:
    """The picture of each pane, all of one size."""
    picture = driver.pixels()
    height, width, _ = picture.shape
    boxes = [np.array(pane.box) * [width, height, width, height] for pane in driver.window.canvas.panes]
    wide, high = (int(min(sides)) for sides in zip(*[(box[2:] - box[:2]) for box in boxes], strict=True))
    corners = [(round(height - box[3]), round(box[0])) for box in boxes]
    return [picture[top : top + high, left : left + wide] for top, left in corners]


def test_files_come_beside_with_the_same_camera_and_range(driver, tmp_path) -> None:
    path = cnnvis.save(volume_scene(), tmp_path / "other.json")
    driver.workspace.show(volume_scene())
    driver.drag((200, 200), (240, 220))
    comparing.add_files(driver.workspace, [path])
    driver.settle()
    target = driver.workspace.target
    assert isinstance(target, SceneGrid)
    assert {"camera", "range", "selection"} <= set(target.link)
    assert target.scenes[0].camera == target.scenes[1].camera


def test_networks_come_beside_with_what_they_were_made_of(driver, tmp_path) -> None:
    path = cnnvis.save(random_network(), tmp_path / "net.safetensors")
    driver.workspace.show(network_scene(), random_network())
    driver.drag((200, 200), (240, 220))
    comparing.add_files(driver.workspace, [path])
    driver.settle()
    assert len(driver.workspace.networks) == 2
    assert all(driver.workspace.networks)
    assert "camera" in driver.workspace.target.link
    comparing.keep_active(driver.workspace)
    driver.settle()
    assert isinstance(driver.workspace.target, Scene)
    assert driver.workspace.network is random_network()


def test_networks_beside_look_alike_and_stay_so(driver, tmp_path) -> None:
    path = cnnvis.save(random_network(), tmp_path / "net.safetensors")
    driver.workspace.show(network_scene(), random_network())
    first = driver.scene["bundle"]
    first.update({"shown_class": 1, "blend": 0.0, "size": 0.015})
    comparing.add_files(driver.workspace, [path])
    before = parts(driver)
    second = driver.workspace.scenes[1]["bundle"]
    assert (second.shown_class, second.blend, second.size) == (1, 0.0, 0.015)
    alike = np.abs(before[0] - before[1]).mean()  # rows of pixels are not shared out evenly: soft edges differ
    for key in (Qt.Key.Key_C, Qt.Key.Key_B):
        driver.press(key)
    assert (first.shown_class, second.shown_class, first.blend, second.blend) == (2, 2, 1.0, 1.0)
    after = parts(driver)
    assert np.abs(after[1] - before[1]).max() > 50
    assert np.abs(after[0] - after[1]).mean() < 1.5 * alike + 0.1
    comparing.link(driver.workspace, ["camera"])
    driver.press(Qt.Key.Key_B)
    assert (first.blend, second.blend) == (0.0, 1.0)
    apart = parts(driver)
    assert np.abs(apart[0] - apart[1]).mean() > 2 * alike + 0.2


@pytest.mark.parametrize("shares_look", [True, False])
def test_layers_of_all_panes_that_share_their_look_move_apart(driver, qtbot, tmp_path, shares_look) -> None:
    path = cnnvis.save(random_network(), tmp_path / "net.safetensors")
    workspace = driver.workspace
    workspace.show(network_scene(), random_network())
    comparing.add_files(workspace, [path])
    driver.settle()
    comparing.link(workspace, [name for name in LINKS if shares_look or name != "look"])
    driver.settle()
    before = [network.layout.distance for network in workspace.networks]
    height = [np.ptp(scene["bundle"].data.points, axis=0) for scene in workspace.scenes]
    LayerDistance.of(workspace).move(3 * before[0])
    qtbot.waitUntil(lambda: workspace.network.layout.distance == pytest.approx(3 * before[0]), timeout=20_000)
    driver.settle()
    moved = [network.layout.distance / old for network, old in zip(workspace.networks, before, strict=True)]
    assert sorted(moved) == pytest.approx([3, 3] if shares_look else [1, 3])
    for scene, factor, old in zip(workspace.scenes, moved, height, strict=True):
        assert np.ptp(scene["bundle"].data.points, axis=0).max() > 1.5 * old.max() or factor == 1
    workspace.history.undo()  # one step
    assert [network.layout.distance for network in workspace.networks] == pytest.approx(before)


def test_saved_scenes_beside_keep_the_look_they_were_saved_with(driver, tmp_path) -> None:
    saved = network_scene()
    saved["bundle"].shown_class = 2
    driver.workspace.show(network_scene(), random_network())
    comparing.add_files(driver.workspace, [cnnvis.save(saved, tmp_path / "saved.json")])
    driver.settle()
    assert [scene["bundle"].shown_class for scene in driver.workspace.scenes] == ["all", 2]
    assert "look" not in driver.workspace.target.link
    comparing.link(driver.workspace, ["look"])
    assert [scene["bundle"].shown_class for scene in driver.workspace.scenes] == ["all", "all"]


def test_frames_side_by_side(driver) -> None:
    driver.workspace.show(series_scene())
    comparing.show_frames(driver.workspace, [0, 4])
    assert [scene.title for scene in driver.workspace.scenes] == ["epoch: 0", "epoch: 4"]
    assert not any(len(scene.series) for scene in driver.workspace.scenes)
    with pytest.raises(InvalidInputError, match="no series"):
        comparing.show_frames(driver.workspace, [0, 1])


def test_too_many_panes_are_refused(driver) -> None:
    driver.workspace.show(series_scene())
    with pytest.raises(InvalidInputError, match="Two to 4 frames"):
        comparing.show_frames(driver.workspace, [0])
    with pytest.raises(InvalidInputError, match="got 5"):
        comparing.show_frames(driver.workspace, [0, 1, 2, 3, 4])


def test_orders_side_by_side(driver) -> None:
    rng = np.random.default_rng(0)
    driver.workspace.show(Scene.of(rng.random((6, 5, 5)).astype(np.float32), name="noise"))
    comparing.show_orders(driver.workspace, driver.scene["noise"], ["original", "pca"])
    driver.settle()
    first, second = driver.workspace.scenes
    assert (first["noise"].data.method, second["noise"].data.method) == ("original", "pca")
    assert first["noise"].transfer.span == second["noise"].transfer.span


def test_a_difference_gets_a_pane(driver) -> None:
    grid = SceneGrid([volume_scene(), volume_scene()])
    driver.workspace.show(grid)
    comparing.add_difference(driver.workspace)
    driver.settle()
    assert len(driver.workspace.scenes) == 3
    assert not driver.workspace.scenes[2].items[0].data.values.any()
    with pytest.raises(InvalidInputError, match="3 are open"):
        comparing.add_difference(driver.workspace)


def test_links_can_be_changed(driver) -> None:
    driver.workspace.show(SceneGrid([volume_scene(), volume_scene()]))
    comparing.link(driver.workspace, ["selection"])
    first, second = driver.workspace.scenes
    first.camera.azimuth = 33
    assert second.camera.azimuth == 0
    comparing.link(driver.workspace, ["camera"])
    assert second.camera.azimuth == 33
    driver.workspace.show(volume_scene())
    with pytest.raises(InvalidInputError, match="one pane only"):
        comparing.link(driver.workspace, ["camera"])


def state(driver) -> list:
    return [scene.state() for scene in driver.workspace.scenes]


@pytest.fixture
def pair(driver) -> tuple[Scene, Scene]:
    """Two panes of networks that look different, linked in the selection only."""
    scenes = (network_scene(), network_scene())
    scenes[1].camera.azimuth = 30
    scenes[1]["bundle"].blend = 0.5
    driver.workspace.show(SceneGrid(scenes, link=["selection"]), [random_network()] * 2, Path("here.json"))
    driver.settle()
    return scenes


COMPARISONS = {
    "frames": lambda driver, tmp_path: comparing.show_frames(driver.workspace, [1, 3]),
    "orders": lambda driver, tmp_path: comparing.show_orders(driver.workspace, driver.scene["ball"], ["pca", "leaf"]),
    "files": lambda driver, tmp_path: comparing.add_files(
        driver.workspace, [cnnvis.save(volume_scene(), tmp_path / "other.json")]
    ),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_is_one_step_of_undo(driver, tmp_path, name) -> None:
    driver.workspace.show(series_scene(), path=Path("first.json"))
    scene = driver.scene
    scene.frame = 2
    before, picture = state(driver), driver.pixels()
    COMPARISONS[name](driver, tmp_path)
    driver.settle()
    after = state(driver)
    assert len(after) == 2
    driver.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert driver.workspace.target is scene
    assert driver.workspace.path == Path("first.json")
    assert state(driver) == before
    np.testing.assert_array_equal(driver.pixels(), picture)
    driver.press(Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert state(driver) == after
    driver.workspace.scenes[1].camera.azimuth = 40
    assert driver.workspace.scenes[0].camera.azimuth == 40, "the panes are linked again"
    driver.settle()


@pytest.mark.parametrize(
    "change",
    [
        lambda workspace: comparing.link(workspace, ["camera", "look"]),
        comparing.add_difference,
        comparing.keep_active,
    ],
)
def test_panes_come_back_as_they_were(driver, pair, change) -> None:
    workspace = driver.workspace
    workspace.activate(pair[1])
    before = state(driver)
    change(workspace)
    driver.settle()
    after = state(driver)
    assert after != before
    for _ in range(2):
        workspace.history.undo()
        assert state(driver) == before
        assert workspace.scene is pair[1]
        assert workspace.target.link == ("selection",)
        assert workspace.networks == (random_network(), random_network())
        assert workspace.path == Path("here.json")
        workspace.history.redo()
        assert state(driver) == after
    workspace.history.undo()
    pair[0].camera.zoom = 2.0
    assert pair[1].camera.zoom == 1, "nothing links them that did not before"
    driver.settle()


def test_where_it_was_saved_is_not_forgotten(driver, pair, tmp_path) -> None:
    driver.window.files.save_to(tmp_path / "pair.json")
    driver.settle()
    comparing.keep_active(driver.workspace)
    assert driver.workspace.path is None
    driver.workspace.history.undo()
    assert driver.workspace.path == tmp_path / "pair.json"
    pair[0]["bundle"].opacity = 0.5
    driver.workspace.history.undo()
    assert driver.workspace.path == tmp_path / "pair.json"
    driver.settle()


def named(model: str) -> Shown:
    network = replace(random_network(), provenance=Provenance(model=model))
    return Shown(Scene.of_network(network), (network,))


@pytest.mark.parametrize(
    ("opened", "twin"), [("mnist-mlp", "mnist-mlp-untrained"), ("mnist-mlp-untrained", "mnist-mlp")]
)
def test_trained_with_untrained_is_the_first_thing_to_compare(driver, qtbot, monkeypatch, opened, twin) -> None:
    monkeypatch.setattr("cnnvis.studies.showing.show_model", lambda model, **_: named(model))
    shown = named(opened)
    driver.workspace.show(shown.target, shown.networks)
    driver.settle()
    bar = driver.window.menuBar()
    compare = next(action for action in bar.actions() if action.text() == "C&ompare")
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.actionGeometry(compare).center())
    menu = compare.menu()
    qtbot.waitUntil(menu.isVisible)
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(menu.actions()[0]).center())
    driver.settle()
    assert [network.provenance.model for network in driver.workspace.networks] == [opened, twin]
    assert {"camera", "selection", "look"} == set(driver.workspace.target.link)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("compare.untrained", "untrained twin"),
        ("compare.frames", "no series"),
        ("compare.orders", "volume"),
        ("compare.difference", "two panes"),
        ("compare.links", "one pane only"),
    ],
)
def test_what_cannot_be_compared_is_said_and_no_dialog_comes(driver, command, said) -> None:
    driver.workspace.show(network_scene(), random_network())
    told = []
    driver.workspace.message.connect(told.append)
    driver.window.commands.run(command)
    assert said in " ".join(told)
    driver.settle()


def test_words_are_there_for_all_that_can_be_chosen() -> None:
    assert ABOUT.keys() == set(MODELS) >= {*UNTRAINED, *UNTRAINED.values()}
    assert LINK_WORDS.keys() == set(LINKS)


def test_links_are_chosen_in_a_dialog(driver, pair) -> None:
    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        rows = [dialog.list.item(index) for index in range(dialog.list.count())]
        assert [row.text() for row in rows if row.checkState() == Qt.CheckState.Checked] == [LINK_WORDS["selection"]]
        next(row for row in rows if row.text().startswith("look")).setCheckState(Qt.CheckState.Checked)
        dialog.accept()

    QTimer.singleShot(100, answer)
    driver.window.commands.run("compare.links")
    assert driver.workspace.target.link == ("selection", "look")
    assert pair[1]["bundle"].blend == 1
    driver.settle()


def test_choosing_several_keeps_to_the_bounds(qtbot) -> None:
    dialog = ChooseSeveral("T", "some:", ["a", "b", "c"], ["a"], at_least=2, at_most=2)
    qtbot.addWidget(dialog)
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    dialog.list.item(2).setCheckState(Qt.CheckState.Checked)
    assert ok.isEnabled()
    assert dialog.chosen == [0, 2]
    dialog.list.item(1).setCheckState(Qt.CheckState.Checked)
    assert not ok.isEnabled()


def test_finding_one_by_a_part_of_its_name(qtbot) -> None:
    dialog = FindOne("T", ["conv1", "fc1", "fc2"])
    qtbot.addWidget(dialog)
    qtbot.keyClicks(dialog.text, "C2")
    assert dialog.chosen == 2
    qtbot.keyClicks(dialog.text, "x")
    assert dialog.chosen is None
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()


def test_ctrl_f_selects_a_layer(driver, qtbot) -> None:
    driver.workspace.show(network_scene(), random_network())
    driver.settle()
    before = driver.pixels()
    layer = driver.scene["bundle"].layers[1]

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        qtbot.keyClicks(dialog.text, layer)
        dialog.accept()

    QTimer.singleShot(100, answer)
    driver.window.commands.run("view.find")
    assert driver.scene.selection.layers == {layer}
    assert np.abs(driver.pixels() - before).max() > 20
    driver.window.commands.run("edit.deselect")
    np.testing.assert_array_equal(driver.pixels(), before)
