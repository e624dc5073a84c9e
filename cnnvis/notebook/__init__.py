"""Show a scene where the user sits: below the cell of a notebook, elsewhere in a window or the browser."""

from cnnvis.notebook.showing import BACKEND_VARIABLE, BACKENDS, show

__all__ = ["BACKENDS", "BACKEND_VARIABLE", "show"]
