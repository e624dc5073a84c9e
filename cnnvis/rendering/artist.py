"""The render-side object that draws one item."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.key import Key
from cnnvis.rendering.legend import Legend
from cnnvis.rendering.pane import Margins, Pane
from cnnvis.rendering.screen_box import Projection
from cnnvis.rendering.screen_texts import ScreenTexts
from cnnvis.rendering.style import Theme
from cnnvis.scene import SceneItem

Item = TypeVar("Item", bound=SceneItem)


class Translucency(Enum):
    """What has to be done with the props of an artist to blend them."""

    NONE = auto()
    """Nothing: they are opaque, or drawn elsewhere."""

    SORTED = auto()
    """Nothing else: their parts are drawn from far to near."""

    CAST = auto()
    """A volume, which is cast in one piece."""

    CROSSING = auto()
    """Peeling: no order of their parts is known."""


class Artist(Generic[Item]):
    """Keeps the VTK props of one item in step with its state.

    A change of the item only marks the artist dirty; `refresh` rebuilds when the scene is drawn, so that
    many changes cost one rebuild. `close` disconnects from the item and is idempotent.
    """

    def __init__(self, item: Item, renderer: vtk.vtkRenderer) -> None:
        self.item = item
        self.renderer = renderer
        self.dirty = True
        self.legend: Legend | None = None  # set by `build` where colours stand for values
        self.key: Key | None = None  # set by `build` where single colours mean something
        self._theme: Theme | None = None
        self._props: list[vtk.vtkProp] = []
        item.events.connect(self._mark)
        item.data_changed.connect(self._mark)

    def _mark(self, *_: Any) -> None:
        self.dirty = True

    @property
    def translucency(self) -> Translucency:
        """What has to be done to blend the props."""
        return Translucency.CROSSING if self.item.opacity < 1 else Translucency.NONE

    def build(self, theme: Theme) -> Iterable[vtk.vtkProp]:
        """Return the props that show the item as it is now."""
        raise NotImplementedError

    def refresh(self, theme: Theme) -> None:
        """Bring the props up to date if the item or the theme changed.

        Those that `build` returns once more stay where they are: to take a prop out frees what the graphics card holds
        of it. So what is hidden is kept, too.
        """
        if not self.dirty and theme == self._theme:
            return
        if self.item.visible:
            self._replace(list(self.build(theme)))
        for prop in self._props:
            prop.SetVisibility(self.item.visible)
        self.dirty, self._theme = False, theme

    def _replace(self, props: list[vtk.vtkProp]) -> None:
        for prop in self._props:
            if prop not in props:
                self.renderer.RemoveViewProp(prop)
        for prop in props:
            if prop not in self._props:
                self.renderer.AddViewProp(prop)
        self._props = props

    def bounds(self) -> NDArray[np.float64]:
        """Return the lowest and the highest corner (2, 3) of what a named view must show, scene units."""
        raise NotImplementedError

    def corners(self) -> NDArray[np.float64]:
        """Return points (N, 3) that a named view must show, with all that is between them: the corners of the box."""
        return box_corners(self.bounds())

    def margins(self, pane: Pane, taken: Margins) -> Margins | None:
        """Return what the frame takes of a pane beside `taken`, the room of title and scalar bars; None: no frame."""
        return None

    def frame(self, projection: Projection, texts: ScreenTexts) -> Iterable[vtk.vtkProp]:
        """Return what stands around the item from one point of view: outline, axes, labels among the other texts."""
        return ()

    def notes(self) -> list[str]:
        """Return what a reader of the picture must know: missing values, what drives the opacity ..."""
        return []

    def close(self) -> None:
        """Let go of the item and of all props."""
        self.item.events.disconnect(self._mark, missing_ok=True)
        self.item.data_changed.disconnect(self._mark, missing_ok=True)
        self._replace([])


def box_corners(box: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the corners (8, 3) of a box given by two of them (2, 3)."""
    return np.array([[x, y, z] for x in box[:, 0] for y in box[:, 1] for z in box[:, 2]])
