"""Light and dark: the palette of all widgets."""

from __future__ import annotations

from typing import Literal

from qtpy.QtGui import QColor, QPalette
from qtpy.QtWidgets import QApplication

Theme = Literal["light", "dark"]

_DARK = {
    "Window": "#26282c",
    "WindowText": "#eceef2",
    "Base": "#1b1c20",
    "AlternateBase": "#303238",
    "ToolTipBase": "#34363c",
    "ToolTipText": "#eceef2",
    "Text": "#eceef2",
    "Button": "#34363c",
    "ButtonText": "#eceef2",
    "Link": "#79b8ff",
    "Highlight": "#2f6fb5",
    "HighlightedText": "#ffffff",
    "PlaceholderText": "#9a9da5",
}
_LIGHT = {
    "Window": "#f3f3f5",
    "WindowText": "#1a1a1e",
    "Base": "#ffffff",
    "AlternateBase": "#ececf0",
    "ToolTipBase": "#ffffe8",
    "ToolTipText": "#1a1a1e",
    "Text": "#1a1a1e",
    "Button": "#e6e6ea",
    "ButtonText": "#1a1a1e",
    "Link": "#0b57a4",
    "Highlight": "#2f6fb5",
    "HighlightedText": "#ffffff",
    "PlaceholderText": "#6c6f78",
}


def palette_of(theme: Theme) -> QPalette:
    """Return the colours of widgets."""
    palette = QPalette()
    for role, colour in (_DARK if theme == "dark" else _LIGHT).items():
        palette.setColor(getattr(QPalette.ColorRole, role), QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    for role in ("WindowText", "Text", "ButtonText"):
        palette.setColor(
            disabled, getattr(QPalette.ColorRole, role), QColor("#84868e" if theme == "dark" else "#85878f")
        )
    return palette


def apply_theme(theme: Theme) -> None:
    """Give all windows of the application the colours of a theme, and a style that honours them."""
    QApplication.setStyle("Fusion")
    QApplication.setPalette(palette_of(theme))
