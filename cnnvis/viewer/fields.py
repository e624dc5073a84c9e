"""Small widgets for numbers, choices and switches, and how they are bound to evented state."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from psygnal import EventedModel, SignalInstance
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractSlider,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QSlider,
    QSpinBox,
    QWidget,
)

Widget = TypeVar("Widget", bound=QWidget)

STEPS = 1000
"""Places of a slider for numbers."""


class NumberField(QWidget):
    """A number as a slider with a spin box: drag for a look, type for a value.

    Parameters
    ----------
    low, high : float
    value : float
    whole : bool
        Only whole numbers.
    decimals : int
    suffix : str
        The unit.
    tooltip : str
    """

    changed = Signal(float)
    finished = Signal()

    def __init__(
        self,
        low: float,
        high: float,
        value: float,
        *,
        whole: bool = False,
        decimals: int = 3,
        suffix: str = "",
        tooltip: str = "",
    ) -> None:
        super().__init__()
        self.low, self.high, self.whole = low, high, whole
        self._steps = int(high - low) if whole else STEPS
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, self._steps)
        self.slider.setPageStep(max(1, self._steps // 10))
        self.slider.setMinimumWidth(70)
        self.box: QSpinBox | QDoubleSpinBox = QSpinBox() if whole else QDoubleSpinBox()
        if isinstance(self.box, QDoubleSpinBox):
            self.box.setDecimals(decimals)
            self.box.setSingleStep((high - low) / 100)
            self.box.setRange(low, high)
        else:
            self.box.setRange(int(low), int(high))
        self.box.setSuffix(suffix)
        self.box.setKeyboardTracking(False)
        self.box.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.box.setFixedWidth(84)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.box)
        self.setFocusProxy(self.box)
        self.setToolTip(f"{tooltip}\n{low:g} to {high:g}{suffix}".strip())
        self.set_value(value)
        leave_wheel(self.slider)
        leave_wheel(self.box)
        self.slider.valueChanged.connect(self._slid)
        self.slider.sliderReleased.connect(self.finished)
        self.box.valueChanged.connect(self._typed)
        self.box.editingFinished.connect(self.finished)

    def setAccessibleName(self, name: str) -> None:  # noqa: N802 - overrides Qt's
        """Name both parts for screen readers and tests."""
        super().setAccessibleName(name)
        self.slider.setAccessibleName(f"{name}, slider")
        self.box.setAccessibleName(name)

    @property
    def value(self) -> float:
        """The number."""
        return self.box.value()

    def set_range(self, low: float, high: float) -> None:
        """Allow other numbers, without telling of a change of the one that is shown."""
        self.low, self.high = low, high
        self._steps = int(high - low) if self.whole else STEPS
        with _silent(self.slider, self.box):
            self.slider.setRange(0, self._steps)
            self.slider.setPageStep(max(1, self._steps // 10))
            self.box.setRange(*((int(low), int(high)) if isinstance(self.box, QSpinBox) else (low, high)))
            self.slider.setValue(self._place(self.value))

    def set_value(self, value: float) -> None:
        """Show a number without telling of a change."""
        with _silent(self.slider, self.box):
            self.box.setValue(int(value) if isinstance(self.box, QSpinBox) else value)
            self.slider.setValue(self._place(value))

    def _place(self, value: float) -> int:
        return round((value - self.low) / ((self.high - self.low) or 1.0) * self._steps)

    def _slid(self, place: int) -> None:
        value = self.low + (self.high - self.low) * place / max(self._steps, 1)
        with _silent(self.box):
            self.box.setValue(round(value) if isinstance(self.box, QSpinBox) else value)
        self.changed.emit(self.value)

    def _typed(self, value: float) -> None:
        with _silent(self.slider):
            self.slider.setValue(self._place(value))
        self.changed.emit(self.value)


class ChoiceField(QComboBox):
    """One of several values.

    Parameters
    ----------
    choices : iterable of (value, text), of text, or a StrEnum
    value
        The first by default.
    tooltip : str
    """

    changed = Signal(object)

    def __init__(self, choices: Iterable[Any] = (), value: Any = None, *, tooltip: str = "") -> None:
        super().__init__()
        self.setToolTip(tooltip)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.set_choices(choices)
        if value is not None:
            self.set_value(value)
        leave_wheel(self)
        self.activated.connect(lambda _: self.changed.emit(self.value))

    def set_choices(self, choices: Iterable[Any]) -> None:
        """Replace what there is to choose from; the value stays if it is among them."""
        kept = self.value
        with _silent(self):
            self.clear()
            for choice in choices:
                value, text = choice if isinstance(choice, tuple) else (choice, str(choice).replace("_", " "))
                self.addItem(text, str(value) if isinstance(value, StrEnum) else value)
        self.set_value(kept)

    @property
    def value(self) -> Any:
        """The value that is chosen."""
        return self.currentData()

    def set_value(self, value: Any) -> None:
        """Choose a value without telling of a change; one that is not there is ignored."""
        index = next((index for index in range(self.count()) if self.itemData(index) == value), -1)
        if index >= 0:
            with _silent(self):
                self.setCurrentIndex(index)


class CheckField(QCheckBox):
    """On or off."""

    changed = Signal(bool)

    def __init__(self, text: str = "", value: bool = False, *, tooltip: str = "") -> None:
        super().__init__(text)
        self.setToolTip(tooltip)
        self.setChecked(value)
        self.clicked.connect(lambda _: self.changed.emit(self.value))

    @property
    def value(self) -> bool:
        """Whether it is on."""
        return self.isChecked()

    def set_value(self, value: bool) -> None:
        """Switch it without telling of a change."""
        with _silent(self):
            self.setChecked(value)


Field = NumberField | ChoiceField | CheckField


def bind(field: Field, model: EventedModel, name: str) -> Field:
    """Let a widget show a field of an evented model and write it; both ways, for as long as the widget lives.

    Parameters
    ----------
    field : NumberField, ChoiceField or CheckField
    model : EventedModel
    name : str
        Of the model's field.

    Returns
    -------
    Field
        The widget itself.
    """
    field.set_value(getattr(model, name))
    field.changed.connect(partial(setattr, model, name))
    listen(field, getattr(model.events, name), lambda field: field.set_value(getattr(model, name)))
    return field


def listen(widget: Widget, signal: SignalInstance, call: Callable[[Widget], None]) -> None:
    """Call `call` with a widget whenever a signal of the scene comes, for as long as the widget lives.

    `call` must hold no reference to the widget, as an unbound method does not. (A function that is connected to
    `QObject.destroyed` instead is freed with the widget while it still runs, which ends the program.)
    """
    known = weakref.ref(widget)

    def hear(*_: object) -> None:
        living = known()
        if living is None or not isalive(living):
            signal.disconnect(hear, missing_ok=True)
        else:
            call(living)

    signal.connect(hear)


def add_row(form: QFormLayout, text: str, field: QWidget) -> None:
    """Add a labelled row; the label is the field's name for screen readers, and Alt+letter goes to it."""
    field.setAccessibleName(text.replace("&", ""))
    label = QLabel(text)
    label.setBuddy(field)
    label.setToolTip(field.toolTip())
    form.addRow(label, field)


def leave_wheel(control: QAbstractSlider | QAbstractSpinBox | QComboBox) -> None:
    """Let a control take the wheel only where the keyboard is in it.

    Elsewhere the wheel scrolls the panel, and does not change what it only passes.
    """
    control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    control.installEventFilter(_WheelGuard(control))


def is_typed(event: QKeyEvent) -> bool:
    """Return whether a key types a character, with no modifier but Shift."""
    free = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    return bool(event.text().strip()) and event.text().isprintable() and not event.modifiers() & free


class _WheelGuard(QObject):
    """Hands the wheel on to what is around a control that has not the focus; keeps what is typed in a list for it."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - overrides Qt's
        """Take the event from the control; what is ignored goes to its parent."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(watched, QComboBox):
            event.setAccepted(is_typed(event))  # a digit is a class there, and a position of the camera elsewhere
            return event.isAccepted()
        is_wheel = event.type() == QEvent.Type.Wheel
        passing = is_wheel and isinstance(watched, QWidget) and not watched.hasFocus()
        if passing:
            event.ignore()
        return passing


@contextmanager
def _silent(*widgets: QWidget) -> Iterator[None]:
    blockers = [QSignalBlocker(widget) for widget in widgets]
    try:
        yield
    finally:
        for blocker in blockers:
            blocker.unblock()
