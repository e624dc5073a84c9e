"""Pictures to measure: small scenes without decoration, and where their points land on the pixels."""

from dataclasses import dataclass

import numpy as np

from cnnvis.core import Volume
from cnnvis.rendering import OffscreenWindow
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.volume_artist import VolumeArtist
from cnnvis.scene import Camera, Scene

SIZE = (240, 200)
PLAIN = {"axes": False, "legend": False, "interpolation": "nearest"}


@dataclass
class Shot:
    """The pixels of a scene, and the projection they were drawn with."""

    pixels: np.ndarray
    projection: Projection

    def at(self, *point):
        """Return (row, column), fractional, of the pixel at a scene point (x, y, z)."""
        height = self.pixels.shape[0]
        x, y = self.projection(np.array([point], float))[0]
        return (0.5 - y) * height - 0.5, (x + self.projection.aspect / 2) * height - 0.5

    def colour(self, *point):
        """Return the RGB at a scene point, 0 to 255, as integers that subtract."""
        row, column = self.at(*point)
        return self.pixels[round(row), round(column)].astype(int)

    def ink(self):
        """Return which pixels are not background."""
        return np.abs(self.pixels.astype(int) - self.pixels[-1, 0].astype(int)).max(axis=2) > 3

    def stack_ink(self, item):
        """Return `ink` inside the projected box of a volume item: the title is left out."""
        ends = np.transpose(VolumeArtist(item, None).bounds())
        corners = np.array(np.meshgrid(*ends)).reshape(3, -1).T
        rows, columns = np.transpose([self.at(*corner) for corner in corners])
        inside = np.zeros(self.pixels.shape[:2], bool)
        top, bottom = int(rows.min()) - 1, int(rows.max()) + 2
        inside[max(top, 0) : bottom, max(int(columns.min()) - 1, 0) : int(columns.max()) + 2] = True
        return self.ink() & inside


def shoot(scene, size=SIZE):
    """Draw a scene."""
    with OffscreenWindow(scene, size) as window:
        pixels = window.draw()
        projection = Projection.of(window.panes[0][0].renderer, size[0] / size[1])
    return Shot(pixels, projection)


def plain_scene(values, *, view="front", parallel=True, **state):
    """Return a scene of one volume without frame and legend; Volume fields go before item fields."""
    fields = {key: state.pop(key) for key in ("weights", "groups", "spacing", "channels") if key in state}
    volume = values if isinstance(values, Volume) else Volume(np.asarray(values, np.float32), layer="conv", **fields)
    scene = Scene(camera=Camera(view=view, parallel=parallel))
    scene.add_volume(volume, **(PLAIN | state))
    return scene


def centre(mask):
    """Return the mean (row, column) of a mask."""
    return np.argwhere(mask).mean(axis=0)
