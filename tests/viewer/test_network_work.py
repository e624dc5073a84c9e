"""Work on the network behind a scene: pictures on the way, one step of undo, and back where it is stopped."""

import threading
from dataclasses import replace

import numpy as np
import pytest
from viewer_scenes import random_network

from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import with_layer_distance
from cnnvis.scene import Scene
from cnnvis.viewer import network_display
from cnnvis.viewer.layer_distance import LayerDistance
from cnnvis.viewer.network_display import NetworkDisplay, ShownNetwork, preview
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt


@pytest.fixture
def work(workspace):
    return NetworkWork.of(workspace)


def values(**changes):
    return {**random_network().parameters, **changes}


def wait(qtbot, workspace):
    qtbot.waitUntil(lambda: not workspace.jobs.slots, timeout=30_000)
    qtbot.wait(60)


def shown_lines(workspace):
    return workspace.scene["bundle"].data


def test_there_is_one_for_each_workspace(workspace, work):
    assert NetworkWork.of(workspace) is work


def test_other_options_are_one_step_of_undo(workspace, work, qtbot):
    before, lines, points = workspace.network, shown_lines(workspace), workspace.scene["units"].data
    work.rebundle(values(arrangement="circle", top_k=40))
    wait(qtbot, workspace)
    network = workspace.network
    assert network.parameters["arrangement"] == "circle"
    assert len(network.edges) == len(shown_lines(workspace)) == 40
    np.testing.assert_allclose(workspace.scene["units"].data.points, network.points.points)
    assert workspace.scene["bundle"].caption == network.edges.caption
    workspace.history.undo()
    assert (workspace.network, shown_lines(workspace), workspace.scene["units"].data) == (before, lines, points)
    assert not workspace.history.can_undo
    workspace.history.redo()
    assert workspace.network is network


def test_links_left_out_come_back(workspace, work, qtbot):
    n = len(workspace.network.edges)
    work.rebundle(values(top_k=10))
    wait(qtbot, workspace)
    work.rebundle(values(prune_percentage=0.5))
    wait(qtbot, workspace)
    assert len(workspace.network.edges) == n - n // 2
    work.rebundle(values())
    wait(qtbot, workspace)
    assert len(workspace.network.edges) == n


def test_nothing_to_do_is_no_step(workspace, work, qtbot):
    told, before = [], workspace.network
    workspace.message.connect(told.append)
    work.rebundle(values())
    wait(qtbot, workspace)
    assert workspace.network is before
    workspace.history.commit()
    assert not workspace.history.can_undo
    assert told == ["Bundling: nothing to do, the network is as asked for"]


def test_a_step_works_on_what_is_there(workspace, work, qtbot):
    for step in ("lines reset", "lines noise"):
        work.step(step, values())
        wait(qtbot, workspace)
    assert workspace.network.parameters["steps"] == ["lines reset", "lines noise"]


def held_change(network, states=()):
    """A change that gives states away, and then waits until it is told to end."""
    go_on, waits = threading.Event(), threading.Event()

    def change(tell, on_state):
        for state in states:
            while not tell.wants_partial:
                tell.progress(0, 2)
            on_state(lambda state=state: state)
        waits.set()
        while not go_on.wait(0.01):
            tell.progress(1, 2)
        return network

    return change, waits, go_on


def test_pictures_on_the_way_are_taken_away_when_it_is_stopped(workspace, work, qtbot):
    before, lines = workspace.network, shown_lines(workspace)
    straight = replace(before, lines=before.lines.blended(0))
    change = held_change(straight, [straight])[0]
    work.run(change, title="Straight")
    qtbot.waitUntil(lambda: shown_lines(workspace) is not lines)
    np.testing.assert_array_equal(shown_lines(workspace).points, straight.lines.points)
    assert workspace.network is before
    qtbot.wait(500)  # longer than undo waits for a step
    assert work.busy
    work.cancel()
    assert shown_lines(workspace) is lines
    qtbot.wait(500)
    assert not workspace.history.can_undo


def test_it_can_be_paused(workspace, work, qtbot):
    change, waits, go_on = held_change(with_layer_distance(workspace.network, 1.0))
    work.run(change, title="Far")
    qtbot.waitUntil(waits.is_set)
    work.pause(True)
    assert (work.busy, work.paused) == (True, True)
    seconds = work.seconds
    qtbot.wait(80)
    assert work.seconds == seconds
    go_on.set()
    work.pause(False)
    wait(qtbot, workspace)
    assert workspace.network.layout.distance == pytest.approx(1.0)


def test_an_error_leaves_everything_as_it_was(workspace, work, qtbot):
    lines, problems, ends = shown_lines(workspace), [], []
    workspace.problem.connect(lambda what, error: problems.append(error))
    work.ended.connect(lambda: ends.append(work.busy))
    work.rebundle(values(hubs=-1))
    wait(qtbot, workspace)
    assert [type(problem) for problem in problems] == [InvalidInputError]
    assert shown_lines(workspace) is lines
    assert ends == [False]


def test_another_file_ends_it(workspace, work, qtbot):
    change, waits, _ = held_change(workspace.network)
    work.run(change, title="Old")
    qtbot.waitUntil(waits.is_set)
    other = replace(random_network())
    workspace.show(Scene.of_network(other), other)
    assert not work.busy
    wait(qtbot, workspace)
    assert workspace.network is other
    assert work.every is other.edges


def test_undo_while_it_runs_ends_it(workspace, work, qtbot):
    first = workspace.network
    work.step("lines smooth", values())
    wait(qtbot, workspace)
    change, waits, go_on = held_change(first, [first])
    work.run(change, title="Old")
    qtbot.waitUntil(waits.is_set)
    workspace.history.undo()
    assert not work.busy
    assert workspace.network is first
    np.testing.assert_array_equal(shown_lines(workspace).points, first.lines.points)
    go_on.set()
    wait(qtbot, workspace)
    assert workspace.network is first


def test_without_a_network_what_is_made_is_opened(qtbot):
    workspace = Workspace()
    work = NetworkWork.of(workspace)
    work.rebundle({})
    work.step("lines reset", {})
    assert not work.busy
    work.run(lambda tell, on_state: random_network(), title="New")
    wait(qtbot, workspace)
    assert workspace.network is random_network()
    assert "bundle" in workspace.scene
    workspace.close()


def test_the_right_scene_gets_it_even_when_another_is_active(qtbot):
    from cnnvis.scene import SceneGrid

    first, second = random_network(), replace(random_network())
    scenes = [Scene.of_network(first), Scene.of_network(second)]
    workspace = Workspace()
    workspace.show(SceneGrid(scenes), [first, second])
    changed = with_layer_distance(first, 2.0)
    change, waits, go_on = held_change(changed)
    NetworkWork.of(workspace).run(change, title="Far")
    qtbot.waitUntil(waits.is_set)
    workspace.activate(scenes[1])
    go_on.set()
    wait(qtbot, workspace)
    assert workspace.networks == (changed, second)
    assert np.ptp(scenes[0]["bundle"].data.points[:, 2]) > np.ptp(scenes[1]["bundle"].data.points[:, 2])
    workspace.close()


# -- what shows a network ------------------------------------------------------------------------


def test_a_picture_on_the_way_has_the_most_important_lines(monkeypatch):
    monkeypatch.setattr(network_display, "PREVIEW_LINES", 7)
    network = random_network()
    found = preview(network)
    importance = network.lines.line_arrays["importance"]
    assert len(found.lines) == len(found.edges) == 7
    assert found.lines.line_arrays["importance"].min() == np.sort(importance)[-7]
    assert len(found.layout) == len(network.layout)
    monkeypatch.setattr(network_display, "PREVIEW_LINES", 10_000)
    assert preview(network) is network


def test_other_items_are_left_alone():
    network = random_network()
    scene = Scene.of_network(network)
    other = scene.add_bundle(network.lines.take(np.arange(5)), name="five")
    kept = other.data
    NetworkDisplay(scene, network).show(ShownNetwork.of(with_layer_distance(network, 2.0)))
    assert other.data is kept


def test_classes_change_with_the_network():
    network = random_network()
    scene = Scene.of_network(network, shown_class=3)
    two = replace(network, profiles=network.profiles[:, :2], class_names=("a", "b"))
    arrays = dict(network.lines.point_arrays)
    arrays["class_shares"] = arrays["class_shares"][:, :2]
    two = replace(two, lines=replace(network.lines, point_arrays=arrays))
    display = NetworkDisplay(scene, network)
    display.show(ShownNetwork.of(two))
    for name in ("bundle", "units"):
        assert scene[name].class_names == ("a", "b")
        assert scene[name].shown_class == "all"
    del arrays["class_shares"]
    none = replace(two, profiles=None, class_names=(), lines=replace(two.lines, point_arrays=arrays))
    NetworkDisplay(scene, two).show(ShownNetwork.of(none))
    assert scene["bundle"].shown_class == "none"
    assert scene["bundle"].class_names == ()


def test_a_series_of_the_old_network_ends():
    network = random_network()
    scene = Scene.of_network(network)
    scene.set_frames("step", ("a", "b"), {"bundle": (network.lines, network.lines.blended(0))})
    changed = with_layer_distance(network, 2.0)
    NetworkDisplay(scene, network).show(ShownNetwork.of(changed))
    assert not scene.frames
    assert np.ptp(scene["bundle"].data.points[:, 2]) == pytest.approx(np.ptp(changed.lines.points[:, 2]))


# -- distance of layers --------------------------------------------------------------------------


def test_a_drag_of_the_distance_is_one_step(workspace, qtbot):
    before = workspace.network
    mover = LayerDistance.of(workspace)
    depths = []
    workspace.scene["bundle"].data_changed.connect(lambda: depths.append(np.ptp(shown_lines(workspace).points[:, 2])))
    for distance in np.linspace(0.5, 1.5, 12):
        mover.move(float(distance))
        qtbot.wait(30)
    qtbot.waitUntil(lambda: workspace.network is not before, timeout=10_000)
    assert len(depths) > 3  # it was seen on the way
    assert workspace.network.layout.distance == pytest.approx(1.5)
    assert depths[-1] == pytest.approx(4.5)
    labels = workspace.scene["layers"].data
    assert np.ptp(labels[:, 2]) == pytest.approx(4.5)
    workspace.history.undo()
    assert workspace.network is before
    assert not workspace.history.can_undo


def test_undo_in_the_middle_of_a_drag(workspace, work, qtbot):
    work.step("lines smooth", values())
    wait(qtbot, workspace)
    mover = LayerDistance.of(workspace)
    mover.move(1.0)
    workspace.history.undo()
    wait(qtbot, workspace)
    qtbot.wait(400)
    assert workspace.network is random_network()
    assert np.ptp(shown_lines(workspace).points[:, 2]) == pytest.approx(1.5)
