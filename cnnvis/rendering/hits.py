"""What is under a pixel of a picture, with the words for it."""

from __future__ import annotations

from dataclasses import dataclass

from cnnvis.rendering.style import format_values
from cnnvis.scene import Selection
from cnnvis.scene.selection import Unit, unit_text

Place = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What was hit.

    Parameters
    ----------
    item : str
        Name of the scene's item.
    kind : str
        Of the item: "bundle", "glyphs", "volume", "matrix" or "tiles".
    place : (x, y, z)
        Where it was hit, scene units.
    depth : float
        Of the place along the direction of sight, scene units; only differences mean something.
    """

    item: str
    kind: str
    place: Place
    depth: float

    @property
    def text(self) -> str:
        """One line for a status bar."""
        return self.item

    @property
    def selection(self) -> Selection:
        """What a click selects; nothing where there are no units."""
        return Selection()

    @property
    def main_class(self) -> int | None:
        """The class that it has the largest share of; None without shares."""
        return None

    def part_of(self, selection: Selection) -> Selection:
        """Return what of a selection makes it stand out: itself, else its layer, else its class; nothing if none."""
        own = self.selection
        layers = selection.layers & {layer for layer, _ in own.units}
        if own and own.units <= selection.units and own.links <= selection.links:
            return own
        if layers:
            return Selection(layers=layers)
        return Selection(classes=selection.classes & {self.main_class})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHit(Hit):
    """A line between two units.

    Parameters
    ----------
    line : int
        Its number in the data of the item.
    source, target : (layer, channel) or None
        None where the item does not know them.
    t : float
        Where on the line it was hit, 0 at its source, 1 at its target.
    weight : float or None
    importance : float
        Of the whole line, 1 for the largest there is.
    rank, n_lines : int
        By importance among all lines of the item, from 1; and how many there are.
    shares : tuple of float
        Of each class at `t`; empty without classes.
    class_names : tuple of str
        Names of the classes.
    class_title, measured : str
        What the classes are, and what the importance is of.
    """

    line: int
    source: Unit | None
    target: Unit | None
    t: float
    weight: float | None
    importance: float
    rank: int
    n_lines: int
    shares: tuple[float, ...] = ()
    class_names: tuple[str, ...] = ()
    class_title: str = "class"
    measured: str = "importance"

    @property
    def text(self) -> str:
        """Ends, weight, importance, rank, main class with its share."""
        ends = f"{unit_text(self.source)} → {unit_text(self.target)}" if self.source and self.target else ""
        parts = [
            ends or f"line {self.line}",
            "" if self.weight is None else f"weight {_number(self.weight)}",
            f"{self.measured} {_number(self.importance)}",
            f"rank {self.rank:,} of {self.n_lines:,}",
            main_class_text(self.shares, self.class_names, self.class_title),
        ]
        return " · ".join(part for part in parts if part)

    @property
    def main_class(self) -> int | None:
        """The class that it has the largest share of; None without shares."""
        return main_class_of(self.shares)

    @property
    def selection(self) -> Selection:
        """The line and both its units."""
        return Selection.of_path([self.source, self.target]) if self.source and self.target else Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitHit(Hit):
    """A unit.

    Parameters
    ----------
    number : int
        In the numbering of all units of the network.
    unit : (layer, channel) or None
        None where the item does not know its layers.
    importance : float
        1 for the largest there is.
    shares, class_names, class_title, measured
        As of `LineHit`.
    """

    number: int
    unit: Unit | None
    importance: float
    shares: tuple[float, ...] = ()
    class_names: tuple[str, ...] = ()
    class_title: str = "class"
    measured: str = "importance"

    @property
    def text(self) -> str:
        """Layer, channel, importance, main class with its share."""
        parts = [
            unit_text(self.unit) if self.unit else f"unit {self.number}",
            f"{self.measured} {_number(self.importance)}",
            main_class_text(self.shares, self.class_names, self.class_title),
        ]
        return " · ".join(part for part in parts if part)

    @property
    def main_class(self) -> int | None:
        """The class that it has the largest share of; None without shares."""
        return main_class_of(self.shares)

    @property
    def selection(self) -> Selection:
        """The unit."""
        return Selection(units=frozenset([self.unit])) if self.unit else Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeHit(Hit):
    """A voxel.

    Parameters
    ----------
    layer : str
    channel : int
        The network's own number, whatever the order that is shown.
    position, row, column : int
        Indices of the voxel in the stack, the first one in the order shown.
    value : float
        NaN or infinite where it is missing.
    quantity : str
        What the value is: "activation" ...
    axis_names : (str, str, str)
        What the three axes are called.
    importance : float or None
        Weight of the channel.
    group : int or None
    """

    layer: str
    channel: int
    position: int
    row: int
    column: int
    value: float
    quantity: str
    axis_names: tuple[str, str, str]
    importance: float | None = None
    group: int | None = None

    @property
    def text(self) -> str:
        """Layer, channel and its place in the order, row, column, value, importance, group."""
        across, down, along = self.axis_names
        order = "" if self.position == self.channel else f" (position {self.position})"
        parts = [
            f"{self.layer or self.item} {across} #{self.channel}{order}",
            f"{down} {self.row}, {along} {self.column}",
            f"{self.quantity} {_number(self.value)}",
            "" if self.importance is None else f"importance {_number(self.importance)}",
            "" if self.group is None else f"group {self.group}" if self.group >= 0 else "constant",
        ]
        return " · ".join(part for part in parts if part)

    @property
    def selection(self) -> Selection:
        """The channel of the voxel."""
        return Selection(units=frozenset([(self.layer, self.channel)])) if self.layer else Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixHit(Hit):
    """A cell or a bar of a matrix.

    Parameters
    ----------
    row, column : int
    row_text, column_text : str
        What they are, with their labels: "layer conv1", "channel 3".
    value : float
        NaN or infinite where it is missing.
    quantity : str
    """

    row: int
    column: int
    row_text: str
    column_text: str
    value: float
    quantity: str

    @property
    def text(self) -> str:
        """Row, column, value."""
        return f"{self.row_text} · {self.column_text} · {self.quantity} {_number(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TileHit(Hit):
    """A pixel of a map of a network.

    Parameters
    ----------
    layer : str
    channel : int or None
        None where the tile is the mean of several maps.
    n_maps : int
        That it stands for.
    row, column : int
    value : float
        As the layer gave it; NaN or infinite where it is missing.
    quantity : str
    """

    layer: str
    channel: int | None
    n_maps: int
    row: int
    column: int
    value: float
    quantity: str

    @property
    def text(self) -> str:
        """Layer, channel, row, column, value."""
        which = f"mean of {self.n_maps} maps" if self.channel is None else f"#{self.channel}"
        value = f"{self.quantity} {_number(self.value)}"
        return f"{self.layer} {which} · row {self.row}, column {self.column} · {value}"

    @property
    def selection(self) -> Selection:
        """The channel; the layer, where the tile stands for all its maps."""
        if self.channel is None:
            return Selection(layers=frozenset([self.layer]))
        return Selection(units=frozenset([(self.layer, self.channel)]))


def main_class_of(shares: tuple[float, ...]) -> int | None:
    """Return the class of the largest share, the first of equal ones; None without shares."""
    return max(range(len(shares)), key=shares.__getitem__) if shares else None


def main_class_text(shares: tuple[float, ...], class_names: tuple[str, ...], title: str = "class") -> str:
    """Return the class of the largest share, and its share; "" without shares, and where all are 0."""
    main = main_class_of(shares)
    if main is None or not shares[main]:
        return ""
    name = class_names[main] if class_names else str(main)
    return f"{title} {name} ({shares[main]:.0%})"


def _number(value: float) -> str:
    return format_values([value])[0] if abs(value) < float("inf") else "missing"
