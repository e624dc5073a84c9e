"""The frames of a series: a slider, and play; under it, the training that they are epochs of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cnnvis.scene import Series
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.viewer.runs.panel import RunPanel

FRAMES_PER_SECOND = 4

LABEL_WIDTH = 160
"""Least room of what is said of a frame, pixels."""


class TimelinePanel(QWidget):
    """Goes through the frames of all scenes together: images, classes, epochs or iterations."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.play = QPushButton("Play")
        self.play.setCheckable(True)
        self.play.setToolTip("Show the frames one after the other (Space in the view).")
        self.play.toggled.connect(self._toggle)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setToolTip("The frame that is shown.")
        self.slider.setAccessibleName("Frame")
        self.slider.valueChanged.connect(self._go)
        self.label = QLabel()
        self.rate = QSpinBox()
        self.rate.setRange(1, 30)
        self.rate.setValue(FRAMES_PER_SECOND)
        self.rate.setSuffix(" frames/s")
        self.rate.setToolTip("How fast it plays: 1 to 30 frames a second, where drawing is quick enough.")
        self.rate.setAccessibleName("Frames per second")
        self.rate.valueChanged.connect(lambda rate: self.timer.setInterval(1000 // rate))
        layout = QHBoxLayout()
        for text, step, tip in (("<", -1, "The frame before."), (">", 1, "The next frame.")):
            button = QPushButton(text)
            button.setFixedWidth(32)
            button.setToolTip(tip)
            button.clicked.connect(partial(self.step, step))
            layout.addWidget(button)
        for widget in (self.play, self.slider, self.label, self.rate):
            layout.addWidget(widget, 1 if widget is self.slider else 0)
        self.timer = QTimer(self)
        self.timer.setInterval(1000 // FRAMES_PER_SECOND)
        self.timer.timeout.connect(self._next)
        column = QVBoxLayout(self)
        column.addLayout(layout)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.hide()
        column.addWidget(self.area, 1)
        column.addStretch()
        self.run: RunPanel | None = None
        self._series: Series | None = None
        workspace.edited.connect(self._show)
        workspace.run_changed.connect(self._open_run)
        workspace.target_changed.connect(self._show_run)
        self._show()

    def _open_run(self) -> None:
        """Show the training that has been opened."""
        from cnnvis.viewer.runs.panel import RunPanel  # loads pyqtgraph

        assert self.workspace.run is not None
        self.run = RunPanel(self.workspace, self.workspace.run)
        self.area.setWidget(self.run)  # which deletes the one before
        self._show_run()

    def _show_run(self) -> None:
        """Hide the training while something else is open."""
        self.area.setVisible(self.run is not None and self.run.bench.is_open)

    def step(self, step: int, *_: object) -> None:
        """Show the next frame of every series, and begin anew after the last."""
        for scene in self.workspace.scenes:
            if len(scene.series):
                scene.frame = (scene.frame + step) % len(scene.series)

    def _next(self) -> None:
        self.step(1)

    def _toggle(self, on: bool) -> None:
        self.play.setText("Pause" if on else "Play")
        if on and self._length() > 1:
            self.timer.start()
        else:
            self.timer.stop()

    def _length(self) -> int:
        return max(len(scene.series) for scene in self.workspace.scenes)

    def _go(self, frame: int) -> None:
        for scene in self.workspace.scenes:
            if len(scene.series):
                scene.frame = min(frame, len(scene.series) - 1)

    def _show(self) -> None:
        length = self._length()
        longest = next((scene for scene in self.workspace.scenes if len(scene.series) == length), None)
        self.setEnabled(length > 1)
        if length <= 1:
            self.play.setChecked(False)
            self.label.setText("no series: nothing to play")
            return
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, length - 1)
            self.slider.setValue(longest.frame)
        series = longest.series
        if series is not self._series:
            self._series = series
            texts = (_text(series, frame) for frame in range(length))
            widest = max(map(self.label.fontMetrics().horizontalAdvance, texts))  # or the slider moves under the hand
            self.label.setFixedWidth(max(LABEL_WIDTH, widest + 4))
        self.label.setText(_text(series, longest.frame))


def _text(series: Series, frame: int) -> str:
    """Return what is said of a frame."""
    return f"{series.axis}: {series.labels[frame]} ({frame + 1} of {len(series)})"
