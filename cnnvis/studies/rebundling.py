"""A drawn network drawn anew: with other options, or changed by one step, without its model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any

import numpy as np

from cnnvis.attribution import most_important
from cnnvis.core import BundledNetwork, EdgeSet, Layout
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.layout import (
    BundleMode,
    BundleOptions,
    Bundler,
    LineMover,
    UnitMover,
    UnitOptions,
    carried,
    measure,
    resampled,
    smoothed,
    straight_lines,
)
from cnnvis.studies.bundle_results import DrawingOptions
from cnnvis.studies.bundled_network import GRID_CELLS, placed

STEPS_TAKEN = "steps"
"""Name in `BundledNetwork.parameters` of what was done to a network since it was bundled, in its order."""

PLACING = ("arrangement", "layer_width", "move_units")
MOVING = ("node_bandwidth_reduction", "sampling_rate", "class_separation")
"""Options by which units stand where they stand; the latter where units are moved."""

LINKS = ("top_k", "prune_percentage", "per_gap", "fold")
"""Options that choose links: which links a network has says more than how they were asked for."""

Make = Callable[[], BundledNetwork]
OnState = Callable[[Make], None]
"""Called after each iteration with a function that makes the network as it is, which takes about as long as one."""


class NetworkStep(StrEnum):
    """One thing that is done to the units or lines of a network as they are; what nn_vis has buttons for.

    Noise is one shake. Smoothing draws lines to the straight ones; resampling spreads their points evenly, as many as
    the options say. Resetting puts units where the options place them, and makes lines straight.
    """

    UNITS_ADVECT = "units advect"
    UNITS_DIVERGE = "units diverge"
    UNITS_NOISE = "units noise"
    UNITS_RESET = "units reset"
    LINES_ADVECT = "lines advect"
    LINES_DIVERGE = "lines diverge"
    LINES_NOISE = "lines noise"
    LINES_RESAMPLE = "lines resample"
    LINES_SMOOTH = "lines smooth"
    LINES_RESET = "lines reset"


def drawing_options(values: Mapping[str, Any]) -> DrawingOptions:
    """Return options given by name as in `BundledNetwork.parameters`; what is no option is left out.

    Raises
    ------
    InvalidInputError
        When one is out of range.
    """
    bundling = {field.name: values[field.name] for field in fields(BundleOptions) if field.name in values}
    own = {field.name: values[field.name] for field in fields(DrawingOptions) if field.name in values}
    own["fold"] = tuple(own.get("fold", ()))
    return DrawingOptions(**own | {"bundling": BundleOptions(**bundling)})


def places_stay(network: BundledNetwork, options: DrawingOptions) -> bool:
    """Return whether the units of a network stand where the options would put them."""
    known, wanted = network.parameters, options.as_parameters()
    if any(step.startswith("units") for step in known.get(STEPS_TAKEN, ())):
        return False
    distance = options.layer_distance
    if distance is None:
        is_as_far = known.get("layer_distance", "unknown") is None
    else:
        is_as_far = math.isclose(distance, network.layout.distance, rel_tol=1e-6)
    names = PLACING + (MOVING if options.move_units else ())
    return is_as_far and all(known.get(name) == wanted[name] for name in names)


def rebundle(
    network: BundledNetwork,
    options: DrawingOptions,
    *,
    every: EdgeSet | None = None,
    progress: Progress = silent,
    on_state: OnState | None = None,
) -> BundledNetwork:
    """Return a network drawn with other options; what these do not touch is not done again.

    Units that stand where the options put them stay. Where nothing differs, the network itself is returned. Blocks
    that are folded stay folded, whatever `options.fold` says: to unfold them takes the model.

    Parameters
    ----------
    network : BundledNetwork
    options : DrawingOptions
    every : EdgeSet, optional
        Links to choose from, of the same units; default: those that the network has.
    progress : callable, optional
        Told (iterations done, iterations planned), measuring as the last one. Raise CancelledError there to stop.
    on_state : callable, optional
        See `OnState`.

    Raises
    ------
    InvalidInputError
        When units shall be moved and nothing is known of their classes.
    """
    every = network.edges if every is None else every
    options = replace(options, fold=tuple(network.parameters.get("fold", ())))
    edges = most_important(every, options.top_k, options.prune_percentage, per_gap=options.per_gap)
    stay = places_stay(network, options)
    if stay and _is_drawn_so(network, edges, options):
        return network
    layout = network.layout if stay else placed(every, options, network.importance, network.profiles)
    parameters = {**network.parameters, **options.as_parameters()}
    parameters.pop(STEPS_TAKEN, None)
    look = {"profiles": network.profiles, "importance": network.importance, "options": options.bundling}
    bundler = Bundler(edges, layout, **look)
    mover = None if stay or not options.move_units else _unit_mover(network, layout, options, BundleMode.ADVECT)
    report = _Report(progress, on_state, len(bundler.bandwidths) + (len(mover.bandwidths) if mover else 0))
    changed = replace(network, edges=edges, layout=layout, lines=bundler.lines(), parameters=parameters, quality=None)
    if mover is not None:
        changed = report.move_units(mover, changed)
        bundler = Bundler(edges, changed.layout, **look)
    return report.measured(report.move_lines(bundler, changed))


def take_step(
    network: BundledNetwork,
    step: NetworkStep | str,
    options: DrawingOptions,
    *,
    every: EdgeSet | None = None,
    progress: Progress = silent,
    on_state: OnState | None = None,
) -> BundledNetwork:
    """Return a network after one more step; `parameters` lists the steps under `STEPS_TAKEN`.

    Lines go along with units that move. Parameters as for `rebundle`.
    """
    step = parse_choice(NetworkStep, step, what="step")
    taken = [*network.parameters.get(STEPS_TAKEN, ()), step.value]
    network = replace(network, parameters={**network.parameters, STEPS_TAKEN: taken}, quality=None)
    what, how = step.value.split()
    if what == "units":
        return _units_stepped(network, how, options, every, (progress, on_state))
    return _lines_stepped(network, how, options, (progress, on_state))


def _units_stepped(
    network: BundledNetwork, how: str, options: DrawingOptions, every: EdgeSet | None, told: _Told
) -> BundledNetwork:
    if how == "reset":
        every = network.edges if every is None else every
        return _Report(*told, 0).measured(
            _with_layout(network, placed(every, options, network.importance, network.profiles))
        )
    mode = BundleMode(how)
    mover = _unit_mover(network, network.layout, options, mode)
    report = _Report(*told, 1 if mode is BundleMode.NOISE else len(mover.bandwidths))
    return report.measured(report.move_units(mover, network))


def _lines_stepped(network: BundledNetwork, how: str, options: DrawingOptions, told: _Told) -> BundledNetwork:
    layout, lines, bundling = network.layout, network.lines, options.bundling
    look = {"profiles": network.profiles, "importance": network.importance}
    if how == "reset":
        lines = straight_lines(network.edges, layout, options=bundling, **look)
    elif how == "smooth":
        lines = smoothed(lines, bundling.smoothing_iterations)
    elif how == "resample":
        lines = resampled(lines, (layout.width or 1.0) / bundling.sampling_rate)
    else:
        once = {"max_iterations": 1} if how == BundleMode.NOISE else {}
        mover = LineMover(lines, network.edges, layout, options=replace(bundling, mode=how, **once), **look)
        report = _Report(*told, len(mover.bandwidths))
        return report.measured(report.move_lines(mover, network))
    return _Report(*told, 0).measured(replace(network, lines=lines))


_Told = tuple[Progress, OnState | None]


class _Report:
    """Moves units and lines to the end, and tells how far they are; the last of the iterations is measuring."""

    def __init__(self, progress: Progress, on_state: OnState | None, iterations: int) -> None:
        self._progress, self._on_state = progress, on_state
        self._done, self._total = 0, iterations + 1
        progress(0, self._total)

    def _next(self, make: Make | None = None) -> None:
        self._done += 1
        if self._on_state is not None and make is not None:
            self._on_state(make)
        self._progress(self._done, self._total)

    def move_units(self, mover: UnitMover, network: BundledNetwork) -> BundledNetwork:
        """Return the network after all iterations of the mover that were planned; lines go along."""

        def make() -> BundledNetwork:
            return _with_layout(network, mover.layout())

        while not mover.finished:
            mover.step()
            self._next(make)
            if self._done == self._total - 1:
                break
        return make()

    def move_lines(self, bundler: Bundler, network: BundledNetwork) -> BundledNetwork:
        """Return the network with the lines of the bundler at its end."""
        network = replace(network, parameters={**network.parameters, GRID_CELLS: bundler.grid_cells})

        def make() -> BundledNetwork:
            return replace(network, lines=bundler.lines())

        while not bundler.finished:
            bundler.step()
            self._next(make)
        return make()

    def measured(self, network: BundledNetwork) -> BundledNetwork:
        """Return the network with its quality; done."""
        measured = replace(network, quality=measure(network.lines))
        self._progress(self._total, self._total)
        return measured


def _unit_mover(network: BundledNetwork, layout: Layout, options: DrawingOptions, mode: BundleMode) -> UnitMover:
    """Return what moves the units of each layer but the inputs."""
    profiles = network.profiles
    if profiles is None:
        if mode is not BundleMode.NOISE:
            raise InvalidInputError(
                "Units move to or from others of the same classes, but the importance has none. Take a method that "
                "tells classes apart, with labelled images: batchnorm, gradient or taylor."
            )
        profiles = np.ones((len(layout), 1))
    moving = UnitOptions(
        node_bandwidth_reduction=options.node_bandwidth_reduction,
        sampling_rate=options.bundling.sampling_rate,
        class_separation=options.bundling.class_separation,
    )
    units = network.edges.units
    fixed = () if units is None else units.layers[: units.n_inputs]
    seed = options.bundling.random_state + len(network.parameters.get(STEPS_TAKEN, ()))  # shaken twice: two ways
    return UnitMover(layout, profiles, fixed=fixed, options=moving, mode=mode, random_state=seed)


def _with_layout(network: BundledNetwork, layout: Layout) -> BundledNetwork:
    lines = carried(network.lines, network.edges, network.layout, layout)
    return replace(network, layout=layout, lines=lines)


def _is_drawn_so(network: BundledNetwork, edges: EdgeSet, options: DrawingOptions) -> bool:
    """Return whether the network has these links, and its lines were bundled with these options."""
    known, mine = network.parameters, network.edges
    same_links = len(mine) == len(edges) and all(
        np.array_equal(getattr(mine, end), getattr(edges, end)) for end in ("source", "target")
    )
    wanted = {name: value for name, value in options.as_parameters().items() if name not in (*LINKS, "layer_distance")}
    return same_links and not known.get(STEPS_TAKEN) and all(known.get(name) == wanted[name] for name in wanted)
