"""Opening and saving: dialogs, work in a thread, and what to say when a file cannot be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QFileDialog, QWidget

from cnnvis.core import Provenance, Survey
from cnnvis.core.errors import CancelledError, CnnvisError, InvalidInputError
from cnnvis.io.run_manifest import is_run
from cnnvis.io.showing import Shown, load_to_show
from cnnvis.scene import Scene, SceneGrid, copy_of, scenes_of
from cnnvis.scene.links import take_look
from cnnvis.viewer.autosave import forget, lost_sessions, restored
from cnnvis.viewer.examples import EXAMPLES
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.model_dialog import ModelDialog
from cnnvis.viewer.model_files import CODE, PROGRAM, WEIGHTS, is_model
from cnnvis.viewer.runs.opened import OpenedRun, open_run, open_shipped
from cnnvis.viewer.saved_files import SavedFile
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
        self._code = SavedFile(self)
        self._again: Callable[[], None] | None = None
        self._code.saved.connect(self._read_again)
        self._images: dict[tuple[str, str], str] = {}
        self._shipped: TemporaryDirectory[str] | None = None  # of the training that comes along

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
            What the network of a survey or a training among them is loaded with.
        """
        paths = [Path(path) for path in paths]
        if len(paths) == 1 and is_run(paths[0]):
            self.open_run(paths[0], None if source is None else source[0])
            return
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

    def ask_run(self) -> None:
        """Ask for the folder of a training, and open it."""
        name = QFileDialog.getExistingDirectory(self.window, "Open a training", str(self._folder()))
        if name:
            self.open_run(Path(name))

    def open_run(self, path: Path, model: str | None = None) -> None:
        """Open a training in a thread, and follow it while it goes on.

        Parameters
        ----------
        path : Path
            The folder that `cnnvis.Watcher` writes or wrote, or the run.json in it.
        model : str, optional
            Its architecture, as for `cnnvis.models.load`: for the links of the network, where it does not come along.
        """
        folder = path.parent if path.is_file() else path

        def then(run: OpenedRun) -> None:
            self.workspace.show_run(run)
            self.settings.add_recent(folder)
            self.workspace.message.emit(f"{title}: done")

        title = f"Opening the training {folder.name}"
        self.workspace.jobs.run(OPENING, lambda tell: open_run(folder, model, tell.progress), then, title=title)

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
            self._note_source(model, view.get("weights"), image)
            self._follow_code(model, image, view)
            self.workspace.message.emit(f"{title}: done")

        title = f"Opening {Path(model).name}" + (f" with {Path(image).name}" if image else "")
        self.workspace.jobs.run(OPENING, work, then, title=title)

    def _follow_code(self, model: str, image: str | None, view: dict[str, object]) -> None:
        """Show a network whose code was opened again whenever the code is saved, as long as it is what is open."""
        path, _, function = model.rpartition(":")
        opened = self.workspace.target
        self._code.leave()
        if not function or Path(path).suffix != CODE:
            return
        self._code.follow(Path(path))
        self._again = lambda: self._open_again(model, image, view, opened)

    def _read_again(self) -> None:
        if self._again is not None:
            self._again()

    def _open_again(self, model: str, image: str | None, view: dict[str, object], opened: Scene | SceneGrid) -> None:
        """Read the code again; what is shown keeps its look, and stays where the code cannot be run."""
        name = Path(model.rpartition(":")[0]).name
        if self.workspace.target is not opened:
            self._code.leave()
            return

        def work(tell: Tell) -> tuple[Shown | None, str]:
            from cnnvis.studies.showing import ModelView, show_model

            try:
                return show_model(model, ModelView(image=image, **view), progress=tell.progress), ""
            except CancelledError:
                raise
            except CnnvisError as error:
                return None, str(error)

        def then(found: tuple[Shown | None, str]) -> None:
            shown, problem = found
            if shown is None:
                self.workspace.message.emit(f"{name} was saved, but {problem}")
                return
            for new, old in zip(scenes_of(shown.target), scenes_of(opened), strict=True):
                take_look(new, old)
            self.workspace.show(shown.target, shown.networks)
            self._follow_code(model, image, view)
            self.workspace.message.emit(f"{name} was saved, and is shown as it is now.")

        self.workspace.jobs.run(OPENING, work, then, title=f"Reading {name}")

    def _note_source(self, model: str, weights: object, image: str | None) -> None:
        """Keep how network and image behind what is open were loaded: names may not say in which folder they are."""
        origin = origin_of(self.workspace)
        if origin is not None and origin.model_sha256:
            self._sources[origin.model_sha256] = (model, None if weights is None else str(weights))
            if image is not None and origin.inputs:
                self._images[origin.model_sha256, origin.inputs[0]] = image

    def source_of(self, origin: Provenance) -> ModelSource | None:
        """Return what a network was opened with in this session, (model, weights); None where it was not."""
        return self._sources.get(origin.model_sha256)

    def image_of(self, origin: Provenance) -> str | None:
        """Return the image that something was made of, as it was named in this session; None where it was not."""
        return self._images.get((origin.model_sha256, origin.inputs[0])) if origin.inputs else None

    def open_example(self, name: str) -> None:
        """Open one of the networks that come along, or the training of one."""
        example = EXAMPLES[name]
        if not example.training:
            self.open_model(example.model, example.image)
            return
        self._shipped = self._shipped or TemporaryDirectory(prefix="cnnvis-training-")
        folder = Path(self._shipped.name)
        title = f"Opening the training of {example.model}"
        self.workspace.jobs.run(
            OPENING, lambda tell: open_shipped(folder, tell.progress), self.workspace.show_run, title=title
        )

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

    def close(self) -> None:
        """Let go of what was written for this window alone; once nothing reads it any more."""
        if self._shipped is not None:
            self._shipped.cleanup()

    def _folder(self) -> Path:
        return self.workspace.path.parent if self.workspace.path is not None else Path.cwd()
