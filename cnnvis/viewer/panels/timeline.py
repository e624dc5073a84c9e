"""The frames of a series: a slider, and play."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSignalBlocker, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QSpinBox, QWidget

from cnnvis.viewer.workspace import Workspace

FRAMES_PER_SECOND = 4


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
        self.label.setMinimumWidth(160)
        self.rate = QSpinBox()
        self.rate.setRange(1, 30)
        self.rate.setValue(FRAMES_PER_SECOND)
        self.rate.setSuffix(" frames/s")
        self.rate.setToolTip("How fast it plays: 1 to 30 frames a second, where drawing is quick enough.")
        self.rate.setAccessibleName("Frames per second")
        self.rate.valueChanged.connect(lambda rate: self.timer.setInterval(1000 // rate))
        layout = QHBoxLayout(self)
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
        workspace.edited.connect(self._show)
        self._show()

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
        self.label.setText(f"{series.axis}: {series.labels[longest.frame]} ({longest.frame + 1} of {length})")
