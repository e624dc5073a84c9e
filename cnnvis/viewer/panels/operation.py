"""One operation explained: which value, its numbers, and what the answer is with its channel scaled."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import QFileDialog, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from cnnvis.viewer.fields import ChoiceField, NumberField, add_row
from cnnvis.viewer.model_dialog import IMAGE_FILES
from cnnvis.viewer.operations.bench import SLOT, OperationBench
from cnnvis.viewer.operations.picture import OperationPicture
from cnnvis.viewer.share_bars import MOST_CLASSES, Line, ShareBars
from cnnvis.viewer.surveys.making import origin_of
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.rendering.hits import Hit
    from cnnvis.viewer.files import Files

RATE = 8
"""Positions per second while it plays: slow enough to follow."""

SIDE = 330
"""Width of the controls."""

HINT = "Click a unit or a pixel of a network, or choose a layer here."


class OperationPanel(QWidget):
    """Explains the value that is clicked or chosen.

    Parameters
    ----------
    workspace : Workspace
    files : Files
        Knows what the network that is open was loaded with.
    """

    def __init__(self, workspace: Workspace, files: Files) -> None:
        super().__init__()
        self.workspace, self.files = workspace, files
        self.bench = OperationBench(workspace)
        self.picture = OperationPicture(self.bench)
        self.layer = ChoiceField(tooltip="The layer that is explained.")
        self.channel = NumberField(0, 1, 0, whole=True, tooltip="Which of its channels.")
        self.row = NumberField(0, 1, 0, whole=True, tooltip="Where in the channel's map.")
        self.column = NumberField(0, 1, 0, whole=True, tooltip="Where in the channel's map.")
        self.factor = NumberField(
            0, 2, 1, decimals=2, tooltip="Multiplies this channel: 0 switches it off. The answer below follows."
        )
        self.play = QPushButton("Play")
        self.play.setCheckable(True)
        self.play.setToolTip("Move the window over the map, position by position.")
        self.play.toggled.connect(self._toggle)
        self.own = QPushButton("Image…")
        self.own.setToolTip("Explain what the network does with a picture of your own.")
        self.own.clicked.connect(lambda _: self._ask_image())
        self.state = QLabel(HINT)
        self.state.setWordWrap(True)
        self.answer = _AnswerBars(self.bench)
        self._lay_out()
        self.timer = QTimer(self)
        self.timer.setInterval(1000 // RATE)
        self.timer.timeout.connect(partial(self.bench.step, 1))
        self.layer.changed.connect(self.bench.explain)
        for field in (self.channel, self.row, self.column):
            field.changed.connect(self._move)
        self.factor.changed.connect(self.bench.scale)
        self.bench.opened.connect(self._show_layers)
        self.bench.changed.connect(self._show_layer)
        self.bench.moved.connect(self._show_place)
        self.bench.answered.connect(self.answer.update)
        workspace.target_changed.connect(self._see_target)
        workspace.edited.connect(self._follow_epoch)
        self._show_layers()

    def _lay_out(self) -> None:
        side = QWidget()
        side.setFixedWidth(SIDE)
        column = QVBoxLayout(side)
        column.setContentsMargins(4, 4, 4, 4)
        form = QFormLayout()
        for text, field in (
            ("&Layer", self.layer),
            ("&Channel", self.channel),
            ("Ro&w", self.row),
            ("C&olumn", self.column),
            ("&Times", self.factor),
        ):
            add_row(form, text, field)
        column.addLayout(form)
        buttons = QHBoxLayout()
        for text, step, tip in (("<", -1, "The position before."), (">", 1, "The next position.")):
            button = QPushButton(text)
            button.setFixedWidth(32)
            button.setToolTip(tip)
            button.setAccessibleName(tip.removesuffix("."))
            button.clicked.connect(partial(self._step, step))
            buttons.addWidget(button)
        buttons.addWidget(self.play, 1)
        buttons.addWidget(self.own, 1)
        column.addLayout(buttons)
        column.addWidget(self.state)
        column.addWidget(self.answer, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(side)
        layout.addWidget(self.picture, 1)

    # -- what is asked for -----------------------------------------------------------------------

    def show_hit(self, hit: Hit | None) -> None:
        """Explain what was clicked in the view: a unit at its strongest, a pixel where it is."""
        units = () if hit is None else tuple(hit.selection.units)
        if len(units) != 1 or not self.isVisible():
            return
        layer, channel = units[0]
        place: tuple[int, ...] = (channel,)
        if hasattr(hit, "row") and hasattr(hit, "column"):
            place = (channel, hit.row, hit.column)
        self.explain(layer, place)

    def explain(self, layer: str = "", place: tuple[int, ...] = ()) -> None:
        """Explain a layer of the network that is open, loading it where it is another one."""
        origin = origin_of(self.workspace)
        if self.bench.is_of(origin):
            if layer in {name for name, _ in self.bench.subject.layers}:
                self.bench.explain(layer, place)
            elif layer:
                self.workspace.message.emit(f"{layer} is an input or has no values: nothing computes it.")
            return
        source = None if origin is None else self.files.source_of(origin)
        self.bench.open(source, None if origin is None else self.files.image_of(origin), layer, place)

    def begin(self) -> None:
        """Explain the network that is open, if that is another one than is explained."""
        if not self.bench.is_of(origin_of(self.workspace)):
            self.explain()

    def _see_target(self) -> None:
        """Explain what is open now, if that is of a network and somebody is looking."""
        self.play.setChecked(False)
        if self.isVisible() and origin_of(self.workspace) is not None:
            self.begin()

    def _follow_epoch(self) -> None:
        """Explain the same value at the epoch of a training that is shown now."""
        bench = self.bench
        if not self.isVisible() or bench.subject is None or bench.operation is None or bench.subject.epoch is None:
            return
        if self.workspace.shown_epoch not in (None, bench.subject.epoch) and SLOT not in self.workspace.jobs.slots:
            self.explain(bench.operation.layer, (bench.channel, *bench.position))

    def _ask_image(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Image", "", IMAGE_FILES)
        origin = origin_of(self.workspace)
        if name and origin is not None:
            layer = "" if self.bench.operation is None else self.bench.operation.layer
            self.bench.open(self.files.source_of(origin), name, layer)

    def _move(self, _: float) -> None:
        operation = self.bench.operation
        if operation is None:
            return
        place = (int(self.row.value), int(self.column.value))
        position = place if len(operation.shape) == 3 else place[1:] if len(operation.shape) == 2 else ()
        if len(operation.shape) <= 3:
            self.bench.move(int(self.channel.value), position)

    def _step(self, by: int, *_: object) -> None:
        self.play.setChecked(False)
        self.bench.step(by)

    def _toggle(self, on: bool) -> None:
        self.play.setText("Pause" if on else "Play")
        if on:
            self.timer.start()
        else:
            self.timer.stop()

    # -- what is shown ---------------------------------------------------------------------------

    def _show_layers(self) -> None:
        subject = self.bench.subject
        self.layer.set_choices(() if subject is None else subject.layers)
        for widget in (self.layer, self.channel, self.row, self.column, self.factor, self.play, self.own):
            widget.setEnabled(subject is not None)

    def _show_layer(self) -> None:
        operation = self.bench.operation
        assert operation is not None
        sizes = operation.shape[1:]
        self.layer.set_value(operation.layer)
        self.channel.set_range(0, operation.shape[0] - 1)
        self.row.set_range(0, sizes[-2] - 1 if len(sizes) == 2 else 0)
        self.column.set_range(0, sizes[-1] - 1 if len(sizes) in (1, 2) else 0)
        self.row.setEnabled(len(sizes) == 2)
        self.column.setEnabled(len(sizes) in (1, 2))
        has_positions = bool(sizes)
        self.play.setEnabled(has_positions)
        if not has_positions:
            self.play.setChecked(False)
        can_scale = bool(self.bench.subject.probabilities.size) and not operation.type == operation.layer == "softmax"
        self.factor.setEnabled(can_scale)
        self.factor.set_value(1.0)
        self._show_place()
        self._follow_epoch()  # another one may be shown since

    def _show_place(self) -> None:
        bench = self.bench
        self.channel.set_value(bench.channel)
        if len(bench.position) == 2:
            self.row.set_value(bench.position[0])
        if bench.position:
            self.column.set_value(bench.position[-1])
        epoch = "" if bench.subject.epoch is None else f", epoch {bench.subject.epoch},"
        self.state.setText(f"{bench.subject.network.name}{epoch} looks at {bench.subject.image}.")


class _AnswerBars(ShareBars):
    """The likeliest classes with the channel scaled; of those that changed, what they were."""

    def __init__(self, bench: OperationBench) -> None:
        super().__init__()
        self.bench = bench
        self.setMinimumSize(QSize(SIDE - 10, 60))
        self.setAccessibleName("Answer")
        self.setToolTip("Probability of each class with the channel multiplied; in brackets what it is without.")

    def lines(self, most: int = MOST_CLASSES) -> list[Line]:
        """Return text, probability and whether it is the answer, of the likeliest classes."""
        subject, now = self.bench.subject, self.bench.probabilities
        if subject is None or now is None or not now.size:
            return []
        shown = now.argsort(kind="stable")[::-1][:most].tolist()
        return [(self._text(label, float(now[label])), float(now[label]), label == shown[0]) for label in shown]

    def _text(self, label: int, now: float) -> str:
        before = float(self.bench.subject.probabilities[label])
        name = self.bench.subject.class_names[label]
        return name if f"{before:.0%}" == f"{now:.0%}" else f"({before:.0%}) {name}"
