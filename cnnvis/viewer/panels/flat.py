"""Panels of what is flat: matrices, images, texts."""

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QWidget

from cnnvis.scene import ImageItem, LabelsItem, MatrixItem
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind
from cnnvis.viewer.workspace import Workspace

WIDEST_IMAGE = 10.0
TEXT_SIZES = ((None, "with the picture"), *((size, f"{size} pt") for size in (8, 10, 12, 14, 18, 24, 36)))


class MatrixPanel(QWidget):
    """How a matrix is drawn."""

    def __init__(self, workspace: Workspace, item: MatrixItem) -> None:
        super().__init__()
        form = QFormLayout(self)
        style = ChoiceField(("cells", "bars"), tooltip="Coloured squares, or bars as high as their values.")
        add_row(form, "&Style", bind(style, item, "style"))
        text = ChoiceField(("none", "number", "value"), tooltip="Written on each cell where it fits.")
        add_row(form, "&Text", bind(text, item, "cell_text"))
        add_row(form, "&Axes", bind(CheckField("shown", tooltip="Labels and names of rows and columns."), item, "axes"))
        legend = CheckField("shown", tooltip="What the colours mean.")
        add_row(form, "&Legend", bind(legend, item, "legend"))


class ImagePanel(QWidget):
    """How large a picture stands in the scene."""

    def __init__(self, workspace: Workspace, item: ImageItem) -> None:
        super().__init__()
        form = QFormLayout(self)
        width = NumberField(0.01, max(WIDEST_IMAGE, 4 * item.width), item.width, tooltip="In scene units.")
        add_row(form, "&Width", bind(width, item, "width"))


class LabelsPanel(QWidget):
    """How large texts are."""

    def __init__(self, workspace: Workspace, item: LabelsItem) -> None:
        super().__init__()
        form = QFormLayout(self)
        size = ChoiceField(TEXT_SIZES, item.size, tooltip="Size of the letters.")
        add_row(form, "&Size", bind(size, item, "size"))
