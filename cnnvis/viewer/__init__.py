"""The window: a `Scene` shown, changed and asked, in Qt (qtpy only)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"app": ["open_window", "run", "show"], "window": ["ViewerWindow"]}
)
