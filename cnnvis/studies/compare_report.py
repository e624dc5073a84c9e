"""The report of the comparison of networks: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cnnvis.core import CurveComparison
from cnnvis.core.ranks import rank_correlations
from cnnvis.layout.compactness import PLACES, RESOLUTION
from cnnvis.report import Page
from cnnvis.report.style import minus
from cnnvis.studies.compare_results import COMPACTNESS, DISTANCE, MEASURES, CompareResult, Kind, Measure
from cnnvis.studies.page_end import machine_facts, write_page

CLAIM = "nn_vis reads its figure by the sentence “the closer together the edges, the greater the generalisation”."

DEFINITION = (
    "Two links of one gap between layers are drawn, each by its importance, and their distance taken where they cross "
    f"a plane across the gap; {len(PLACES)} planes in its middle half. The harmonic mean distance of the straight "
    "links, divided by that of the bundled ones, is the edge compactness: how many times closer together the links run "
    f"than straight ones. Distances below {RESOLUTION:g} of a layer's width count as that. Of several gaps it is the "
    "geometric mean. This, the control and what bears the claim out were fixed before any network was measured."
)
BUNDLING_NOTE = (
    "The options of bundling were not fixed beforehand: those used by default were chosen with results of three other "
    "settings known. Of the four, none bore the claim out; in one, trained + L1 was clearly less compact than trained, "
    "in the others the kinds were not told apart. The number says as much about the bundling as about the networks: "
    "try --hubs and --class-separation."
)
CONTROL = (
    "The control has the importances of the units permuted within each layer, and its links chosen, bundled and "
    "measured anew: a difference that the controls show as well is not owed to which units are important."
)


LEAST_SEEDS = 3
"""Training seeds from which on ranks are compared: of two the deviations from their mean are of one size."""


def write_report(result: CompareResult, out: Path, *, command: str = "") -> dict[Path, str]:
    """Write index.html, which carries all pictures inside."""
    names = ", ".join(kind.name for kind in result.kinds)
    page = Page(
        f"Edge compactness: {names}",
        "Networks drawn alike, side by side: the same places of units, the same number of links, the same camera and "
        "threshold. How close together their links run is measured, and shown beside accuracy.",
    )
    _warn(page, result)
    page.section("Side by side")
    page.figure(out / "networks.png", side_by_side_caption(result), alt=f"Bundled links of {names}")
    page.section("Are they compact?")
    for sentence in answers(result):
        page.text(sentence)
    _charts(page, result, out)
    _tables(page, result)
    page.section("What is measured")
    page.text(DEFINITION)
    page.text(BUNDLING_NOTE)
    if result.study.n_controls:
        page.text(CONTROL)
    page.facts(_facts(result))
    return write_page(page, result, out, command=command, facts=machine_facts())


def side_by_side_caption(result: CompareResult) -> str:
    """Return what the picture shows: compactness, and what is alike."""
    values = ", ".join(f"{kind.name} {kind.networks[0].compactness.value:.2f}" for kind in result.kinds)
    return (
        f"Edge compactness: {values}. In each, {sum(result.n_links):,} of {result.n_total:,} links: "
        f"the {result.study.share:.0%} of every gap with the greatest importance by {result.study.method}; opacity is "
        "importance, colours are classes. Places of units and camera are the same, and no threshold hides any."
    )


def answers(result: CompareResult) -> Iterator[str]:
    """Yield a sentence for each question: is the order of the kinds that of nn_vis, are controls alike, accuracy."""
    if not result.study.models:
        yield f"{CLAIM} Of edge compactness: {_claim(result)}"
    else:
        yield f"Edge compactness: {_differences(result, COMPACTNESS, result.steps)}."
    as_drawn = _differences(result, DISTANCE, result.steps)
    yield f"Of the distance as drawn, in layer widths and not divided by that of straight links: {as_drawn}."
    if result.study.n_controls:
        controls = [name for name in result.comparisons[COMPACTNESS.title] if name.endswith("permuted")]
        yield f"Against their own permuted importances: {_differences(result, COMPACTNESS, controls)}."
    if not result.study.models:
        yield _beside_accuracy(result)


def _claim(result: CompareResult) -> str:
    """Return the differences from kind to kind, and whether they are those of nn_vis's figure."""
    found = {name: result.comparisons[COMPACTNESS.title][name] for name in result.steps}
    said = _differences(result, COMPACTNESS, result.steps)
    if next(iter(found.values())).differences.size < 2:
        return f"{said}. A single training seed: this cannot be told from chance."
    borne_out = all(one.is_clear and one.mean > 0 for one in found.values())
    verdict = "is borne out" if borne_out else "is not borne out"
    reversed_ = [name for name, one in found.items() if one.is_clear and one.mean < 0]
    more = f" The other way round is {', '.join(reversed_)}." if reversed_ else ""
    return f"{said}. The order untrained, trained, trained with L1 {verdict} on these networks.{more}"


def _differences(result: CompareResult, measure: Measure, names: Sequence[str]) -> str:
    found = result.comparisons[measure.title]
    return "; ".join(f"{name}: {_difference(found[name], measure)}" for name in names)


def _difference(one: CurveComparison, measure: Measure) -> str:
    form = f"{{:+.{measure.digits}f}}"
    if one.differences.size < 2:
        return minus(f"{form.format(one.mean)}, no interval")
    outcome = "" if one.is_clear else ", not told apart"
    low, high = (form.format(end) for end in one.interval)
    return minus(f"{form.format(one.mean)} ({100 * one.level:.0f} % interval {low} to {high}){outcome}")


def _beside_accuracy(result: CompareResult) -> str:
    """Return the rank correlations of compactness with accuracy and gap, over all networks and within kinds."""
    runs = [kind.runs() for kind in result.kinds]
    n_seeds = runs[0].values.size
    if n_seeds < LEAST_SEEDS:
        return f"Rank correlations with accuracy need at least {LEAST_SEEDS} training seeds, here: {n_seeds}."
    rows = [[one.values, one.test_accuracy, one.gap] for one in runs]
    every = rank_correlations([np.concatenate(column) for column in zip(*rows, strict=True)])[0]
    inside = rank_correlations(
        [np.concatenate([values - values.mean() for values in column]) for column in zip(*rows, strict=True)]
    )[0]
    return (
        f"Rank correlation of compactness over all {sum(one.values.size for one in runs)} networks: with accuracy on "
        f"held-out images {_number(every[1])}, with the train-test gap {_number(every[2])}. Networks of one kind are "
        f"alike, so that this rests on {len(runs)} kinds. Within kinds, as deviations from their mean: "
        f"{_number(inside[1])} and {_number(inside[2])}."
    )


def _number(value: float) -> str:
    return "undefined" if np.isnan(value) else minus(f"{value:+.2f}")


def _warn(page: Page, result: CompareResult) -> None:
    for kind in result.kinds:
        lacking = [one.n_without for one in kind.networks if one.n_without]
        if lacking:
            page.warning(
                f"{kind.name}: up to {max(lacking):,} of the {sum(result.n_links):,} links have no importance, do not "
                "show and count for nothing. Compare fewer links."
            )


def _charts(page: Page, result: CompareResult, out: Path) -> None:
    n = len(result.kinds[0].networks)
    several = f"{n} training seeds" if n > 1 else "One network of each kind"
    page.figure(
        out / "compactness.png",
        f"{several}. Edge compactness of each network beside that with permuted importances, and against accuracy.",
        alt="Edge compactness by kind and against accuracy",
    )
    if n > 1:
        page.figure(
            out / "differences.png",
            f"Differences in edge compactness, paired by training seed; 95 % intervals over {n} seeds, each for "
            "itself.",
            alt="Differences in edge compactness",
        )


def _tables(page: Page, result: CompareResult) -> None:
    page.table(
        ("kind", *(measure.title for measure in MEASURES), "permuted", "training accuracy", "held-out accuracy", "gap"),
        [_row(kind) for kind in result.kinds],
        "Mean ± standard deviation over training seeds. Distances are harmonic means in layer widths; permuted: edge "
        "compactness with permuted importances.",
    )
    page.table(
        ("difference", *(measure.title for measure in MEASURES)),
        [
            (name, *(_difference(result.comparisons[measure.title][name], measure) for measure in MEASURES))
            for name in result.comparisons[COMPACTNESS.title]
        ],
        "Differences paired by training seed, with the interval of their mean. Edge compactness was chosen beforehand; "
        "the distances are there to see where it comes from.",
    )


def _row(kind: Kind) -> tuple[str, ...]:
    runs = kind.runs()
    numbers = [_spread(kind.runs(measure).values, f"{{:.{measure.digits}f}}") for measure in MEASURES]
    shares = [_spread(share, "{:.1%}") for share in (runs.train_accuracy, runs.test_accuracy, runs.gap)]
    return (kind.name, *numbers, _spread(runs.control, f"{{:.{COMPACTNESS.digits}f}}"), *shares)


def _spread(values: np.ndarray | None, form: str) -> str:
    if values is None or np.isnan(values).any():
        return "–"
    mean = minus(form.format(values.mean()))
    return f"{mean} ± {form.format(values.std(ddof=1))}" if values.size > 1 else mean


def _facts(result: CompareResult) -> dict[str, str]:
    study = result.study
    steps = f", {study.steps} steps per class" if study.method == "batchnorm" else ""
    return {
        "networks": "; ".join(f"{kind.name}: {', '.join(one.name for one in kind.networks)}" for kind in result.kinds),
        "links by gap": ", ".join(f"{number:,}" for number in result.n_links),
        "importance": study.method + steps,
        "bundling": ", ".join(
            f"{name} {getattr(study.bundling, name):g}"
            for name in ("hubs", "bandwidth", "smoothing_iterations", "class_separation")
        ),
        "controls": f"{study.n_controls} permutations of each network",
    }
