"""The window: a `Scene` shown, changed and asked, in Qt (qtpy only)."""
