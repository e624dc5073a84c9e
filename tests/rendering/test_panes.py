"""Panes of a window that somebody else owns, and cameras that were moved by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cnnvis.rendering import OffscreenWindow, ScenePanes, _vtk, camera_state, pixels_of, render
from cnnvis.scene import Scene, SceneGrid

SIZE = (240, 160)


def ramp(**camera: object) -> Scene:
    values = np.linspace(0, 1, 4 * 8 * 8, dtype=np.float32).reshape(4, 8, 8)
    scene = Scene.of(values)
    scene.camera.update(camera)
    return scene


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("zoom", [1.0, 1.7])
def test_a_camera_that_was_moved_by_hand_is_kept_by_the_scene(parallel: bool, zoom: float) -> None:
    scene = ramp(parallel=parallel, zoom=zoom)
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        camera = window.panes[0].drawn.renderer.GetActiveCamera()
        camera.Azimuth(35)
        camera.Elevation(12)
        if parallel:
            camera.SetParallelScale(camera.GetParallelScale() / 1.3)
        else:
            camera.Dolly(1.3)
        before = np.array(camera.GetCompositeProjectionTransformMatrix(1.5, -1, 1).GetData())[:8]  # without depth
        moved = camera_state(camera, scene.camera)
        scene.camera.update(moved)
        window.draw()
        after = np.array(camera.GetCompositeProjectionTransformMatrix(1.5, -1, 1).GetData())[:8]
        np.testing.assert_allclose(after, before, rtol=1e-6, atol=1e-6)
        again = camera_state(camera, scene.camera)
        for name in ("position", "focal_point", "view_up"):
            assert again[name] == pytest.approx(moved[name])


def test_follow_camera_moves_the_view_and_leaves_the_texts() -> None:
    scene = ramp()
    with OffscreenWindow(scene, SIZE) as window:
        window.draw()
        drawn = window.panes[0].drawn
        texts = list(drawn._decorations)
        scene.camera.azimuth = 60
        drawn.follow_camera()
        placed = drawn.renderer.GetActiveCamera().GetPosition()
        assert drawn._decorations == texts
        window.draw()
        np.testing.assert_allclose(drawn.renderer.GetActiveCamera().GetPosition(), placed, rtol=0.05)


def test_panes_share_a_window_and_leave_it() -> None:
    window = _vtk.vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetMultiSamples(0)
    window.SetSize(*SIZE)
    grid = SceneGrid([ramp(), ramp(), ramp()], columns=2)
    panes = ScenePanes(window, grid)
    assert window.GetRenderers().GetNumberOfItems() == 4, "one of them is paper"
    assert panes.at(10, 150) is panes.panes[0]
    assert panes.at(200, 150) is panes.panes[1]
    assert panes.at(10, 10) is panes.panes[2]
    assert panes.at(200, 10) is None
    panes.refresh()
    window.Render()
    np.testing.assert_array_equal(pixels_of(window), render(grid, size=SIZE))
    panes.close()
    panes.close()
    assert window.GetRenderers().GetNumberOfItems() == 0
    window.Finalize()


def test_panes_move_when_the_window_takes_another_shape() -> None:
    grid = SceneGrid([ramp(), ramp()])
    with OffscreenWindow(grid, (400, 120)) as window:
        wide = window.draw()
        assert [pane.box for pane in window.panes] == [(0, 0, 0.5, 1), (0.5, 0, 1, 1)]
        window.window.SetSize(120, 300)
        high = window.draw()
        assert [pane.box for pane in window.panes] == [(0, 0.5, 1, 1), (0, 0, 1, 0.5)]
    np.testing.assert_array_equal(wide, render(grid, size=(400, 120)))
    np.testing.assert_array_equal(high, render(grid, size=(120, 300)))
