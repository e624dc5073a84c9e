"""How the report of a study ends: its files, the command that repeats it, what it ran on, how long it took."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from cnnvis.io import save_bytes
from cnnvis.report import Page


class Finished(Protocol):
    """What every study gives back: its files and how long its stages took."""

    @property
    def files(self) -> Mapping[Path, str]: ...  # noqa: D102

    @property
    def seconds(self) -> Mapping[str, float]: ...  # noqa: D102

    @property
    def total_seconds(self) -> float: ...  # noqa: D102


def machine_facts(*packages: str) -> dict[str, str]:
    """Return the versions of cnnvis, of what it stands on and of further packages, and the machine."""
    versions = {name: importlib.metadata.version(name) for name in ("cnnvis", "torch", "vtk", "numpy", *packages)}
    return {
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }


def write_page(
    page: Page,
    result: Finished,
    out: Path,
    *,
    command: str,
    facts: Mapping[str, str] | None = None,
) -> dict[Path, str]:
    """End `page` and write it as ``index.html`` in the folder `out`; return the file and what it is.

    Parameters
    ----------
    page : Page
    result : Finished
        Its files are listed by their names relative to `out`.
    out : Path
    command : str
        Command line that repeats the study; "" for none.
    facts : mapping of str to str, optional
        Further facts by name, such as `machine_facts`.
    """
    page.section("Files and how to repeat this")
    page.files(
        (path.relative_to(out).as_posix(), content, path.stat().st_size) for path, content in result.files.items()
    )
    if command:
        page.command(command)
    if facts:
        page.facts(facts)
    page.timings(result.seconds, total=result.total_seconds)
    path = save_bytes(page.html().encode("utf-8"), out / "index.html")
    return {path: "this report: open it in a browser"}
