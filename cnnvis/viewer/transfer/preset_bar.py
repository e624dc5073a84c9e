"""Transfer functions to start from, to keep, and to share with other layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from cnnvis.scene import SceneItem
from cnnvis.viewer.fields import ChoiceField

BUILT_IN = (
    ("linear", "linear: more of larger values"),
    ("sigmoid", "sigmoid: without the lower half"),
    ("band", "band: one band of values"),
    ("importance", "importance: all, weights decide"),
)

OURS = "Transfer function (*.json)"
PARAVIEW = "Preset of ParaView (*.json)"


class PresetBar(QWidget):
    """Presets by name, files of one's own, and the menu of other layers.

    Parameters
    ----------
    folder : Path
        Its files are listed among the presets.
    others : callable
        Returns the items that the transfer function could be copied to.

    Notes
    -----
    Signals: `preset_chosen` with the name of one that is built in; `load_asked` with a file; `save_asked` with a file
    and whether it is for ParaView; `copy_asked` with a list of items.
    """

    preset_chosen = Signal(str)
    load_asked = Signal(object)
    save_asked = Signal(object, bool)
    copy_asked = Signal(object)

    def __init__(self, folder: Path, others: Callable[[], list[SceneItem]]) -> None:
        super().__init__()
        self.folder, self._others = folder, others
        self.presets = ChoiceField(tooltip="Takes curves and colours of a preset; the range stays.")
        self.presets.setAccessibleName("Preset")
        self.presets.setPlaceholderText("choose…")
        self.presets.changed.connect(self._choose)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill_menu)
        label = QLabel("&Preset")
        label.setBuddy(self.presets)
        top, buttons = QHBoxLayout(), QHBoxLayout()
        top.addWidget(label)
        top.addWidget(self.presets, 1)
        self.save = QPushButton("Save…")
        self.save.setToolTip("Save this transfer function as a preset, for cnnvis or for ParaView.")
        self.save.clicked.connect(self.ask_save)
        self.load = QPushButton("Open…")
        self.load.setToolTip("Take the transfer function of a file: of cnnvis, or a preset of ParaView.")
        self.load.clicked.connect(self.ask_load)
        self.copy = QPushButton("Copy to")
        self.copy.setToolTip("Give other layers this transfer function.")
        self.copy.setMenu(self.menu)
        for button in (self.save, self.load, self.copy):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addLayout(buttons)
        self.show_presets()

    def show_presets(self) -> None:
        """List what there is."""
        files = sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []
        self.presets.set_choices([*BUILT_IN, *((path, path.stem) for path in files)])
        self.presets.setCurrentIndex(-1)

    def _choose(self, chosen: object) -> None:
        if isinstance(chosen, Path):
            self.load_asked.emit(chosen)
        else:
            self.preset_chosen.emit(chosen)

    # -- files -----------------------------------------------------------------------------------

    def ask_save(self) -> None:
        """Ask for a file to save to."""
        start = str(self.folder / "my transfer function.json")
        self.folder.mkdir(parents=True, exist_ok=True)  # else the dialog starts elsewhere
        name, kind = QFileDialog.getSaveFileName(self, "Save transfer function", start, f"{OURS};;{PARAVIEW}")
        if name:
            path = Path(name)
            self.save_asked.emit(path if path.suffix else path.with_suffix(".json"), kind == PARAVIEW)
            self.show_presets()

    def ask_load(self) -> None:
        """Ask for a file to open."""
        name, _ = QFileDialog.getOpenFileName(self, "Open transfer function", str(self.folder), "JSON (*.json)")
        if name:
            self.load_asked.emit(Path(name))

    # -- other layers ----------------------------------------------------------------------------

    def _fill_menu(self) -> None:
        self.menu.clear()
        others = self._others()
        if not others:
            self._add("No other layer here").setEnabled(False)
            return
        if len(others) > 1:
            self._add(f"All {len(others)} others").triggered.connect(lambda: self.copy_asked.emit(others))
            self._add("").setSeparator(True)
        for item in others:
            self._add(item.name).triggered.connect(lambda _, item=item: self.copy_asked.emit([item]))

    def _add(self, text: str) -> QAction:
        action = QAction(text, self.menu)  # made here: see `let_go`
        self.menu.addAction(action)
        return action
