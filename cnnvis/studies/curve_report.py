"""The report of the study of importance curves: one self-contained HTML page."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from cnnvis.attribution import RandomisationCheck
from cnnvis.attribution.batchnorm import MOVED
from cnnvis.core import CurveComparison
from cnnvis.report import Page, filter_table_rows
from cnnvis.studies.curve_results import SETTING_TITLES, CurvePart, CurveResult
from cnnvis.studies.page_end import write_page

LINKS_NOTE = (
    "Random orders are drawn for orientation only: most links do next to nothing, so that any order beats them late. "
    "The opponent is |weight|. In one ranking, links from inputs that a method does not score count in full, so that "
    "those of the first layer go late; layer by layer this plays no part."
)
ENDS_NOTE = (
    "Here the pixels and the classes are among the units that are removed; only batch norm scores them. A class that "
    "is gone cannot be found again, so that accuracy falls with every class."
)


def write_report(result: CurveResult, out: Path, *, command: str = "") -> dict[Path, str]:
    """Write index.html, which carries all figures inside."""
    names = " and ".join(part.network.name for part in result.parts)
    page = Page(
        f"Importance put to the test: {names}",
        "Units and links are switched off, least important first by each method. What is left of the accuracy, on "
        "images that neither trained the network nor scored it, shows what the scores are worth - beside random "
        "orders, weight magnitude, and each method's own reverse.",
    )
    for part in result.parts:
        _warn(page, part)
        _part_sections(page, part)
    return write_page(page, result, out, command=command)


def answers(part: CurvePart) -> Iterator[str]:
    """Yield a sentence for each way of removing units: which methods beat random orders, which do not."""
    for setting in ("units", "units_by_layer"):
        found: dict[str, list[str]] = {"better": [], "worse": [], "not told apart": []}
        for name, one in part.comparisons[setting].items():
            method, _, rival = name.partition(" − ")
            if rival == "random":
                found[_outcome(one)].append(method)
        title = SETTING_TITLES[setting]
        if len(part.networks) == 1:
            yield f"{title}: a single network, so that no difference to random orders can be told from chance."
            continue
        said = (
            f"{_listed(methods)} {'is' if len(methods) == 1 else 'are'} {outcome}"
            for outcome, methods in found.items()
            if methods
        )
        yield f"{title}, against random orders on held-out images, area under the accuracy: {'; '.join(said)}."


def _outcome(one: CurveComparison) -> str:
    if not one.is_clear:
        return "not told apart"
    return "better" if one.mean > 0 else "worse"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def verdicts(part: CurvePart, setting: str = "units") -> Iterator[str]:
    """Yield a sentence for each comparison of areas: what beats what, on average and with which certainty."""
    for name, one in part.comparisons.get(setting, {}).items():
        method, _, rival = name.partition(" − ")
        yield f"{method} against {rival}: {_verdict(one)}"


def _verdict(one: CurveComparison) -> str:
    area = f"area {one.mean:+.3f}"
    if one.differences.size < 2:
        return f"{area}, a single network: no interval."
    low, high = one.interval
    return f"{_outcome(one)}, {area} ({100 * one.level:.0f} % interval {low:+.3f} to {high:+.3f})."


def _warn(page: Page, part: CurvePart) -> None:
    if part.network.weights == "random":
        page.warning(f"{part.network.name} has RANDOM WEIGHTS: nothing here was learned.")
    for one in part.networks:
        for method, scores in one.scores.items():
            ranges = scores.options.get("report", {}).get("gamma_range", ())
            still = [name for name, found in zip(scores.class_names or (), ranges, strict=False) if found < MOVED]
            if still:
                page.warning(
                    f"{one.network.name}: the scales that {method} trained for {', '.join(still)} span less than "
                    f"{MOVED}, so that they hardly tell units apart. Take more steps."
                )


def _part_sections(page: Page, part: CurvePart) -> None:
    page.section(f"{part.network.name}: is it better than chance?")
    page.facts(_facts(part))
    for sentence in answers(part):
        page.text(sentence)
    for setting in part.networks[0].curves:
        if setting == "links":
            page.section(f"{part.network.name}: links")
            page.text(LINKS_NOTE)
        if setting == "all_units":
            page.text(ENDS_NOTE)
        _setting(page, part, setting)
    _classes(page, part)
    _checks(page, part)


def _setting(page: Page, part: CurvePart, setting: str) -> None:
    title = SETTING_TITLES[setting]
    differences = part.folder / f"differences_{setting}.png"
    page.figure(
        part.folder / f"curves_{setting}.png", f"{title}. {_bands(part)}", alt=f"Accuracy against share: {title}"
    )
    if len(part.networks) > 1:
        page.figure(
            differences,
            f"{title}: area of a method minus that of its control, paired by training seed; 95 % intervals over "
            f"{len(part.networks)} seeds, each for itself: of twenty such comparisons one may leave zero out by "
            "chance. Right of zero the method is better.",
            alt=f"Differences in area: {title}",
        )
    rows = [_curve_row(name, curves) for name, curves in part.gathered(setting).items()]
    page.table(
        ("order", "area under accuracy", "removable at one point", "curves"),
        rows,
        f"{title}. Area by the trapezoid rule over shares 0 to 1; share that can be removed before accuracy falls by "
        "one percentage point; mean ± standard deviation over networks and random orders.",
    )


def _curve_row(name: str, curves: list) -> tuple[str, str, str, int]:
    area, removable = ([c.area for c in curves], [c.removable() for c in curves])
    return (name, _spread(area, "{:.3f}"), _spread([100 * share for share in removable], "{:.1f} %"), len(curves))


def _spread(values: list[float], form: str) -> str:
    mean = form.format(np.mean(values))
    return f"{mean} ± {form.format(np.std(values, ddof=1))}" if len(values) > 1 else mean


def _bands(part: CurvePart) -> str:
    if len(part.networks) == 1:
        return f"One network; of the random order, {part.study.n_random} with their spread."
    return f"Mean and standard deviation over {len(part.networks)} networks trained from different seeds."


def _classes(page: Page, part: CurvePart) -> None:
    for setting, curves in part.networks[0].class_curves.items():
        page.figure(
            part.folder / f"classes_{setting}.png",
            f"{SETTING_TITLES[setting]}, by {curves.order}: balanced accuracy of each class when pruned by its own "
            "importance, minus the same measure when pruned by the mean over all classes.",
            alt="Class curves",
        )


def _checks(page: Page, part: CurvePart) -> None:
    page.section(f"{part.network.name}: do the methods agree, and do they look at the weights?")
    page.figure(
        part.folder / "importance_grid.png",
        f"Importance of the channels of {part.filters.layer} by every method, each scaled by its maximum.",
        alt="Importance as a grid",
    )
    page.figure(
        part.folder / "importance_bars.png",
        f"Importance of {part.filters.layer} by every method, sorted: how few carry the most.",
        alt=f"Importance of {part.filters.layer} as bars",
    )
    if part.agreement is not None:
        page.figure(
            part.folder / "agreement.png",
            "Spearman rank correlation between methods, layer by layer. Ablation is the reference of a single unit, "
            "not the truth about removing many.",
            alt="Agreement of methods",
        )
    page.table(*_randomisation_table(part.randomisation))
    page.table(*filter_table_rows(part.filters))
    for method, scores in part.networks[0].scores.items():
        if "report" in scores.options:
            page.table(*_training_table(method, scores.options["report"], scores.class_names))
    if part.variants:
        page.figure(
            part.folder / "variants.png",
            "Links removed by nn_vis's variants of batch norm: start of gamma, offset or none, L1 or L2.",
            alt="Variants of batch norm",
        )


def _randomisation_table(checks: dict[str, RandomisationCheck]) -> tuple[tuple[str, ...], list[tuple], str]:
    layers = list(dict.fromkeys(layer for check in checks.values() for layer in check.correlations))
    rows = [
        (method, *(check.mean.get(layer) for layer in layers), ", ".join(check.unmoved) or "none")
        for method, check in checks.items()
    ]
    caption = (
        "Weight-randomisation check: rank correlation of the scores with those of the same network with shuffled "
        "weights. Near 0 the scores depend on what was learned; a method that leaves a layer unmoved ignores it."
    )
    return ("method", *layers, "unmoved"), rows, caption


def _training_table(method: str, report: dict, names: tuple[str, ...] | None) -> tuple[tuple[str, ...], list, str]:
    accuracy = report["balanced_accuracy"]
    stages = list(accuracy)
    n = len(accuracy[stages[0]])
    rows = [(names[k] if names else str(k), *(accuracy[stage][k] for stage in stages)) for k in range(n)]
    layers = ", ".join(
        f"{layer}: range {found['range']:.2f}, {found['share_near_zero']:.0%} below 0.02"
        for layer, found in report["gamma"].items()
    )
    caption = f"{method}: one-vs-rest balanced accuracy on the images that scored importance. Scales: {layers}."
    return ("class", *stages), rows, caption


def _facts(part: CurvePart) -> dict[str, str]:
    versions = {name: importlib.metadata.version(name) for name in ("cnnvis", "torch", "numpy")}
    seeds = f"{len(part.networks)} training seeds" if len(part.networks) > 1 else "a single network"
    whole = [100 * network.curves["units"]["random"][0].accuracy[0] for network in part.networks]
    return {
        "network": f"{part.network.name}, {seeds}",
        "accuracy": f"{_spread(whole, '{:.1f} %')} of {len(part.testing.labels)} test images",
        "images": f"{part.testing.names[0]} ...; importance scored on {part.n_scoring} others",
        "units": f"{part.networks[0].curves['units']['random'][0].n_total} hidden units, "
        f"{part.networks[0].curves['links']['random'][0].n_total} links",
        "random orders": f"{part.study.n_random} per network",
        "batch norm": f"{part.study.steps} steps per class" if "batchnorm" in part.study.methods else "not asked for",
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
