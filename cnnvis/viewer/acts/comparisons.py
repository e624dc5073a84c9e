"""Asking what to put side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog

from cnnvis.scene import SceneGrid, VolumeItem
from cnnvis.scene.links import LINKS, Link
from cnnvis.viewer import comparing
from cnnvis.viewer.acts.items import chosen_of
from cnnvis.viewer.choice_dialogs import ChooseSeveral, FindOne, is_accepted
from cnnvis.viewer.examples import ABOUT, MODELS, UNTRAINED
from cnnvis.viewer.files import OPENED
from cnnvis.viewer.reordering import methods_for

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow

LINK_WORDS: dict[Link, str] = {
    "camera": "camera: seen from the same place",
    "range": "range: colours stand for the same values",
    "order": "order: channels in the same order",
    "selection": "selection: what is clicked in one stands out in all",
    "look": "look: mode, class, opacity, sizes, planes and colours",
}


def ask_files(window: ViewerWindow) -> None:
    """Ask for files to open beside what is open."""
    names, _ = QFileDialog.getOpenFileNames(window, "Open beside", "", OPENED)
    if names:
        comparing.add_files(window.workspace, [Path(name) for name in names])


def ask_model(window: ViewerWindow) -> None:
    """Ask for a network that comes along, to draw beside what is open."""
    dialog = FindOne("Network beside", [f"{name}: {ABOUT[name]}" for name in MODELS], window)
    if is_accepted(dialog) and dialog.chosen is not None:
        comparing.add_model(window.workspace, MODELS[dialog.chosen])


def add_untrained(window: ViewerWindow) -> None:
    """Draw the untrained twin of a network beside it, or the trained one of an untrained."""
    network = window.workspace.network
    name = "" if network is None else network.provenance.model
    trained = next((one for one, other in UNTRAINED.items() if other == name), None)
    twin = UNTRAINED.get(name, trained)
    if twin is None:
        window.workspace.message.emit(f"Open {' or '.join(UNTRAINED)} first: there is an untrained twin of these.")
    else:
        comparing.add_model(window.workspace, twin)


def ask_frames(window: ViewerWindow) -> None:
    """Ask which frames of the series to show side by side."""
    labels = window.workspace.scene.series.labels
    if not labels:
        window.workspace.message.emit("There are no frames to compare: the scene has no series.")
        return
    ends = (labels[0], labels[-1])
    dialog = ChooseSeveral("Frames", "Two to four frames:", labels, ends, at_least=2, at_most=4, parent=window)
    if is_accepted(dialog):
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
    if is_accepted(dialog):
        comparing.show_orders(window.workspace, item, [methods[index] for index in dialog.chosen])


def add_difference(window: ViewerWindow) -> None:
    """Add a pane with the second minus the first of two."""
    if len(window.workspace.scenes) == 2:
        comparing.add_difference(window.workspace)
    else:
        window.workspace.message.emit("A difference is that of two panes: put one thing beside another first.")


def ask_links(window: ViewerWindow) -> None:
    """Ask in what the panes are linked."""
    target = window.workspace.target
    if not isinstance(target, SceneGrid):
        window.workspace.message.emit("There is one pane only: put something beside it to link them.")
        return
    words, chosen = [LINK_WORDS[name] for name in LINKS], [LINK_WORDS[name] for name in target.link]
    dialog = ChooseSeveral("Links", "The panes share:", words, chosen, parent=window)
    if is_accepted(dialog):
        comparing.link(window.workspace, [LINKS[index] for index in dialog.chosen])
