"""What must not happen, whatever is done: windows that open by themselves, crashes at the end, blank frames."""

from __future__ import annotations

import numpy as np
import pytest
from viewer_scenes import network_scene, volume_scene

from cnnvis.scene import ITEM_KINDS, Scene
from cnnvis.viewer.panels import panel_of
from cnnvis.viewer.workspace import Workspace

pytestmark = pytest.mark.qt


def scene_of_all_kinds() -> Scene:
    scene = network_scene()
    scene.add_volume(volume_scene()["ball"].data, name="ball")
    scene.add_matrix(np.eye(3), name="matrix")
    scene.add_image(np.zeros((4, 4, 3), dtype=np.uint8), name="image")
    return scene


def test_panels_that_are_gone_listen_no_more(qtbot) -> None:
    workspace, scene = Workspace(), scene_of_all_kinds()
    workspace.show(scene)
    assert {item.kind for item in scene} == set(ITEM_KINDS)
    for item in scene:
        panel = panel_of(workspace, item)
        panel.deleteLater()
        qtbot.wait(20)
        item.data_changed.emit()
        for name in item.events:
            value = getattr(item, name)
            item.events[name].emit(value, value)
        assert panel is not None, "it is still referred to, as it would be in a cycle"
    workspace.close()
