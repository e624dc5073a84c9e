"""The window: docks around the 3-D view, menus, keys and status."""

from __future__ import annotations

import traceback
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPixmap
from qtpy.QtWidgets import QDockWidget, QMainWindow, QMessageBox, QStackedWidget, QTabWidget, QWidget

from cnnvis.core.errors import CnnvisError
from cnnvis.scene import Camera
from cnnvis.viewer.acts import cameras
from cnnvis.viewer.autosave import Autosave
from cnnvis.viewer.canvas import SceneCanvas
from cnnvis.viewer.command_list import all_menus
from cnnvis.viewer.commands import Commands
from cnnvis.viewer.exports import Exports
from cnnvis.viewer.files import Files
from cnnvis.viewer.first_layout import NARROW, FirstLayout
from cnnvis.viewer.keys_dialog import KeysDialog
from cnnvis.viewer.panels.ask import AskPanel
from cnnvis.viewer.panels.log import LogPanel
from cnnvis.viewer.panels.network_dock import NetworkDock
from cnnvis.viewer.panels.operation import OperationPanel
from cnnvis.viewer.panels.properties import PropertiesPanel
from cnnvis.viewer.panels.saliency import SaliencyPanel
from cnnvis.viewer.panels.scene_tree import SceneTree
from cnnvis.viewer.panels.survey import SurveyPanel
from cnnvis.viewer.panels.timeline import TimelinePanel
from cnnvis.viewer.panels.transfer import TransferDock
from cnnvis.viewer.pointing import Pointing
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.start_page import StartPage
from cnnvis.viewer.status import StatusLine
from cnnvis.viewer.theme import apply_theme
from cnnvis.viewer.workspace import Workspace

FRAME_MS = 30
"""Between two frames while the scene turns by itself, where drawing is quick enough."""

SIZE = (1280, 800)

ABOVE_RUN = 90
"""Room of the title and the slider above a training in its dock, pixels."""


class ViewerWindow(QMainWindow):
    """Shows a workspace.

    Parameters
    ----------
    settings : Settings, optional
        Default: the user's.

    Attributes
    ----------
    workspace : Workspace
        What is open; scripts and tests change it, and the window follows.
    plotter : pyvistaqt.QtInteractor
        The widget of the view, a plotter of pyvista.
    """

    closed = Signal()

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()
        self.setWindowTitle("cnnvis")
        self.setAcceptDrops(True)
        self.resize(*SIZE)
        self.setDockOptions(QMainWindow.DockOption.AllowTabbedDocks)
        self.workspace = Workspace(self)
        self.files = Files(self.workspace, self.settings, self)
        self.exports = Exports(self.workspace, self)
        self.autosave = Autosave(self.workspace, self.settings.autosave_folder)
        self.canvas = SceneCanvas(self.workspace)
        self.plotter = self.canvas.view
        self.start_page = StartPage(self.files, self.settings)
        self.start_page.back.connect(self._show_canvas)
        self.start_page.random.connect(self.show_builder)
        self.start_page.build.connect(self.build_network)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(self.canvas)
        self.setCentralWidget(self.pages)
        self.docks: dict[str, QDockWidget] = {}
        self._add_docks()
        self.commands = Commands(self, self.canvas, all_menus(), self.settings.keys)
        self.status = StatusLine(self.workspace, self.canvas)
        self.pointing = Pointing(self.workspace, self.canvas)
        self.pointing.hovered.connect(self.status.show_under_cursor)
        self.pointing.unit_hovered.connect(self.survey.bench.point_at)
        self.pointing.hit.connect(self.operation.show_hit)
        self.setStatusBar(self.status)
        self._turn = QTimer(self)
        self._turn.setInterval(FRAME_MS)
        self._turn.timeout.connect(lambda: cameras.turn(self))
        self.first_cameras: tuple[Camera, ...] = ()
        self.workspace.target_changed.connect(self._show_target)
        self.workspace.problem.connect(self._tell_problem)
        self.canvas.failed.connect(self.workspace.problem)
        self._keep_cameras()
        self._set_theme(self.settings.theme)
        geometry, docks = self.settings.layout
        if geometry is not None and docks is not None:
            self.restoreGeometry(geometry)
            self.restoreState(docks)
        else:
            FirstLayout(self, self.docks)

    # -- docks -----------------------------------------------------------------------------------

    def _add_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        bottom = Qt.DockWidgetArea.BottomDockWidgetArea
        self.timeline = TimelinePanel(self.workspace)
        self.log = LogPanel(self.workspace)
        self._add_dock("scene", "Scene", SceneTree(self.workspace), left)
        self._add_dock("properties", "Properties", PropertiesPanel(self.workspace), right)
        self.transfer = TransferDock(self.workspace)
        self._add_dock("transfer", "Transfer", self.transfer, right)
        self.docks["transfer"].visibilityChanged.connect(self.transfer.set_seen)
        self.ask = AskPanel(self.workspace)
        self._add_dock("ask", "Selection", self.ask, right)
        self.network = NetworkDock(self.workspace)
        self._add_dock("network", "Network", self.network, right)
        for name in ("transfer", "ask", "network"):
            self.tabifyDockWidget(self.docks["properties"], self.docks[name])
            self.docks[name].setMinimumWidth(NARROW)  # or the view changes its size with each that is chosen
        self.docks["properties"].raise_()
        self._add_dock("timeline", "Timeline", self.timeline, bottom)
        self._add_dock("log", "Log", self.log, bottom)
        self.survey = SurveyPanel(self.workspace)
        self._add_dock("survey", "Survey", self.survey, bottom)
        self.operation = OperationPanel(self.workspace, self.files)
        self._add_dock("operation", "Operation", self.operation, bottom)
        self.saliency = SaliencyPanel(self.workspace)
        self._add_dock("saliency", "Saliency", self.saliency, bottom)
        large = ("survey", "operation", "saliency")
        for name in large:
            self.docks[name].hide()  # they ask for room of the view, which they get when there is something to show
        for name in ("log", *large):
            self.tabifyDockWidget(self.docks["timeline"], self.docks[name])
        self.workspace.survey_changed.connect(self._show_survey)
        self.workspace.run_changed.connect(self._show_run)
        self.docks["timeline"].raise_()
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def _add_dock(self, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> None:
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        self.docks[name] = dock

    def toggle_dock(self, name: str) -> None:
        """Show a dock, also one that others cover, or hide it."""
        dock = self.docks[name]
        covered = dock.visibleRegion().isEmpty()
        dock.setVisible(covered)
        if covered:
            dock.raise_()

    # -- what is shown ---------------------------------------------------------------------------

    def show_start(self) -> None:
        """Show recent files and examples."""
        self.start_page.update_recent()
        self.pages.setCurrentWidget(self.start_page)

    def show_builder(self) -> None:
        """Show where random networks are made."""
        self.docks["network"].show()
        self.docks["network"].raise_()
        self.network.setCurrentWidget(self.network.builder)

    def build_network(self) -> None:
        """Show where networks are built by hand, and the one that is being built."""
        self.docks["network"].show()
        self.docks["network"].raise_()
        self.network.setCurrentWidget(self.network.editor)
        self.network.editor.draw()

    def _show_survey(self) -> None:
        self.show_large("survey")

    def show_operation(self) -> None:
        """Bring the explanation of operations to the front, and explain the network that is open."""
        self.show_large("operation")
        self.operation.begin()

    def show_large(self, name: str) -> None:
        """Bring a dock at the bottom to the front, and give it room."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        self.resizeDocks([dock], [self.height() * 9 // 20], Qt.Orientation.Vertical)

    def _show_run(self) -> None:
        """Bring the training to the front, and give it room."""
        dock = self.docks["timeline"]
        dock.show()
        dock.raise_()
        wanted = self.timeline.run.sizeHint().height() + ABOVE_RUN
        self.resizeDocks([dock], [min(wanted, self.height() * 9 // 20)], Qt.Orientation.Vertical)

    def show_paths(self) -> None:
        """Show where the strongest path to a class is chosen."""
        self.docks["ask"].show()
        self.docks["ask"].raise_()
        if self.ask.classes.isEnabled():
            self.ask.classes.setFocus()
        else:
            self.workspace.message.emit("There are no classes here: open a network that has some.")

    def _show_canvas(self) -> None:
        self.pages.setCurrentWidget(self.canvas)
        self.canvas.view.setFocus()

    def _show_target(self) -> None:
        self._keep_cameras()
        self._show_canvas()
        path = self.workspace.path
        title = path.name if path is not None else self.workspace.scene.title
        self.setWindowTitle(f"{title} - cnnvis" if title else "cnnvis")

    def _keep_cameras(self) -> None:
        self.first_cameras = tuple(scene.camera.model_copy() for scene in self.workspace.scenes)

    # -- switches --------------------------------------------------------------------------------

    @property
    def rotating(self) -> bool:
        """Whether the scene turns by itself."""
        return self._turn.isActive()

    def toggle_rotation(self) -> None:
        """Let the scene turn by itself, or stop it."""
        if self.rotating:
            self._turn.stop()
        else:
            self._turn.start()

    @property
    def theme(self) -> str:
        """Either "light" or "dark"."""
        return self.settings.theme

    def toggle_theme(self) -> None:
        """Change between light and dark, in the window and in the picture."""
        self._set_theme("light" if self.theme == "dark" else "dark")
        for scene in self.workspace.scenes:
            scene.background = self.theme

    def _set_theme(self, theme: str) -> None:
        self.settings.theme = self.workspace.ground = theme
        apply_theme(theme)

    def show_keys(self) -> None:
        """List all keys, and let them be changed."""
        dialog = KeysDialog(self.commands, self.settings, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    # -- messages --------------------------------------------------------------------------------

    def _tell_problem(self, what: str, error: BaseException) -> None:
        """Say in a box that does not stop anything what went wrong, once: what moves may fail at every step."""
        known = isinstance(error, CnnvisError | OSError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        if any(box.isVisible() and box.text() == text for box in self.findChildren(QMessageBox)):
            return
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle(f"{what} failed")
        box.setText(text)
        if not known:
            box.setInformativeText("This is a fault of cnnvis. The details are below, and in the log.")
            box.setDetailedText("".join(traceback.format_exception(error)))
        box.setModal(False)
        box.show()

    def screenshot(self) -> QPixmap:
        """Return a picture of the whole window, as it is on the screen."""
        self.canvas.place_marker()
        return self.grab()

    # -- files dropped, and the end --------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - overrides Qt's
        """Take files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Open what was dropped."""
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.files.open(paths)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Stop all work, wait for it, and let go of OpenGL."""
        self._turn.stop()
        self.timeline.timer.stop()
        self.settings.set_layout(self.saveGeometry(), self.saveState())
        self.settings.save()
        self.log.close_log()
        self.workspace.close()
        self.files.close()
        self.autosave.close()
        self.canvas.close_view()
        super().closeEvent(event)
        self.closed.emit()
