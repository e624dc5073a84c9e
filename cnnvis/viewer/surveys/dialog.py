"""What to survey: which network, over which images, which values of which layers."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QLabel, QLineEdit, QWidget

from cnnvis.core import Provenance
from cnnvis.viewer.examples import MODELS
from cnnvis.viewer.fields import ChoiceField, add_row
from cnnvis.viewer.model_files import WEIGHTS, is_loadable
from cnnvis.viewer.name_lines import add_browsed, name_line
from cnnvis.viewer.surveys.making import SurveyWish

DATA_SETS = ("", "mnist", "fashion-mnist")
"""Those of `cnnvis.models.datasets`, by hand, without waiting for torch; "" for that of the network's classes."""

SIGNALS = (("post", "behind the activation"), ("pre", "before the activation"))
WEIGHT_FILES = f"Weights (*{' *'.join(WEIGHTS)});;All files (*)"


class SurveyDialog(QDialog):
    """Asks what to survey of the network that is open.

    Parameters
    ----------
    origin : Provenance
        Which network that is.
    source : (model, weights), optional
        How it was loaded, where this is known: as for `cnnvis.models.load`. Default: by its name.
    parent : QWidget, optional
    """

    def __init__(
        self, origin: Provenance, source: tuple[str, str | None] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Survey this network")
        self.setMinimumWidth(480)
        self.form = QFormLayout(self)
        self._add_network(origin, source)
        self.data = name_line(DATA_SETS, "A data set, or a folder of pictures, also with one subfolder per class.")
        self.data.lineEdit().setPlaceholderText("those that come along, of the network's classes")
        add_browsed(self.form, "&Images", self.data, tip="A folder of pictures.", browse=self._browse_data)
        self.layers = QLineEdit()
        self.layers.setPlaceholderText("all convolutions and dense layers")
        self.layers.setToolTip("Names of layers, or patterns such as conv*; commas between several.")
        add_row(self.form, "&Layers", self.layers)
        self.signal = ChoiceField(SIGNALS, tooltip="Which values of each layer: what later layers receive, or before.")
        add_row(self.form, "&Values", self.signal)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.start = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.start.setText("&Survey")
        self.start.setToolTip("Pass the images through the network. It can be stopped in the status bar.")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.form.addRow(self.buttons)
        self.network.editTextChanged.connect(self._show_state)
        self._show_state()

    def _add_network(self, origin: Provenance, source: tuple[str, str | None] | None) -> None:
        """Add how the network is loaded, and what is missing where its name does not say it."""
        model, weights = source or (origin.model if is_loadable(origin.model) else "", None)
        self.network = name_line(MODELS, "A name, file.py:factory, a .pt2 program, torchvision:NAME ...")
        self.network.setCurrentText(model)
        add_row(self.form, "&Network", self.network)
        self.weights = QLineEdit(weights or "")
        self.weights.setPlaceholderText("those that come along, else random ones")
        self.weights.setToolTip("A file of weights without code: .pt, .pth, .safetensors ...")
        add_browsed(self.form, "&Weights", self.weights, tip="A checkpoint.", browse=self._browse_weights)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setText(
            ""
            if model
            else f"{origin.model} is not what a network can be loaded by. Name above what it was made of, such as "
            "folder/file.py:factory, and its weights."
        )
        self.state.setVisible(not model)
        self.form.addRow(self.state)

    @property
    def wish(self) -> SurveyWish:
        """What is asked for."""
        return SurveyWish(
            model=self.network.currentText().strip(),
            weights=self.weights.text().strip() or None,
            data=self.data.currentText().strip() or None,
            layers=tuple(name.strip() for name in self.layers.text().split(",") if name.strip()),
            signal=self.signal.value,
        )

    def _show_state(self, *_: object) -> None:
        self.start.setEnabled(bool(self.wish.model))

    def _browse_data(self) -> None:
        if name := QFileDialog.getExistingDirectory(self, "Folder of pictures", self.data.currentText()):
            self.data.setCurrentText(name)

    def _browse_weights(self) -> None:
        if name := QFileDialog.getOpenFileName(self, "Weights", "", WEIGHT_FILES)[0]:
            self.weights.setText(name)
