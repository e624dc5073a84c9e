"""Importance scored anew: by another method, on other images, for some classes only; then the network is redrawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cnnvis.core import BundledNetwork
from cnnvis.viewer.fields import ChoiceField, NumberField, add_row
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.network_work import NetworkWork
from cnnvis.viewer.panels.column_area import ColumnArea
from cnnvis.viewer.workspace import Workspace

COMES_ALONG = "as it comes along"

METHODS = (
    (COMES_ALONG, "scores that come along, else by weight"),
    ("batchnorm", "batchnorm: scales trained for each class"),
    ("gradient", "gradient: of the class by the weights"),
    ("taylor", "taylor: what a unit adds to the class"),
    ("activation", "activation: how strongly a unit answers"),
    ("ablation", "ablation: loss without the unit"),
    ("weight", "weight: norm of the filter, no images"),
)
"""Methods of `cnnvis.attribution.ImportanceMethod`, and what makes a unit important by each."""

NO_CLASSES = ("weight", "activation")
"""Methods that score no classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be scored.

    Parameters
    ----------
    model : str
        As for `cnnvis.models.load`.
    method : str or None
    data : str or None
        Labelled images, as for `cnnvis.models.folders.labelled_parts`.
    classes : tuple of str
        Empty: all.
    random_state : int
    """

    model: str
    method: str | None
    data: str | None
    classes: tuple[str, ...]
    random_state: int


class ImportancePanel(ColumnArea):
    """Scores the units of a model, and draws its network by them.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace, self.work = workspace, NetworkWork.of(workspace)
        self._names_of: dict[str, tuple[str, ...]] = {}
        self._shown: str | None = None  # the model of the network, to which the classes belong
        body = QWidget()
        layout = QVBoxLayout(body)
        self.origin = QLabel()
        self.origin.setWordWrap(True)
        layout.addWidget(self.origin)
        layout.addLayout(self._form())
        layout.addWidget(self._class_list(), 1)
        row = QHBoxLayout()
        self.run_button = QPushButton("&Score and draw")
        self.run_button.setToolTip("Load the model, score its units, and bundle its links by the new importance.")
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Ca&ncel")
        self.cancel_button.setToolTip("Stop, and keep the network as it was.")
        self.cancel_button.clicked.connect(self.work.cancel)
        row.addWidget(self.run_button)
        row.addWidget(self.cancel_button)
        layout.addLayout(row)
        self.state = QLabel()
        layout.addWidget(self.state)
        self.setWidget(body)
        self.work.started.connect(self._show_state)
        self.work.stepped.connect(self._show_state)
        self.work.ended.connect(self._show_state)
        workspace.network_changed.connect(self._show_network)
        self._show_network()

    # -- parts -----------------------------------------------------------------------------------

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        self.model = QLineEdit()
        self.model.setToolTip("A bundled name, file.py:factory, torchvision:NAME, or an exported .pt2 program.")
        self.model.textChanged.connect(self._show_state)
        add_row(form, "&Model", self.model)
        self.method = ChoiceField(METHODS, tooltip="What makes a unit important.")
        self.method.changed.connect(self._show_state)
        add_row(form, "Me&thod", self.method)
        images = QWidget()
        row = QHBoxLayout(images)
        row.setContentsMargins(0, 0, 0, 0)
        self.data = QLineEdit()
        self.data.setPlaceholderText("those that come along")
        self.data.setToolTip("Labelled images: mnist, fashion-mnist, or a folder with one subfolder per class.")
        self.data.setAccessibleName("Images")
        browse = QPushButton("…")
        browse.setFixedWidth(32)
        browse.setToolTip("Choose a folder with one subfolder of pictures per class.")
        browse.setAccessibleName("Choose a folder of images")
        browse.clicked.connect(self._ask_folder)
        row.addWidget(self.data)
        row.addWidget(browse)
        images.setFocusProxy(self.data)
        form.addRow("&Images", images)
        self.seed = NumberField(0, 9999, 0, whole=True, tooltip="Of what a method draws at random.")
        add_row(form, "Seed", self.seed)
        return form

    def _class_list(self) -> QWidget:
        self.classes = QListWidget()
        self.classes.setAccessibleName("Classes")
        self.classes.setToolTip("Classes to score and to bundle by; all of them, or some.")
        self.classes.itemChanged.connect(lambda _: self._show_state())
        return self.classes

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder of labelled images", self.data.text())
        if folder:
            self.data.setText(folder)

    # -- what is shown ---------------------------------------------------------------------------

    def _show_network(self) -> None:
        """Take over the model of the network, and its classes."""
        network = self.workspace.network
        model = "" if network is None else network.provenance.model
        if model != self._shown:
            self._shown = model
            self.model.setText("" if network is None or network.provenance.weights == "random" else model)
        if network is None:
            self.origin.setText("No network is open. One of a model opens when its units are scored.")
        else:
            method = network.parameters.get("importance", "unknown")
            n_classes = len(network.class_names)
            self.origin.setText(f"Drawn by importance {method!r}, {n_classes or 'no'} classes.")
            self._list_classes(model, network.class_names)
        self._show_state()

    def _list_classes(self, model: str, names: tuple[str, ...]) -> None:
        """List the classes of a model, with a tick at those that the network is drawn by."""
        known = self._names_of.get(model, ())
        known = known if set(names) <= set(known) else names
        self._names_of[model] = known
        self.classes.blockSignals(True)
        self.classes.clear()
        for name in known:
            row = QListWidgetItem(name)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            row.setCheckState(Qt.CheckState.Checked if name in names else Qt.CheckState.Unchecked)
            self.classes.addItem(row)
        self.classes.blockSignals(False)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Classes with a tick."""
        rows = [self.classes.item(row) for row in range(self.classes.count())]
        return tuple(row.text() for row in rows if row.checkState() == Qt.CheckState.Checked)

    @property
    def _may_choose(self) -> bool:
        """Whether the classes are those of the model, and the method tells them apart."""
        return self.method.value not in NO_CLASSES and self.model.text().strip() == self._shown

    def _show_state(self, *_: object) -> None:
        busy = self.work.busy
        all_chosen = not self._may_choose or len(self.chosen) == self.classes.count()
        self.classes.setEnabled(self._may_choose)
        self.run_button.setEnabled(bool(self.model.text().strip()) and (bool(self.chosen) or all_chosen))
        self.cancel_button.setEnabled(busy)
        self.state.setText(f"{self.work.title}: {self.work.seconds:.1f} s" if busy else "")

    # -- what is done ----------------------------------------------------------------------------

    def run(self) -> None:
        """Score the units of the model in a thread, and draw its network by them."""
        method = self.method.value
        some = self._may_choose and len(self.chosen) < self.classes.count()
        wanted = Wanted(
            model=self.model.text().strip(),
            method=None if method == COMES_ALONG else method,
            data=self.data.text().strip() or None,
            classes=self.chosen if some else (),
            random_state=int(self.seed.value),
        )
        network = self.workspace.network
        parameters = {} if network is None else network.parameters

        def change(tell: Tell, on_state: Any) -> BundledNetwork:
            return _scored(wanted, parameters, tell)

        self.work.run(change, title=f"Importance of {wanted.model}")


def _scored(wanted: Wanted, parameters: Mapping[str, Any], tell: Tell) -> BundledNetwork:
    """Load the model, score its units and draw it with the options that `parameters` name."""
    from cnnvis.models import load  # loads torch, in the thread
    from cnnvis.studies.bundled_network import build
    from cnnvis.studies.rebundling import drawing_options
    from cnnvis.studies.stages import Stages
    from cnnvis.studies.unit_scores import score_units

    tell.progress(0, 1)
    model = load(wanted.model, random_state=wanted.random_state)
    scores = score_units(
        model,
        wanted.method,
        data=wanted.data,
        classes=wanted.classes,
        random_state=wanted.random_state,
        progress=tell.progress,
    )
    options = drawing_options(parameters)
    if not scores.importance.per_class and options.move_units:  # units move to others of the same classes
        options = replace(options, move_units=False)
    stages = Stages(
        on_stage=lambda *_: tell.progress(0, 1), on_progress=lambda _, done, total: tell.progress(done, total)
    )
    return build(model, scores.importance, options, stages=stages)
