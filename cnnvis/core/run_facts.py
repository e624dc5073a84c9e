"""What decides the result of a run, and whether a checkpoint is of the same run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnvis.core.errors import InvalidInputError


def require_same_run(path: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Raise InvalidInputError, which says what differs, unless the facts `there` in the file are those of this run."""
    here = json.loads(json.dumps(dict(here)))
    differing = [name for name in here if there.get(name) != here[name]]
    if differing:
        listed = ", ".join(f"{name} ({_shown(there.get(name))} there, {_shown(here[name])} here)" for name in differing)
        raise InvalidInputError(
            f"The checkpoint {path} is of another run; different are: {listed}. "
            "Run with what it was made with, or name another file."
        )


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
