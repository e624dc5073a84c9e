"""How lines and units of a network are drawn: modes, classes, and the six parameters of nn_vis."""

from __future__ import annotations

from typing import Any, ClassVar

from qtpy.QtWidgets import QFormLayout, QGroupBox, QLabel, QPushButton, QVBoxLayout, QWidget

from cnnvis.scene import BundleItem, GlyphsItem, NetworkItem
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind
from cnnvis.viewer.workspace import Workspace

PARAMETERS: tuple[tuple[str, str, float, str], ...] = (
    ("&Size", "size", 1, "Radius at importance 1, in scene units."),
    ("&Base opacity", "base_opacity", 1, "Opacity of what has no importance at all."),
    ("&Importance opacity", "importance_opacity", 2, "How much of the opacity importance decides."),
    ("&Depth opacity", "depth_opacity", 1, "How much fainter the farthest is than the nearest."),
    ("Depth &exponent", "depth_exponent", 10, "How soft rims are: 0 none, 10 all but the middle."),
    ("Importance &threshold", "importance_threshold", 1, "What is less important is not drawn."),
)
"""Text, field, largest value and explanation of the parameters; ranges are nn_vis's, and begin at 0."""


class NetworkPanel(QWidget):
    """Controls that lines and units share."""

    modes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, workspace: Workspace, item: NetworkItem) -> None:
        super().__init__()
        self.workspace, self.item = workspace, item
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        look = QGroupBox("Look")
        self.form = QFormLayout(look)
        self.mode = ChoiceField(self.modes, tooltip="How they are drawn.")
        add_row(self.form, "&Mode", bind(self.mode, item, "mode"))
        self.classes = ChoiceField(_classes(item), tooltip="One ink, the colours of all classes, or one class.")
        self.classes.changed.connect(self._show_class)
        item.events.shown_class.connect(self._mark_class)
        add_row(self.form, "&Class", self.classes)
        self.add_fields()
        add_row(
            self.form, "&Legend", bind(CheckField("shown", tooltip="What colours and opacity mean."), item, "legend")
        )
        layout.addWidget(look)
        layout.addWidget(self._parameters())
        self._mark_class()

    def add_fields(self) -> None:
        """Add what only one kind has."""

    def _parameters(self) -> QWidget:
        box = QGroupBox("Opacity by importance")
        form = QFormLayout(box)
        self.parameters: dict[str, NumberField] = {}
        for text, name, high, tip in PARAMETERS:
            field = NumberField(0, high, 0, tooltip=tip)
            add_row(form, text, bind(field, self.item, name))
            self.parameters[name] = field
        self.kept = QLabel()
        self.kept.setWordWrap(True)
        form.addRow(self.kept)
        reset = QPushButton("Defaults")
        reset.setToolTip("Give all six the values that nn_vis has; the size stays.")
        reset.clicked.connect(self._reset)
        form.addRow(reset)
        return box

    def _reset(self) -> None:
        fields = type(self.item).model_fields
        names = [name for _, name, _, _ in PARAMETERS if name != "size"]
        self.item.update({name: fields[name].default for name in names})

    # -- classes ---------------------------------------------------------------------------------

    def _show_class(self, shown: Any) -> None:
        """Lines and units of one scene show the same class."""
        for item in self.workspace.scene:
            if isinstance(item, NetworkItem) and item.class_names == self.item.class_names:
                item.shown_class = shown

    def _mark_class(self, *_: object) -> None:
        number = self.item.class_index
        self.classes.set_value(self.item.shown_class if number is None else number)


class BundlePanel(NetworkPanel):
    """Controls of bundled lines."""

    modes = ("tubes", "lines", "ellipsoids", "points")
    item: BundleItem

    def add_fields(self) -> None:
        """Add the blend."""
        blend = NumberField(0, 1, 1, tooltip="0 straight lines, 1 as they are bundled.")
        add_row(self.form, "&Bundled", bind(blend, self.item, "blend"))


class GlyphsPanel(NetworkPanel):
    """Controls of units."""

    modes = ("spheres", "points")
    item: GlyphsItem


def _classes(item: NetworkItem) -> list[tuple[Any, str]]:
    looks: list[tuple[Any, str]] = [("none", "none: one ink")]
    if item.class_names:
        looks.append(("all", "all, mixed"))
    return looks + list(enumerate(item.class_names))
