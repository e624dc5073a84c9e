"""Undo remembers a bounded number of steps, and a bounded amount of data that nobody sees any more."""

from __future__ import annotations

import dataclasses
from time import perf_counter

import numpy as np
import pytest
from viewer_scenes import random_network, volume_scene

from cnnvis.core import Volume
from cnnvis.scene import Scene
from cnnvis.viewer import history
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt


@pytest.fixture
def workspace(qtbot):
    workspace = Workspace()
    workspace.show(volume_scene())
    yield workspace
    workspace.close()


def ball(workspace):
    return workspace.scene["ball"]


def replace(workspace, value: float) -> None:
    """Show other data of the same size, as one step."""
    old: Volume = ball(workspace).data
    ball(workspace).data = Volume(np.full(old.shape, value, dtype=np.float32), channels=old.channels)
    workspace.history.commit()


def steps_back(workspace) -> int:
    """Undo all there is, and count."""
    count = 0
    while workspace.history.can_undo:
        workspace.history.undo()
        count += 1
    return count


def size_of(workspace) -> int:
    return ball(workspace).data.values.nbytes


def test_data_that_is_not_shown_any_more_is_kept_for_as_many_bytes_as_allowed(workspace, monkeypatch):
    monkeypatch.setattr(history, "MAX_BYTES", 3 * size_of(workspace) + 200)
    for value in (1, 2, 3, 4, 5):
        replace(workspace, value)
    assert steps_back(workspace) == 3, "what is shown now costs nothing; of the five before it three stay"
    assert ball(workspace).data.values.max() == 2, "the oldest went first"


def test_steps_that_share_data_cost_nothing(workspace, monkeypatch):
    monkeypatch.setattr(history, "MAX_BYTES", 0)
    for opacity in (0.1, 0.2, 0.3):
        ball(workspace).opacity = opacity
        workspace.history.commit()
    assert steps_back(workspace) == 3


def test_the_newest_stays_whatever_it_takes(workspace, monkeypatch):
    monkeypatch.setattr(history, "MAX_BYTES", 0)
    replace(workspace, 0.25)
    assert steps_back(workspace) == 0
    assert ball(workspace).data.values.max() == 0.25
    ball(workspace).opacity = 0.5
    workspace.history.commit()
    assert steps_back(workspace) == 1, "and what shares its data is remembered"


def test_networks_behind_scenes_count(qtbot, monkeypatch):
    workspace, network = Workspace(), random_network()
    workspace.show(Scene.of_network(network), network)
    monkeypatch.setattr(history, "MAX_BYTES", 0)
    again = dataclasses.replace(network, importance=np.array(network.importance))
    workspace.network = again
    workspace.history.commit()
    assert steps_back(workspace) == 0, "its importance is another array"
    workspace.network = dataclasses.replace(again, parameters={"seed": 2})
    workspace.history.commit()
    assert steps_back(workspace) == 1, "all arrays are shared"
    workspace.close()


def test_no_more_steps_than_allowed(workspace, monkeypatch):
    monkeypatch.setattr(history, "MAX_STEPS", 4)
    for opacity in np.linspace(0.1, 0.9, 9):
        ball(workspace).opacity = float(opacity)
        workspace.history.commit()
    assert steps_back(workspace) == 3, "four moments are three steps"


def test_redo_is_possible_until_something_else_is_done(workspace):
    replace(workspace, 1)
    workspace.history.undo()
    assert workspace.history.can_redo
    ball(workspace).opacity = 0.5
    assert not workspace.history.can_redo, "also before the step is taken"
    assert workspace.history.can_undo
    workspace.history.commit()
    assert not workspace.history.can_redo


def test_counting_a_real_history_is_quick(qtbot):
    """Two hundred moments of a scene with many items: counting is done while a hand may already move again."""
    scene = Scene()
    for number in range(20):
        scene.add_volume(np.zeros((2, 2, 2), dtype=np.float32), name=str(number))
    workspace = Workspace()
    workspace.show(scene)
    moments = [workspace.history._moment() for _ in range(history.MAX_STEPS)]
    start = perf_counter()
    assert len(history._affordable(moments)) == history.MAX_STEPS
    assert perf_counter() - start < 0.1
    assert moments[0].new_bytes(set()) == 20 * (8 * 4 + 2 * 8), "values, and the numbers of their channels"
    workspace.close()
