"""One thread that does jobs in their order, so that whoever gives them need not wait for a disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]

WAITING = 2
"""Jobs that wait at most; who gives another one waits too, so that memory is bounded."""

PERIOD = 0.5
"""Seconds between two calls of the regular job, at most."""


class BackgroundWriter:
    """Does jobs one after the other in a thread of its own, and a regular one in between.

    After the first error no job is done any more: they would come out of step with what is on the disk.

    Parameters
    ----------
    regular : callable
        Done every `PERIOD` seconds, and before each job.

    Attributes
    ----------
    error : Exception or None
        The first error.
    """

    def __init__(self, regular: Job) -> None:
        self.error: Exception | None = None
        self._regular = regular
        self._ending = False
        self._jobs: queue.Queue[Job | None] = queue.Queue(WAITING)
        # A daemon: a training that ends without a word must not hang. What is waiting then is the giver's to wait for.
        self._thread = threading.Thread(target=self._work, name="cnnvis Watcher", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have a job done; waits while too many others do."""
        self._jobs.put(job)

    def close(self) -> None:
        """Return once all is done, and end the thread; may be called twice."""
        self._ending = True
        if self._thread.is_alive() and threading.current_thread() is not self._thread:  # it may collect garbage, too
            self._jobs.put(None)
            self._thread.join()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get(timeout=PERIOD)
            except queue.Empty:
                job = None
            self._try(self._regular)
            if job is not None:
                self._try(job)
            elif self._ending:
                return

    def _try(self, job: Job) -> None:
        if self.error is not None:
            return
        try:
            job()
        except Exception as error:  # noqa: BLE001 - whatever it is, the training must go on
            self.error = error
