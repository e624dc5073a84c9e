"""Errors of OpenGL that VTK only prints, raised: a shader that does not compile leaves an empty picture otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cnnvis.core.errors import RenderingError
from cnnvis.rendering import _vtk as vtk


@contextmanager
def raised() -> Iterator[None]:
    """Raise on leaving what VTK has found wrong with shaders in between.

    Raises
    ------
    RenderingError
        With the message of the driver.
    """
    messages: list[str] = []

    def note(_: Any, __: str, text: str) -> None:
        messages.append(text)

    note.CallDataType = "string0"  # type: ignore[attr-defined]
    window = vtk.vtkOutputWindow.GetInstance()
    observer = window.AddObserver("ErrorEvent", note)
    try:
        yield
    finally:
        window.RemoveObserver(observer)
    found = [" ".join(text.split()) for text in messages if "shader" in text.lower()]
    if found:
        said = [text for text in found if "#version" not in text]  # VTK quotes the whole shader as well
        raise RenderingError(
            f"The OpenGL driver does not take a shader of cnnvis, and draws nothing: {' '.join(said or found)[:500]} "
            "A newer driver may, and so does Mesa's software renderer: LIBGL_ALWAYS_SOFTWARE=1."
        )
