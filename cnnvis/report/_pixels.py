"""An image artist that does not resample what is already in pixels."""

from __future__ import annotations

from typing import Any

from matplotlib.image import AxesImage


class Pixels(AxesImage):
    """An image that fills its figure, copied as it is where one of its pixels is one of the figure's.

    Matplotlib would resample it all the same, which takes longer than everything else in a figure. At any
    other resolution it does.
    """

    def draw(self, renderer: Any) -> None:
        """Draw the image."""
        pixels = self.get_array()
        if (renderer.height, renderer.width) != pixels.shape[:2]:
            super().draw(renderer)
            return
        context = renderer.new_gc()
        renderer.draw_image(context, 0, 0, pixels[::-1])  # an image of matplotlib's begins with its lowest row
        context.restore()
        self.stale = False
