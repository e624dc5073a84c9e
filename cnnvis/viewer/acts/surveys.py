"""Making a survey of the network that is open, and keeping it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from cnnvis.core import Provenance, Survey
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.surveys.dialog import SurveyDialog
from cnnvis.viewer.surveys.making import SURVEYING, SurveyWish, origin_of, surveyed

if TYPE_CHECKING:
    from cnnvis.viewer.window import ViewerWindow


def ask_survey(window: ViewerWindow) -> None:
    """Ask what to survey of the network that is open, and do it; does not wait for the answer."""
    origin = origin_of(window.workspace)
    if origin is None:
        window.workspace.message.emit("Nothing that is open is of a network: open a model first (File, Open a model).")
        return
    dialog = SurveyDialog(origin, window.files.source_of(origin), window)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.accepted.connect(lambda: make_survey(window, dialog.wish, origin))
    dialog.open()


def make_survey(window: ViewerWindow, wish: SurveyWish, origin: Provenance | None = None) -> None:
    """Survey a network in a thread, and show the survey beside what is open.

    Parameters
    ----------
    window : ViewerWindow
    wish : SurveyWish
    origin : Provenance, optional
        Of the network that is open: one of the same name must be the same.
    """
    workspace, title = window.workspace, f"Survey of {Path(wish.model).name}"

    def work(tell: Tell) -> Survey:
        return surveyed(wish, origin, tell)

    def then(survey: Survey) -> None:
        workspace.show_survey(survey, (wish.model, wish.weights))
        left_out = f", {survey.n_skipped:,} could not be read" if survey.n_skipped else ""
        workspace.message.emit(f"{title}: {survey.n_images:,} images{left_out}. Save survey, under File, keeps it.")

    workspace.jobs.run(SURVEYING, work, then, title=title)


def ask_save_survey(window: ViewerWindow) -> None:
    """Ask for a file, and save the survey there."""
    if window.workspace.survey is None:
        window.workspace.message.emit("There is no survey to save: make one of the network that is open, or open one.")
        return
    start = str(Path.cwd() / "survey.safetensors")
    name, _ = QFileDialog.getSaveFileName(window, "Save survey", start, "Survey (*.safetensors)")
    if name:
        path = Path(name)
        save_survey(window, path if path.suffix else path.with_suffix(".safetensors"))


def save_survey(window: ViewerWindow, path: Path) -> None:
    """Save the survey that is looked at in a thread; whole or not at all."""
    workspace, survey = window.workspace, window.workspace.survey

    def work(tell: Tell) -> None:
        from cnnvis.io import save

        save(survey, path)

    def then(_: None) -> None:
        window.settings.add_recent(path)
        workspace.message.emit(f"Saved {path}. cnnvis diagnose --survey takes it, and File, Open shows it again.")

    workspace.jobs.run("save survey", work, then, title=f"Saving {path.name}")
