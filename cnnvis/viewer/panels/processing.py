"""Bundling at work: options, single steps, run and stop, and what came of it."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cnnvis.core import BundledNetwork, BundleQuality
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.panels.bundling_form import BundlingForm
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace

CLOCK_MS = 200

STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "units": (
        ("advect", "Move units of like classes together."),
        ("diverge", "Move units away from those of like classes."),
        ("noise", "Shake units within their layer, once."),
        ("reset", "Put units back where the options place them."),
    ),
    "lines": (
        ("advect", "Bundle the lines on, as they are."),
        ("diverge", "Drive the lines apart."),
        ("noise", "Shake the lines, once."),
        ("resample", "Spread points evenly over the lines, as many as the sampling rate says."),
        ("smooth", "Draw the lines to the straight ones, short waves more than long ones."),
        ("reset", "Make the lines straight."),
    ),
}
"""Steps of `cnnvis.studies.rebundling.NetworkStep`, "units advect" and so on, and what they do."""

COLUMNS = 3


class ProcessingPanel(ColumnArea):
    """Draws the network of the workspace anew.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace, self.work = workspace, NetworkWork.of(workspace)
        self.form = BundlingForm()
        self.facts = QLabel()
        self.facts.setWordWrap(True)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        body = QWidget()
        layout = QVBoxLayout(body)
        self.defaults_button = _button("Defaul&ts", "Show the defaults of all options; nothing is run.")
        self.defaults_button.clicked.connect(self.form.show_defaults)
        for part in (self._controls(), self.facts, self._steps(), self.form, self.defaults_button):
            layout.addWidget(part)
        layout.addStretch(1)
        self.setWidget(body)
        self._clock = QTimer(self)
        self._clock.setInterval(CLOCK_MS)
        self._clock.timeout.connect(self._show_state)
        self._done = self._total = 0
        self.work.started.connect(self._started)
        self.work.stepped.connect(self._stepped)
        self.work.ended.connect(self._ended)
        workspace.network_changed.connect(self._show_network)
        self._show_network()

    # -- parts -----------------------------------------------------------------------------------

    def _controls(self) -> QWidget:
        box = QWidget()
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        row = QHBoxLayout()
        self.run_button = _button("&Run", "Place and bundle with the options below; what they leave alone is kept.")
        self.run_button.clicked.connect(lambda: self.work.rebundle(self.form.values()))
        self.pause_button = _button("Pa&use", "Wait after the iteration that goes on; press again to go on.")
        self.pause_button.setCheckable(True)
        self.pause_button.clicked.connect(self._pause)
        self.cancel_button = _button("Ca&ncel", "Stop, and keep the network as it was.")
        self.cancel_button.clicked.connect(self.work.cancel)
        for button in (self.run_button, self.pause_button, self.cancel_button):
            row.addWidget(button)
        layout.addLayout(row)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of bundling")
        self.state = QLabel()
        self.state.setWordWrap(True)
        layout.addWidget(self.bar)
        layout.addWidget(self.state)
        return box

    def _steps(self) -> QWidget:
        box = QGroupBox("Single steps")
        form = QFormLayout(box)
        self.step_buttons: dict[str, QPushButton] = {}
        for what, steps in STEPS.items():
            grid = QGridLayout()
            for index, (how, tip) in enumerate(steps):
                button = _button(how.capitalize(), tip)
                button.setAccessibleName(f"{what} {how}")
                button.clicked.connect(partial(self._step, f"{what} {how}"))
                grid.addWidget(button, index // COLUMNS, index % COLUMNS)
                self.step_buttons[f"{what} {how}"] = button
            form.addRow(what.capitalize(), grid)
        return box

    # -- what is done ----------------------------------------------------------------------------

    def _step(self, step: str, *_: object) -> None:
        self.work.step(step, self.form.values())

    def _pause(self, on: bool) -> None:
        self.work.pause(on)
        self._show_state()

    def _started(self) -> None:
        self._done = self._total = 0
        self.bar.setRange(0, 0)  # busy, as long as nothing is known
        self._clock.start()
        self._show_state()

    def _stepped(self, done: int, total: int) -> None:
        self._done, self._total = done, total
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self._show_state()

    def _ended(self) -> None:
        self._clock.stop()
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self._show_state()

    # -- what is shown ---------------------------------------------------------------------------

    def _show_state(self) -> None:
        busy, paused = self.work.busy, self.work.paused
        known = self.workspace.network is not None
        self.run_button.setEnabled(known)
        for button in self.step_buttons.values():
            button.setEnabled(known)
        self.pause_button.setEnabled(busy)
        self.pause_button.setChecked(paused)
        self.pause_button.setText("Res&ume" if paused else "Pa&use")
        self.cancel_button.setEnabled(busy)
        if not busy:
            self.state.setText("" if known else "No network is open: a file, an example or a random one has one.")
            return
        step = f"iteration {self._done} of {self._total}" if self._total else "begins"
        waits = ", paused" if paused else ""
        self.state.setText(f"{self.work.title}: {step}, {self.work.seconds:.1f} s{waits}")

    def _show_network(self) -> None:
        network = self.workspace.network
        self.form.setEnabled(network is not None)
        self.defaults_button.setEnabled(network is not None)
        if network is not None:
            self.form.show_network(network)
        self.facts.setText("" if network is None else facts_of(network))
        self._show_state()


def facts_of(network: BundledNetwork) -> str:
    """Return statistics and quality of a network, as a table in HTML."""
    edges, cells = network.edges, network.parameters.get("grid_cells")
    n_total = len(edges) if edges.n_total is None else edges.n_total
    rows = [
        ("Edges", f"{len(edges):,} of {n_total:,}"),
        ("Pruned edges", f"{n_total - len(edges):,}"),
        ("Samples", f"{len(network.lines.points):,}"),
        ("Grid cells", "known after a run" if cells is None else f"{cells:,}"),
        *(_quality_rows(network.quality) if network.quality is not None else [("Quality", "measured by a run")]),
    ]
    cell = "<td style='padding-right:12px'>"
    return "<table>" + "".join(f"<tr>{cell}{name}</td>{cell}{value}</td></tr>" for name, value in rows) + "</table>"


def _quality_rows(quality: BundleQuality) -> list[tuple[str, str]]:
    return [
        ("Ink", f"{100 * quality.ink_ratio:.0f} % of that of straight lines"),
        ("Length", f"{quality.length_ratio_mean:.3f} × straight, 95 % below {quality.length_ratio_95:.2f}"),
        ("Ambiguity", f"{quality.ambiguity:.2f} (0 none, 1 all)"),
    ]


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    return button
