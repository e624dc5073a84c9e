"""The chosen point as numbers."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QColorDialog, QHBoxLayout, QLabel, QPushButton, QWidget

from cnnvis.viewer.transfer.grip import Grip
from cnnvis.viewer.transfer.number_edit import NumberEdit
from cnnvis.viewer.transfer.points import is_end

Convert = Callable[[float], float]


def _same(number: float) -> float:
    return number


class PointRow(QWidget):
    """Where the chosen point of a grip lies, to be typed; what stands there is added by the two subclasses.

    Parameters
    ----------
    grip : Grip
    what : str
        What positions are: "Value".
    other : QWidget
        Shows what stands at the point.
    """

    def __init__(self, grip: Grip, what: str, other: QWidget) -> None:
        super().__init__()
        self.grip = grip
        self._to_value: Convert = _same
        self._to_position: Convert = _same
        self.number = QLabel()
        self.number.setToolTip("Which of the points is chosen.")
        self.number.setMinimumWidth(self.number.fontMetrics().horizontalAdvance("88/88"))
        self.position = NumberEdit(f"{what} of the point", f"{what} where the point lies; its ends stay.")
        self.position.typed.connect(self._move)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.number, QLabel(what), self.position, other):
            layout.addWidget(part)
        layout.addStretch(1)
        grip.chosen.connect(lambda _: self.show_point())

    def set_unit(self, to_value: Convert, to_position: Convert) -> None:
        """Say how positions are written: as values of the data."""
        self._to_value, self._to_position = to_value, to_position
        self.show_point()

    def show_point(self) -> None:
        """Show the chosen point."""
        point, grip = self.grip.point, self.grip
        self.setEnabled(point is not None)
        if point is None:
            self.number.setText("–")
            self.position.clear()
            return
        self.number.setText(f"{grip.index + 1}/{len(grip.points)}")
        self.position.setEnabled(not is_end(grip.points, grip.index))
        self.position.show_value(self._to_value(point[0]))
        self._show_other(point[1])

    def _show_other(self, other: object) -> None:
        raise NotImplementedError

    def _move(self, value: float) -> None:
        if self.grip.point is not None:
            self.grip.set_point((min(max(self._to_position(value), 0.0), 1.0), self.grip.point[1]))
            self.show_point()


class HeightRow(PointRow):
    """A point of a curve: position and height.

    Parameters
    ----------
    grip : Grip
    what, height : str
        What the axes are.
    """

    def __init__(self, grip: Grip, what: str, height: str) -> None:
        self.height_edit = NumberEdit(f"{height} of the point", f"{height} at the point, 0 to 1.", low=0.0, high=1.0)
        holder = QWidget()
        layout = QHBoxLayout(holder)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel(height))
        layout.addWidget(self.height_edit)
        super().__init__(grip, what, holder)
        self.height_edit.typed.connect(self._raise)
        self.show_point()

    def _show_other(self, other: object) -> None:
        self.height_edit.show_value(other)

    def _raise(self, height: float) -> None:
        if self.grip.point is not None:
            self.grip.set_point((self.grip.point[0], height))
            self.show_point()


class ColourRow(PointRow):
    """A point of a colour map: position and colour."""

    def __init__(self, grip: Grip) -> None:
        self.button = QPushButton("Colour…")
        self.button.setToolTip("Another colour for the chosen point.")
        super().__init__(grip, "Value", self.button)
        self.button.clicked.connect(self.ask)
        self.show_point()

    def _show_other(self, other: object) -> None:
        swatch = QPixmap(16, 16)
        swatch.fill(QColor(other))
        self.button.setIcon(QIcon(swatch))

    def ask(self) -> None:
        """Let a colour be chosen; the picture follows, and goes back where the dialog is cancelled."""
        if self.grip.point is None:
            return
        grip, (position, old) = self.grip, self.grip.point
        dialog = QColorDialog(QColor(old), self)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle("Colour of the point")

        def take(colour: QColor) -> None:
            points = list(grip.points)
            points[grip.index] = (position, colour.name())
            grip.change(tuple(points))
            self.show_point()

        dialog.currentColorChanged.connect(take)
        dialog.rejected.connect(lambda: take(QColor(old)))
        dialog.finished.connect(lambda _: grip.finished.emit())
        dialog.finished.connect(dialog.deleteLater)
        dialog.setModal(True)  # else another point could be chosen meanwhile
        dialog.open()
