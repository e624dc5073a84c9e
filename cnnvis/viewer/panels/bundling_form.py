"""All options of how a network is drawn, as a form; by name, so that nothing heavy is loaded to show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from qtpy.QtWidgets import QFormLayout, QGroupBox, QVBoxLayout, QWidget

from cnnvis.core import BundledNetwork
from cnnvis.viewer.fields import CheckField, ChoiceField, Field, NumberField, add_row


class Number(NamedTuple):
    """A number with its range and default."""

    name: str
    text: str
    low: float
    high: float
    value: float
    tip: str
    whole: bool = False

    def field(self) -> NumberField:
        """Return a widget for it."""
        tip = f"{self.tip} Default {self.value:,}."
        field = NumberField(self.low, self.high, self.value, whole=self.whole, tooltip=tip)
        field.box.setGroupSeparatorShown(True)
        return field


class Choice(NamedTuple):
    """One of several names; the first is the default."""

    name: str
    text: str
    choices: tuple[str, ...]
    tip: str

    @property
    def value(self) -> str:
        """The default."""
        return self.choices[0]

    def field(self) -> ChoiceField:
        """Return a widget for it."""
        return ChoiceField(self.choices, tooltip=f"{self.tip}\nDefault {self.value}.")


class Switch(NamedTuple):
    """On or off; off by default."""

    name: str
    text: str
    label: str
    tip: str
    value: bool = False

    def field(self) -> CheckField:
        """Return a widget for it."""
        return CheckField(self.label, tooltip=f"{self.tip}\nDefault off.")


Option = Number | Choice | Switch

OPTIONS: dict[str, tuple[Option, ...]] = {
    "Links": (
        Number("top_k", "At &most", 1, 1_000_000, 100_000, "So many links, the most important ones.", True),
        Number("prune_percentage", "&Left out", 0, 1, 0, "Share of the links, least important first."),
        Switch("per_gap", "Chosen", "in each gap by itself", "Keep as large a share of the links of every gap."),
    ),
    "Units": (
        Choice(
            "arrangement",
            "&Arrangement",
            ("classes", "raster", "circle", "line", "importance", "similarity"),
            "How the units of a layer stand: by the classes they serve, if known; similarity goes by their links.",
        ),
        Number("layer_distance", "Layer &distance", 0.01, 10, 0.5, "From one layer to the next, scene units."),
        Number("layer_width", "Layer &width", 0.01, 10, 1, "Side of a layer, scene units."),
        Switch(
            "move_units",
            "Move",
            "like units together",
            "Units of like classes, before links are bundled.",
        ),
        Number(
            "node_bandwidth_reduction",
            "Unit reduction",
            0,
            0.999,
            0.95,
            "Factor on the bandwidth from one step of moving units to the next.",
        ),
    ),
    "Lines": (
        Number("sampling_rate", "Samplin&g rate", 2, 200, 15, "Samples per layer width; nn_vis has 5 to 20."),
        Number("hubs", "Hubs", 0, 256, 4, "Bundles between two layers; 0: as many as the density has peaks.", True),
        Number("bandwidth", "&Bandwidth", 0.001, 2, 0.15, "Of the density in the first iteration, layer widths."),
        Number(
            "edge_bandwidth_reduction",
            "Line reduction",
            0,
            0.999,
            0.9,
            "Factor on the bandwidth from one iteration to the next.",
        ),
        Number("max_iterations", "&Iterations", 0, 500, 0, "At most; 0: until the bandwidth is fine enough.", True),
        Number("smoothing_iterations", "&Smoothing", 0, 64, 8, "Strength after each iteration; 0: none.", True),
        Choice(
            "edge_importance_type",
            "Im&portance",
            ("interpolate", "start", "both", "end"),
            "Whose importance and classes a line has: its start's fading into its end's, or those of one of the two.",
        ),
        Number("class_separation", "Classes apart", 0, 1, 1, "How strictly lines keep to their own classes at last."),
        Number("tolerance", "Tolerance", 0, 1, 0, "Stop when no point moves farther, layer widths."),
        Choice("mode", "Mode", ("advect", "diverge", "noise"), "What Run does: bundle, part or shake straight lines."),
        Number("random_state", "Seed", 0, 999_999, 0, "Of where hubs are first sought, and of noise.", True),
    ),
}
"""Options by group; names are those of `BundledNetwork.parameters`, ranges lie within `DrawingOptions`'s."""

UNLIMITED = "max_iterations"
"""Here 0 stands for None."""


class BundlingForm(QWidget):
    """Shows the options of a network, and gives those that are wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self._options = {option.name: option for group in OPTIONS.values() for option in group}
        self._drawn: Mapping[str, Any] = {}
        self._distance = self._options["layer_distance"].value
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for title, group in OPTIONS.items():
            box = QGroupBox(title)
            form = QFormLayout(box)
            for option in group:
                self.fields[option.name] = field = option.field()
                add_row(form, option.text, field)
            layout.addWidget(box)

    def show_network(self, network: BundledNetwork) -> None:
        """Show the options that a network was drawn with; defaults where it does not say."""
        self._drawn = network.parameters
        self._distance = network.layout.distance or self._options["layer_distance"].value
        shown = {name: self._drawn.get(name) for name in self.fields} | {"layer_distance": self._distance}
        self._show(shown)

    def show_defaults(self) -> None:
        """Show the defaults of all options; where layers are to stand as far apart as suits, as they do."""
        self._show({"layer_distance": self._distance})

    def _show(self, values: Mapping[str, Any]) -> None:
        for name, field in self.fields.items():
            value = values.get(name)
            field.set_value(self._options[name].value if value is None else value)

    def values(self) -> dict[str, Any]:
        """Return what is wanted, by name as in `BundledNetwork.parameters`."""
        values = {name: field.value for name, field in self.fields.items()}
        values[UNLIMITED] = values[UNLIMITED] or None
        if abs(values["layer_distance"] - self._distance) < 1e-3:  # as shown: the box has three decimals
            values["layer_distance"] = self._drawn.get("layer_distance")
        if self._drawn.get("top_k", 0) is None and values["top_k"] == self._options["top_k"].value:
            values["top_k"] = None
        return values
