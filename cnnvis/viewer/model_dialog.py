"""Which network to look at, and whether at all of it or at what its layers make of an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QWidget,
)

from cnnvis.core.errors import CnnvisError
from cnnvis.viewer.examples import MODELS, SAMPLES
from cnnvis.viewer.fields import ChoiceField, add_row
from cnnvis.viewer.jobs import Jobs, Tell
from cnnvis.viewer.model_files import CODE, PROGRAM, WEIGHTS, functions_of, network_of
from cnnvis.viewer.name_lines import add_browsed, name_line

if TYPE_CHECKING:
    from cnnvis.studies.layers import LayersToShow

SLOT = "layers"

MAPS, LINKS, TILES = "maps", "links", "tiles"

OWN_CHOICE = "The network's own choice is shown; read its layers to choose others."

CODE_FILES = f"Networks (*{CODE} *{PROGRAM});;All files (*)"
WEIGHT_FILES = f"Weights (*{' *'.join(WEIGHTS)});;All files (*)"
IMAGE_FILES = "Images (*.png *.jpg *.jpeg *.bmp *.gif *.tif *.tiff *.webp);;All files (*)"


class ModelDialog(QDialog):
    """Asks for a network, an image and layers.

    Parameters
    ----------
    jobs : Jobs
        Reads the layers of the network, if they are asked for.
    path : Path, optional
        Code, program or weights to begin with.
    parent : QWidget, optional
    """

    def __init__(self, jobs: Jobs, path: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.jobs = jobs
        self.setWindowTitle("Open a model")
        self.setMinimumWidth(480)
        self.form = QFormLayout(self)
        self.network = name_line(MODELS, "A name, a .py file that makes it, a .pt2 program, torchvision:NAME ...")
        tip = "A Python file, or a program of torch.export."
        add_browsed(self.form, "&Network", self.network, tip=tip, browse=self._browse_network)
        self.function = name_line((), "What makes it in the Python file: a function or class without arguments.")
        add_row(self.form, "&Function", self.function)
        self.weights = QLineEdit()
        self.weights.setPlaceholderText("those that come along, else random ones")
        self.weights.setToolTip("A file of weights without code: .pt, .pth, .safetensors ...")
        add_browsed(self.form, "&Weights", self.weights, tip="A checkpoint.", browse=self._browse_weights)
        what = (
            (MAPS, "what its layers make of an image"),
            (LINKS, "all of it, as bundled lines"),
            (TILES, "all of it, as the maps of an image"),
        )
        tip = "Volumes of feature maps; units and links of the whole network; or its architecture, every map a tile."
        self.what = ChoiceField(what, tooltip=tip)
        add_row(self.form, "&Show", self.what)
        self.image = name_line(SAMPLES, "A picture file, or a photo that comes along.")
        add_browsed(self.form, "&Image", self.image, tip="A picture.", browse=self._browse_image)
        self._add_layers()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.form.addRow(self.buttons)
        for changed in (self.network.editTextChanged, self.function.editTextChanged, self.weights.textChanged):
            changed.connect(self._forget_layers)
        self.what.changed.connect(self._show_state)
        self.finished.connect(lambda _: jobs.cancel(SLOT))
        self._begin_with(path)

    # -- parts -----------------------------------------------------------------------------------

    def _add_layers(self) -> None:
        self.layers = QListWidget()
        self.layers.setMaximumHeight(150)
        self.layers.setToolTip("Layers whose maps are shown, one behind the other; none: the network's own choice.")
        add_row(self.form, "&Layers", self.layers)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.read = QPushButton("&Read layers")
        self.read.setToolTip("Load the network, which runs the code of a Python file, and list the layers with maps.")
        self.read.setAutoDefault(False)
        self.read.clicked.connect(lambda _: self.read_layers())
        row = QHBoxLayout()
        row.addWidget(self.state, 1)
        row.addWidget(self.read)
        self.form.addRow(row)

    def _begin_with(self, path: Path | None) -> None:
        """Fill in what is known of a file."""
        if path is None:
            self.network.setCurrentText(MODELS[-1])
        elif path.suffix.lower() in WEIGHTS:
            self.weights.setText(str(path))
            self.network.setCurrentText(network_of(path))
            self.network.setFocus()
        else:
            self._take_code(str(path))
        self._forget_layers()

    def _take_code(self, name: str) -> None:
        self.network.setCurrentText(name)
        self.function.clear()
        self.function.addItems(functions_of(Path(name)))

    # -- what is asked for -----------------------------------------------------------------------

    @property
    def is_code(self) -> bool:
        """Whether the network is a Python file."""
        return self.network.currentText().strip().lower().endswith(CODE)

    @property
    def model(self) -> str:
        """The network, as for `cnnvis.models.load`."""
        name = self.network.currentText().strip()
        return f"{name}:{self.function.currentText().strip()}" if self.is_code else name

    @property
    def view(self) -> dict[str, Any]:
        """What to see of it: fields of `cnnvis.studies.showing.ModelView`."""
        weights = self.weights.text().strip()
        fields: dict[str, Any] = {"weights": weights} if weights else {}
        if self.what.value != LINKS:
            fields["image"] = self.image.currentText().strip()
        if self.what.value == MAPS and self.chosen:
            fields["layers"] = self.chosen
        return fields | ({"tiles": True} if self.what.value == TILES else {})

    @property
    def chosen(self) -> tuple[str, ...]:
        """Layers with a tick."""
        rows = [self.layers.item(row) for row in range(self.layers.count())]
        ticked = (row for row in rows if row.checkState() == Qt.CheckState.Checked)
        return tuple(row.data(Qt.ItemDataRole.UserRole) for row in ticked)

    # -- layers ----------------------------------------------------------------------------------

    def read_layers(self) -> None:
        """List the layers of the network, read in a thread."""
        model, weights = self.model, self.view.get("weights")

        def work(tell: Tell) -> LayersToShow | CnnvisError:
            from cnnvis.studies.layers import layers_to_show  # loads torch, in the thread

            try:
                return layers_to_show(model, weights=weights)
            except CnnvisError as error:  # said here: a box would stand behind the dialog
                return error

        self.state.setText("Reading the layers …")
        self.read.setEnabled(False)
        self.jobs.run(SLOT, work, self._show_layers, title=f"Reading the layers of {Path(model).name}")

    def _show_layers(self, found: LayersToShow | CnnvisError) -> None:
        self._forget_layers()
        if isinstance(found, CnnvisError):
            self.state.setText(str(found))
            return
        for name, text in zip(found.names, found.texts, strict=True):
            row = QListWidgetItem(text, self.layers)
            row.setData(Qt.ItemDataRole.UserRole, name)
            row.setFlags(row.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            row.setCheckState(Qt.CheckState.Checked if name in found.usual else Qt.CheckState.Unchecked)
        self.state.setText(f"{len(found.names)} layers with maps." if found.names else "No layer has maps.")

    def _forget_layers(self, *_: object) -> None:
        """List nothing: those were the layers of another network."""
        self.jobs.cancel(SLOT)
        self.layers.clear()
        self.state.setText(OWN_CHOICE)
        self._show_state()

    def _show_state(self, *_: object) -> None:
        """Enable what matters for what is asked for so far."""
        of_image = self.what.value == MAPS
        named = bool(self.network.currentText().strip()) and not (self.is_code and not self.function.currentText())
        for part in (self.function, self.form.labelForField(self.function)):
            part.setVisible(self.is_code)
        self.image.setEnabled(self.what.value != LINKS)
        for part in (self.layers, self.state):
            part.setEnabled(of_image)
        self.read.setEnabled(of_image and named)
        self.buttons.button(QDialogButtonBox.StandardButton.Open).setEnabled(named)

    # -- files -----------------------------------------------------------------------------------

    def _browse_network(self) -> None:
        if name := self._ask("Network", CODE_FILES):
            self._take_code(name)

    def _browse_weights(self) -> None:
        if name := self._ask("Weights", WEIGHT_FILES):
            self.weights.setText(name)

    def _browse_image(self) -> None:
        if name := self._ask("Image", IMAGE_FILES):
            self.image.setCurrentText(name)

    def _ask(self, title: str, kinds: str) -> str:
        return QFileDialog.getOpenFileName(self, title, "", kinds)[0]
