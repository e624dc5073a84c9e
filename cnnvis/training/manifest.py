"""The list of what lies in `data/`: where each file comes from, under which licence, and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError

MANIFEST = "manifest.json"
_NEEDED = ("name", "description", "origin", "licence")


def update_manifest(folder: str | Path, entries: Iterable[Mapping[str, Any]]) -> Path:
    """Enter files of `folder` into its manifest.json, each with its present sha256 and bytes; return its path.

    Parameters
    ----------
    folder : str or path
        Its manifest is made if there is none. Entries of other files stay as they are.
    entries : iterable of mapping
        "name" (path within `folder`), "description", "origin", "licence", and more: a model card.

    Raises
    ------
    InvalidInputError
        When an entry lacks one of the four, or its file is not there.
    FileFormatError
        When the present manifest is damaged.
    OutputError
        When it cannot be written.
    """
    folder = Path(folder)
    listed = {entry["name"]: entry for entry in _present(folder / MANIFEST)}
    listed.update({entry["name"]: _complete(folder, entry) for entry in entries})
    content = {"files": [listed[name] for name in sorted(listed)]}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    return save_bytes(text.encode("utf-8"), folder / MANIFEST)


def _present(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        return json.loads(path.read_text(encoding="utf-8"))["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(f"{path} is no manifest ({type(error).__name__}: {error}); mend or remove it.") from error


def _complete(folder: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
    missing = [key for key in _NEEDED if not entry.get(key)]
    path = folder / str(entry.get("name"))
    if missing or not path.is_file():
        what = f"lacks {', '.join(missing)}" if missing else f"names a file that is not in {folder}"
        raise InvalidInputError(f"The manifest entry {entry.get('name')!r} {what}.")
    content = path.read_bytes()
    return {**entry, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
