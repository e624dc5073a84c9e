"""What a verb that does a study hands on and says in the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def command_line() -> str:
    """Return the command line that repeats this run, for its report."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def say_result(found: Iterable[str], result: Any, out: Path) -> None:
    """Print what a study found, how long it took, and every file with what is in it.

    Parameters
    ----------
    found : iterable of str
        Lines.
    result : a study's result
        With `files` and `total_seconds`.
    out : Path
        Folder with the report.
    """
    lines = [*found, "", f"{result.total_seconds:.1f} s in all. Written:"]
    lines += [f"  {path}  {content}" for path, content in result.files.items()]
    sys.stdout.write("\n".join([*lines, "", f"Open {(out / 'index.html').resolve()}", ""]))
