"""Display state of a drawn network: its bundled lines and its units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from cnnvis.core import Units
from cnnvis.core.errors import InvalidInputError, did_you_mean
from cnnvis.core.network import PointSet, PolylineSet
from cnnvis.scene.items import SceneItem


class NetworkItem(SceneItem):
    """Base of the items whose opacity is importance: six parameters with the names and ranges of nn_vis, and classes.

    The opacity is ``(1 - importance_opacity + importance_opacity * importance) * (1 - depth_opacity + depth_opacity *
    nearness) * facing ** depth_exponent * (1 - base_opacity) + base_opacity``, the first factor at least 0; nearness
    runs from 0, farthest in the scene, to 1, and facing is the cosine between the line of sight and the surface. What
    lies behind shows through, so that where many lines run together the picture is darker than where one runs.

    Parameters
    ----------
    size : float, scene units
        Radius at importance 1; nothing is drawn thinner than a pixel, but fainter instead.
    base_opacity, importance_opacity, depth_opacity, depth_exponent : float
    importance_threshold : float
        What is less important than this is not drawn.
    light : float
        How much of the brightness of what looks round comes from the light: 0 none, colours are as in the key; 1 all.
    light_azimuth, light_elevation : float, degrees
        Where it comes from: 0 from the viewer, 90 from the right and from above.
    class_names : tuple of str
        Names of the classes that the array "class_shares" of the data is about.
    shown_class : "none", "all", or a class by name or number
        "none": one ink. "all": the colours of the classes, mixed by their shares, the largest the more. One class: its
        colour, and the first factor of the opacity times the share of the class that a line or unit has.
    class_title : str
        What the classes are, in the legend and where one is named.
    measured : str
        What the array "importance" of the data is of.
    layers : tuple of str
        Names of the network's layers, each once; empty where unknown.
    layer_sizes : tuple of int
        Units of each, as they are numbered: layer after layer.
    hidden_layers : tuple of str
        Layers whose units are not drawn, nor the lines that touch one.
    legend : bool
        What opacity and colours mean.
    """

    size: float = Field(default=0.02, ge=0, le=1)
    base_opacity: float = Field(default=0.0, ge=0, le=1)
    importance_opacity: float = Field(default=1.0, ge=0, le=2)
    depth_opacity: float = Field(default=0.5, ge=0, le=1)
    depth_exponent: float = Field(default=0.5, ge=0, le=10)
    importance_threshold: float = Field(default=0.01, ge=0, le=1)
    light: float = Field(default=0.4, ge=0, le=1)
    light_azimuth: float = Field(default=0.0, ge=-90, le=90)
    light_elevation: float = Field(default=0.0, ge=-90, le=90)
    class_names: tuple[str, ...] = ()
    shown_class: Literal["none", "all"] | int | str = "none"
    class_title: str = "class"
    measured: str = "importance"
    layers: tuple[str, ...] = ()
    layer_sizes: tuple[int, ...] = ()
    hidden_layers: tuple[str, ...] = ()
    legend: bool = True

    look: ClassVar[tuple[str, ...]] = (
        *("visible", "opacity", "mode", "importance_threshold"),
        *("base_opacity", "importance_opacity", "depth_opacity", "depth_exponent"),
        *("light", "light_azimuth", "light_elevation"),
    )

    @field_validator("shown_class")
    @classmethod
    def _check_class(cls, shown: int | str, info: ValidationInfo) -> int | str:
        names = info.data.get("class_names", ())
        if shown in ("none", "all", *names):
            return shown
        if isinstance(shown, int) and 0 <= shown < len(names):
            return shown
        hint = did_you_mean(str(shown), names, what="classes")
        raise ValueError(f"shown_class is 'none', 'all', or one of {len(names)} classes, got {shown!r}. {hint}")

    @field_validator("layer_sizes")
    @classmethod
    def _check_sizes(cls, sizes: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        layers = info.data.get("layers", ())
        if sizes:
            Units(layers, sizes)  # raises where they do not fit each other
        return sizes

    @field_validator("hidden_layers")
    @classmethod
    def _check_hidden(cls, hidden: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        layers = info.data.get("layers", ())
        for name in hidden:
            if name not in layers:
                raise ValueError(f"there is no layer {name!r} to hide. {did_you_mean(name, layers, what='layers')}")
        return hidden

    def look_for(self, other: SceneItem) -> dict[str, Any]:
        """Return the fields of its look; shown classes only for the same classes, sizes for as many units."""
        fields = super().look_for(other)
        if isinstance(other, NetworkItem) and other.class_names == self.class_names:
            fields["shown_class"] = self.shown_class
        if isinstance(other, NetworkItem) and (other.layers, other.layer_sizes) == (self.layers, self.layer_sizes):
            fields |= {"size": self.size, "hidden_layers": self.hidden_layers}
        return fields

    @property
    def units(self) -> Units | None:
        """The numbering of the network's units; None where it is unknown."""
        known = self.layers and len(self.layers) == len(self.layer_sizes)
        return Units(self.layers, self.layer_sizes) if known else None

    @property
    def light_from(self) -> tuple[float, float, float]:
        """Direction in which the light is: of length 1, to the right, upwards and to the viewer."""
        across, upwards = math.radians(self.light_azimuth), math.radians(self.light_elevation)
        return math.sin(across) * math.cos(upwards), math.sin(upwards), math.cos(across) * math.cos(upwards)

    @property
    def class_index(self) -> int | None:
        """Number of the one class that is shown; None where none or all are."""
        if self.shown_class in ("none", "all"):
            return None
        return self.shown_class if isinstance(self.shown_class, int) else self.class_names.index(self.shown_class)

    def _check_units(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Check that numbers of units are some of those that `layers` has."""
        n_units = sum(self.layer_sizes)
        for name in {"unit", "source", "target"} & arrays.keys() if n_units else ():
            numbers = arrays[name]
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < n_units:
                raise InvalidInputError(
                    f"Item {self.name!r}: its layers have units 0 to {n_units - 1}, "
                    f"got {name} {numbers.min()} to {numbers.max()}."
                )

    def _check_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Check what colour and opacity are made of."""
        importance = arrays.get("importance", np.zeros(0))
        if importance.ndim != 1 or not np.isfinite(importance).all() or importance.min(initial=0.0) < 0:
            raise InvalidInputError(f"Item {self.name!r}: importance must be one finite number of 0 or more per point.")
        shares = arrays.get("class_shares")
        if shares is None and self.shown_class != "none":
            raise InvalidInputError(
                f"Item {self.name!r}: shown_class={self.shown_class!r} needs the array 'class_shares' in its data, "
                "which lines and units have that were made with class profiles."
            )
        if shares is not None and (shares.ndim != 2 or (self.class_names and shares.shape[1] != len(self.class_names))):
            raise InvalidInputError(
                f"Item {self.name!r}: class_shares must be (P, {len(self.class_names) or 'K'}), one column per class, "
                f"got shape {shares.shape}."
            )


class BundleMode(StrEnum):
    """How lines are drawn.

    `lines`: all of one width. `tubes`: round, as thick as they are important. `ellipsoids`: a splat along each piece of
    a line, soft at its ends. `points`: a ball at each point of a line.
    """

    LINES = "lines"
    TUBES = "tubes"
    ELLIPSOIDS = "ellipsoids"
    POINTS = "points"


class BundleItem(NetworkItem):
    """Bundled lines of a network.

    Data: PolylineSet, of which are read the point arrays "importance" (0 to 1; without it all are 1), "t" (place on the
    line, 0 to 1) and "class_shares", and the line arrays "importance", by which lines are hidden, and "source" and
    "target", numbers of units, by which they are found.

    Parameters
    ----------
    mode : BundleMode
    blend : float
        0 draws the lines straight, 1 as they are bundled, and what is between is between.
    caption : str
        What of the network is drawn, in words: a note in the picture.
    """

    kind: Literal["bundle"] = "bundle"
    mode: BundleMode = BundleMode.TUBES
    importance_opacity: float = Field(default=1.1, ge=0, le=2)
    depth_exponent: float = Field(default=0.25, ge=0, le=10)
    blend: float = Field(default=1.0, ge=0, le=1)
    caption: str = ""

    data_type: ClassVar[type] = PolylineSet
    look = (*NetworkItem.look, "blend")

    def _check(self, data: PolylineSet) -> None:
        self._check_arrays(data.point_arrays)
        self._check_units(data.line_arrays)


class GlyphsItem(NetworkItem):
    """Units of a network.

    Data: PointSet, of which are read the arrays "importance" (0 to 1; without it all are 1), "class_shares" and "unit",
    the number of each (without it their place).

    Parameters
    ----------
    mode : {"spheres", "points"}
        `spheres`: as large as they are important. `points`: discs of one size.
    """

    kind: Literal["glyphs"] = "glyphs"
    mode: Literal["spheres", "points"] = "spheres"
    size: float = Field(default=0.04, ge=0, le=1)

    data_type: ClassVar[type] = PointSet

    def _check(self, data: PointSet) -> None:
        self._check_arrays(data.arrays)
        self._check_units(data.arrays)
