"""Asking what to put side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

from cnnvis.scene import SceneGrid, VolumeItem
from cnnvis.scene.links import LINKS
from cnnvis.viewer import comparing
from cnnvis.viewer.acts.items import chosen_of
from cnnvis.viewer.choice_dialogs import ChooseSeveral, FindOne
from cnnvis.viewer.examples import MODELS
from cnnvis.viewer.files import OPENED
from cnnvis.viewer.reordering import methods_for

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow


def ask_files(window: ViewerWindow) -> None:
    """Ask for files to open beside what is open."""
    names, _ = QFileDialog.getOpenFileNames(window, "Open beside", "", OPENED)
    if names:
        comparing.add_files(window.workspace, [Path(name) for name in names])


def ask_model(window: ViewerWindow) -> None:
    """Ask for a network that comes along, to draw beside what is open."""
    dialog = FindOne("Network beside", MODELS, window)
    if dialog.exec_() and dialog.chosen is not None:
        comparing.add_model(window.workspace, MODELS[dialog.chosen])


def ask_frames(window: ViewerWindow) -> None:
    """Ask which frames of the series to show side by side."""
    labels = window.workspace.scene.series.labels
    if not labels:
        window.workspace.message.emit("There are no frames to compare: the scene has no series.")
        return
    ends = (labels[0], labels[-1])
    dialog = ChooseSeveral("Frames", "Two to four frames:", labels, ends, at_least=2, at_most=4, parent=window)
    if dialog.exec_():
        comparing.show_frames(window.workspace, dialog.chosen)


def ask_orders(window: ViewerWindow) -> None:
    """Ask which orders of a volume to show side by side."""
    item = chosen_of(window, VolumeItem)
    if item is None:
        window.workspace.message.emit("Orders are those of a volume's channels; there is none here.")
        return
    methods = methods_for(item.data)
    dialog = ChooseSeveral(
        "Orders", "Two to four orders:", methods, ("original", "pca"), at_least=2, at_most=4, parent=window
    )
    if dialog.exec_():
        comparing.show_orders(window.workspace, item, [methods[index] for index in dialog.chosen])


def ask_links(window: ViewerWindow) -> None:
    """Ask in what the panes are linked."""
    target = window.workspace.target
    chosen = target.link if isinstance(target, SceneGrid) else ()
    dialog = ChooseSeveral("Links", "The panes share:", LINKS, chosen, parent=window)
    if dialog.exec_():
        comparing.link(window.workspace, [LINKS[index] for index in dialog.chosen])
