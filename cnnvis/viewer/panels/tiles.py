"""How the maps of a network stand as tiles."""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtWidgets import QFormLayout, QLabel, QWidget

from cnnvis.core import NetworkMaps
from cnnvis.scene.selection import Selection, unit_text
from cnnvis.scene.tiles_item import Depth, TilesItem
from cnnvis.viewer.fields import CheckField, ChoiceField, NumberField, add_row, bind
from cnnvis.viewer.workspace import Workspace

DEPTHS = ((Depth.FULL, "all"), (Depth.REDUCED, "the strongest"), (Depth.SLAB, "one slab, their mean"))
MOST_ROWS = 12
LINKS_BY = (("weight", "weight"), ("product", "weight times pixel"))
SHOWN_LINKS = 5
ROWS = ((None, "as suits a screen"), *((rows, str(rows)) for rows in range(1, MOST_ROWS + 1)))


class TilesPanel(QWidget):
    """Arrangement, distances, pixels, single layers and links of tiles."""

    def __init__(self, workspace: Workspace, item: TilesItem) -> None:
        super().__init__()
        self.workspace, self.item = workspace, item
        form = QFormLayout(self)
        self._add_places(form)
        self._add_layers(form)
        self._add_links(form)
        legend = CheckField("shown", tooltip="What the colours mean.")
        add_row(form, "L&egend", bind(legend, item, "legend"))
        workspace.edited.connect(self._show)
        self._show()

    def _add_places(self, form: QFormLayout) -> None:
        item = self.item
        arrangement = NumberField(0, 2, item.arrangement, tooltip="Maps of a layer: 0 a line, 1 a circle, 2 a grid.")
        add_row(form, "&Arrangement", bind(arrangement, item, "arrangement"))
        turn = NumberField(0, 1, item.turn, tooltip="Of a line: 0 across the data flow, 1 along it, as a stack.")
        add_row(form, "&Turn of lines", bind(turn, item, "turn"))
        depth = ChoiceField(DEPTHS, item.depth, tooltip="Which maps of each layer are drawn.")
        add_row(form, "&Maps", bind(depth, item, "depth"))
        most = max(64, item.n_reduced)
        reduced = NumberField(
            1, most, item.n_reduced, whole=True, tooltip="Of a layer, where only the strongest are drawn."
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
        bright = NumberField(0, 5, item.brightness, tooltip="Of the maps: more lets weak values be seen.")
        add_row(form, "Brightness of maps", bind(bright, item, "brightness"))

    def _add_layers(self, form: QFormLayout) -> None:
        item = self.item
        self.layer = ChoiceField(item.data.layers, tooltip="A layer to fold or to enlarge.")
        add_row(form, "La&yer", self.layer)
        self.folded = CheckField("one slab, the mean of its maps")
        add_row(form, "&Folded", self.folded)
        self.enlarged = CheckField("all maps, each of full size")
        add_row(form, "Enlar&ged", self.enlarged)
        self.layer.changed.connect(lambda _: self._show())
        self.folded.changed.connect(partial(self._put, "folded_layers"))
        self.enlarged.changed.connect(partial(self._put, "enlarged_layers"))
        colour = CheckField("in colour", tooltip="Of three maps: one picture, or red, green and blue by themselves.")
        add_row(form, "I&nput", bind(colour, item, "in_colour"))

    def _add_links(self, form: QFormLayout) -> None:
        item = self.item
        links = CheckField("shown", tooltip="Between maps: orange for positive weights, purple for negative ones.")
        add_row(form, "&Links", bind(links, item, "links"))
        expansion = NumberField(
            0,
            3,
            item.expansion,
            tooltip="0 all links through one point, 1 map to map, 2 pixels of a window at one position, 3 at all.",
        )
        add_row(form, "E&xpansion", bind(expansion, item, "expansion"))
        for name, text in (("row", "Ro&w"), ("column", "&Column")):
            place = NumberField(0, 1, getattr(item, name), tooltip="Of the position, as a share of each map.")
            add_row(form, text, bind(place, item, name))
        by = ChoiceField(LINKS_BY, item.links_by, tooltip="What the colour of links between pixels is.")
        add_row(form, "C&olour by", bind(by, item, "links_by"))
        bright = NumberField(0, 5, item.link_brightness, tooltip="Of links: more lets weak ones be seen.")
        add_row(form, "&Brightness of links", bind(bright, item, "link_brightness"))
        most = NumberField(
            1, 100_000, item.most_links, whole=True, tooltip="Links between pixels at most: the strongest are kept."
        )
        add_row(form, "At m&ost", bind(most, item, "most_links"))
        self.strongest = QLabel()
        self.strongest.setWordWrap(True)
        self.strongest.setAccessibleName("Strongest links of the selected map")
        form.addRow(self.strongest)

    def _put(self, name: str, on: bool) -> None:
        """Put the layer among those that are folded, or enlarged, or take it out."""
        others = tuple(layer for layer in getattr(self.item, name) if layer != self.layer.value)
        setattr(self.item, name, (*others, self.layer.value) if on else others)

    def _show(self) -> None:
        self.folded.set_value(self.layer.value in self.item.folded_layers)
        self.enlarged.set_value(self.layer.value in self.item.enlarged_layers)
        self.strongest.setText(strongest_links(self.item.data, self.workspace.scene.selection))


def strongest_links(maps: NetworkMaps, selection: Selection) -> str:
    """Return the strongest links into and out of the one map that is selected, in words; "" for none or several."""
    sizes = dict(maps.units.parts)
    known = [unit for unit in selection.units if unit[1] < sizes.get(unit[0], 0)]
    if len(known) != 1:
        return ""
    own = int(maps.units.id(*known[0]))
    lines = []
    for side, name in ((1, "strongest inputs"), (0, "strongest outputs")):
        found = np.flatnonzero(maps.link_ends[:, side] == own)
        found = found[np.argsort(-np.abs(maps.link_weights[found]), kind="stable")][:SHOWN_LINKS]
        ends = [maps.units.split(int(end)) for end in maps.link_ends[found, 1 - side]]
        texts = [f"{unit_text(end)} {weight:+.2f}" for end, weight in zip(ends, maps.link_weights[found], strict=True)]
        lines.append(f"{name}: {', '.join(texts) or 'none among the links that are kept'}".replace("-", "−"))
    return "\n".join([unit_text(known[0]), *lines])
