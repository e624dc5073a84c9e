"""How lines and units of a network are drawn: modes, classes, and the six parameters of nn_vis."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QFormLayout, QGroupBox, QLabel, QPushButton, QVBoxLayout, QWidget

from cnnvis.core.palette import group_colour
from cnnvis.scene import BundleItem, GlyphsItem, NetworkItem
from cnnvis.viewer.density_grid import MODES, DensityGrid
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind, listen
from cnnvis.viewer.kept import Kept
from cnnvis.viewer.layer_distance import LayerDistance
from cnnvis.viewer.workspace import Workspace

PARAMETERS: tuple[tuple[str, str, float, str], ...] = (
    ("Si&ze", "size", 1, "Radius at importance 1, in scene units."),
    ("B&ase opacity", "base_opacity", 1, "Opacity of what has no importance at all."),
    ("Impo&rtance opacity", "importance_opacity", 2, "How much of the opacity importance decides."),
    ("&Depth opacity", "depth_opacity", 1, "How much fainter the farthest is than the nearest."),
    ("Depth e&xponent", "depth_exponent", 10, "How soft rims are: 0 none, 10 all but the middle."),
    ("Importance &threshold", "importance_threshold", 1, "What is less important is not drawn."),
)
"""Text, field, largest value and explanation of the parameters; ranges are nn_vis's, and begin at 0."""

LIGHT: tuple[tuple[str, str, float, float, str, str], ...] = (
    ("Stre&ngth", "light", 0, 1, "", "How much of the brightness is the light's: 0 none, 1 all."),
    ("From right", "light_azimuth", -90, 90, " °", "0 from the viewer, 90 from the right, -90 from the left."),
    ("From above", "light_elevation", -90, 90, " °", "0 from the viewer, 90 from above, -90 from below."),
)
"""Text, field, range, unit and explanation of what the light of tubes and balls is."""

NEAREST, FARTHEST = 0.02, 2.0
"""Range of the distance of layers, scene units; of a network with a larger one, up to twice that."""

SWATCH = 14
"""Side of a patch of colour, pixels."""


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
        self.classes = ChoiceField(tooltip="One ink, the colours of all classes, or one class.")
        self.classes.changed.connect(self._show_class)
        add_row(self.form, "Cla&ss", self.classes)
        self.add_fields()
        legend = CheckField("shown", tooltip="What colours and opacity mean.")
        add_row(self.form, "&Legend", bind(legend, item, "legend"))
        layout.addWidget(look)
        layout.addWidget(self._parameters())
        layout.addWidget(self._light())
        self._name_classes()
        self._show_kept()
        self._listen()

    def add_fields(self) -> None:
        """Add what only one kind has."""

    def _parameters(self) -> QWidget:
        box = QGroupBox("Opacity by importance")
        form = QFormLayout(box)
        self.parameters: dict[str, NumberField] = {}
        for text, name, high, tip in PARAMETERS:
            default = type(self.item).model_fields[name].default
            field = NumberField(0, high, 0, tooltip=f"{tip} Default {default:g}.")
            add_row(form, text, bind(field, self.item, name))
            self.parameters[name] = field
        self.kept = QLabel()
        self.kept.setWordWrap(True)
        form.addRow(self.kept)
        reset = QPushButton("Defa&ults")
        reset.setToolTip("Give all six the values that nn_vis has, the size that suits the network.")
        reset.clicked.connect(self._reset)
        form.addRow(reset)
        return box

    def _light(self) -> QWidget:
        box = QGroupBox("Light")
        form = QFormLayout(box)
        self.light: dict[str, NumberField] = {}
        for text, name, low, high, unit, tip in LIGHT:
            default = type(self.item).model_fields[name].default
            decimals = 0 if unit else 3
            field = NumberField(low, high, 0, decimals=decimals, suffix=unit, tooltip=f"{tip} Default {default:g}.")
            field.changed.connect(partial(self._shine, name))
            add_row(form, text, bind(field, self.item, name))
            self.light[name] = field
        return box

    def _shine(self, name: str, value: float) -> None:
        """One light shines on lines and units of a scene."""
        for item in self.workspace.scene:
            if isinstance(item, NetworkItem):
                setattr(item, name, value)

    def fitting_size(self) -> float:
        """Return the size that suits the data."""
        raise NotImplementedError

    def _reset(self) -> None:
        fields = type(self.item).model_fields
        values = {name: fields[name].default for _, name, _, _ in PARAMETERS}
        self.item.update(values | {"size": self.fitting_size()})

    # -- what is shown ---------------------------------------------------------------------------

    def _listen(self) -> None:
        """Follow the item for as long as the widget lives."""
        own, events = type(self), self.item.events
        listen(self, events.shown_class, own._mark_class)
        listen(self, events.class_names, own._name_classes)
        listen(self, events.importance_threshold, own._show_kept)
        listen(self, events.hidden_layers, own._show_kept)
        listen(self, self.item.data_changed, own._show_kept)

    def _name_classes(self) -> None:
        self.classes.set_choices(_classes(self.item))
        for index in range(self.classes.count()):
            number = self.classes.itemData(index)
            if isinstance(number, int):
                self.classes.setItemIcon(index, _swatch(number))
        self._mark_class()

    def _show_class(self, shown: Any) -> None:
        """Lines and units of one scene show the same class."""
        for item in self.workspace.scene:
            if isinstance(item, NetworkItem) and item.class_names == self.item.class_names:
                item.shown_class = shown

    def _mark_class(self) -> None:
        number = self.item.class_index
        self.classes.set_value(self.item.shown_class if number is None else number)

    def _show_kept(self) -> None:
        if self.item.data is not None:
            kept = Kept.of(self.item, self.workspace.network)
            self.kept.setText(kept.text(self.item.importance_threshold))


class BundlePanel(NetworkPanel):
    """Controls of bundled lines."""

    modes = ("tubes", "lines", "ellipsoids", "points")
    item: BundleItem

    def add_fields(self) -> None:
        """Add how far lines are bundled, the distance of the layers, and the density."""
        blend = NumberField(0, 1, 1, tooltip="0 straight lines, 1 as they are bundled.")
        add_row(self.form, "&Bundled", bind(blend, self.item, "blend"))
        network = self.workspace.network
        if network is not None and network.layout.distance > 0:
            self._add_distance(network.layout.distance)
        self.grid = DensityGrid.of(self.workspace)
        self.density = ChoiceField(MODES, tooltip="Where lines run, as a volume or points beside them.")
        self.density.changed.connect(self.grid.show)
        add_row(self.form, "Density &grid", self.density)
        self.workspace.edited.connect(self._show_density)
        self._show_density()

    def _add_distance(self, distance: float) -> None:
        tip = "Between two layers, scene units. Lines are stretched, not bundled anew."
        self.distance = NumberField(NEAREST, max(FARTHEST, 2 * distance), distance, tooltip=tip)
        self.distance.changed.connect(LayerDistance.of(self.workspace).move)
        self.workspace.network_changed.connect(self._show_distance)
        add_row(self.form, "La&yer distance", self.distance)

    def _show_distance(self) -> None:
        if self.workspace.network is not None:
            self.distance.set_value(self.workspace.network.layout.distance)

    def _show_density(self) -> None:
        self.density.set_value(self.grid.mode)

    def fitting_size(self) -> float:
        """Return the radius at which the fullest gap between layers lets light through."""
        from cnnvis.scene.network_contents import lines_to_show

        return lines_to_show(self.item.data)[1]["size"]


class GlyphsPanel(NetworkPanel):
    """Controls of units."""

    modes = ("spheres", "points")
    item: GlyphsItem

    def fitting_size(self) -> float:
        """Return the radius at which the units of the fullest layer have room."""
        from cnnvis.scene.network_contents import points_to_show

        return points_to_show(self.item.data)[1]["size"]


def _classes(item: NetworkItem) -> list[tuple[Any, str]]:
    looks: list[tuple[Any, str]] = [("none", "independent: one ink")]
    if item.class_names:
        looks.append(("all", "all, mixed"))
    return looks + list(enumerate(item.class_names))


def _swatch(number: int) -> QIcon:
    """Return the colour of a class as a patch."""
    patch = QPixmap(SWATCH, SWATCH)
    patch.fill(QColor.fromRgbF(*group_colour(number)))
    return QIcon(patch)
