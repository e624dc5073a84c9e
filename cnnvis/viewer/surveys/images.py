"""Images passing through the network: the input, the answer, the map of the channel that is pointed at."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from cnnvis.report.scale import ColourScale
from cnnvis.viewer.fields import leave_wheel
from cnnvis.viewer.model_dialog import IMAGE_FILES
from cnnvis.viewer.share_bars import MOST_CLASSES, Line, ShareBars
from cnnvis.viewer.surveys.bench import SurveyBench

SIDE = 112
"""Pixels of a picture's side."""

RATE = 4
"""Images per second at first."""


class ImageStrip(QWidget):
    """Play, pause and step through the images; one's own picture; what the network answers.

    Parameters
    ----------
    bench : SurveyBench
    """

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__()
        self.bench = bench
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._buttons())
        pictures = QHBoxLayout()
        self.input, self.map = _Picture("The image"), _Picture("The map of the channel under the mouse, or selected")
        self.bars = PredictionBars(bench)
        pictures.addWidget(self.input)
        pictures.addWidget(self.map)
        pictures.addWidget(self.bars, 1)
        layout.addLayout(pictures)
        self.timer = QTimer(self)
        self.timer.setInterval(1000 // RATE)
        self.timer.timeout.connect(self._next)
        bench.changed.connect(self._show)
        bench.answered.connect(self._show)
        bench.pointed.connect(self._show_map)
        bench.workspace.edited.connect(self._show_map)
        self._show()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.play = QPushButton("Play")
        self.play.setCheckable(True)
        self.play.setToolTip("Pass the test images through the network, one after the other.")
        self.play.toggled.connect(self._toggle)
        self.back, self.forward = QPushButton("<"), QPushButton(">")
        for button, by, tip in ((self.back, -1, "The image before."), (self.forward, 1, "The next image.")):
            button.setFixedWidth(32)
            button.setToolTip(tip)
            button.setAccessibleName(tip.removesuffix("."))
            button.clicked.connect(partial(self._step, by))
        self.rate = QSpinBox()
        self.rate.setRange(1, 30)
        self.rate.setValue(RATE)
        self.rate.setSuffix(" images/s")
        self.rate.setToolTip("How fast it plays: 1 to 30 images a second, where the network is quick enough.")
        self.rate.setAccessibleName("Images per second")
        leave_wheel(self.rate)
        self.rate.valueChanged.connect(lambda rate: self.timer.setInterval(1000 // rate))
        self.own = QPushButton("Own image…")
        self.own.setToolTip("Pass a picture of your own through the network.")
        self.own.clicked.connect(self._ask)
        self.name = QLabel()
        for widget in (self.play, self.back, self.forward, self.rate, self.own):
            row.addWidget(widget)
        row.addWidget(self.name, 1)
        return row

    # -- what is done ------------------------------------------------------------------------------

    def _toggle(self, on: bool) -> None:
        self.play.setText("Pause" if on else "Play")
        if on:
            self.timer.start()
            self._next()
        else:
            self.timer.stop()

    def _next(self) -> None:
        if "survey image" not in self.bench.workspace.jobs.slots:  # the one before has been answered
            self.bench.step(1)

    def _step(self, by: int, *_: object) -> None:
        self.play.setChecked(False)
        self.bench.step(by)

    def _ask(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Own image", "", IMAGE_FILES)
        if name:
            self.play.setChecked(False)
            self.bench.look_at(Path(name))

    # -- what is shown -----------------------------------------------------------------------------

    def _show(self) -> None:
        answer = self.bench.answer
        for widget in (self.play, self.back, self.forward, self.own):
            widget.setEnabled(self.bench.survey is not None)
        self.name.setText("" if answer is None else answer.name)
        self.input.show_pixels(None if answer is None else answer.image)
        self.bars.update()
        self._show_map()

    def _show_map(self) -> None:
        """Show the map of the channel under the mouse, else of one that is selected."""
        answer = self.bench.answer
        known = () if answer is None else answer.maps
        selected = sorted(unit for unit in self.bench.selected if unit[0] in known)
        unit = self.bench.hovered or (selected[0] if selected else None)
        if answer is None or unit is None or unit[0] not in known:
            self.map.show_pixels(None)
            return
        values = answer.maps[unit[0]][unit[1]]
        values = values.reshape(-1, values.shape[-1]) if values.ndim else values.reshape(1, 1)
        self.map.show_pixels(ColourScale.of([values]).rgb(values))


class _Picture(QLabel):
    """A small picture whose pixels stay squares."""

    def __init__(self, tip: str) -> None:
        super().__init__()
        self.setFixedSize(QSize(SIDE, SIDE))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.setFrameShape(QLabel.Shape.StyledPanel)

    def show_pixels(self, pixels: NDArray[np.uint8] | None) -> None:
        """Show (H, W, 3) pixels, or nothing."""
        if pixels is None:
            self.clear()
            return
        pixels = np.ascontiguousarray(pixels)
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.setPixmap(QPixmap.fromImage(image).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio))


class PredictionBars(ShareBars):
    """The likeliest classes; the one answered is bold, the true one is marked by a tick."""

    def __init__(self, bench: SurveyBench) -> None:
        super().__init__()
        self.bench = bench
        self.setMinimumSize(QSize(160, SIDE))
        self.setAccessibleName("Answer")
        self.setToolTip("Probability of each class. Bold: the answer. ✓: the true class, last if unlikely.")

    def lines(self, most: int = MOST_CLASSES) -> list[Line]:
        """Return text, probability and whether it is the answer.

        Of the `most` likeliest classes, the likeliest first, and then of the true one where it is none of them.
        """
        answer = self.bench.answer
        if answer is None:
            return []
        names = self.bench.class_names
        shown = np.argsort(-answer.probabilities, kind="stable").tolist()
        missing = [label for label in shown[most:] if label == answer.label]
        return [
            (
                f"{'✓ ' if label == answer.label else ''}{names[label]}",
                float(answer.probabilities[label]),
                label == shown[0],
            )
            for label in [*shown[:most], *missing]
        ]
