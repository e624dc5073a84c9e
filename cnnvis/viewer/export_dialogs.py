"""What is asked before a picture or a film is written."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from cnnvis.rendering.film import DEFAULT_SIZE as FILM_SIZE
from cnnvis.rendering.still import DEFAULT_SIZE as PICTURE_SIZE
from cnnvis.scene import scenes_of
from cnnvis.viewer.fields import ChoiceField, add_row
from cnnvis.viewer.workspace import Target

LARGEST = 8192


class SizeDialog(QDialog):
    """Asks for the size of a picture in pixels."""

    title, standard = "Screenshot", PICTURE_SIZE

    def __init__(self, target: Target, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.title)
        self.form = QFormLayout(self)
        width, height = target.size or self.standard
        self.width_box, self.height_box = _pixels(width, "Width"), _pixels(height, "Height")
        row = QHBoxLayout()
        for widget in (self.width_box, QLabel("x"), self.height_box):
            row.addWidget(widget)
        self.form.addRow("&Size", row)
        self.add_fields(target)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.form.addRow(buttons)

    def add_fields(self, target: Target) -> None:
        """Add what else is asked."""

    @property
    def size_asked(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width_box.value(), self.height_box.value()


class FilmDialog(SizeDialog):
    """Asks what a film runs over, how long and how fast."""

    title, standard = "Film", FILM_SIZE

    def add_fields(self, target: Target) -> None:
        """Add what it runs over, pictures and rate."""
        longest = max((scene.series for scene in scenes_of(target)), key=len)
        choices = [("turn", "a turn around it")]
        if len(longest):
            choices.append(("series", f"its series: {longest.axis}, {len(longest)} frames"))
        self.over = ChoiceField(choices, tooltip="What changes from picture to picture.")
        add_row(self.form, "&Over", self.over)
        self.frames = QSpinBox()
        self.frames.setRange(2, 720)
        self.frames.setValue(48)
        self.frames.setToolTip("Pictures of a turn, 2 to 720.")
        add_row(self.form, "&Pictures of a turn", self.frames)
        self.fps = QSpinBox()
        self.fps.setRange(1, 60)
        self.fps.setValue(24)
        self.fps.setToolTip("Pictures a second, 1 to 60.")
        add_row(self.form, "Pictures a &second", self.fps)

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of `Exports.film` but the path."""
        return {
            "over": self.over.value,
            "frames": self.frames.value(),
            "fps": self.fps.value(),
            "size": self.size_asked,
        }


def _pixels(value: int, name: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(16, LARGEST)
    box.setValue(value)
    box.setSuffix(" px")
    box.setAccessibleName(name)
    box.setToolTip(f"{name} in pixels, 16 to {LARGEST}.")
    return box
