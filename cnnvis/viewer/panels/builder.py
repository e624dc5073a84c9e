"""Random networks of any layers: to see what bundling does, and to try it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from cnnvis.scene import Scene
from cnnvis.viewer.fields import add_row, leave_wheel
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.core import BundledNetwork

DEFAULT = (4, 9, 10)
"""Units of the layers at first, as in nn_vis."""

MOST_UNITS = 10_000
MOST_LINKS = 5_000_000
"""Links of a network, at most: bundling takes about 1 kB of memory for each."""


class BuilderPanel(ColumnArea):
    """Makes a random network of the layers in its list, and opens it.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.table = QTableWidget(0, 1)
        self.table.setHorizontalHeaderLabels(["Units"])
        self.table.horizontalHeader().setStretchLastSection(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setAccessibleName("Layers")
        self.table.setToolTip(
            f"Units of each layer, the input first; the last layer has the classes. 1 to {MOST_UNITS:,}."
        )
        self.table.setTabKeyNavigation(False)
        self.seed = QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("The same seed gives the same network. 0 to 2,147,483,647.")
        leave_wheel(self.seed)
        self.links = QLabel()
        self.links.setWordWrap(True)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.addWidget(QLabel("A fully connected network with random weights and random importance by class."))
        layout.itemAt(0).widget().setWordWrap(True)
        layout.addWidget(self.table, 1)
        layout.addLayout(self._buttons())
        form = QFormLayout()
        add_row(form, "&Seed", self.seed)
        layout.addLayout(form)
        layout.addWidget(self.links)
        self.generate_button = QPushButton("&Generate")
        self.generate_button.setToolTip("Make the network, bundle it and open it in place of what is open.")
        self.generate_button.clicked.connect(self.generate)
        layout.addWidget(self.generate_button)
        self.setWidget(body)
        self.clear()
        for size in DEFAULT:
            self.add_layer(size)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, tip, call in (
            ("&Add", "Add a layer below the current one, as large.", self.add_layer),
            ("&Remove", "Remove the current layer.", self.remove_layer),
            ("C&lear", "Remove all layers.", self.clear),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda _, call=call: call())  # without what Qt says of the button
            row.addWidget(button)
        return row

    # -- layers ----------------------------------------------------------------------------------

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer."""
        return tuple(self._box(row).value() for row in range(self.table.rowCount()))

    def _box(self, row: int) -> QSpinBox:
        return self.table.cellWidget(row, 0)

    def add_layer(self, size: int | None = None) -> None:
        """Add a layer below the current one, or as the last; by default as large as the one above it."""
        row = self.table.currentRow() + 1 or self.table.rowCount()
        above = self._box(row - 1).value() if row else DEFAULT[0]
        box = QSpinBox()
        box.setRange(1, MOST_UNITS)
        box.setValue(above if size is None else size)
        box.setFrame(False)
        leave_wheel(box)
        box.valueChanged.connect(self._count)
        self.table.insertRow(row)
        self.table.setCellWidget(row, 0, box)
        self.table.setCurrentCell(row, 0)
        self._count()

    def remove_layer(self) -> None:
        """Remove the current layer."""
        if self.table.currentRow() >= 0:
            self.table.removeRow(self.table.currentRow())
        self._count()

    def clear(self) -> None:
        """Remove all layers."""
        self.table.setRowCount(0)
        self._count()

    def _count(self, *_: object) -> None:
        """Say how many links there will be, and whether that can be done."""
        sizes = self.sizes
        for row, size in enumerate(sizes):
            self._box(row).setAccessibleName(f"Units of layer {row}")
            self._box(row).setToolTip(f"Units of layer {row}, 1 to {MOST_UNITS:,}; now {size:,}.")
        n_links = sum(one * two for one, two in pairwise(sizes))
        lacks = "two layers are the least" if len(sizes) < 2 else ""
        if n_links > MOST_LINKS:
            lacks = f"{MOST_LINKS:,} are the most"
        self.links.setText(f"{n_links:,} links" + (f": {lacks}" if lacks else ""))
        if hasattr(self, "generate_button"):
            self.generate_button.setEnabled(not lacks)

    # -- the network -----------------------------------------------------------------------------

    def generate(self) -> None:
        """Make the network in a thread, and open it."""
        sizes, seed = self.sizes, self.seed.value()

        def work(tell: Tell) -> BundledNetwork:
            from cnnvis.studies.bundled_network import build_random  # loads torch and numba, in the thread
            from cnnvis.studies.stages import Stages

            stages = Stages(on_progress=lambda _, done, total: tell.progress(done, total))
            return build_random(sizes, random_state=seed, stages=stages)

        def then(network: BundledNetwork) -> None:
            self.workspace.show_made(Scene.of_network(network), network)

        title = f"Random network {'-'.join(map(str, sizes))}"
        self.workspace.jobs.run(OPENING, work, then, title=title)
