"""A whole network as bundled lines: from the module to one object with links, places, lines and figures.

`build` needs no files, for scripts, notebooks and the viewer; `run` leaves pictures and a report as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.attribution import connect, most_important, unit_importance
from cnnvis.capture import channel_spaces, trace
from cnnvis.core import BundledNetwork, EdgeSet, Importance, Layout, PolylineSet, Provenance, Units
from cnnvis.core.checks import parse_choice
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress
from cnnvis.io import require_writable
from cnnvis.layout import (
    Arrangement,
    Bundler,
    UnitOptions,
    advect_units,
    bundles,
    measure,
    place,
    random_network,
    straight_lines,
)
from cnnvis.models import Network, load
from cnnvis.rendering import require_rendering
from cnnvis.studies.bundle_pictures import Steps, draw, save_files
from cnnvis.studies.bundle_report import write_report
from cnnvis.studies.bundle_results import DISTANCE, LONGEST, MAX_CLASSES, BundleResult, BundleStudy, DrawingOptions
from cnnvis.studies.stages import OnProgress, OnStage, Stages
from cnnvis.studies.unit_scores import score_units

GRID_CELLS = "grid_cells"
"""Name in `BundledNetwork.parameters` of how many nodes the finest grids had that lines were bundled in."""

OnStep = Callable[[str, BundledNetwork], None]
"""Called as on_step(name, network) with the state of each step: "unbundled", "units moved", "iteration 1" ..."""


def build(
    network: Network,
    scores: Importance | None = None,
    options: DrawingOptions | None = None,
    *,
    stages: Stages | None = None,
    on_step: OnStep | None = None,
) -> BundledNetwork:
    """Return a network with its units placed and its links bundled, and how far the bundles can be trusted.

    Parameters
    ----------
    network : Network
    scores : Importance, optional
        Of its units; of layers without any, all units count alike. With scores by class, links are bundled by class.
        `cnnvis.studies.unit_scores.score_units` finds or makes some.
    options : DrawingOptions, optional
        Arranged by classes, the units of another network stand elsewhere; where pictures are to be compared, let both
        be on the raster, the circle or the line.
    stages : Stages, optional
        Measures the stages, and is told how far they are; raise CancelledError there to stop.
    on_step : callable, optional
        Handed the network as it is after each step.

    Returns
    -------
    BundledNetwork
        `parameters` has all options by name, "importance" for the method, and "edges" for how many links are drawn.

    Raises
    ------
    CnnvisError
        Of the step that failed; the network is as it was.
    """
    options, stages = options or DrawingOptions(), stages or Stages()
    with stages("links"):
        every = connect(network, scores, fold=options.fold)
        importance, profiles = unit_importance(every.units, scores, spaces=channel_spaces(network))
    facts = {
        "importance": importance,
        "profiles": profiles,
        "class_names": class_names_of(scores),
        "graph": trace(network),
        "parameters": options.as_parameters() | {"importance": scores.method if scores is not None else "none"},
        "provenance": network.provenance(),
    }
    return _draw(every, options, facts=facts, stages=stages, on_step=on_step)


def build_random(
    sizes: Sequence[int],
    options: DrawingOptions | None = None,
    *,
    random_state: int = 0,
    stages: Stages | None = None,
    on_step: OnStep | None = None,
) -> BundledNetwork:
    """Return a random network of the given layer sizes as `build` does; see `cnnvis.layout.random_network`."""
    options, stages = options or DrawingOptions(), stages or Stages()
    with stages("links"):
        every, profiles = random_network(sizes, random_state=random_state)
        importance, profiles = unit_importance(every.units, _as_importance(profiles, every.units))
        every = replace(every, importance=every.weight * importance[every.source])
    facts = {
        "importance": importance,
        "profiles": profiles,
        "class_names": tuple(map(str, range(sizes[-1]))),
        "parameters": options.as_parameters() | {"importance": "random"},
        "provenance": Provenance(
            model=f"random network {'-'.join(map(str, sizes))}", weights="random", notes={"seed": str(random_state)}
        ),
    }
    return _draw(every, options, facts=facts, stages=stages, on_step=on_step)


def _as_importance(profiles: NDArray[np.float64], units: Units) -> Importance:
    """Return the class importance (U, K) of random units as that of a method, so that its layers become comparable."""
    per_class = {layer: profiles[units.range(layer)] for layer in units.layers}
    return Importance({layer: rows.mean(axis=1) for layer, rows in per_class.items()}, "random", per_class)


def _draw(
    every: EdgeSet, options: DrawingOptions, *, facts: Mapping[str, Any], stages: Stages, on_step: OnStep | None
) -> BundledNetwork:
    """Place the units by all links, and bundle the most important of these; `facts` are fields of the network."""
    edges = most_important(every, options.top_k, options.prune_percentage, per_gap=options.per_gap)
    look = {"profiles": facts["profiles"], "importance": facts["importance"], "options": options.bundling}

    def tell(step: str, layout: Layout, lines: Callable[[], PolylineSet]) -> None:
        if on_step is not None:
            on_step(step, BundledNetwork(edges, layout, lines(), **facts))

    with stages("places"):
        layout = placed(every, options, facts["importance"], facts["profiles"])
        tell("unbundled", layout, lambda: straight_lines(edges, layout, **look))
    if options.move_units:
        with stages("move units") as progress:
            layout = _moved(layout, every, options, facts["profiles"], progress)
            tell("units moved", layout, lambda: straight_lines(edges, layout, **look))
    with stages("bundle") as progress:
        bundler = Bundler(edges, layout, **look)
        progress(0, len(bundler.bandwidths))
        while not bundler.finished:
            bundler.step()
            tell(f"iteration {bundler.done}", layout, bundler.lines)
            progress(bundler.done, len(bundler.bandwidths))
        lines = bundler.lines()
    parameters = {**facts["parameters"], GRID_CELLS: bundler.grid_cells}
    with stages("measure"):
        return BundledNetwork(edges, layout, lines, quality=measure(lines), **{**facts, "parameters": parameters})


def placed(
    every: EdgeSet,
    options: DrawingOptions,
    importance: NDArray[np.float64] | None,
    profiles: NDArray[np.float64] | None,
) -> Layout:
    """Return where the units of all these links stand; long networks are squeezed where no distance is asked for."""
    distance, width = options.layer_distance, options.layer_width
    arrangement = parse_choice(Arrangement, options.arrangement, what="arrangement")
    if arrangement is Arrangement.CLASSES and profiles is None:
        arrangement = Arrangement.RASTER
    layout = place(
        every,
        arrangement=arrangement,
        layer_distance=DISTANCE if distance is None else distance,
        layer_width=width,
        scores=profiles if arrangement is Arrangement.CLASSES else importance,
    )
    length = float(np.ptp(layout.positions[:, 2]))
    if distance is not None or length <= LONGEST * width:
        return layout
    squeeze = np.array([1, 1, LONGEST * width / length])
    return replace(layout, positions=layout.positions * squeeze, slabs=layout.slabs * squeeze)


def _moved(
    layout: Layout,
    every: EdgeSet,
    options: DrawingOptions,
    profiles: NDArray[np.float64] | None,
    progress: Progress,
) -> Layout:
    """Move the units of each layer but the inputs to others of their classes."""
    if profiles is None:
        raise InvalidInputError(
            "Units move to others of the same classes, but the importance has none. Take a method that tells classes "
            "apart, with labelled images (batchnorm, gradient or taylor), or leave move_units out."
        )
    bundling = options.bundling
    moving = UnitOptions(
        node_bandwidth_reduction=options.node_bandwidth_reduction,
        sampling_rate=bundling.sampling_rate,
        class_separation=bundling.class_separation,
    )
    inputs = every.units.layers[: every.units.n_inputs]
    return advect_units(layout, profiles, fixed=inputs, options=moving, progress=progress)


def run(
    study: BundleStudy,
    out: str | Path,
    *,
    command: str = "",
    on_stage: OnStage | None = None,
    on_progress: OnProgress | None = None,
) -> BundleResult:
    """Draw a network and leave its files in the folder `out`.

    ``all.png`` and ``class_<index>_<name>.png``, one picture for all classes and one for each; ``classes.png`` has them
    small. ``pair.png`` straight beside bundled, ``turn.mp4`` once around it, ``view3d.html`` to be turned by hand.
    ``network.safetensors`` has all that `cnnvis.load` gives back, ``network.vtm`` lines and units for ParaView,
    ``network.glb`` for other viewers, ``scene.json`` the picture, ``bundles.csv`` what runs together. Of the steps
    ``stages.pvd`` and ``stages.mp4``. ``index.html`` is the report.

    Parameters
    ----------
    study : BundleStudy
    out : path-like
        Made if missing; files of the same names are replaced, each whole or not at all.
    command : str
        Command line that repeats it, for the report.
    on_stage : callable, optional
        Told (name, seconds) of each finished stage.
    on_progress : callable, optional
        Told (name, done, total) while a stage goes on. Raise CancelledError there to stop.

    Returns
    -------
    BundleResult

    Raises
    ------
    CnnvisError
        Of the stage that failed; nothing half-written is left.
    """
    stages = Stages(on_stage, on_progress)
    out = Path(out)
    with stages("check"):  # before the work, not after it
        require_rendering()
        require_writable(out)
    steps = Steps() if study.stages else None
    network, origin, classes = _look(study, stages, steps)
    with stages("compare with straight"):
        straight, listed = measure(network.lines.blended(0)), bundles(network.lines)
    result = BundleResult(study, network, origin, classes, straight, listed)
    files = save_files(result, steps, out, stages) | draw(result, steps, out, stages)
    result = replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)
    with stages("report"):
        files |= write_report(result, out, command=command)
    return replace(result, files=files, seconds=stages.seconds, total_seconds=stages.total)


def _look(study: BundleStudy, stages: Stages, on_step: OnStep | None) -> tuple[BundledNetwork, str, tuple[int, ...]]:
    """Return what is drawn, where its importance is from, and the classes to draw one by one."""
    if study.layers:
        classes = _drawn_classes(study, tuple(map(str, range(study.layers[-1]))))
        network = build_random(
            study.layers, study.options, random_state=study.random_state, stages=stages, on_step=on_step
        )
        return network, "random", classes
    with stages("load network"):
        model = load(study.model, weights=study.weights, device=study.device, random_state=study.random_state)
    with stages("importance") as progress:
        scores = score_units(model, study.scores, data=study.data, random_state=study.random_state, progress=progress)
        classes = _drawn_classes(study, class_names_of(scores.importance))  # refused before the work
    network = build(model, scores.importance, study.options, stages=stages, on_step=on_step)
    return network, scores.origin, classes


def class_names_of(scores: Importance | None) -> tuple[str, ...]:
    """Return a name for each class that importance tells apart, its number where it has none; empty without classes."""
    if scores is None or not scores.per_class:
        return ()
    return scores.class_names or tuple(map(str, range(next(iter(scores.per_class.values())).shape[1])))


def _drawn_classes(study: BundleStudy, names: tuple[str, ...]) -> tuple[int, ...]:
    """Return the classes that get a picture of their own, as columns of the profiles."""
    if not study.classes:
        return tuple(range(len(names))) if len(names) <= MAX_CLASSES else ()
    if not names:
        raise InvalidInputError(
            "The importance has no classes, so none can be drawn by itself. Take a method that tells them apart, with "
            "labelled images: batchnorm, gradient or taylor."
        )
    return tuple(dict.fromkeys(class_index(name, names) for name in study.classes))
