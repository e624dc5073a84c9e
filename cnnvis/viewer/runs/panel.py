"""A training under its slider of epochs: what is seen of it, the sample, the curves, and how far it is."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, QSize, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from cnnvis.core import RunCheckpoint
from cnnvis.core.classes import percent
from cnnvis.core.pictures import as_picture
from cnnvis.scene.run_view import RunLook
from cnnvis.viewer.fields import CheckField, ChoiceField, add_row, leave_wheel
from cnnvis.viewer.runs.bench import RunBench
from cnnvis.viewer.runs.curve import RunCurve
from cnnvis.viewer.runs.opened import OpenedRun
from cnnvis.viewer.workspace import Workspace

SIDE = 84
"""Pixels of the picture of a sample."""

LOOKS = ((RunLook.LAYER, "one layer, as a volume"), (RunLook.NETWORK, "the whole network, as tiles"))


class RunPanel(QWidget):
    """All of a training but the slider of its epochs.

    Parameters
    ----------
    workspace : Workspace
        The training has just been opened in it.
    opened : OpenedRun
    """

    def __init__(self, workspace: Workspace, opened: OpenedRun) -> None:
        super().__init__()
        self.bench = RunBench(workspace, opened, self)
        self.loss, self.accuracy = RunCurve("loss"), RunCurve("accuracy")
        for curve in (self.loss, self.accuracy):
            curve.pointed.connect(self._go_to)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.addLayout(self._left(), 3)
        row.addWidget(self.loss, 2)
        row.addWidget(self.accuracy, 2)
        self.bench.changed.connect(self._show)
        workspace.edited.connect(self._show_epoch)
        self._show()

    def _left(self) -> QVBoxLayout:
        facts = self.bench.run.facts
        looks = LOOKS if facts.layers_with_maps else LOOKS[1:]
        self.look = ChoiceField(looks, tooltip="What is drawn of the network.")
        self.look.changed.connect(lambda look: self.bench.choose(look=RunLook(look)))
        tip = "Whose maps are drawn. Channels get the order of the newest epoch; O in the view puts them in another."
        self.layer = ChoiceField(facts.layers_with_maps, tooltip=tip)
        self.layer.changed.connect(lambda layer: self.bench.choose(layer=layer))
        self.sample = QSlider(Qt.Orientation.Horizontal)
        self.sample.setToolTip("Which of the sample images goes through the network.")
        self.sample.setRange(0, len(facts.samples) - 1)
        self.sample.setMinimumWidth(150)
        leave_wheel(self.sample)
        self.sample.valueChanged.connect(lambda sample: self.bench.choose(sample=sample))
        form = QFormLayout()
        for name, field in (("Look", self.look), ("Layer", self.layer), ("Sample", self.sample)):
            add_row(form, name, field)
        self.picture, self.answer, self.state = QLabel(), QLabel(), QLabel()
        self.picture.setFixedSize(QSize(SIDE, SIDE))
        self.picture.setFrameShape(QLabel.Shape.StyledPanel)
        self.picture.setAccessibleName("Sample")
        for label in (self.answer, self.state):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.follow = CheckField("Follow", tooltip="Look for new epochs while the training goes on.")
        self.follow.changed.connect(self.bench.follow)
        above, below, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout()
        above.addWidget(self.picture)
        above.addLayout(form, 1)
        below.addWidget(self.follow)
        below.addWidget(self.state, 1)
        for part in (above, below):
            column.addLayout(part)
        column.insertWidget(1, self.answer)
        column.addStretch(1)
        return column

    # -- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        """Show all that changes with another view, more epochs or another state."""
        bench, run = self.bench, self.bench.run
        self.setVisible(bench.is_open)
        with QSignalBlocker(self.sample):
            self.sample.setValue(bench.view.sample)
        self.look.set_value(str(bench.view.look))
        self.layer.set_value(bench.view.layer)
        self.layer.setEnabled(bench.view.look is RunLook.LAYER)
        self.follow.set_value(bench.is_followed)
        left_out = f" {len(bench.problems)} left out: point here." if bench.problems else ""
        self.state.setText(bench.state + left_out)
        self.state.setToolTip("\n".join(bench.problems))
        measured = (run.curves, run.epoch_curves)
        last = max(
            [*(found.step for found in run.checkpoints), *(int(found.steps.max(initial=0)) for found in measured)]
        )
        for curve, name in ((self.loss, "loss"), (self.accuracy, "accuracy")):
            curve.show_values(*((found.steps, getattr(found, name)) for found in measured))
            curve.show_axis(run.facts.unit, run.checkpoints, last)
        self._show_picture()
        self._show_epoch()

    def _show_picture(self) -> None:
        pixels = None if self.bench.run.samples is None else as_picture(self.bench.run.samples[self.bench.view.sample])
        self.picture.setVisible(pixels is not None)
        if pixels is not None:
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
            size, square = self.picture.size(), Qt.AspectRatioMode.KeepAspectRatio
            self.picture.setPixmap(QPixmap.fromImage(image).scaled(size, square))

    def _show_epoch(self) -> None:
        """Show what changes with the epoch."""
        checkpoint = self._checkpoint
        for curve in (self.loss, self.accuracy):
            curve.mark(None if checkpoint is None else checkpoint.step)
        self.answer.setText(self._answer(checkpoint))

    @property
    def _checkpoint(self) -> RunCheckpoint | None:
        """The one that is shown."""
        epoch = self.bench.epoch
        return next((found for found in self.bench.run.checkpoints if found.number == epoch), None)

    def _answer(self, checkpoint: RunCheckpoint | None) -> str:
        """Return what the sample is, and what it was taken for."""
        facts, sample = self.bench.run.facts, self.bench.view.sample
        is_what = f"Sample {sample}: <b>{facts.subject(sample)}</b>"
        if checkpoint is None:
            return f"{is_what}. There is no {facts.unit} to see yet."
        if not checkpoint.predicted:
            return f"{is_what}."
        taken = checkpoint.predicted[sample]
        said = f"{is_what}, taken for <b>{facts.class_name(taken)}</b> ({percent(checkpoint.probability[sample])})"
        if facts.labels is None:
            return f"{said}."
        if taken == facts.labels[sample]:
            return f"{said}: right."
        return f"{said}: wrong, {percent(checkpoint.truth[sample])} for what it is."

    def _go_to(self, step: float) -> None:
        """Show the epoch that was kept nearest to a step."""
        shown = set(self.bench.epochs)
        kept = [found for found in self.bench.run.checkpoints if found.number in shown]
        if kept:
            self.bench.go_to(min(kept, key=lambda found: abs(found.step - step)).number)
