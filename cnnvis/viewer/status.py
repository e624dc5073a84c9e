"""The status bar: what is under the cursor, what is at work, how it is drawn."""

from __future__ import annotations

import math

from qtpy.QtWidgets import QLabel, QProgressBar, QPushButton, QSizePolicy, QStatusBar

from cnnvis.viewer.canvas import SceneCanvas
from cnnvis.viewer.workspace import Workspace

MESSAGE_MS = 6000
LONGEST_TITLE = 260
"""Room of the title of a job in pixels."""


class StatusLine(QStatusBar):
    """Shows messages for a while, the progress of jobs with a way to stop them, and the rate of drawing."""

    def __init__(self, workspace: Workspace, canvas: SceneCanvas) -> None:
        super().__init__()
        self.workspace, self.canvas = workspace, canvas
        self.under_cursor = QLabel()
        self.under_cursor.setAccessibleName("Under the cursor")
        self.work = QLabel()
        self.work.setMaximumWidth(LONGEST_TITLE)
        # A label asks for the room of its whole text, and the window would grow with what the mouse points at.
        self.under_cursor.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.under_cursor, 1)
        self.progress = QProgressBar()
        self.progress.setFixedWidth(140)
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Cancel what is being done; what was there before stays.")
        self.stop.clicked.connect(lambda _: workspace.jobs.cancel())
        self.drawing = QLabel()
        self.drawing.setToolTip("Frames a second while something moves, and the time of a full picture.")
        for widget in (self.work, self.progress, self.stop, self.drawing):
            self.addPermanentWidget(widget)
        workspace.message.connect(lambda text: self.showMessage(text, MESSAGE_MS))
        workspace.jobs.started.connect(lambda _: self._show_work())
        workspace.jobs.ended.connect(lambda _: self._show_work())
        workspace.jobs.progressed.connect(self._show_progress)
        canvas.painted.connect(lambda _: self._show_rate())
        self._show_work()

    def show_under_cursor(self, text: str) -> None:
        """Show what the mouse points at, in place of a message: that may be about what it pointed at before."""
        self.under_cursor.setText(text)
        if text:
            self.clearMessage()

    def _show_work(self) -> None:
        slots = self.workspace.jobs.slots
        for widget in (self.work, self.progress, self.stop):
            widget.setVisible(bool(slots))
        if slots:
            self.work.setText(self.workspace.jobs.title(slots[-1]))
            self.progress.setRange(0, 0)

    def _show_progress(self, slot: str, done: int, total: int) -> None:
        self.work.setText(self.workspace.jobs.title(slot))
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _show_rate(self) -> None:
        rate, full = self.canvas.frames_per_second, self.canvas.full_seconds
        texts = [] if math.isnan(rate) else [f"{rate:.0f} frames/s"]
        if math.isfinite(full):
            texts.append(f"full picture {full:.2g} s")
        drawn_by = next((pane.drawn.mapper for pane in self.canvas.panes), "")
        self.drawing.setText(" · ".join([*texts, *([drawn_by] if drawn_by else [])]))
