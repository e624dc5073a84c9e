"""Work off the GUI thread: the only way in the viewer to do what takes longer than a blink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from cnnvis.core.errors import CancelledError

POLL_MS = 25
"""How often the GUI thread looks what its threads have to say, milliseconds."""

OPENING = "open"
"""Slot of all jobs that end in something else being open: what was asked for last is what is shown."""

PARTIAL_SECONDS = 0.2
"""Least time between two partial results of a job that are shown; those between are left out."""


class Tell:
    """How work in a thread speaks to the GUI thread, and hears from it that it shall wait or stop."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._partials: list[Any] = []
        self._lock = threading.Lock()
        self._last_partial = 0.0
        self.done_of: tuple[int, int] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._cancelled.is_set()

    def progress(self, done: int, total: int) -> None:
        """Report that `done` of `total` steps are done; a `cnnvis.core.progress.Progress`.

        Returns only once the job is not paused.

        Raises
        ------
        CancelledError
            When the job was cancelled, or a newer one of its slot was asked for.
        """
        self.done_of = (done, total)
        self._may_go_on.wait()
        if self.cancelled:
            raise CancelledError("The work was cancelled.")

    def partial(self, value: Any) -> None:
        """Hand over a result on the way; must not be changed afterwards. One not yet shown is dropped for it."""
        with self._lock:
            self._partials = [value]
        self._last_partial = time.monotonic()

    @property
    def wants_partial(self) -> bool:
        """Whether one that is handed over now would be shown: the last one has been, and not just now."""
        return not self._partials and time.monotonic() - self._last_partial >= PARTIAL_SECONDS

    def take_partial(self) -> list[Any]:
        """Return the newest partial result that was not taken yet, alone in a list; [] where there is none."""
        with self._lock:
            taken, self._partials = self._partials, []
        return taken

    def cancel(self) -> None:
        """Let the next report of progress raise CancelledError, also of a paused job."""
        self._cancelled.set()
        self._may_go_on.set()

    def pause(self, on: bool) -> None:
        """Let the next report of progress wait, or go on."""
        if on and not self.cancelled:
            self._may_go_on.clear()
        else:
            self._may_go_on.set()

    @property
    def paused(self) -> bool:
        """Whether the work waits, or will at its next report."""
        return not self._may_go_on.is_set()


@dataclass(eq=False)
class _Job:
    slot: str
    work: Callable[[Tell], Any]
    then: Callable[[Any], object]
    partial: Callable[[Any], object] | None
    title: str

    def __post_init__(self) -> None:
        self.tell = Tell()
        self.result: Any = None
        self.error: BaseException | None = None
        self.thread: threading.Thread | None = None
        self.told: tuple[int, int] | None = None
        self.last_partial = 0.0

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"cnnvis {self.slot}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.result = self.work(self.tell)
        except BaseException as error:  # noqa: BLE001 - it is raised to whoever sees the window, whatever it is
            self.error = error

    @property
    def finished(self) -> bool:
        return self.thread is not None and not self.thread.is_alive()


class Jobs(QObject):
    """Runs work in threads, one job per slot at a time, and brings what comes of it to the GUI thread.

    A slot is what a job is for: "bundling", "open", "order:conv1". A new job of a slot cancels the one before it, and
    starts when that has stopped; of several that wait the newest is left. What a job returns or reports is used only
    while it is the newest of its slot and not cancelled, so that nothing stale ever gets into the window.

    All signals come on the GUI thread, with the slot first: `started`; `progressed` with steps done and in all;
    `paused` with whether it is; `ended`, once for each `started`, whether the job came to its end, failed or was
    cancelled. But `failed`, after `ended`, comes with the title of the job, for people, and with the exception, also
    where the function that takes the result raised it.

    Parameters
    ----------
    parent : QObject, optional

    Examples
    --------
    >>> jobs = Jobs()
    >>> jobs.run("sum", lambda tell: sum(range(10)), print, title="Adding up")
    """

    started = Signal(str)
    progressed = Signal(str, int, int)
    paused = Signal(str, bool)
    ended = Signal(str)
    failed = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._newest: dict[str, _Job] = {}
        self._threads: list[_Job] = []
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._poll)

    def run(
        self,
        slot: str,
        work: Callable[[Tell], Any],
        then: Callable[[Any], object],
        *,
        partial: Callable[[Any], object] | None = None,
        title: str = "",
    ) -> None:
        """Do `work` in a thread, and what comes of it in this one; after `close` nothing.

        Parameters
        ----------
        slot : str
            Its job so far is cancelled.
        work : callable
            Called as work(tell) in a thread. It touches no widget, no scene and no VTK object, and reports to
            `tell.progress` often enough to be cancelled.
        then : callable
            Called with what `work` returned, on the GUI thread.
        partial : callable, optional
            Called on the GUI thread with the newest value that `work` gave to `tell.partial`, at most once in
            `PARTIAL_SECONDS`.
        title : str
            What is being done, for people. Default: the slot.
        """
        if self._closed:
            return
        self.cancel(slot)
        job = _Job(slot, work, then, partial, title or slot)
        self._newest[slot] = job
        if not any(other.slot == slot for other in self._threads):
            self._start(job)
        self._timer.start()
        self.started.emit(slot)

    @property
    def busy(self) -> bool:
        """Whether any job is at work; one that is paused is not."""
        return any(not job.tell.paused for job in self._newest.values())

    @property
    def slots(self) -> tuple[str, ...]:
        """Slots with a job, paused ones among them, in the order in which they were started."""
        return tuple(self._newest)

    def title(self, slot: str) -> str:
        """Return what the job of a slot does, in words; "" where there is none."""
        return self._newest[slot].title if slot in self._newest else ""

    def is_paused(self, slot: str) -> bool:
        """Return whether the job of a slot waits."""
        return slot in self._newest and self._newest[slot].tell.paused

    def pause(self, slot: str, on: bool = True) -> None:
        """Let the job of a slot wait at its next report of progress, or go on."""
        if slot in self._newest and self.is_paused(slot) != on:
            self._newest[slot].tell.pause(on)
            self.paused.emit(slot, on)

    def cancel(self, slot: str | None = None) -> None:
        """Cancel the job of a slot, or all: what they return is dropped, and they stop at their next report."""
        for name in list(self._newest) if slot is None else [slot]:
            job = self._newest.pop(name, None)
            if job is not None:
                job.tell.cancel()
                self.ended.emit(name)

    def close(self) -> None:
        """Cancel all jobs, wait until their threads have stopped, and take no more."""
        self._closed = True
        self.cancel()
        self._timer.stop()
        for job in self._threads:
            job.thread.join()
        self._threads.clear()

    def _start(self, job: _Job) -> None:
        self._threads.append(job)
        job.start()

    def _poll(self) -> None:
        for job in list(self._threads):
            finished = job.finished  # asked first: what it reported before is then all there is
            if self._is_newest(job):
                self._tell(job)
            if finished:
                self._finish(job)
        if not self._threads:
            self._timer.stop()

    def _is_newest(self, job: _Job) -> bool:
        return self._newest.get(job.slot) is job

    def _tell(self, job: _Job) -> None:
        if job.tell.done_of != job.told:
            job.told = job.tell.done_of
            self.progressed.emit(job.slot, *job.told)
        if job.partial is None or time.monotonic() - job.last_partial < PARTIAL_SECONDS:
            return
        for value in job.tell.take_partial():
            if self._is_newest(job):  # a listener to the progress may have cancelled it
                self._call(job, job.partial, value)
            job.last_partial = time.monotonic()

    def _finish(self, job: _Job) -> None:
        if job not in self._threads:  # a dialog opened by a listener polled meanwhile
            return
        self._threads.remove(job)
        if self._is_newest(job):
            del self._newest[job.slot]
            self.ended.emit(job.slot)
            if job.error is None:
                self._call(job, job.then, job.result)
            elif not isinstance(job.error, CancelledError):
                self.failed.emit(job.title, job.error)
        waiting = self._newest.get(job.slot)
        if waiting is not None and waiting.thread is None:
            self._start(waiting)

    def _call(self, job: _Job, function: Callable[[Any], object], value: Any) -> None:
        try:
            function(value)
        except Exception as error:  # noqa: BLE001 - an exception that leaves a slot of Qt ends the program
            self.failed.emit(job.title, error)
