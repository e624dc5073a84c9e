"""How the channels of a survey are grouped, and over which of its images."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFormLayout, QWidget

from cnnvis.core import Grouping, Survey
from cnnvis.core.communities import DEFAULT_EXPONENTS
from cnnvis.viewer.fields import ChoiceField, NumberField, add_row

ALIKE = (("averages", "averages, image by image"), ("maps", "maps, position by position"))
LINKS = (("power", "max(r, 0) to a power"), ("exponential", "exp(exponent × r)"))
ALGORITHMS = (("leiden", "Leiden"), ("louvain", "Louvain"))


class RuleDialog(QDialog):
    """Asks by which rule channels are grouped.

    Parameters
    ----------
    survey : Survey
        The whole one; says what there is to choose from.
    recent : bool
        Whether only its last images are looked at.
    parent : QWidget, optional
    """

    def __init__(self, survey: Survey, recent: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        rule = survey.grouping
        self._seed = rule.random_state
        self.setWindowTitle("Groups of channels")
        self.setMinimumWidth(380)
        form = QFormLayout(self)
        self.alike = ChoiceField(ALIKE, tooltip="What is correlated. Maps need a survey with --alike maps.")
        self.alike.set_value(rule.alike)
        self._has_maps = all(layer.spatial is not None for layer in survey.layers.values())
        add_row(form, "&Compare", self.alike)
        self.links = ChoiceField(LINKS, tooltip="Weights of the links between channels; r is their correlation.")
        self.links.set_value(rule.weights)
        add_row(form, "&Links", self.links)
        self.exponent = NumberField(
            min(0.5, rule.power),
            max(100, rule.power),
            rule.power,
            tooltip="The larger, the more and the smaller groups.",
        )
        add_row(form, "&Exponent", self.exponent)
        self.links.changed.connect(lambda links: self.exponent.set_value(DEFAULT_EXPONENTS[links]))
        self.algorithm = ChoiceField(ALGORITHMS, tooltip="How groups are found in the graph.")
        self.algorithm.set_value(rule.algorithm)
        add_row(form, "A&lgorithm", self.algorithm)
        self.resolution = NumberField(
            min(0.1, rule.resolution),
            max(10, rule.resolution),
            rule.resolution,
            tooltip="Above 1 more and smaller groups, below 1 fewer.",
        )
        add_row(form, "&Resolution", self.resolution)
        n_recent = len(survey.window_images)
        self.recent = QCheckBox(f"&Only the last {n_recent:,} of {survey.n_images:,} images")
        self.recent.setToolTip(
            "Means, correlation and groups of these alone: what the survey kept of them are averages."
        )
        self.recent.setChecked(recent)
        self.recent.setEnabled(2 <= n_recent < survey.n_images)
        self.recent.toggled.connect(self._show_recent)
        form.addRow(self.recent)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        form.addRow(self.buttons)
        self._show_recent(recent)

    def _show_recent(self, recent: bool) -> None:
        """Of the last images there are averages only."""
        self.alike.setEnabled(self._has_maps and not recent)
        if recent:
            self.alike.set_value("averages")

    @property
    def rule(self) -> Grouping:
        """What was chosen."""
        return Grouping(
            alike=self.alike.value,
            weights=self.links.value,
            exponent=self.exponent.value,
            algorithm=self.algorithm.value,
            resolution=self.resolution.value,
            random_state=self._seed,
        )
