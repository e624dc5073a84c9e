"""A survey in the window: averages of all channels, who is like whom, and images passing through."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from cnnvis.viewer.surveys.bench import SurveyBench
from cnnvis.viewer.surveys.graph_pane import GraphPane
from cnnvis.viewer.surveys.grid import SurveyGrid
from cnnvis.viewer.surveys.images import ImageStrip
from cnnvis.viewer.surveys.relations import CommunityGraph, SimilarityMatrix
from cnnvis.viewer.surveys.rule_dialog import RuleDialog
from cnnvis.viewer.workspace import Workspace

HINT = "Survey the network that is open (File, Ctrl+U), or open a survey (survey.safetensors of cnnvis survey)."


class SurveyPanel(QWidget):
    """The views of a survey, linked with each other and with the scene by what is selected.

    They scroll where there is no room for them: the window does not grow for their sake.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.bench = SurveyBench(workspace)
        self.grid, self.images = SurveyGrid(self.bench), ImageStrip(self.bench)
        self.matrix, self.graph = SimilarityMatrix(self.bench), CommunityGraph(self.bench)
        self.pane = GraphPane(self.bench)
        self.regroup = QPushButton("Groups…")
        self.regroup.setToolTip("Choose how channels are grouped, and whether over all images or the last ones.")
        self.regroup.clicked.connect(lambda _: self._ask_rule())
        self.in_space = QPushButton("Graph in 3-D")
        self.in_space.setToolTip("Show the graph of this layer in space, as balls and tubes, beside what is open.")
        self.in_space.clicked.connect(lambda _: self.pane.show())
        self.text = QLabel(HINT)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setMinimumWidth(1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.images)
        views = QSplitter(Qt.Orientation.Horizontal)
        for widget, share in ((left, 3), (self.matrix, 1), (self.graph, 1)):
            views.addWidget(widget)
            views.setStretchFactor(views.count() - 1, share)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QScrollArea.Shape.NoFrame)
        self.area.setWidget(views)
        layout = QVBoxLayout(self)
        layout.addWidget(self.area, 1)
        below = QHBoxLayout()
        below.addWidget(self.text, 1)
        below.addWidget(self.regroup)
        below.addWidget(self.in_space)
        layout.addLayout(below)
        for signal in (self.bench.changed, self.bench.pointed, self.bench.grouped, self.bench.answered):
            signal.connect(self._show_text)
        workspace.edited.connect(self._show_text)

    def _ask_rule(self) -> None:
        """Ask by which rule channels are grouped, and do it; does not wait for the answer."""
        if self.bench.whole is None:
            return
        dialog = RuleDialog(self.bench.whole, self.bench.is_recent, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.bench.regroup(dialog.rule, recent=dialog.recent.isChecked()))
        dialog.open()

    def _show_text(self) -> None:
        """Say what is known of the channel under the mouse, else of one that is selected, else of the survey."""
        survey = self.bench.survey
        if survey is None:
            self.text.setText(HINT)
            return
        known = sorted(self.bench.selected)
        unit = self.bench.hovered or (known[0] if known else None)
        which = "the last " if self.bench.is_recent else ""
        whole = f"{survey.n_channels:,} channels of {len(survey)} layers, {which}{survey.n_images:,} images"
        self.text.setText(whole if unit is None else self.bench.text_of(unit))
