"""`cnnvis doctor`."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "vtk", "pyvista", "PyQt5", "numpy", "scipy", "scikit-learn", "numba")
"""Packages whose version decides most about what works."""


def doctor() -> int:
    """Check that cnnvis can render here, and say what to install where it cannot.

    Prints the versions that matter, whether VTK can render (without a display, as every command does) and whether
    a Qt window can open. Put its output into a bug report. Exit status 1 when rendering does not work.

    Returns
    -------
    int
        0 when VTK can render here, else 1; a missing display for windows is no error.
    """
    lines = [
        ("cnnvis", _version("cnnvis")),
        ("python", f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"),
        *((name, _version(name)) for name in PACKAGES),
    ]
    renders, rendering = _try(_rendering)
    _, window = _try(_window)
    lines += [("rendering", rendering), ("window", window)]
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        sys.stdout.write(f"{name:<{width}}  {text}\n")
    return 0 if renders else 1


def _rendering() -> str:
    from cnnvis.rendering.probe import require_rendering

    info = require_rendering()
    kind = "software" if info.software else "hardware"
    return f"ok: {info.renderer}, {kind}, OpenGL {info.version}, {info.window}"


def _window() -> str:
    from cnnvis.rendering.probe import require_window

    require_window()
    return "ok"


def _try(check: Callable[[], str]) -> tuple[bool, str]:
    """Return whether the check passed, and what to say about it."""
    from cnnvis.core.errors import CnnvisError

    try:
        return True, check()
    except CnnvisError as error:
        return False, f"NOT AVAILABLE: {error}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
