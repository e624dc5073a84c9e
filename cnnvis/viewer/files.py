"""Opening and saving: dialogs, work in a thread, and what to say when a file cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QFileDialog, QWidget

from cnnvis.core import Provenance, Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.io.showing import Shown, load_to_show
from cnnvis.scene import copy_of
from cnnvis.viewer.autosave import forget, lost_sessions, restored
from cnnvis.viewer.examples import EXAMPLES
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.model_dialog import ModelDialog
from cnnvis.viewer.model_files import CODE, PROGRAM, WEIGHTS, is_model
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.surveys.making import origin_of
from cnnvis.viewer.workspace import ModelSource, Workspace

OPENED = "All that can be shown (*.json *.safetensors *.vti *.vtp *.vtm *.pvd *.vox *.hd *.npy *.csv);;All files (*)"
MODEL_FILES = f"Models (*{' *'.join((CODE, PROGRAM, *WEIGHTS))})"


class Files(QObject):
    """Opens into a workspace and saves from it.

    Parameters
    ----------
    workspace : Workspace
    settings : Settings
        Keeps the recent files.
    window : QWidget
        Parent of dialogs.
    """

    def __init__(self, workspace: Workspace, settings: Settings, window: QWidget) -> None:
        super().__init__(window)
        self.workspace, self.settings, self.window = workspace, settings, window
        self._sources: dict[str, ModelSource] = {}
        self._images: dict[str, str] = {}

    # -- opening ---------------------------------------------------------------------------------

    def ask_open(self) -> None:
        """Ask for files, and open them."""
        names, _ = QFileDialog.getOpenFileNames(self.window, "Open", str(self._folder()), f"{OPENED};;{MODEL_FILES}")
        if names:
            self.open([Path(name) for name in names])

    def open(self, paths: Sequence[Path], source: ModelSource | None = None) -> None:
        """Open files in a thread; the window shows them when they are read. Of a model, ask what to see of it.

        Parameters
        ----------
        paths : sequence of Path
        source : (model, weights), optional
            What the network of a survey among them is loaded with.
        """
        paths = [Path(path) for path in paths]
        if len(paths) == 1 and is_model(paths[0]):
            self.ask_model(paths[0])
            return
        title = f"Opening {', '.join(path.name for path in paths)}"

        def work(tell: Tell) -> Shown:
            return load_to_show(*paths)

        def then(shown: Shown) -> None:
            saved = any(path.suffix.lower() == ".json" for path in paths)
            show = self.workspace.show if saved else self.workspace.show_made
            if shown.survey is None or not self._has_layers(shown.survey):
                show(shown.target, shown.networks, paths[0] if len(paths) == 1 else None)
            if shown.survey is not None:
                self.workspace.show_survey(shown.survey, source or self.source_of(shown.survey.provenance))
            for path in paths:
                self.settings.add_recent(path)
            self.workspace.message.emit(f"{title}: done")

        self.workspace.jobs.run(OPENING, work, then, title=title)

    def _has_layers(self, survey: Survey) -> bool:
        """Whether what is open is of the layers of a survey, so that this can be looked at beside it."""
        network = self.workspace.network
        return network is not None and not set(survey.layers).isdisjoint(network.layout.layers)

    def ask_model(self, path: Path | None = None) -> None:
        """Ask for a network and what to see of it, and open it; does not wait for the answer."""
        dialog = ModelDialog(self.workspace.jobs, path, self.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self.open_model(dialog.model, **dialog.view))
        dialog.open()

    def open_model(self, model: str, image: str | None = None, **view: object) -> None:
        """Open a network in a thread: its maps of an image, or without one its units and bundled links.

        Parameters
        ----------
        model : str
            As for `cnnvis.models.load`.
        image : str, optional
            A file or the name of a sample.
        **view
            Any other field of `cnnvis.studies.showing.ModelView`.
        """

        def work(tell: Tell) -> Shown:
            from cnnvis.studies.showing import ModelView, show_model  # loads torch, in the thread

            return show_model(model, ModelView(image=image, **view), progress=tell.progress)

        def then(shown: Shown) -> None:
            self.workspace.show_made(shown.target, shown.networks)
            self._note_source(model, view.get("weights"))
            if image:
                self._images[Path(image).name] = image
            self.workspace.message.emit(f"{title}: done")

        title = f"Opening {Path(model).name}" + (f" with {Path(image).name}" if image else "")
        self.workspace.jobs.run(OPENING, work, then, title=title)

    def _note_source(self, model: str, weights: object) -> None:
        """Keep how the network behind what is open was loaded: its own name may not say in which folder it is."""
        origin = origin_of(self.workspace)
        if origin is not None and origin.model_sha256:
            self._sources[origin.model_sha256] = (model, None if weights is None else str(weights))

    def source_of(self, origin: Provenance) -> ModelSource | None:
        """Return what a network was opened with in this session, (model, weights); None where it was not."""
        return self._sources.get(origin.model_sha256)

    def image_of(self, origin: Provenance) -> str:
        """Return the image that what is open was made of, with its folder where that is known; "" for none or many."""
        name = origin.inputs[0] if len(origin.inputs) == 1 else ""
        return self._images.get(name, name)

    def open_example(self, name: str) -> None:
        """Open one of the networks that come along."""
        self.open_model(EXAMPLES[name].model, EXAMPLES[name].image)

    def restore(self) -> None:
        """Open what the last session had open that ended without being closed."""
        lost = lost_sessions(self.settings.autosave_folder)
        if not lost:
            return

        def then(shown: Shown) -> None:
            self.workspace.show(shown.target, shown.networks)
            forget(lost[0])
            self.workspace.message.emit("Restored what was open. Save it to keep it.")

        self.workspace.jobs.run(OPENING, lambda tell: restored(lost[0]), then, title="Restoring the last session")

    # -- saving ----------------------------------------------------------------------------------

    def save(self) -> None:
        """Save the scene where it is from, or ask where to."""
        path = self.workspace.path
        if path is not None and path.suffix.lower() == ".json":
            self.save_to(path)
        else:
            self.ask_save()

    def ask_save(self) -> None:
        """Ask for a file, and save the scene there."""
        start = self._folder() / (f"{self.workspace.path.stem}.json" if self.workspace.path else "scene.json")
        name, _ = QFileDialog.getSaveFileName(self.window, "Save scene", str(start), "Scene (*.json)")
        if name:
            path = Path(name)
            self.save_to(path if path.suffix else path.with_suffix(".json"))

    def save_to(self, path: Path) -> None:
        """Save the scene as it is now, with its data beside it, in a thread; whole or not at all.

        With the size of the view: drawn elsewhere it is the picture that is seen here, panes and texts where they are.
        """
        if path.suffix.lower() != ".json":
            raise InvalidInputError(f"A scene is saved as .json, got {path.name}. Other formats are under Export.")
        opened = self.workspace.target
        copy = copy_of(opened)
        copy.size = self.workspace.view_size or copy.size

        def work(tell: Tell) -> None:
            from cnnvis.io import save

            save(copy, path)

        def then(_: None) -> None:
            if self.workspace.target is opened:
                self.workspace.saved_as(path, copy)
            self.settings.add_recent(path)
            again = f"cnnvis render {path.name} {path.stem}.png"
            self.workspace.message.emit(f"Saved {path}. To draw it without a window: {again}")

        self.workspace.jobs.run("save", work, then, title=f"Saving {path.name}")

    def _folder(self) -> Path:
        return self.workspace.path.parent if self.workspace.path is not None else Path.cwd()
