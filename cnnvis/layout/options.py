"""What can be chosen when a network is placed and bundled: names and ranges of nn_vis where it has them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cnnvis.core.checks import parse_choice, require_number
from cnnvis.core.links import LinkKind, LinkKindName


class Arrangement(StrEnum):
    """How the units of a layer stand in its square, see `cnnvis.layout.place`."""

    RASTER = "raster"
    CIRCLE = "circle"
    LINE = "line"
    IMPORTANCE = "importance"
    SIMILARITY = "similarity"
    CLASSES = "classes"


ArrangementName = Literal["raster", "circle", "line", "importance", "similarity", "classes"]


class BundleMode(StrEnum):
    """What happens to the lines: `advect` bundles, `diverge` drives them apart, `noise` shakes them."""

    ADVECT = "advect"
    DIVERGE = "diverge"
    NOISE = "noise"


BundleModeName = Literal["advect", "diverge", "noise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOptions:
    """How lines are bundled. Lengths are in widths of a layer (`Layout.width`), so that a scaled layout scales.

    Parameters
    ----------
    sampling_rate : float, default: 15
        Samples per layer width, 2 to 200; nn_vis allows 5 to 20.
    hubs : int, default: 4
        Bundles between each two layers, 0 to 256. 0: as many as the density has peaks, which is what nn_vis does.
    bandwidth : float, default: 0.15
        Of the density in the first iteration, 0.001 to 2; 0.5 in nn_vis.
    edge_bandwidth_reduction : float, default: 0.9
        Factor from one iteration to the next, 0 to 0.999.
    max_iterations : int or None
        Stop after so many; default: when the bandwidth falls below two thirds of the distance of two samples, 12 with
        the other defaults.
    smoothing_iterations : int, default: 8
        Strength of smoothing after each iteration, 0 to 64; 0 for none.
    edge_importance_type : {"interpolate", "start", "both", "end"}
        Whose importance and class profile a line has along its way; or its number in nn_vis, 0 to 3.
    class_separation : float, default: 1
        How strictly lines keep to those of their own classes in the end: 0 not at all. Needs profiles.
    tolerance : float, default: 0
        Stop when no point moves farther than this; in layer widths.
    mode : {"advect", "diverge", "noise"}
    random_state : int, default: 0
        Of the places where hubs are first sought, and of the noise; not negative. Nothing else is random.
    """

    sampling_rate: float = 15.0
    hubs: int = 4
    bandwidth: float = 0.15
    edge_bandwidth_reduction: float = 0.9
    max_iterations: int | None = None
    smoothing_iterations: int = 8
    edge_importance_type: LinkKind | LinkKindName = LinkKind.INTERPOLATE
    class_separation: float = 1.0
    tolerance: float = 0.0
    mode: BundleMode | BundleModeName = BundleMode.ADVECT
    random_state: int = 0

    def __post_init__(self) -> None:
        require_within(self, "sampling_rate", 2, 200)
        require_within(self, "hubs", 0, 256, whole=True)
        require_within(self, "bandwidth", 1e-3, 2)
        require_within(self, "edge_bandwidth_reduction", 0, 0.999)
        require_within(self, "smoothing_iterations", 0, 64, whole=True)
        require_within(self, "class_separation", 0, 1)
        require_within(self, "tolerance", 0, 1)
        if self.max_iterations is not None:
            require_within(self, "max_iterations", 0, 10_000, whole=True)
        require_within(self, "random_state", 0, 2**64 - 1, whole=True)
        kind = parse_choice(LinkKind, self.edge_importance_type, what="edge_importance_type")
        object.__setattr__(self, "edge_importance_type", kind)
        object.__setattr__(self, "mode", parse_choice(BundleMode, self.mode, what="mode"))


def require_within(options: object, name: str, low: float, high: float, *, whole: bool = False) -> None:
    """Raise InvalidInputError unless the option is a number within [low, high], and a whole one where it must be."""
    require_number(f"{type(options).__name__}: {name}", getattr(options, name), low, high, whole=whole)
