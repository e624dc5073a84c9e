"""Find out whether VTK can render here *before* VTK tries: without OpenGL it does not raise, it crashes.

First the libraries VTK would open are looked for, which takes a millisecond. Since a library may be there without a
driver that works, one tiny picture is then rendered in a process of its own; that takes about a second, so a positive
answer is kept in the user's cache folder until Python, VTK, the environment or the system's libraries change.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from cnnvis.core.errors import MissingDependencyError, RenderingUnavailableError
from cnnvis.rendering._libraries import OFFSCREEN, WINDOW, can_load, driver_folders, install_hint, missing

WINDOW_VARIABLE = "VTK_DEFAULT_OPENGL_WINDOW"
"""Environment variable by which VTK itself chooses its kind of render window."""

WINDOW_LIBRARIES = {
    "vtkXOpenGLRenderWindow": ("libGL.so.1", "libGL.so"),
    "vtkEGLRenderWindow": ("libEGL.so.1", "libEGL.so"),
    "vtkOSOpenGLRenderWindow": ("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"),
}
"""Render windows of VTK on Linux, in the order VTK tries them, and what each opens at run time."""

PROBE_SECONDS = 60.0
"""How long the trial picture may take: about one second is usual, a cold disk and a busy machine need more."""

_PREFIXES = ("VTK_", "LIBGL_", "MESA_", "GALLIUM_", "EGL_", "__EGL_", "__GLX_", "LP_", "CUDA_VISIBLE")
_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY", "LD_LIBRARY_PATH", "LD_PRELOAD")
_LINKER_CACHE = Path("/etc/ld.so.cache")

_TRIAL = """
from vtkmodules.vtkCommonCore import vtkUnsignedCharArray
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow
import vtkmodules.vtkRenderingOpenGL2
import json

window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(8, 8)
renderer = vtkRenderer()
renderer.SetBackground(0.0, 1.0, 0.0)
window.AddRenderer(renderer)
window.Render()
pixels = vtkUnsignedCharArray()
window.GetPixelData(4, 4, 4, 4, 0, pixels, 0)
if pixels.GetNumberOfTuples() != 1 or pixels.GetTuple(0)[:3] != (0.0, 255.0, 0.0):
    raise SystemExit("the trial picture came out blank")
facts = dict(line.split(":", 1) for line in window.ReportCapabilities().splitlines() if ":" in line)
print(json.dumps({
    "window": window.GetClassName(),
    "renderer": facts.get("OpenGL renderer string", "").strip(),
    "version": facts.get("OpenGL version string", "").strip(),
}))
"""


@dataclass(frozen=True, slots=True)
class RenderingInfo:
    """What renders here.

    Parameters
    ----------
    window : str
        VTK's class of render window.
    renderer, version : str
        What OpenGL says of itself, such as "llvmpipe (LLVM 15.0.6, 256 bits)".
    """

    window: str
    renderer: str
    version: str

    @property
    def software(self) -> bool:
        """Whether the CPU does the drawing (Mesa's llvmpipe or softpipe)."""
        return any(name in self.renderer.lower() for name in ("llvmpipe", "softpipe", "swrast", "swr"))


def require_rendering() -> RenderingInfo:
    """Make sure that VTK can render off-screen here, and say with what.

    On Linux without a display it also has VTK choose EGL at once (through the environment variable
    `VTK_DEFAULT_OPENGL_WINDOW`, unless the user has set it), which spares a warning about the X server.
    Costs about a second the first time, a millisecond in later processes, nothing in later calls.

    Returns
    -------
    RenderingInfo

    Raises
    ------
    RenderingUnavailableError
        When there is no OpenGL, or it does not work; names the command that installs it.
    """
    _choose_window()
    return _require_rendering(os.environ.get(WINDOW_VARIABLE, ""), os.environ.get("DISPLAY", ""))


@functools.cache
def _require_rendering(window: str, display: str) -> RenderingInfo:
    if sys.platform == "linux":
        _require_library(window)
    key = _cache_key()
    info = _read_cache(key)
    if info is None:
        info = _render_trial()
        _write_cache(key, info)
    return info


def require_window() -> None:
    """Make sure that a Qt window can open here: the display, Qt itself and its system libraries.

    Takes milliseconds. Qt does not raise when one of these is missing, it aborts the process.

    Raises
    ------
    RenderingUnavailableError
        When there is no display, it does not answer, or a system library is missing.
    MissingDependencyError
        When no Python binding of Qt is installed.
    """
    if not any(importlib.util.find_spec(binding) for binding in ("PyQt5", "PyQt6", "PySide6", "PySide2")):
        raise MissingDependencyError("No Qt binding is installed, which a window needs: pip install PyQt5")
    if sys.platform == "linux":
        display = os.environ.get("DISPLAY", "")
        if not display:
            raise RenderingUnavailableError(
                "There is no display (DISPLAY is not set), so no window can open; "
                "render to a file instead, or put a display in memory: xvfb-run -a COMMAND"
            )
        absent = missing(WINDOW)
        if absent:
            names = ", ".join(library.name for library in absent)
            raise RenderingUnavailableError(f"A window needs {names}, not found here. To fix: {install_hint(absent)}")
        if not _display_answers():
            raise RenderingUnavailableError(
                f"The display DISPLAY={display} does not answer, so no window can open; is its X server running?"
            )
    require_rendering()


def _choose_window() -> None:
    """Name the render window for a Linux without a display, where VTK would first complain about the X server."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get(WINDOW_VARIABLE):
        return
    for window in ("vtkEGLRenderWindow", "vtkOSOpenGLRenderWindow"):
        if any(map(can_load, WINDOW_LIBRARIES[window])):
            os.environ[WINDOW_VARIABLE] = window
            return


def _require_library(window: str) -> None:
    """Raise unless a library can be loaded for `window`, or for any of them when VTK is free to choose."""
    if window and window not in WINDOW_LIBRARIES:
        raise RenderingUnavailableError(
            f"{WINDOW_VARIABLE}={window} is no render window of VTK; unset it, or choose among "
            f"{', '.join(WINDOW_LIBRARIES)}."
        )
    choices = [window] if window else list(WINDOW_LIBRARIES)
    candidates = [name for choice in choices for name in WINDOW_LIBRARIES[choice]]
    if not any(map(can_load, candidates)):
        wanted = f" for {WINDOW_VARIABLE}={window}" if window else ""
        also = f", and unset {WINDOW_VARIABLE}" if window else ""
        raise RenderingUnavailableError(
            f"No OpenGL library was found{wanted} (looked for {', '.join(candidates)}). {_remedy()}{also}"
        )


def _render_trial() -> RenderingInfo:
    """Render one tiny picture in a process of its own."""
    command = [sys.executable, "-c", _TRIAL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise RenderingUnavailableError(
            f"A trial picture was not rendered within {PROBE_SECONDS:g} s. {_remedy()}"
        ) from None
    try:
        if done.returncode == 0:
            return RenderingInfo(**json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, TypeError, IndexError):
        pass
    raise RenderingUnavailableError(f"A trial picture could not be rendered: {_reason(done)}. {_remedy()}")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return in a few words how the trial ended."""
    if done.returncode < 0:
        return f"VTK crashed with {signal.Signals(-done.returncode).name}"
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"exit status {done.returncode}"


def _remedy() -> str:
    """Return the sentence that says what to do about missing OpenGL."""
    if sys.platform != "linux":
        return "Update the graphics driver of this system."
    absent = missing(OFFSCREEN)
    return f"To fix: {install_hint(absent or OFFSCREEN)}"


def _display_answers() -> bool:
    """Return whether an X server is behind DISPLAY."""
    try:
        x11 = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    connection = x11.XOpenDisplay(None)
    if not connection:
        return False
    x11.XCloseDisplay(connection)
    return True


def _cache_key() -> str:
    """Return a hash over everything that may turn a good answer into a bad one."""
    vtk = importlib.util.find_spec("vtkmodules")
    origin = Path(vtk.origin) if vtk is not None and vtk.origin else None
    environment = sorted(
        (name, value) for name, value in os.environ.items() if name in _VARIABLES or name.startswith(_PREFIXES)
    )
    facts = [
        sys.version,
        sys.executable,
        str(origin),
        _modified(origin),
        _modified(_LINKER_CACHE),
        [(str(folder), _modified(folder)) for folder in driver_folders()],
        environment,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _modified(path: Path | None) -> int:
    try:
        return 0 if path is None else path.stat().st_mtime_ns
    except OSError:
        return 0


def _cache_file(key: str) -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("cnnvis", appauthor=False) / f"rendering-{key[:16]}.json"


def _read_cache(key: str) -> RenderingInfo | None:
    """Return the answer kept for `key`; None when there is none, or the file is damaged."""
    try:
        return RenderingInfo(**json.loads(_cache_file(key).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write_cache(key: str, info: RenderingInfo) -> None:
    """Keep the answer; a folder that cannot be written only costs the second again."""
    file = _cache_file(key)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False, encoding="utf-8") as temporary:
            json.dump(asdict(info), temporary)
        Path(temporary.name).replace(file)
    except OSError:
        return
