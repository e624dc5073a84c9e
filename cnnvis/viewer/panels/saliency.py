"""Where the network sees a class, laid over the image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cnnvis.core import SaliencyMap
from cnnvis.report.overlay import OPACITY, laid_over, saliency_scale
from cnnvis.report.scale import ColourScale
from cnnvis.report.style import minus
from cnnvis.viewer.examples import MODELS, SAMPLES
from cnnvis.viewer.fields import ChoiceField, NumberField, add_row
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.model_dialog import IMAGE_FILES
from cnnvis.viewer.name_lines import add_browsed, name_line
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.saliency import SLOT, SaliencyBench, SaliencyWish
from cnnvis.viewer.workspace import ModelSource, Workspace

METHODS = (("grad_cam", "Grad-CAM: maps of the last layer"), ("occlusion", "Occlusion: cover and see"))
SCORES = (("logit", "its score (logit)"), ("margin", "its margin over the others"))
SAVED_AS = "Picture (*.png);;Map (*.safetensors);;Array (*.npy)"

HINT = "Choose a network and an image, and explain it. A photo needs no label."
CAUTION = "Says where, not why: a network with shuffled weights has such maps too."

SIDE, BAR, BAR_ROOM = 120, 14, 40
"""Pixels: the picture's side at least, the colour bar, and the room for it with its numbers."""

WIDEST = 460
"""Of the controls, so that the picture has the room."""


class SaliencyPanel(QWidget):
    """Asks which image to explain by what, and shows the overlay.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace, self.bench = workspace, SaliencyBench(workspace)
        self._weights: dict[str, str | None] = {}
        column = QWidget()
        controls = QVBoxLayout(column)
        controls.addLayout(self._form())
        controls.addLayout(self._buttons())
        self.said = QLabel(HINT)
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        controls.addWidget(self.said)
        controls.addStretch(1)
        self.area = ColumnArea()
        self.area.setWidget(column)
        self.area.setMaximumWidth(WIDEST)
        self.overlay = Overlay()
        layout = QHBoxLayout(self)
        layout.addWidget(self.area, 1)
        layout.addWidget(self.overlay, 2)
        self.bench.changed.connect(self._show)
        workspace.jobs.started.connect(self._show_state)
        workspace.jobs.ended.connect(self._show_state)
        self._show_state()

    # -- parts -----------------------------------------------------------------------------------

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        self.network = name_line(MODELS, "A name, file.py:factory, a .pt2 program, torchvision:NAME ...")
        self.network.editTextChanged.connect(self._show_state)
        add_row(form, "Net&work", self.network)
        tip = "A picture file, a photo that comes along, or the number of a test image of the network's own data."
        self.image = name_line(SAMPLES, tip)
        self.image.editTextChanged.connect(self._show_state)
        add_browsed(form, "&Image", self.image, tip="A picture.", browse=self._browse)
        self.method = ChoiceField(METHODS, tooltip="Grad-CAM weighs the maps of a layer; occlusion covers places.")
        self.method.changed.connect(lambda _: self._ask_anew())
        add_row(form, "&Method", self.method)
        tip = "What of the class is explained. The margin shows something where the logit has nothing."
        self.score = ChoiceField(SCORES, tooltip=tip)
        self.score.changed.connect(lambda _: self._ask_anew())
        add_row(form, "&Score", self.score)
        self.classes = ChoiceField(tooltip="The class that is explained, the likeliest first; any may be chosen.")
        self.classes.changed.connect(lambda _: self._ask_anew())
        add_row(form, "C&lass", self.classes)
        self.opacity = NumberField(0, 1, OPACITY, decimals=2, tooltip="Of the colours over the picture.")
        self.opacity.changed.connect(lambda _: self._show_overlay())
        add_row(form, "Opaci&ty", self.opacity)
        return form

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.explain = QPushButton("E&xplain")
        self.explain.setToolTip("Show where the network sees its likeliest class.")
        self.explain.clicked.connect(lambda _: self.ask())
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop, and keep what is shown.")
        self.cancel.clicked.connect(lambda _: self.workspace.jobs.cancel(SLOT))
        self.save = QPushButton("Save…")
        self.save.setToolTip("The picture with its legend, the map with all that is known of it, or its values.")
        self.save.clicked.connect(lambda _: self._ask_save())
        for button in (self.explain, self.cancel, self.save):
            row.addWidget(button)
        return row

    # -- what is asked ---------------------------------------------------------------------------

    def begin_with(self, source: ModelSource | None, image: str) -> None:
        """Fill in a network and an image, and explain it where both are known."""
        if source is not None:
            model, weights = source
            self._weights[model] = weights
            self.network.setCurrentText(model)
        if image:
            self.image.setCurrentText(image)
        if source is not None and image:
            self.ask()

    def ask(self) -> None:
        """Explain the image that is named, for its likeliest class."""
        model, image = (line.currentText().strip() for line in (self.network, self.image))
        if model and image:
            self._ask(SaliencyWish(source=(model, self._weights.get(model)), image=image))

    def _ask_anew(self) -> None:
        """Explain the image that is shown in the way that is chosen now."""
        if self.bench.wish is not None:
            self._ask(replace(self.bench.wish, target=self.classes.value))

    def _ask(self, wish: SaliencyWish) -> None:
        self.bench.ask(replace(wish, method=self.method.value, of=self.score.value))

    def _browse(self) -> None:
        if name := QFileDialog.getOpenFileName(self, "Image", "", IMAGE_FILES)[0]:
            self.image.setCurrentText(name)

    def _ask_save(self) -> None:
        name, kind = QFileDialog.getSaveFileName(self, "Save saliency", "saliency.png", SAVED_AS)
        if name:
            path = Path(name)
            suffix = kind.partition("*")[2].rstrip(")") or ".png"
            self.save_as(path if path.suffix else path.with_suffix(suffix))

    def save_as(self, path: Path) -> None:
        """Save the picture (.png), the map (.safetensors) or its values (.npy) in a thread."""
        found, shown, opacity = self.bench.found, self.bench.shown, self.opacity.value
        if found is None or shown is None:
            return

        def work(tell: Tell) -> None:
            from cnnvis.io import save, save_bytes
            from cnnvis.report import saliency_figure, to_png

            if path.suffix.lower() == ".png":
                save_bytes(to_png(saliency_figure([shown], found.picture, title=found.name, opacity=opacity)), path)
            else:
                save(shown.values if path.suffix.lower() == ".npy" else shown, path)

        def then(_: None) -> None:
            self.workspace.message.emit(f"Saved {path}.")

        self.workspace.jobs.run("save saliency", work, then, title=f"Saving {path.name}")

    # -- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        found, shown = self.bench.found, self.bench.shown
        if found is not None and shown is not None:
            self.classes.set_choices((each.index, f"{each.name}  {each.probability:.1%}") for each in found.predictions)
            self.classes.set_value(shown.target)
            nothing = "" if shown.values.any() else " Nothing there speaks for the class: try its margin."
            self.said.setText(f"{found.name}: {shown.title}, {shown.quantity}.{nothing}\n{CAUTION}")
        self._show_overlay()
        self._show_state()

    def _show_overlay(self) -> None:
        if self.bench.found is not None and self.bench.shown is not None:
            self.overlay.show_map(self.bench.found.picture, self.bench.shown, self.opacity.value)

    def _show_state(self, *_: object) -> None:
        named = all(line.currentText().strip() for line in (self.network, self.image))
        self.explain.setEnabled(named)
        self.cancel.setEnabled(SLOT in self.workspace.jobs.slots)
        self.save.setEnabled(self.bench.shown is not None)
        self.classes.setEnabled(self.bench.shown is not None)


class Overlay(QWidget):
    """A picture with colours over it, and the bar that says what they mean."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(QSize(SIDE, SIDE + BAR_ROOM))
        self.setAccessibleName("Overlay")
        self.setToolTip("Coloured is where the class is seen; the bar below says how strongly.")
        self.pixels: NDArray[np.uint8] | None = None
        self._scale: ColourScale | None = None

    def show_map(self, picture: NDArray[np.uint8], shown: SaliencyMap, opacity: float) -> None:
        """Show a map over its picture."""
        self._scale = saliency_scale([shown])
        self.pixels = laid_over(picture, shown.values, self._scale, opacity=opacity)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - overrides Qt's
        """Paint picture and bar, as large as there is room."""
        painter = QPainter(self)
        if self.pixels is None or self._scale is None:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "No image is explained yet.")
            return
        height, width = self.pixels.shape[:2]
        factor = min(self.width() / width, (self.height() - BAR_ROOM) / height)
        place = QRectF((self.width() - width * factor) / 2, 0, width * factor, height * factor)
        painter.drawImage(place, _image(self.pixels))
        bar = QRectF(place.left(), place.bottom() + 6, place.width(), BAR)
        low, high = self._scale.low, self._scale.high
        painter.drawImage(bar, _image(self._scale.rgb(np.linspace(low, high, 256)[None])))
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        numbers = QRectF(place.left(), bar.bottom(), place.width(), BAR_ROOM - BAR - 6)
        for value, side in ((low, Qt.AlignmentFlag.AlignLeft), (high, Qt.AlignmentFlag.AlignRight)):
            painter.drawText(numbers, side | Qt.AlignmentFlag.AlignVCenter, minus(f"{value:.3g}"))


def _image(pixels: NDArray[np.uint8]) -> QImage:
    """Return (H, W, 3) pixels as an image of its own."""
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape[:2]
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
