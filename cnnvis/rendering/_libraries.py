"""System libraries that rendering needs on Linux, and the command that installs them.

Needs nothing but the standard library and no other module of cnnvis: the set-up runs this file by itself, before
anything is installed (`python cnnvis/rendering/_libraries.py window` prints what is missing, one package a line).
"""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

DRIVER_FOLDERS = ("/usr/lib/*/dri", "/usr/lib*/dri", "/usr/local/lib*/dri")
"""Where distributions put Mesa's drivers; libEGL loads one of them by itself, so no soname tells if they are there."""


@dataclass(frozen=True, slots=True)
class Library:
    """One thing to be found on the system, and the packages that bring it.

    Parameters
    ----------
    name : str
        A soname ("libEGL.so.1"), a program ("Xvfb"), or "dri" for Mesa's drivers.
    apt, dnf : str
        Package of Debian and Ubuntu, of Fedora.
    """

    name: str
    apt: str
    dnf: str

    @property
    def present(self) -> bool:
        """Whether it can be loaded (soname), run (program) or seen (drivers)."""
        if self.name == "dri":
            return bool(driver_folders()) or can_load("libEGL_nvidia.so.0")
        if ".so" in self.name:
            return can_load(self.name)
        return shutil.which(self.name) is not None


OFFSCREEN = (
    Library("libEGL.so.1", "libegl1", "mesa-libEGL"),
    Library("dri", "libgl1-mesa-dri", "mesa-dri-drivers"),
)
"""Enough to render without a window and without a display."""

WINDOW = (
    *OFFSCREEN,
    Library("libGL.so.1", "libgl1", "mesa-libGL"),
    Library("libgthread-2.0.so.0", "libglib2.0-0", "glib2"),
    Library("libfontconfig.so.1", "libfontconfig1", "fontconfig"),
    Library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs"),
    Library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11"),
    Library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb"),
    Library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm"),
    Library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image"),
    Library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms"),
    Library("libxcb-randr.so.0", "libxcb-randr0", "libxcb"),
    Library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil"),
    Library("libxcb-shape.so.0", "libxcb-shape0", "libxcb"),
    Library("libxcb-xinerama.so.0", "libxcb-xinerama0", "libxcb"),
    Library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb"),
    Library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb"),
    Library("libxcb-sync.so.1", "libxcb-sync1", "libxcb"),
)
"""What a Qt window needs besides."""

TESTS = (
    *WINDOW,
    Library("Xvfb", "xvfb", "xorg-x11-server-Xvfb"),
    Library("xauth", "xauth", "xorg-x11-xauth"),
)
"""What the tests need besides: a display in memory."""

PURPOSES = {"offscreen": OFFSCREEN, "window": WINDOW, "tests": TESTS}


def can_load(soname: str) -> bool:
    """Return whether the dynamic linker finds and loads this library."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def driver_folders() -> list[Path]:
    """Return the folders that hold Mesa drivers, sorted."""
    root = Path("/")
    folders = {folder for pattern in DRIVER_FOLDERS for folder in root.glob(pattern.lstrip("/"))}
    return sorted(folder for folder in folders if any(folder.glob("*_dri.so")))


def missing(libraries: Iterable[Library]) -> list[Library]:
    """Return those of `libraries` that are not here; always none except on Linux."""
    if sys.platform != "linux":
        return []
    return [library for library in libraries if not library.present]


def install_hint(libraries: Sequence[Library]) -> str:
    """Return the command that installs `libraries` on this system, or their names where it is not known."""
    if shutil.which("apt-get"):
        return f"sudo apt-get install {' '.join(_unique(library.apt for library in libraries))}"
    if shutil.which("dnf"):
        return f"sudo dnf install {' '.join(_unique(library.dnf for library in libraries))}"
    names = ("Mesa's OpenGL drivers" if library.name == "dri" else library.name for library in libraries)
    return f"install what provides {', '.join(_unique(names))}"


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def main(argv: Sequence[str]) -> int:
    """Print the missing packages of apt, one a line, or a hint where there is no apt-get; 1 if any is missing."""
    absent = missing(PURPOSES[argv[0]])
    if not absent:
        return 0
    lines = _unique(library.apt for library in absent) if shutil.which("apt-get") else [install_hint(absent)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
