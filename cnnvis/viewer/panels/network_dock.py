"""What is done to networks, in one dock: bundling, importance, random ones."""

from __future__ import annotations

from qtpy.QtWidgets import QTabWidget

from cnnvis.viewer.panels.builder import BuilderPanel
from cnnvis.viewer.panels.importance import ImportancePanel
from cnnvis.viewer.panels.plan_editor import PlanEditor
from cnnvis.viewer.panels.processing import ProcessingPanel
from cnnvis.viewer.plans import PlanDrawing
from cnnvis.viewer.workspace import Workspace


class NetworkDock(QTabWidget):
    """Panels that change or make the network of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setDocumentMode(True)
        self.processing = ProcessingPanel(workspace)
        self.importance = ImportancePanel(workspace)
        self.builder = BuilderPanel(workspace)
        self.editor = PlanEditor(workspace, PlanDrawing(workspace))
        for panel, text, tip in (
            (self.processing, "Bundling", "Place and bundle the network that is open."),
            (self.importance, "Importance", "Score the units of a model anew."),
            (self.editor, "Build", "Build a convolutional network by hand."),
            (self.builder, "Random", "Make a random network."),
        ):
            self.addTab(panel, text)
            self.setTabToolTip(self.indexOf(panel), tip)
