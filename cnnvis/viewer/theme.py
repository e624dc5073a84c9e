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
    "Light": "#3f4249",
    "Midlight": "#3a3c42",
    "Mid": "#1f2024",
    "Dark": "#17181b",
    "Shadow": "#0c0d0e",
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
_BOXES = """
QCheckBox::indicator:unchecked, QAbstractItemView::indicator:unchecked {
    width: 11px; height: 11px; border: 1px solid #8d9098; border-radius: 2px; background: #1b1c20;
}
QCheckBox::indicator:unchecked:disabled { border-color: #5a5d65; }
QCheckBox::indicator:unchecked:focus { border-color: #79b8ff; }
"""
"""Of the dark theme: the style makes the rim of a box from the colour of the window, darker, where nobody sees it."""


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
    application: QApplication = QApplication.instance()
    application.setStyleSheet(_BOXES if theme == "dark" else "")
