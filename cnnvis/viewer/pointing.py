"""What the mouse says about the picture: values under it, selection by click and rectangle."""

from __future__ import annotations

from qtpy.QtCore import QObject, QRect, Qt, Signal

from cnnvis.rendering import ScenePane
from cnnvis.rendering.hits import Hit
from cnnvis.rendering.picking import Picker
from cnnvis.scene import Selection
from cnnvis.viewer.canvas import SceneCanvas
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

REST_MS = 250
"""After the full picture, until what is where is worked out."""

HOVER_MS = 40
"""Least time between two answers to a mouse that moves."""


class Pointing(QObject):
    """Answers the mouse over a canvas.

    Where things are is worked out while nothing moves and nothing is being done: it takes as long as a frame. Until
    then the mouse gets no answer, but a click does.

    Notes
    -----
    Signals: `hovered` with the line for the status bar, "" where there is nothing; `unit_hovered` with the channel
    under the mouse, (layer, channel) or None; `hit` with the Hit that was clicked.
    """

    hovered = Signal(str)
    unit_hovered = Signal(object)
    hit = Signal(object)

    def __init__(self, workspace: Workspace, canvas: SceneCanvas) -> None:
        super().__init__(canvas)
        self.workspace, self.canvas = workspace, canvas
        self._pickers: dict[int, Picker] = {}
        self._panes: tuple[ScenePane, ...] = ()
        self._at: tuple[int, int] | None = None
        self._rest = single_shot(self, REST_MS, self._prepare)
        self._hover = single_shot(self, HOVER_MS, self._answer)
        view = canvas.view
        view.pointed.connect(self._point)
        view.left.connect(self._leave)
        view.clicked.connect(self._click)
        view.double_clicked.connect(self._look_at)
        view.banded.connect(self._select_inside)
        canvas.painted.connect(self._painted)

    def picker_at(self, x: int, y: int) -> Picker | None:
        """Return what answers for the pane at a pixel; None outside all panes."""
        pane = self.canvas.pane_at(x, y)
        if pane is None:
            return None
        if self.canvas.panes is not self._panes:
            self._panes = self.canvas.panes
            self._pickers = {id(each.drawn): Picker(each.drawn) for each in self._panes}
        return self._pickers[id(pane.drawn)]

    def hit_at(self, x: int, y: int) -> Hit | None:
        """Return what is at a pixel, however long it takes to find out."""
        picker = self.picker_at(x, y)
        return None if picker is None else picker.at(x, y)

    # -- hovering --------------------------------------------------------------------------------

    def _painted(self, full: bool) -> None:
        if full:
            self._rest.start()

    def _prepare(self) -> None:
        if self._at is None or not self.canvas.resting or self.workspace.jobs.busy:
            return
        picker = self.picker_at(*self._at)
        if picker is not None:
            picker.prepare()
            self._answer()

    def _point(self, x: int, y: int) -> None:
        self._at = (x, y)
        if not self._hover.isActive():
            self._hover.start()

    def _leave(self) -> None:
        self._at = None
        self._tell(None)

    def _answer(self) -> None:
        if self._at is None:
            return
        picker = self.picker_at(*self._at)
        if picker is None or picker.stale:
            self._tell(None)
            if not self._rest.isActive():
                self._rest.start()
            return
        self._tell(picker.at(*self._at))

    def _tell(self, hit: Hit | None) -> None:
        units = frozenset() if hit is None else hit.selection.units
        self.hovered.emit("" if hit is None else hit.text)
        self.unit_hovered.emit(next(iter(units)) if len(units) == 1 else None)

    # -- selecting -------------------------------------------------------------------------------

    def _click(self, x: int, y: int, modifiers: Qt.KeyboardModifier) -> None:
        pane = self.canvas.pane_at(x, y)
        if pane is None:
            return
        self.workspace.activate(pane.drawn.scene)
        hit, old = self.hit_at(x, y), self.workspace.scene.selection
        adding = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if hit is None:
            if not adding:
                self.workspace.select()
            return
        self.workspace.message.emit(hit.text)
        self.hit.emit(hit)
        selected = hit.part_of(old)
        if selected and (adding or selected == old):
            self.workspace.select(old.toggled(selected))
        else:
            self._select(hit.selection, adding=adding)

    def _select_inside(self, rectangle: QRect, modifiers: Qt.KeyboardModifier) -> None:
        picker = self.picker_at(rectangle.center().x(), rectangle.center().y())
        if picker is None:
            return
        units = picker.inside((rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom()))
        adding = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        self._select(Selection(units=units), adding=adding)
        self.workspace.message.emit(f"{len(units)} units in the rectangle")

    def _select(self, chosen: Selection, *, adding: bool) -> None:
        old = self.workspace.scene.selection
        self.workspace.select(old.toggled(chosen) if adding else chosen)

    def _look_at(self, x: int, y: int) -> None:
        """Bring what is at a pixel into the middle."""
        hit, pane = self.hit_at(x, y), self.canvas.pane_at(x, y)
        if hit is not None and pane is not None:
            self.canvas.centre_on(pane, hit.place)
