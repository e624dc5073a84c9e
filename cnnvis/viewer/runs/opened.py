"""A training as it was opened in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cnnvis.core import RunMoment
from cnnvis.scene.run_view import RunFrames, first_view

if TYPE_CHECKING:
    from pathlib import Path

    from cnnvis.core.progress import Progress
    from cnnvis.studies.run_reader import RunReader


class OpenedRun(NamedTuple):
    """A training, and what was to be seen of it when it was opened.

    Parameters
    ----------
    reader : RunReader
        For threads only: it waits while another one reads.
    moment : RunMoment
    found : RunFrames
    """

    reader: RunReader
    moment: RunMoment
    found: RunFrames


def open_run(folder: Path, model: str | None, progress: Progress) -> OpenedRun:
    """Return the run in a folder, for a thread; errors as for `RunReader`."""
    from cnnvis.studies.run_reader import RunReader  # loads torch, in the thread

    return read_run(RunReader(folder, model), progress)


def read_run(reader: RunReader, progress: Progress) -> OpenedRun:
    """Return a run as it is now, from its beginning, for a thread."""
    moment = reader.look()
    return OpenedRun(reader, moment, reader.frames(first_view(moment), moment.epochs, progress=progress))


def open_shipped(folder: Path, progress: Progress) -> OpenedRun:
    """Return the training that comes along, written into a folder, for a thread."""
    from cnnvis.training import shipped_run

    shipped_run(folder, overwrite=True, progress=progress)
    return open_run(folder, None, progress)
