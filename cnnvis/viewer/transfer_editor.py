"""The transfer-function editor: which values are seen, in which colour, and how much of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from cnnvis.core.errors import CnnvisError
from cnnvis.io.transfer_json import load_transfer, save_transfer
from cnnvis.rendering.style import format_values
from cnnvis.scene import Drive, SceneItem, TransferFunction, ValueItem, VolumeItem
from cnnvis.scene.transfer import Preset
from cnnvis.viewer.fields import CheckField, add_row, listen
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.transfer.colour_strip import ColourStrip
from cnnvis.viewer.transfer.curve_plot import CurvePlot
from cnnvis.viewer.transfer.map_chooser import MapChooser
from cnnvis.viewer.transfer.point_row import ColourRow, HeightRow
from cnnvis.viewer.transfer.preset_bar import PresetBar
from cnnvis.viewer.transfer.range_tools import RangeTools
from cnnvis.viewer.transfer.values import ValueCounts, visible_span
from cnnvis.viewer.transfer.weight_box import WeightBox
from cnnvis.viewer.workspace import Workspace

CHANGE_MS = 33
"""Between two changes of the item while something is dragged: more would not be seen."""

BINS = 128

IN_THREAD = 500_000
"""From so many values on, they are sorted in a thread: it takes longer than a frame."""

KEPT = ("span", "clip")
"""What a preset leaves alone: the range is that of the data."""


class TransferEditor(QWidget):
    """Edits the transfer function of an item with values: a volume or a matrix.

    Parameters
    ----------
    workspace : Workspace
    item : ValueItem
    presets : Path, optional
        Folder of presets that were saved. Default: one beside the user's settings.

    Attributes
    ----------
    transfer : TransferFunction
        What is shown: that of the item, or a change that it will have within `CHANGE_MS`.
    counts : ValueCounts or None
        The values of the item; None while they are being sorted.

    Notes
    -----
    `editing_finished` is emitted when the hand lets go; a drag is one step of undo.
    """

    editing_finished = Signal()

    def __init__(self, workspace: Workspace, item: ValueItem, *, presets: Path | None = None) -> None:
        super().__init__()
        self.workspace, self.item = workspace, item
        self.counts: ValueCounts | None = None
        self._draft: TransferFunction | None = None
        self._pace = single_shot(self, CHANGE_MS, self._write)
        self.preset_bar = PresetBar(presets or Settings().folder / "transfer functions", self.other_items)
        self.plot = CurvePlot("Opacity by value, over how often each value occurs", "opacity")
        self.strip = ColourStrip()
        self.log = CheckField("Log counts", tooltip="Heights of the bars rise with the logarithm of the counts.")
        self.point_row = HeightRow(self.plot.grip, "Value", "Opacity")
        self.colour_row = ColourRow(self.strip.grip)
        self.maps = MapChooser()
        self.range = RangeTools()
        self.weights = WeightBox(item) if isinstance(item, VolumeItem) else None
        self._arrange()
        self._connect()
        self._read_data()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.preset_bar)
        plots = QVBoxLayout()
        plots.setSpacing(0)
        plots.addWidget(self.plot)
        plots.addWidget(self.strip)
        layout.addLayout(plots)
        layout.addWidget(self.point_row)
        layout.addWidget(self.colour_row)
        layout.addWidget(self.log)
        form = QFormLayout()
        add_row(form, "Co&lours", self.maps)
        layout.addLayout(form)
        layout.addWidget(self.range)
        if self.weights is not None:
            layout.addWidget(self.weights)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.plot.grip.edited.connect(lambda points: self._drag(opacity=points))
        self.strip.grip.edited.connect(lambda points: self._drag(colour_points=points))
        self.strip.colour_asked.connect(self.colour_row.ask)
        grips = [self.plot.grip, self.strip.grip]
        if self.weights is not None:
            self.weights.plot.grip.edited.connect(lambda points: self._drag(weight=points))
            grips.append(self.weights.plot.grip)
        for grip in grips:
            grip.finished.connect(self.finish)
        self.log.changed.connect(lambda _: self._show_counts())
        self.maps.changed.connect(lambda name: self.change(colour_map=name, colour_points=()))
        self.maps.inverted.connect(self._invert_points)
        self.range.changed.connect(lambda changes: self.change(**changes))
        self.range.visible_asked.connect(self._take_visible)
        self.preset_bar.preset_chosen.connect(self._take_preset)
        self.preset_bar.load_asked.connect(self.load)
        self.preset_bar.save_asked.connect(self.save)
        self.preset_bar.copy_asked.connect(self.copy_to)
        listen(self, self.item.events.transfer, type(self)._show_item)
        listen(self, self.item.data_changed, type(self)._read_data)

    # -- the values ------------------------------------------------------------------------------

    @property
    def _slot(self) -> str:
        return f"histogram {id(self)}"

    def _read_data(self, *_: object) -> None:
        """Sort the values of the item, once per data; what was found before stays until then."""
        values = self.item.values_of(self.item.data)
        transfer = self.transfer

        def work(tell: object) -> ValueCounts:
            counts = ValueCounts.of(values)
            counts.span(transfer)  # takes as long as sorting, so here
            return counts

        if values.size < IN_THREAD:
            self._take_counts(work(None))
        else:
            self.workspace.jobs.run(self._slot, work, self._take_counts, title=f"Counting values of {self.item.name}")
            self._show()

    def _take_counts(self, counts: ValueCounts) -> None:
        self.counts = counts
        self._show()

    def _take_visible(self) -> None:
        span = visible_span(self.item)
        if span is None:
            self.workspace.message.emit(f"Nothing of {self.item.name} is visible: its range stays.")
        else:
            self.change(span=span)

    # -- changes ---------------------------------------------------------------------------------

    @property
    def transfer(self) -> TransferFunction:
        """What is shown."""
        return self._draft or self.item.transfer

    def change(self, **changes: Any) -> None:
        """Change fields of the transfer function, as one step."""
        self._drag(**changes)
        self.finish()

    def finish(self) -> None:
        """End a step: the item has what is shown, and undo would take it back."""
        self._pace.stop()
        self._write()
        self.workspace.history.commit()
        self.editing_finished.emit()

    def _drag(self, **changes: Any) -> None:
        """Change fields of the transfer function; the item follows at once, then as often as `CHANGE_MS` says."""
        try:
            self._draft = self.transfer.with_changes(**changes)
        except ValidationError as error:
            self.workspace.message.emit(error.errors()[0]["msg"])
            self._show()
            return
        self._show()
        if not self._pace.isActive():
            self._write()

    def _write(self) -> None:
        draft, self._draft = self._draft, None
        if draft is not None and draft != self.item.transfer:
            self._pace.start()
            self.item.transfer = draft
            self.workspace.history.wait()

    def _invert_points(self) -> None:
        points = self.transfer.colour_points
        self.change(colour_points=tuple((1 - position, colour) for position, colour in reversed(points)))

    # -- presets and other layers ----------------------------------------------------------------

    def _take_preset(self, name: Preset) -> None:
        if name == "importance" and isinstance(self.item, VolumeItem) and self.item.data.weights is not None:
            self.item.drive = Drive.IMPORTANCE  # what the preset leaves the choice to
        self.change(opacity=TransferFunction.preset(name).opacity)

    def other_items(self) -> list[SceneItem]:
        """Return the other items with values, of all open scenes."""
        items = (item for scene in self.workspace.scenes for item in scene)
        return [item for item in items if isinstance(item, ValueItem) and item is not self.item]

    def copy_to(self, items: list[ValueItem]) -> None:
        """Give other items this transfer function, as one step; a fixed range is copied, too."""
        for item in items:
            item.transfer = self.transfer
        self.finish()
        self.workspace.message.emit(f"Copied the transfer function to {', '.join(item.name for item in items)}.")

    def save(self, path: Path, paraview: bool = False) -> None:
        """Save the transfer function as a preset."""
        try:
            save_transfer(self.transfer, path, paraview=paraview)
        except CnnvisError as error:
            self.workspace.problem.emit("Saving the transfer function", error)

    def load(self, path: Path) -> None:
        """Take the transfer function of a file, but for the range."""
        try:
            loaded = load_transfer(path)
        except CnnvisError as error:
            self.workspace.problem.emit("Opening the transfer function", error)
            return
        self.change(**{name: value for name, value in loaded if name not in KEPT})

    # -- what is shown ---------------------------------------------------------------------------

    def _show_item(self, *_: object) -> None:
        if self._draft is None:  # else what the hand does is newer
            self._show()

    def _show(self) -> None:
        transfer = self.transfer
        self.plot.show_curve(transfer.opacity, folded=transfer.centre is not None)
        self.strip.show_transfer(transfer)
        self.maps.show_transfer(transfer)
        self.range.show_transfer(transfer)
        self.colour_row.setVisible(bool(transfer.colour_points))
        if self.weights is not None:
            self.weights.show_transfer(transfer)
        if self.counts is not None:
            self._show_span(transfer, self.counts.span(transfer))
            self._show_counts()

    def _show_span(self, transfer: TransferFunction, span: tuple[float, float]) -> None:
        self.plot.show_ticks(format_values(transfer.denormalise(np.linspace(0, 1, 5), span)))

        def to_value(position: float) -> float:
            return float(transfer.denormalise(position, span))

        def to_position(value: float) -> float:
            return float(transfer.normalise([value], span)[0])

        self.colour_row.set_unit(to_value, to_position)
        if transfer.centre is None:
            self.point_row.set_unit(to_value, to_position)
        else:  # positions of the curve are distances from the middle; those upwards are written
            self.point_row.set_unit(
                lambda position: to_value(0.5 + position / 2), lambda value: abs(2 * to_position(value) - 1)
            )

    def _show_counts(self) -> None:
        if self.counts is None:
            return
        inside, below, above = self.counts.over_map(self.transfer, BINS)
        self.plot.show_bars(inside, (below, above), log=self.log.value)
        self.range.show_values(self.counts, below, above)
