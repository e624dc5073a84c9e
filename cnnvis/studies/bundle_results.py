"""What a study of a bundled network is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cnnvis.core import BundledNetwork, BundleQuality
from cnnvis.core.checks import require_number
from cnnvis.core.errors import InvalidInputError
from cnnvis.layout import ArrangementName, Bundle, BundleOptions, UnitOptions
from cnnvis.layout.placement import LONGEST as WIDEST
from cnnvis.scene import Scene
from cnnvis.studies.results import require_size

MAX_CLASSES = 12
"""Classes that are drawn one by one where none is named: beyond, pictures are many and colours alike."""

DISTANCE = 0.5
"""Between layers, scene units (nn_vis)."""

LONGEST = 6.0
"""Length of a network in widths of a layer; longer ones would be a thin line in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingOptions:
    """Which links of a network are drawn, where its units stand, and how the links are bundled.

    Parameters
    ----------
    top_k : int or None, default: 100,000
        At most so many links, the most important ones; None for all.
    prune_percentage : float, default: 0
        Share of the links that is left out, least important first, 0 to 1.
    per_gap : bool, default: False
        Choose in each gap between two layers by itself, as for `cnnvis.connect`.
    fold : tuple of str
        Dotted names or globs of blocks that are drawn as one layer each.
    arrangement : {"classes", "raster", "circle", "line", "importance", "similarity"}
        How the units of a layer stand, see `cnnvis.layout.place`. By classes is the default, and "raster" is taken in
        its place where the importance has no classes.
    layer_distance : float, optional
        From one layer to the next, scene units. Default: `DISTANCE`, and less where the network would be longer than
        `LONGEST` layers are wide.
    layer_width : float, default: 1
        Side of a layer, scene units.
    move_units : bool, default: False
        Move units of like classes together before the links are bundled; those of the input keep their place. The
        arrangement "classes" has done so already.
    node_bandwidth_reduction : float, default: 0.95
        Factor on the bandwidth from one step of moving units to the next.
    bundling : BundleOptions
    """

    top_k: int | None = 100_000
    prune_percentage: float = 0.0
    per_gap: bool = False
    fold: tuple[str, ...] = ()
    arrangement: ArrangementName = "classes"
    layer_distance: float | None = None
    layer_width: float = 1.0
    move_units: bool = False
    node_bandwidth_reduction: float = 0.95
    bundling: BundleOptions = field(default_factory=BundleOptions)

    def __post_init__(self) -> None:
        require_number("prune_percentage", self.prune_percentage, 0, 1)
        require_number("layer_width", self.layer_width, 0, WIDEST, above=True)
        if self.layer_distance is not None:
            require_number("layer_distance", self.layer_distance, 0, WIDEST, above=True)
        UnitOptions(node_bandwidth_reduction=self.node_bandwidth_reduction)  # checks it

    def as_parameters(self) -> dict[str, Any]:
        """Return all options by name, those of bundling among them, as JSON-able values."""
        options = asdict(self) | {"fold": list(self.fold)}
        return options | {name: _plain(value) for name, value in options.pop("bundling").items()}


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value


@dataclass(frozen=True, kw_only=True)
class NetworkLook:
    """How lines and units are drawn, where not as by default.

    Parameters
    ----------
    lines : mapping
        Fields of `cnnvis.scene.BundleItem` by name: the six shader parameters, mode ...
    units : mapping
        Fields of `cnnvis.scene.GlyphsItem`.
    """

    lines: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, Any] = field(default_factory=dict)

    def scene(self, network: BundledNetwork, **state: Any) -> Scene:
        """Return the scene of a network in this look; `state` as for `Scene.of_network`."""
        scene = Scene.of_network(network, **(dict(self.lines) | state))
        scene["units"].update(dict(self.units))
        return scene


@dataclass(frozen=True, kw_only=True)
class BundleStudy:
    """What to draw and how; `bundled_network.run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    layers : tuple of int
        Sizes of the layers of a random network, which is drawn in place of `model`.
    scores : Importance, str or path, optional
        Importance of the units: itself, a method's name or a file, as for `score_units`.
    data : str or path, optional
        Labelled images for a method, as for `cnnvis.models.folders.labelled_parts`.
    options : DrawingOptions
    look : NetworkLook
    classes : tuple of str or int
        Drawn one by one, by name or index. Empty: all, up to `MAX_CLASSES` of them.
    stages : bool
        Keep the unbundled lines, those between moved units and those after each iteration, as a series and a film.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
        Of a random network, of importance by batch norm and of a network that is made at random.
    device : str
    size : (width, height)
        Of the pictures, in pixels, 64 to 8192 each; the film is smaller.
    film_frames : int
        Pictures of the turntable; 0 leaves the film out.
    """

    model: Any = "mnist-mlp"
    layers: tuple[int, ...] = ()
    scores: Any = None
    data: str | Path | None = None
    options: DrawingOptions = field(default_factory=DrawingOptions)
    look: NetworkLook = field(default_factory=NetworkLook)
    classes: tuple[str | int, ...] = ()
    stages: bool = False
    weights: str | Path | None = None
    random_state: int = 0
    device: str = "auto"
    size: tuple[int, int] = (1600, 1000)
    film_frames: int = 36

    def __post_init__(self) -> None:
        require_size(self.size)
        if self.film_frames < 0:
            raise InvalidInputError(f"film_frames must be 0 or more, got {self.film_frames}.")


@dataclass(frozen=True, eq=False)
class BundleResult:
    """All that was found and written.

    Parameters
    ----------
    study : BundleStudy
    network : BundledNetwork
    origin : str
        Where the importance is from, in words.
    classes : tuple of int
        Columns of `network.profiles` that are drawn one by one.
    straight : BundleQuality
        Of the straight lines, what `network.quality` is of the bundled ones.
    bundles : tuple of Bundle
        The one of the largest summed weight first.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage.
    total_seconds : float
    """

    study: BundleStudy
    network: BundledNetwork
    origin: str
    classes: tuple[int, ...]
    straight: BundleQuality
    bundles: tuple[Bundle, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0

    def scene(self, **state: Any) -> Scene:
        """Return a scene of the network in the look of the study; `state` as for `Scene.of_network`."""
        return self.study.look.scene(self.network, **state)
