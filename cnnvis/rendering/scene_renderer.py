"""Draws one scene into one VTK renderer; the same object serves files, films and windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core import PointSet, PolylineSet
from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.artist import Artist, box_corners
from cnnvis.rendering.blending import Blender, Blending, Translucent
from cnnvis.rendering.channel_marks import channel_marks
from cnnvis.rendering.flat_artists import ImageArtist, LabelsArtist
from cnnvis.rendering.frame_pace import FramePace, driver_of
from cnnvis.rendering.key import KeyBox
from cnnvis.rendering.legend import Legend, Title, scalar_bars
from cnnvis.rendering.matrix_artist import MatrixArtist
from cnnvis.rendering.network_actor import NetworkActor
from cnnvis.rendering.network_artists import BundleArtist, GlyphsArtist, NetworkArtist
from cnnvis.rendering.network_prepared import LARGE, Place, PreparedNetwork
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.pick_tiles import tile_marks
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import THEMES
from cnnvis.rendering.tiles_artist import TilesArtist
from cnnvis.rendering.viewpoint import place_camera
from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.scene import (
    BundleItem,
    GlyphsItem,
    ImageItem,
    LabelsItem,
    MatrixItem,
    NetworkItem,
    Scene,
    SceneItem,
    TilesItem,
    ValueItem,
    VolumeItem,
)

ARTISTS: dict[type[SceneItem], type[Artist]] = {
    VolumeItem: VolumeArtist,
    MatrixItem: MatrixArtist,
    BundleItem: BundleArtist,
    GlyphsItem: GlyphsArtist,
    ImageItem: ImageArtist,
    LabelsItem: LabelsArtist,
    TilesItem: TilesArtist,
}
"""Item kind -> artist; the only place that knows both sides."""


EMPTY = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
"""Box of a scene in which nothing is visible."""


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
        self.renderer.SetBackground(*THEMES[scene.background].background)
        self.turning = turning
        self._artists: dict[str, Artist] = {}
        self._decorations: list[vtk.vtkProp] = []
        self._network = NetworkActor(renderer)
        self._fit: tuple[NDArray[np.float64], float, Margins] | None = None
        self._smooth = renderer.GetUseFXAA()
        self._blender = Blender(renderer)
        self._observer = renderer.AddObserver("StartEvent", self._before)
        self._pace = FramePace(renderer, self._adapt, self._full_effort)
        self._driver = ""
        # Without this, several volumes composite in the order they were added.
        cullers = renderer.GetCullers()
        cullers.GetLastItem().SetSortingStyleToBackToFront()
        renderer.SetMaximumNumberOfPeels(6)
        renderer.SetOcclusionRatio(0.0)
        for item in scene:
            self._add(item)
        scene.item_added.connect(self._add)
        scene.item_removed.connect(self._remove)

    def _add(self, item: SceneItem) -> None:
        self._artists[item.name] = ARTISTS[type(item)](item, self.renderer)
        self._adapt(self._pace.effort)

    def _remove(self, item: SceneItem) -> None:
        self._artists.pop(item.name).close()

    def refresh(self, width: int, height: int) -> None:
        """Bring props, camera, axes and legend up to date for a pane of `width` x `height` pixels."""
        theme = THEMES[self.scene.background]
        self.renderer.SetBackground(*theme.background)
        self._clear_decorations()
        for artist in self._artists.values():
            artist.refresh(theme)
        self._show_network()
        self._network.peeled = self._translucent().may_be_peeled
        pane = Pane.of(width, height, theme)
        for prop in self._decorate(pane):
            self._decorations.append(prop)
            self.renderer.AddViewProp(prop)
        self._set_clipping_range()

    def unprepared(self) -> tuple[tuple[PolylineSet | PointSet, Place], ...]:
        """Return the lines and units that the next `refresh` takes long to build, and where they stand; () without.

        Let a thread make a `prepared_network` of them, and hand that to `take` before the refresh; or do not care.
        """
        artists = self._network_artists()
        placed = [each.placed for each in artists if each.placed is not None and each.placed.is_of(each.item)]
        ready = len(placed) == len(artists) and self._network.knows([each.data for each in placed])
        few = sum(len(each.item.data.points) for each in artists) < LARGE
        return () if ready or few else tuple((each.item.data, each.item.origin) for each in artists)

    def take(self, prepared: PreparedNetwork) -> None:
        """Let the next `refresh` draw what was made beforehand, unless other data are shown by now."""
        artists = self._network_artists()
        if len(artists) != len(prepared.placed):
            return
        if all(placed.is_of(each.item) for each, placed in zip(artists, prepared.placed, strict=True)):
            for each, placed in zip(artists, prepared.placed, strict=True):
                each.take(placed)
            self._network.prepared = prepared.geometry

    def follow_camera(self) -> None:
        """Move the VTK camera to where the scene's is, and leave all else as the last `refresh` made it."""
        if self._fit is not None:
            place_camera(self.renderer.GetActiveCamera(), self.scene.camera, *self._fit, turning=self.turning)
            self._set_clipping_range()

    def _set_clipping_range(self) -> None:
        """Let the camera see all: also lines that the last frame left out, of which VTK does not know."""
        bounds = np.reshape(self.renderer.ComputeVisiblePropBounds(), (3, 2))
        if self._network.drawn:
            middle, half = self._network.box
            bounds = np.array([np.minimum(bounds[:, 0], middle - half), np.maximum(bounds[:, 1], middle + half)]).T
        self.renderer.ResetCameraClippingRange(bounds.ravel().tolist())

    def interactive(self, moving: bool) -> None:
        """Draw only so much of networks and volumes that a frame takes a tenth of a second, until called with False.

        Call `Render` of the window as often as the camera moves, in between and once more at the end.
        """
        self._pace.moving = moving

    @property
    def frame_time(self) -> float:
        """Seconds that the last frame took to draw; 0 before the first one."""
        return self._pace.seconds

    @property
    def mapper(self) -> str:
        """What draws the scene, for a status bar: "GPU ray cast on llvmpipe"; "" before the first frame."""
        if not self._driver and self._pace.seconds:
            self._driver = driver_of(self.renderer.GetRenderWindow())
        cast = any(isinstance(artist, VolumeArtist) and artist.is_cast for artist in self.shown)
        kind = "GPU ray cast" if cast else "polygons"
        return f"{kind} on {self._driver}" if self._driver else ""

    def _adapt(self, effort: float) -> None:
        """Draw as much of what takes long as an effort allows, see `FramePace`."""
        self._network.effort = effort
        for volume in self._volumes:
            volume.adapt(effort)

    def _full_effort(self) -> float:
        return max([self._network.full_effort, *(volume.full_effort for volume in self._volumes)])

    @property
    def _volumes(self) -> list[VolumeArtist]:
        return [artist for artist in self._artists.values() if isinstance(artist, VolumeArtist)]

    @property
    def network(self) -> NetworkActor:
        """What draws lines and units."""
        return self._network

    @property
    def shown(self) -> list[Artist]:
        """The artists of all visible items, in the order of the scene."""
        visible = (self._artists.get(item.name) for item in self.scene if item.visible)
        return [artist for artist in visible if artist is not None]

    def _network_artists(self) -> list[NetworkArtist]:
        """Return those of visible lines and units, as they were added: another order would build anew."""
        visible = (artist for artist in self._artists.values() if artist.item.visible)
        return [artist for artist in visible if isinstance(artist, NetworkArtist)]

    def _show_network(self) -> None:
        """Draw the lines and units."""
        network = self._network_artists()
        if not network and not self._network.builds:
            return
        self._network.show([artist.drawn for artist in network], self.scene.selection)

    def _before(self, *_: Any) -> None:
        """Blend the next frame as it is seen from where the camera is, and less exactly while something moves."""
        moving, camera, found = self._pace.moving, self.renderer.GetActiveCamera(), self._translucent()
        blending = found.blending(camera)
        if moving and blending is Blending.PEELED:
            blending = Blending.BEFORE_VOLUMES if found.network is not None else Blending.MEAN
        smooth = self._smooth and not moving  # it takes as long as all the rest of such a frame
        self._blender.use(blending, volumes=found.network is not None, smooth=smooth)
        if blending is not Blending.PEELED:
            for volume in self._volumes:
                volume.sort(np.array(camera.GetDirectionOfProjection()))

    def _translucent(self) -> Translucent:
        return Translucent.of(self.shown, self._network.bounds() if self._network_artists() else None)

    def _decorate(self, pane: Pane) -> Iterator[vtk.vtkProp]:
        """Place the camera so that scene and texts have room, and yield the texts."""
        shown = self.shown
        items = [artist.item for artist in shown]
        large = 2 if self.scene.series.labels else 1  # what is playing must be read at a glance
        title = Title(self._title(items) + self._notes(items), pane, large=large)
        bars = scalar_bars(_distinct_legends(shown), pane, title)
        beside = Margins.widest([Margins(0, 0, 0, 0), *(bar.margins for bar in bars)])
        key = next((artist.key for artist in shown if artist.key is not None and pane.roomy), None)
        key_box = None if key is None else KeyBox(key, pane, beside, title.height)
        taken = Margins(0, 0, 0, title.height) + beside + (key_box.margins if key_box else Margins(0, 0, 0, 0))
        letter = Margins(pane.letter_x, pane.letter_x, pane.letter_y, pane.letter_y)
        frames = [room for artist in shown if (room := artist.margins(pane, taken)) is not None]
        free = taken + Margins.widest(frames or [letter])
        aspect = pane.width / pane.height
        camera = self.renderer.GetActiveCamera()
        corners = np.concatenate([artist.corners() for artist in shown] or [box_corners(EMPTY)])
        self._fit = (corners, aspect, free.limited())
        place_camera(camera, self.scene.camera, *self._fit, turning=self.turning)
        projection = Projection.of(self.renderer, aspect)
        volumes = [artist for artist in shown if isinstance(artist, VolumeArtist)]
        for volume in volumes:
            volume.named = len(volumes) > 1
        yield from self._frames(shown, projection, ScreenTexts(pane, taken))
        for bar in bars:
            yield from bar.props()
        if key_box is not None:
            yield from key_box.props()
        yield from title.props()

    def _frames(self, shown: list[Artist], projection: Projection, texts: ScreenTexts) -> Iterator[vtk.vtkProp]:
        """Yield what stands around the items, the nearest first: what is farther gives way to it."""
        middles = np.array([artist.bounds().mean(axis=0) for artist in shown]).reshape(-1, 3)
        for index in np.argsort(projection.depth(middles), kind="stable").tolist():
            artist = shown[index]
            yield from artist.frame(projection, texts)
            if isinstance(artist, VolumeArtist):
                yield from channel_marks(artist.item, artist.bounds(), self.scene.selection, texts.pane)
                texts.stay_beside(projection(artist.corners()))
            if isinstance(artist, TilesArtist):
                yield from tile_marks(artist, self.scene.selection, texts.pane)

    def _title(self, items: list[SceneItem]) -> list[str]:
        """Return headline, frame, and where it comes from."""
        volumes = [item for item in items if isinstance(item, VolumeItem)]
        matrices = [item.title for item in items if isinstance(item, MatrixItem) and item.title]
        lines = list(dict.fromkeys(matrices))
        if volumes:
            layers = " + ".join(dict.fromkeys(item.data.layer or item.name for item in volumes))
            lines = [f"{layers}: {volumes[0].data.subject}", volumes[0].data.provenance.caption, *lines]
        if self.scene.title:
            lines = [self.scene.title, *(lines[1:] if volumes else lines)]
        if self.scene.series.labels:
            lines.insert(1, f"{self.scene.series.axis}: {self.scene.series.labels[self.scene.frame]}")
        lines = [line for line in lines if line]
        if self.scene.selection:  # no line of its own, or the picture would jump
            lines[:1] = [" · ".join([*lines[:1], f"selected: {self.scene.selection.text}"])]
        return lines

    def _notes(self, items: list[SceneItem]) -> list[str]:
        """Return what the items have to say, by name, but for one item alone or the lines and units of one network."""
        telling = [item for item in items if isinstance(item, ValueItem | NetworkItem)]
        kinds = Counter("network" if isinstance(item, NetworkItem) else "values" for item in telling)
        share = self._network.share
        left_out = (
            [f"drawn: the most important {share:.1%} of the lines, the others cost too much"] if share < 1 else []
        )
        named = len(kinds) > 1 or kinds["values"] > 1 or kinds["network"] > 2
        notes = [(item.name, note) for item in telling for note in self._artists[item.name].notes()]
        return [f"{name}: {note}" if named else note for name, note in notes] + left_out

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
        self.renderer.RemoveObserver(self._observer)
        self._network.close()
        self._pace.close()
        self._artists = {}
        self._clear_decorations()


def _distinct_legends(shown: list[Artist]) -> list[Legend]:
    """Return every legend once; of several, each with the name of the first item that it belongs to."""
    found: dict[Legend, str] = {}
    for artist in shown:
        if artist.legend is not None:
            found.setdefault(artist.legend, artist.item.name)
    if len({legend.quantity.strip("|") for legend in found}) == len(found):  # |activation| reads like activation
        return list(found)
    return [replace(legend, quantity=f"{name}: {legend.quantity}") for legend, name in found.items()]
