"""What the views of a training share: its epochs, what is shown of them, and whether it is followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from cnnvis.core import RunMoment, RunState
from cnnvis.core.errors import CancelledError, CnnvisError
from cnnvis.scene.run_view import (
    Frame,
    RunFrames,
    RunView,
    put_frames,
    shown_epochs,
    shown_item,
    shown_view,
)
from cnnvis.viewer.jobs import OPENING, Tell
from cnnvis.viewer.runs.opened import OpenedRun, read_run
from cnnvis.viewer.timers import single_shot
from cnnvis.viewer.workspace import Workspace

LOOK_MS = 500
"""Between two looks at a training that goes on."""

PATIENCE = 4
"""Looks in vain after which a run is lost: one that replaces another is not there for a moment."""

SLOT = "run"

ENDS = {
    RunState.FINISHED: "The training has finished.",
    RunState.FAILED: "The training ended by an error: {error}",
    RunState.STOPPED: "The training was not watched to its end: {error}",
    RunState.CRASHED: "The training ended without a word: it may have been killed.",
}


class RunBench(QObject):
    """Holds the training that is open for its views, follows it, and makes its frames in threads.

    What is shown is read from the scene, which undo changes as well; `view` is ahead of it while frames are made.

    Parameters
    ----------
    workspace : Workspace
        The training has just been opened in it.
    opened : OpenedRun
    parent : QObject

    Attributes
    ----------
    run : RunMoment
        All that is known of it by now.
    view : RunView
        What is seen of it.
    lost : str
        Why it cannot be read any more.

    Notes
    -----
    `changed`: anything of the run, or of what is seen of it, but not the epoch that is shown.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace, opened: OpenedRun, parent: QObject) -> None:
        super().__init__(parent)
        self.workspace = workspace
        self.run, self.view, self.lost = opened.moment, opened.found.view, ""
        self._reader, self._found, self._scene = opened.reader, opened.found, workspace.scene
        self._left_out = dict(opened.found.left_out)
        self._in_vain = 0
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._soon = single_shot(self, 0, self._see)
        workspace.target_changed.connect(self._see_target)
        workspace.edited.connect(self._soon.start)
        self.follow(self.run.state is RunState.TRAINING)

    # -- what is there ---------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether the training is among what is shown."""
        return any(scene is self._scene for scene in self.workspace.scenes)

    @property
    def is_followed(self) -> bool:
        """Whether new epochs are looked for."""
        return self._timer.isActive()

    @property
    def state(self) -> str:
        """How far the training is, in words."""
        if self.lost:
            return f"{self.lost} What was read before can still be seen."
        if self.run.state is RunState.TRAINING:
            return "The training goes on." if self.is_followed else "The training went on when it was looked at last."
        return ENDS[self.run.state].format(error=self.run.error)

    @property
    def problems(self) -> tuple[str, ...]:
        """A sentence for everything that is left out."""
        return (*self.run.problems, *self._left_out.values())

    @property
    def epochs(self) -> tuple[int, ...]:
        """Those that have frames."""
        return shown_epochs(self._scene)

    @property
    def epoch(self) -> int | None:
        """The one that is shown."""
        epochs = self.epochs
        return epochs[self._scene.frame] if epochs else None

    # -- what is done ----------------------------------------------------------------------------

    def go_to(self, epoch: int) -> None:
        """Show one of `epochs`."""
        self._scene.frame = self.epochs.index(epoch)

    def choose(self, **changes: Any) -> None:
        """See something else of the training: fields of `RunView`; its frames are made in a thread."""
        self.view = replace(self.view, **changes)
        self._make(self.view, {})

    def follow(self, on: bool) -> None:
        """Look for new epochs from now on, or not any more."""
        if on and self.is_open:
            self.lost, self._in_vain = "", 0
            self._timer.start()
            self._look()
        else:
            self._timer.stop()
        self.changed.emit()

    # -- looking ---------------------------------------------------------------------------------

    def _look(self) -> None:
        if SLOT in self.workspace.looks.slots:  # the last look still goes on: a slow disk
            return
        reader = self._reader

        def work(tell: Tell) -> RunMoment | Exception:
            try:
                return reader.look()
            except (CnnvisError, OSError) as error:  # it may have been deleted
                return error

        def then(found: RunMoment | Exception) -> None:
            if self.is_open:
                self._hear(found)

        self.workspace.looks.run(SLOT, work, then)

    def _hear(self, found: RunMoment | Exception) -> None:
        """Take what a look has found."""
        before = self.run
        if isinstance(found, Exception):
            self._in_vain += 1
            if self._in_vain >= PATIENCE:
                self.lost = str(found)
                self._end()
            return
        self._in_vain = 0
        if found.facts.run_id != before.facts.run_id:
            self._open_anew()
            return
        self.run = found
        if found is not before:
            self.changed.emit()
            self._extend()
        if found.state is not RunState.TRAINING:
            self._end()

    def _end(self) -> None:
        """Follow no more, and say why."""
        self._timer.stop()
        self.workspace.message.emit(self.state)
        self.changed.emit()

    def _open_anew(self) -> None:
        """Open what has taken the place of the training in its folder."""
        reader = self._reader
        self._timer.stop()

        def work(tell: Tell) -> OpenedRun:
            return read_run(reader, tell.progress)

        def then(run: OpenedRun) -> None:
            self.workspace.show_run(run)
            self.workspace.message.emit(f"Another training has begun in {reader.folder}.")

        self.workspace.jobs.run(OPENING, work, then, title="Opening the new training")

    # -- frames ----------------------------------------------------------------------------------

    def _extend(self) -> None:
        """Add the epochs that came since, unless somebody has taken out of the scene what shows them."""
        if SLOT in self.workspace.jobs.slots:
            return
        scene, item, shown = self._scene, shown_item(self._scene), self.epochs
        if item is None and self._found.frames:
            return
        if any(epoch > max(shown, default=-1) and epoch not in self._left_out for epoch in self.run.epochs):
            self._make(self.view, {} if item is None else dict(zip(shown, scene.frames[item.name], strict=True)))

    def _make(self, view: RunView, known: Mapping[int, Frame]) -> None:
        """Make frames in a thread, beside known ones if there are any, and show them."""
        reader = self._reader
        epochs = [epoch for epoch in self.run.epochs if epoch not in self._left_out]

        def work(tell: Tell) -> RunFrames | Exception:
            try:
                return reader.frames(view, epochs, known, progress=tell.progress)
            except CancelledError:
                raise
            except CnnvisError as error:
                return error

        def then(found: RunFrames | Exception) -> None:
            if self.is_open:
                self._put(found, growing=bool(known))

        self.workspace.jobs.run(SLOT, work, then, title=f"Reading {reader.folder.name}")

    def _put(self, found: RunFrames | Exception, *, growing: bool) -> None:
        """Show frames; those that came by themselves are no step of undo."""
        if isinstance(found, Exception):
            self.workspace.message.emit(str(found))
            self.changed.emit()
            self._see()
            return
        for sentence in found.left_out.values():
            self.workspace.message.emit(sentence)
        self._left_out |= found.left_out
        if found.frames:
            self._show(found, by_itself=growing or not self.epochs)
        self.changed.emit()
        self._see()

    def _show(self, found: RunFrames, *, by_itself: bool) -> None:
        """Let the scene play frames: a step of undo, unless they came by themselves or the hand still drags."""
        scene, history = self._scene, self.workspace.history
        shown = shown_view(scene, self.run.facts, self.view)
        dragged = replace(shown, sample=found.view.sample) == found.view
        if by_itself or not dragged:
            history.commit()
        newest = self.epoch == max(self._found.frames, default=None)  # not of the scene: undo may have gone back
        put_frames(scene, found, self.run, epoch=None if newest else self.epoch, before=self._found)
        self._found = found
        if by_itself:
            history.amend()
        elif not dragged:
            history.commit()

    # -- what is shown ---------------------------------------------------------------------------

    def _see(self) -> None:
        """Take from the scene what it shows: undo, or somebody else, may have changed it."""
        if self.is_open and SLOT not in self.workspace.jobs.slots:
            view = shown_view(self._scene, self.run.facts, self.view)
            if view != self.view:
                self.view = view
                self.changed.emit()
            if self._scene is self.workspace.scene and self.workspace.item is None:
                self.workspace.item = shown_item(self._scene)
            self._extend()

    def _see_target(self) -> None:
        """Follow no more where something else is open."""
        if not self.is_open:
            self._timer.stop()
        self.changed.emit()
