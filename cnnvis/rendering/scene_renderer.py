"""Draws one scene into one VTK renderer; the same object serves files, films and windows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cnnvis.core.ordering import method_title
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist
from cnnvis.rendering.axes_box import AxesBox, Projection, margins
from cnnvis.rendering.flat_artists import ImageArtist, LabelsArtist
from cnnvis.rendering.legend import ScalarBar, Title
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.style import THEMES
from cnnvis.rendering.viewpoint import place_camera
from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.scene import ImageItem, LabelsItem, Scene, SceneItem, VolumeItem

ARTISTS: dict[type[SceneItem], type[Artist]] = {
    VolumeItem: VolumeArtist,
    ImageItem: ImageArtist,
    LabelsItem: LabelsArtist,
}
"""Item kind -> artist; the only place that knows both sides."""


class SceneRenderer:
    """Keeps a VTK renderer in step with a scene.

    Parameters
    ----------
    scene : Scene
    renderer : vtkRenderer
        Gets all props; the caller owns the window.
    turning : bool
        Keep one distance at every azimuth: for a film.

    Notes
    -----
    Nothing is drawn until `refresh`, so that many changes of state cost one rebuild. `close` is idempotent.
    """

    def __init__(self, scene: Scene, renderer: vtk.vtkRenderer, *, turning: bool = False) -> None:
        self.scene = scene
        self.renderer = renderer
        self.turning = turning
        self._artists: dict[str, Artist] = {}
        self._decorations: list[vtk.vtkProp] = []
        # Without this, several volumes composite in the order they were added.
        cullers = renderer.GetCullers()
        cullers.GetLastItem().SetSortingStyleToBackToFront()
        renderer.SetUseDepthPeeling(True)
        renderer.SetMaximumNumberOfPeels(6)
        renderer.SetOcclusionRatio(0.0)
        for item in scene:
            self._add(item)
        scene.item_added.connect(self._add)
        scene.item_removed.connect(self._remove)

    def _add(self, item: SceneItem) -> None:
        self._artists[item.name] = ARTISTS[type(item)](item, self.renderer)

    def _remove(self, item: SceneItem) -> None:
        self._artists.pop(item.name).close()

    def refresh(self, width: int, height: int) -> None:
        """Bring props, camera, axes and legend up to date for a pane of `width` x `height` pixels."""
        theme = THEMES[self.scene.background]
        self.renderer.SetBackground(*theme.background)
        self._clear_decorations()
        for artist in self._artists.values():
            artist.refresh(theme)
        pane = Pane.of(width, height, theme)
        for prop in self._decorate(pane):
            self._decorations.append(prop)
            self.renderer.AddViewProp(prop)
        self.renderer.ResetCameraClippingRange()

    def _decorate(self, pane: Pane) -> Iterator[vtk.vtkProp]:
        """Place the camera so that scene and texts have room, and yield the texts."""
        volumes = [item for item in self.scene if isinstance(item, VolumeItem) and item.visible]
        title = Title(self._title(volumes) + self._notes(volumes), pane)
        legends = [artist.legend for artist in self._artists.values() if artist.item.visible and artist.legend]
        bars = [ScalarBar(legend, pane, title) for legend in legends[:1] if pane.roomy]
        taken = Margins(0, 0, 0, title.height)
        for bar in bars:
            taken += bar.margins
        framed = [item for item in volumes if item.axes]
        letter = Margins(pane.letter_x, pane.letter_x, pane.letter_y, pane.letter_y)
        free = taken + (margins(pane) if framed and pane.roomy else letter)
        aspect = pane.width / pane.height
        camera = self.renderer.GetActiveCamera()
        place_camera(camera, self.scene.camera, self._bounds(), aspect, free.limited(), turning=self.turning)
        projection = Projection.of(self.renderer, aspect)
        for item in framed:
            yield from AxesBox(item, self._artists[item.name].bounds(), projection, pane, taken).props()
        for bar in bars:
            yield from bar.props()
        yield from title.props()

    def _bounds(self) -> tuple[float, ...]:
        """Return the box around all that is visible."""
        corners = [artist.bounds() for artist in self._artists.values() if artist.item.visible]
        if not corners:
            return (0.0, 1.0, 0.0, 1.0, 0.0, 1.0)
        low, high = np.min(corners, axis=(0, 1)), np.max(corners, axis=(0, 1))
        return tuple(np.stack([low, high], axis=1).ravel())

    def _title(self, volumes: list[VolumeItem]) -> list[str]:
        first = volumes[0].data if volumes else None
        lines = [self.scene.title] if self.scene.title else []
        if first is not None:
            if not lines:
                layers = " + ".join(dict.fromkeys(item.data.layer or item.name for item in volumes))
                lines.append(f"{layers}: {method_title(first.method)} order")
            lines.append(first.provenance.caption)
        if self.scene.series.labels:
            lines.append(f"{self.scene.series.axis}: {self.scene.series.labels[self.scene.frame]}")
        return [line for line in lines if line]

    def _notes(self, volumes: list[VolumeItem]) -> list[str]:
        notes = []
        for item in volumes:
            prefix = f"{item.name}: " if len(volumes) > 1 else ""
            notes += [prefix + note for note in self._artists[item.name].notes()]
        return notes

    def _clear_decorations(self) -> None:
        for prop in self._decorations:
            self.renderer.RemoveViewProp(prop)
        self._decorations = []

    def close(self) -> None:
        """Let go of the scene and of every prop."""
        self.scene.item_added.disconnect(self._add, missing_ok=True)
        self.scene.item_removed.disconnect(self._remove, missing_ok=True)
        for artist in self._artists.values():
            artist.close()
        self._artists = {}
        self._clear_decorations()
