"""What decides the result of a run, and whether a checkpoint is of the same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.file_format import FileFormat


def run_header(kind: FileFormat, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return the entries of a checkpoint's header, of a run whose result the `facts` decide."""
    return {**kind.header, "facts": json.dumps(dict(facts))}


def require_run(path: Path, header: Mapping[str, str], kind: FileFormat, facts: Mapping[str, Any]) -> None:
    """Raise unless a file with this header is such a checkpoint, and of the run that `facts` decide.

    Raises
    ------
    FileFormatError
        When it is something else, or of a newer version.
    InvalidInputError
        When it is of another run; says what differs.
    """
    kind.require(path, header)
    _require_same_run(path, json.loads(header["facts"]), facts)


def _require_same_run(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    here = json.loads(json.dumps(dict(here)))
    differing = [name for name in here if there.get(name) != here[name]]
    if differing:
        listed = ", ".join(f"{name} ({_shown(there.get(name))} there, {_shown(here[name])} here)" for name in differing)
        raise InvalidInputError(
            f"The checkpoint {path} is of another run; different are: {listed}. "
            "Run with what it was made with to go on; remove it, or name another file, to begin anew."
        )


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
