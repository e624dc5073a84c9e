"""What is selected: its strongest inputs and outputs, the path through it, its classes, the images that drive it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cnnvis.core import Units
from cnnvis.core.errors import CnnvisError
from cnnvis.layout.neighbours import Neighbours, strongest_links, strongest_path
from cnnvis.scene import BundleItem, Selection
from cnnvis.scene.selection import Unit, unit_text
from cnnvis.viewer.fields import ChoiceField
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace

N_LISTED = 12
UNIT_ROLE = Qt.ItemDataRole.UserRole


class AskPanel(ColumnArea):
    """Tells about the selection, and selects what belongs to it."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        body = QWidget()
        layout = QVBoxLayout(body)
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.said)
        layout.addLayout(self._paths())
        self.inputs = self._links("Strongest inputs")
        self.outputs = self._links("Strongest outputs")
        for title, table in (("Strongest inputs", self.inputs), ("Strongest outputs", self.outputs)):
            layout.addWidget(QLabel(f"<b>{title}</b>"))
            layout.addWidget(table, 1)
        self.drivers_title = QLabel("<b>Images that drive it</b>, of those surveyed")
        tip = "The images of the survey with the largest averages of this channel's map."
        self.drivers = _table("Images that drive it", ["Image", "Average"], tip)
        layout.addWidget(self.drivers_title)
        layout.addWidget(self.drivers, 1)
        layout.addLayout(self._buttons())
        self.setWidget(body)
        for signal in (workspace.edited, workspace.scene_changed, workspace.survey_changed):
            signal.connect(self._show)
        self._shown: object = None
        self._show()

    # -- widgets ---------------------------------------------------------------------------------

    def _paths(self) -> QGridLayout:
        grid = QGridLayout()
        self.to_output = self._button("Path to output", "The strongest path from here to an output.", "output")
        self.to_input = self._button("Path to input", "The strongest path from an input to here.", "input")
        grid.addWidget(self.to_input, 0, 0)
        grid.addWidget(self.to_output, 0, 1)
        self.classes = ChoiceField(tooltip="Select the strongest path from any input to this class.")
        self.classes.setAccessibleName("Strongest path to a class")
        self.classes.changed.connect(self._path_to_class)
        grid.addWidget(QLabel("Strongest path to class"), 1, 0)
        grid.addWidget(self.classes, 1, 1)
        return grid

    def _button(self, text: str, tip: str, towards: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.clicked.connect(partial(self._path, towards))
        return button

    def _links(self, name: str) -> QTreeWidget:
        table = _table(name, ["Unit", "Importance", "Weight", "Rank"], "Double-click selects the unit.")
        table.itemActivated.connect(self._go)
        return table

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.export = QPushButton("Export CSV…")
        self.export.setToolTip("Write what is selected as a table.")
        self.export.clicked.connect(self._ask_export)
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Select nothing (Esc).")
        self.clear.clicked.connect(lambda _: self.workspace.select())
        row.addWidget(self.export)
        row.addWidget(self.clear)
        return row

    # -- what is selected ------------------------------------------------------------------------

    @property
    def bundle(self) -> BundleItem | None:
        """The lines that are asked."""
        return next((item for item in self.workspace.scene if isinstance(item, BundleItem)), None)

    @property
    def units(self) -> Units | None:
        """How units are numbered."""
        return None if self.bundle is None else self.bundle.units

    @property
    def unit(self) -> Unit | None:
        """The one unit that is selected, or the last of a path."""
        selected = self.workspace.scene.selection.units
        if len(selected) == 1 or not self.workspace.scene.selection.links:
            return next(iter(selected)) if len(selected) == 1 else None
        sources = {source for source, _ in self.workspace.scene.selection.links}
        return next((unit for unit in selected if unit not in sources), None)

    def _show(self) -> None:
        bundle, selection = self.bundle, self.workspace.scene.selection
        survey = self.workspace.survey
        shown = (selection, None if bundle is None else id(bundle.data), bundle and bundle.class_names, id(survey))
        if shown == self._shown:
            return
        self._shown = shown
        names = () if bundle is None else bundle.class_names
        self.classes.set_choices([(None, "choose…"), *enumerate(names)])
        self.classes.set_value(self._class_of_path())
        self.classes.setEnabled(bool(names))
        known = self.unit is not None and self.units is not None and self.unit[0] in self.units.layers
        for widget in (self.to_input, self.to_output):
            widget.setEnabled(known)
        self.export.setEnabled(bool(selection))
        self.clear.setEnabled(bool(selection))
        self.said.setText(self._text())
        inputs, outputs = strongest_links(bundle.data, self._number(self.unit), N_LISTED) if known else (None, None)
        self._fill(self.inputs, inputs)
        self._fill(self.outputs, outputs)
        self._show_drivers()

    def _show_drivers(self) -> None:
        """List the images of the survey with the largest averages; nothing where the channel was not surveyed."""
        survey, (layer, channel) = self.workspace.survey, self.unit or ("", -1)
        surveyed = survey is not None and layer in survey.layers and 0 <= channel < survey[layer].n_channels
        self.drivers.clear()
        for widget in (self.drivers_title, self.drivers):
            widget.setVisible(surveyed)
        if not surveyed:
            return
        for image, average in zip(
            survey[layer].top_images[channel].tolist(), survey[layer].top_averages[channel], strict=True
        ):
            if image >= 0:
                QTreeWidgetItem(self.drivers, [survey.image_names.get(image, f"image {image}"), f"{average:.3g}"])

    def _text(self) -> str:
        selection = self.workspace.scene.selection
        if not selection:
            return "Nothing is selected. Click a unit, a line or a voxel in the view, or choose a class below."
        if not selection.links:
            return f"Selected: {selection.text}"
        return f"Selected: {' → '.join(map(unit_text, self._ordered(selection)))}"

    @staticmethod
    def _ordered(selection: Selection) -> list[Unit]:
        """Return the units of a path from its first to its last."""
        following = dict(selection.links)
        unit = next((source for source in following if source not in following.values()), None)
        path = []
        while unit is not None and unit not in path:
            path.append(unit)
            unit = following.get(unit)
        return path

    def _number(self, unit: Unit) -> int:
        return int(self.units.id(*unit))

    def _unit(self, number: int) -> Unit:
        layer, channel = self.units.split(number)
        return layer, int(channel)

    def _fill(self, table: QTreeWidget, found: Neighbours | None) -> None:
        table.clear()
        for index in range(0 if found is None else len(found)):
            unit = self._unit(int(found.units[index]))
            texts = [f"{found.importance[index]:.3g}", f"{found.weight[index]:.3g}", f"{found.rank[index]:,}"]
            row = QTreeWidgetItem(table, [unit_text(unit), *texts])
            row.setData(0, UNIT_ROLE, unit)

    # -- asking ----------------------------------------------------------------------------------

    def _go(self, row: QTreeWidgetItem) -> None:
        self.workspace.select(Selection(units=frozenset([tuple(row.data(0, UNIT_ROLE))])))

    def _path(self, towards: str, *_: object) -> None:
        if self.unit is not None:
            self._select_path(self._number(self.unit), towards)

    def _class_of_path(self) -> int | None:
        """Return the class that the selected path leads to from an input; None where it is none, or another path."""
        path, units = self._ordered(self.workspace.scene.selection), self.units
        if not path or units is None or units.sizes[-1] != len(self.bundle.class_names):
            return None
        (first, _), (last, number) = path[0], path[-1]
        return number if (first, last) == (units.layers[0], units.layers[-1]) else None

    def _path_to_class(self, number: int | None) -> None:
        """Select it; outputs are classes where the last layer has one unit for each."""
        bundle, units = self.bundle, self.units
        if number is None or units is None:
            return
        last = units.layers[-1]
        if units.sizes[-1] != len(bundle.class_names):
            self.workspace.message.emit(f"The last layer, {last}, has not one unit for each class.")
            return
        self._select_path(self._number((last, number)), "input")

    def _select_path(self, number: int, towards: str) -> None:
        try:
            path = strongest_path(self.bundle.data, number, towards=towards)
        except CnnvisError as error:
            self.workspace.message.emit(str(error))
            return
        self.workspace.select(Selection.of_path(self._unit(int(unit)) for unit in path.units))
        self.workspace.message.emit(
            f"The strongest path hands on {100 * path.strength:.2g} % of what its last unit gets."
        )

    # -- export ----------------------------------------------------------------------------------

    def _ask_export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export selection", "selection.csv", "Table (*.csv)")
        if name:
            self.export_to(Path(name))

    def export_to(self, path: Path) -> None:
        """Write what is selected as a table of units."""
        from cnnvis.io.selection_csv import save_selection

        save_selection(self.workspace.scene, path)
        self.workspace.message.emit(f"Wrote {path}")


def _table(name: str, columns: list[str], tip: str) -> QTreeWidget:
    table = QTreeWidget()
    table.setColumnCount(len(columns))
    table.setHeaderLabels(columns)
    table.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in range(1, len(columns)):
        table.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    table.header().setStretchLastSection(False)
    table.setRootIsDecorated(False)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)  # one more takes no room of the view
    table.setAccessibleName(name)
    table.setToolTip(tip)
    return table
