"""How the maps of a network stand as tiles."""

from __future__ import annotations

from qtpy.QtWidgets import QFormLayout, QWidget

from cnnvis.scene.tiles_item import Depth, TilesItem
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind
from cnnvis.viewer.workspace import Workspace

DEPTHS = ((Depth.FULL, "all"), (Depth.REDUCED, "the strongest"), (Depth.SLAB, "one slab, their mean"))
MOST_ROWS = 12
ROWS = ((None, "as suits a screen"), *((rows, str(rows)) for rows in range(1, MOST_ROWS + 1)))


class TilesPanel(QWidget):
    """Arrangement, folding, distances, pixels and links of tiles."""

    def __init__(self, workspace: Workspace, item: TilesItem) -> None:
        super().__init__()
        form = QFormLayout(self)
        arrangement = NumberField(0, 2, item.arrangement, tooltip="Maps of a layer: 0 a line, 1 a circle, 2 a grid.")
        add_row(form, "&Arrangement", bind(arrangement, item, "arrangement"))
        turn = NumberField(0, 1, item.turn, tooltip="Of a line: 0 across the data flow, 1 along it, as a stack.")
        add_row(form, "&Turn of lines", bind(turn, item, "turn"))
        depth = ChoiceField(DEPTHS, item.depth, tooltip="Which maps of each layer are drawn.")
        add_row(form, "&Maps", bind(depth, item, "depth"))
        reduced = NumberField(
            1,
            max(64, item.n_reduced),
            item.n_reduced,
            whole=True,
            tooltip="Of a layer, where only the strongest are drawn.",
        )
        add_row(form, "&Strongest", bind(reduced, item, "n_reduced"))
        rows = ChoiceField(
            ROWS, item.rows, tooltip="Of layers, one below the other; the data flow turns round at the end."
        )
        add_row(form, "&Rows", bind(rows, item, "rows"))
        distance = NumberField(0.05, 10, item.layer_distance, tooltip="Between layers, in sides of the largest tile.")
        add_row(form, "Layer &distance", bind(distance, item, "layer_distance"))
        spacing = NumberField(0, 0.9, item.spacing, tooltip="Between tiles, as a share of the room for each.")
        add_row(form, "S&pacing", bind(spacing, item, "spacing"))
        same = CheckField("of one size in all layers", tooltip="Maps with fewer pixels are smaller then.")
        add_row(form, "P&ixels", bind(same, item, "same_pixels"))
        pixels = ChoiceField(("square", "soft"), item.pixels, tooltip="Squares, or blended into each other.")
        add_row(form, "S&hape", bind(pixels, item, "pixels"))
        links = CheckField("shown", tooltip="Between maps: orange for positive weights, purple for negative ones.")
        add_row(form, "&Links", bind(links, item, "links"))
        gathered = NumberField(
            0, 1, item.gathered, tooltip="Pulls links through one point half-way between two layers."
        )
        add_row(form, "&Gathered", bind(gathered, item, "gathered"))
        legend = CheckField("shown", tooltip="What the colours mean.")
        add_row(form, "L&egend", bind(legend, item, "legend"))
