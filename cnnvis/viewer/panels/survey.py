"""A survey in the window: averages of all channels, who is like whom, and images passing through."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSplitter, QVBoxLayout, QWidget

from cnnvis.viewer.surveys.bench import SurveyBench
from cnnvis.viewer.surveys.grid import SurveyGrid
from cnnvis.viewer.surveys.images import ImageStrip
from cnnvis.viewer.surveys.relations import CommunityGraph, SimilarityMatrix
from cnnvis.viewer.workspace import Workspace

HINT = "Open a survey (survey.safetensors of cnnvis survey) to see it here."


class SurveyPanel(QWidget):
    """The views of a survey, linked with each other and with the scene by what is selected.

    Parameters
    ----------
    workspace : Workspace
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.bench = SurveyBench(workspace)
        self.grid, self.images = SurveyGrid(self.bench), ImageStrip(self.bench)
        self.matrix, self.graph = SimilarityMatrix(self.bench), CommunityGraph(self.bench)
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
        layout = QVBoxLayout(self)
        layout.addWidget(views, 1)
        layout.addWidget(self.text)
        for signal in (self.bench.changed, self.bench.pointed, self.bench.grouped, self.bench.answered):
            signal.connect(self._show_text)
        workspace.edited.connect(self._show_text)

    def _show_text(self) -> None:
        """Say what is known of the channel under the mouse, else of one that is selected, else of the survey."""
        survey = self.bench.survey
        if survey is None:
            self.text.setText(HINT)
            return
        known = sorted(unit for unit in self.bench.selected if unit[0] in survey.layers)
        unit = self.bench.hovered or (known[0] if known else None)
        whole = f"{survey.n_channels:,} channels of {len(survey)} layers, {survey.n_images:,} images"
        self.text.setText(whole if unit is None else self.bench.text_of(unit))
