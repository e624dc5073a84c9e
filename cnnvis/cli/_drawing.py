"""Options of drawing a network, shared by `cnnvis bundle` and the scripts that draw networks."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter
from cyclopts.validators import Number

if TYPE_CHECKING:
    from cnnvis.studies import NetworkSettings

Share = Number(gte=0, lte=1)
LINKS = Parameter(group=Group("Which links are drawn", sort_key=1))
UNITS = Parameter(group=Group("Where units stand", sort_key=2))
LOOK = Parameter(group=Group("Files of settings", sort_key=4))
BUNDLES = Parameter(group=Group("How links are bundled", sort_key=3))

PLACING = ("arrangement", "layer_distance", "layer_width", "move_units", "node_bandwidth_reduction")
CHOOSING = ("top_k", "prune_percentage", "per_gap", "fold")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class DrawingFlags:
    """What of a network is drawn and how: the parameters of nn_vis under their names, and ours.

    None: as a file of settings says, else as `DrawingOptions` and `BundleOptions` have it.

    Parameters
    ----------
    settings : path
        Settings of nn_vis, its processing.json or rendering.json; may be repeated. Flags come before them.
    top_k : int
        At most so many links, the most important ones.
    prune_percentage : float
        Share of the links to leave out, least important first, 0 to 1.
    per_gap : bool
        Choose links between each two layers by themselves, so that none lose all of theirs: as many of each.
    fold : str
        Dotted name or glob of blocks that are drawn as one layer each (features.*); may be repeated.
    arrangement : str
        How the units of a layer stand; by classes, if the importance has any, else on the raster.
    layer_distance : float
        From one layer to the next, in scene units, above 0 to 10.
    layer_width : float
        Side of a layer, in scene units, above 0 to 10.
    move_units : bool
        Move units of like classes together first; those of the input keep their place.
    node_bandwidth_reduction : float
        Factor on the bandwidth from one step of moving units to the next, 0 to below 1.
    hubs : int
        Bundles between each two layers, 0 to 256; 0: as many as the density has peaks, as in nn_vis.
    bandwidth : float
        Of the density in the first iteration, in layer widths, 0.001 to 2.
    edge_bandwidth_reduction : float
        Factor on the bandwidth from one iteration to the next, 0 to below 1.
    sampling_rate : float
        Points per layer width of a line, 2 to 200.
    iterations : int
        Stop after so many; by default when the bandwidth has become smaller than the grid can tell.
    smoothing_iterations : int
        Strength of smoothing after each iteration, 0 to 64.
    edge_importance_type : str
        Whose importance and classes a link has along its way.
    class_separation : float
        How strictly links keep to those of their own classes in the end, 0 to 1.
    tolerance : float
        Stop when no point moves farther than this, in layer widths.
    mode : str
        Bundle the links, drive them apart, or shake them.
    """

    settings: Annotated[tuple[Path, ...], LOOK, Parameter(negative="", metavar="FILE", show_default=False)] = ()
    top_k: Annotated[int, LINKS, Parameter(validator=Number(gte=1))] = 100_000
    prune_percentage: Annotated[float | None, LINKS, Parameter(validator=Share, show_default="0")] = None
    per_gap: Annotated[bool, LINKS, Parameter(negative="", show_default=False)] = False
    fold: Annotated[tuple[str, ...], LINKS, Parameter(negative="", metavar="NAME", show_default=False)] = ()
    arrangement: Annotated[Literal["classes", "raster", "circle", "line", "importance", "similarity"], UNITS] = (
        "classes"
    )
    layer_distance: Annotated[
        float | None, UNITS, Parameter(validator=Number(gt=0), show_default="0.5, less in deep networks")
    ] = None
    layer_width: Annotated[float | None, UNITS, Parameter(validator=Number(gt=0), show_default="1")] = None
    move_units: Annotated[bool, UNITS, Parameter(negative="", show_default=False)] = False
    node_bandwidth_reduction: Annotated[
        float | None, UNITS, Parameter(validator=Number(gte=0, lt=1), show_default="0.95")
    ] = None
    hubs: Annotated[int, BUNDLES, Parameter(validator=Number(gte=0, lte=256))] = 4
    bandwidth: Annotated[float, BUNDLES, Parameter(validator=Number(gte=1e-3, lte=2))] = 0.15
    edge_bandwidth_reduction: Annotated[
        float | None, BUNDLES, Parameter(validator=Number(gte=0, lt=1), show_default="0.9")
    ] = None
    sampling_rate: Annotated[float | None, BUNDLES, Parameter(validator=Number(gte=2, lte=200), show_default="15")] = (
        None
    )
    iterations: Annotated[int | None, BUNDLES, Parameter(validator=Number(gte=0), show_default="by the bandwidth")] = (
        None
    )
    smoothing_iterations: Annotated[
        int | None, BUNDLES, Parameter(validator=Number(gte=0, lte=64), show_default="8")
    ] = None
    edge_importance_type: Annotated[
        Literal["interpolate", "start", "both", "end"] | None, BUNDLES, Parameter(show_default="interpolate")
    ] = None
    class_separation: Annotated[float, BUNDLES, Parameter(validator=Share)] = 1.0
    tolerance: Annotated[float, BUNDLES, Parameter(validator=Share)] = 0.0
    mode: Annotated[Literal["advect", "diverge", "noise"], BUNDLES] = "advect"

    def chosen(self, *, random_state: int = 0) -> NetworkSettings:
        """Return what the study takes: files of settings, and before them the flags; the seed is that of the noise."""
        from cnnvis.studies import read_settings

        found = read_settings(self.settings)
        given: dict[str, Any] = {flag.name: getattr(self, flag.name) for flag in fields(self)}
        del given["settings"]
        given["max_iterations"] = given.pop("iterations")
        given = {name: value for name, value in given.items() if value is not None}
        drawing = {name: given.pop(name) for name in (*CHOOSING, *PLACING) if name in given}
        bundling = replace(found.options.bundling, random_state=random_state, **given)
        return replace(found, options=replace(found.options, **drawing, bundling=bundling))


DEFAULTS = DrawingFlags()
"""What is drawn where no flag is given."""
