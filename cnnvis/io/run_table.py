"""The table of a run: losses and accuracies as a .csv file that only grows, line by line.

A line counts once its end is written, so who reads meanwhile never sees half of one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from cnnvis.core.training_run import TrainingCurve

HEADER = "of,step,epoch,loss,accuracy\n"


class Row(NamedTuple):
    """One measurement: of the step that was just made, or of the whole epoch that was.

    Parameters
    ----------
    of : {"step", "epoch"}
    step, epoch : int
        Finished so far.
    loss, accuracy : float or None
    """

    of: Literal["step", "epoch"]
    step: int
    epoch: int
    loss: float | None = None
    accuracy: float | None = None


def append_rows(rows: Iterable[Row], path: Path) -> None:
    """Add rows at the end of the table, in one write; floats read back the same to the last bit."""
    text = "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)
    with path.open("ab", buffering=0) as file:
        content = memoryview(text.encode("ascii"))
        while content:
            content = content[file.write(content) :]


class RunTable:
    """Reads a table while it grows: each call takes what came since the last.

    Parameters
    ----------
    path : Path

    Attributes
    ----------
    problems : list of str
        A sentence for each line that is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = self._line = 0
        self._columns: dict[str, tuple[array[Any], ...]] = {
            of: (array("q"), array("q"), array("d"), array("d")) for of in ("step", "epoch")
        }
        self.problems: list[str] = []

    def refresh(self) -> bool:
        """Read on; return whether there was anything new. Cost: a call of stat where there was not."""
        try:
            if self._path.stat().st_size <= self._offset:
                return False
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            missing = f"The table {self._path.name} is missing: there are no losses."
            self.problems = [missing]
            return False
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.decode("utf-8", errors="replace").splitlines():
            self._line += 1
            self._take(line)
        return bool(whole)

    def _take(self, line: str) -> None:
        if self._line == 1 and f"{line}\n" == HEADER:
            return
        try:
            of, step, epoch, *values = line.split(",")
            loss, accuracy = (float(value) if value else math.nan for value in values)
            numbers = array("q", [int(step), int(epoch)])  # raises before anything is taken
            for column, value in zip(self._columns[of], (*numbers, loss, accuracy), strict=True):
                column.append(value)
        except (ValueError, KeyError, OverflowError):
            self.problems.append(f"Line {self._line} of {self._path.name} is damaged ({line[:40]!r}); it is left out.")

    def curve(self, of: Literal["step", "epoch"]) -> TrainingCurve:
        """Return what was measured of steps or of epochs, a copy."""
        return TrainingCurve(*map(np.array, self._columns[of]))
