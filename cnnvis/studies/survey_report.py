"""The report of a survey: one self-contained HTML page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cnnvis.analysis.grouping import rule_in_words
from cnnvis.core import AnomalyKind, Convergence, PruneCurve
from cnnvis.core.survey import SETTLED
from cnnvis.pruning import MergedNetwork, RedundancyOptions
from cnnvis.report import Page, redundancy_table
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.survey_pictures import counted
from cnnvis.studies.survey_results import LayerGroups, Merging, SurveyResult

GROUPS_NOTE = "Channels are linked the more the more they correlate. Groups are communities of that graph: {rule}."
MAPS_NOTE = (
    "Maps are compared by all their positions, which are not kept: how stable groups are is known of averages only."
)
CHANCE_NOTE = (
    "Random averages give groups as well: the charts show how many, for each exponent, when every channel's images are "
    "shuffled by themselves. Modularity says how separate groups are, not that they are there: where it is as high for "
    "shuffled images, it is no evidence. Whether a group comes back when images are drawn anew, its stability, is."
)
MERGE_NOTE = (
    "Averages propose pairs of channels; the maps that later layers receive have to confirm them, position by "
    "position: correlation above {correlation_above:g}, {explained:.0%} of the variance explained. Channels go "
    "cheapest first, until accuracy falls. What a channel gave is taken over in every layer that read it: by the other "
    "of the pair, scaled and shifted, or jointly by all that stay. Rules were chosen on the images surveyed; the "
    "curves are of test images, which chose nothing."
)
GRAPH_NOTE = "In space: a ball for each channel, tubes to the ones most like it. Drag to turn, wheel to zoom."
VIEWS_NOTE = (
    "Averages of every channel, by layer: over all images, and of some that can be stepped through. What is pointed at "
    "or selected in the cells, the matrix or the graph is marked in the others; the picture has the mean averages, "
    "with the groups as stripes."
)
N_NAMED = 5
"""Unreadable images that are named."""

STABLE = 0.75
"""Mean overlap from which a group counts as stable."""

N_DRAWN = 6
"""Layers whose groups the page has as figures: those with the most stable groups; all are in the folder."""


def write_report(result: SurveyResult, out: Path, *, command: str = "") -> dict[Path, str]:
    """Write index.html, which carries all figures inside."""
    survey = result.survey
    page = Page(
        f"What the channels of {result.network.name} do",
        f"{survey.n_channels:,} channels of {len(survey)} layers over {_images(result)}: how strongly they "
        "answer, which are alike, which behave oddly, and which can go.",
    )
    for sentence in cautions(result):
        page.warning(sentence)
    page.section("What was found")
    for sentence in _found(result):
        page.text(sentence)
    page.facts(_facts(result))
    page.view((out / "views.html").read_text(encoding="utf-8"), VIEWS_NOTE, poster=out / "grid.png")
    if survey.convergence is not None:
        _picture(page, result, out / "convergence.png", _convergence(survey.convergence))
    _oddities(page, result)
    _groups(page, result, out)
    _picture(page, result, out / "alignment.png", "Which layers tell the images apart alike.")
    if result.merging is not None:
        _merging(page, result, result.merging, out)
    return write_page(page, result, out, command=command, facts=machine_facts("scikit-network"))


def findings(result: SurveyResult) -> Iterator[str]:
    """Yield a sentence for each thing found; what is missing or must be known first comes first."""
    yield from cautions(result)
    yield from _found(result)


def cautions(result: SurveyResult) -> Iterator[str]:
    """Yield a sentence for each thing that must be known before the results are: what was left out, and why."""
    survey = result.survey
    if result.network.weights == "random":
        yield f"{result.network.name} has RANDOM WEIGHTS: nothing here was learned."
    if survey.n_skipped:
        named = "; ".join(image.reason for image in survey.skipped[:N_NAMED])
        more = f"; {survey.n_skipped - N_NAMED:,} more" if survey.n_skipped > N_NAMED else ""
        images = (
            "1 image was left out, as it" if survey.n_skipped == 1 else f"{survey.n_skipped:,} were left out, as they"
        )
        yield f"{images} could not be read: {named}{more}"
    if survey.n_images < 2:
        yield (
            "A single image has no correlations: there are no groups, nothing can be merged, and whether channels are "
            "dead or constant is not known."
        )
    if survey.n_images < result.n_surveyed:
        yield (
            f"All of this is about {_images(result)}, of which averages were kept: which channels are dead, rare or "
            "saturated is not known, but which averages are constant."
        )
    if survey.confusion is None:
        yield (
            "The images have no labels, or the network gives no class scores: there are no accuracy and no statistics "
            "by class, and nothing was merged."
        )
    if result.problem:
        yield result.problem
    if result.left_over:
        yield f"The folder holds files of an earlier run, which are not about this one: {', '.join(result.left_over)}."


def _found(result: SurveyResult) -> Iterator[str]:
    survey = result.survey
    if survey.accuracy is not None:
        yield f"{survey.accuracy:.1%} of {_images(result)} were answered rightly."
    if survey.convergence is not None:
        yield _convergence(survey.convergence)
    kinds = Counter(found.kind for found in result.anomalies)
    said = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    if said or survey.n_images > 1:
        yield f"Odd channels: {said}." if said else "No channel behaves oddly."
    if result.groups:
        stable = [number for number in map(_n_stable, result.groups.values()) if number is not None]
        every = sum(groups.n_groups for groups in result.groups.values())
        again = f"; {sum(stable)} of them come back when images are drawn anew" if stable else ""
        yield f"{every} groups of like channels{again}.{_beside_chance(result)}"
    yield from _merge_findings(result.merging)


def _images(result: SurveyResult) -> str:
    n_images = result.survey.n_images
    if n_images < result.n_surveyed:
        return f"the last {n_images:,} of {result.n_surveyed:,} images"
    return "1 image" if n_images == 1 else f"{n_images:,} images"


def _beside_chance(result: SurveyResult) -> str:
    """Return in how many layers groups are further apart than those of shuffled images, in a sentence."""
    exponent = result.survey.grouping.power
    pairs = [found for groups in result.groups.values() if (found := _modularity(groups, exponent)) is not None]
    if not pairs:
        return ""
    above = sum(own > shuffled for own, shuffled in pairs)
    return f" In {above} of {len(pairs)} layers they are further apart than those of shuffled images."


def _modularity(groups: LayerGroups, exponent: float) -> tuple[float, float] | None:
    """Return the modularity of a layer's groups, and that where its images are shuffled, on average."""
    if groups.counts is None:
        return None
    place = int(np.abs(groups.counts.exponents - exponent).argmin())
    return float(groups.counts.modularity[place]), float(groups.counts.null_modularity[:, place].mean())


def _convergence(convergence: Convergence) -> str:
    limit = f"{SETTLED:g} (root mean square)"
    if convergence.settled is None:
        n_images = f"{int(convergence.n_images[-1]):,} images"
        return (
            f"Correlations have not settled after {n_images}: they still move by {limit} or more. Survey more images."
        )
    n_images = f"{convergence.settled:,} images"
    return f"Correlations have settled after {n_images}: from there on they move by less than {limit}."


def _merge_findings(merging: Merging | None) -> Iterator[str]:
    if merging is None:
        return
    strict = RedundancyOptions()
    pairs = [pair for pair in merging.redundancy.pairs if pair.correlation > strict.correlation_above]
    confirmed = sum(pair.explained >= strict.explained for pair in pairs)
    yield (
        f"{len(pairs):,} pairs of channels have averages that correlate above {strict.correlation_above:g}; the maps "
        f"bear out {confirmed:,} of them strictly: over all positions one explains at least {strict.explained:.0%} of "
        "the other."
    )
    if merging.merged is None:
        possible = any(not pair.reason for pair in merging.redundancy.pairs)
        why = "within the loss of accuracy that was allowed" if possible else "in the hidden layers"
        yield f"Nothing could be merged {why}."
        return
    steps = merging.merged.steps
    done = next(step for step in reversed(steps) if step.n_merged == len(merging.merged.merges))
    yield (
        f"{done.n_merged:,} of the hidden channels, {done.share:.1%}, went into others: accuracy "
        f"{steps[0].accuracy:.1%} -> {done.accuracy:.1%} on the images that chose."
    )
    yield _border_findings(merging.merged)
    yield from _curve_findings(merging, done.share)


def _border_findings(merged: MergedNetwork) -> str:
    errors = np.array([merge.border_error for merge in merged.merges])
    if not errors.any():
        return "No error arises at padded borders of maps."
    return (
        "Where maps are padded with zeros, what was merged is off by its constant part: by at most "
        f"{np.median(errors):.2g} in the median merge and {errors.max():.2g} in the worst, in units of what the layer "
        "behind gives. The measured accuracies have this error in them."
    )


def _curve_findings(merging: Merging, share: float) -> Iterator[str]:
    found = {name: [_accuracy_at(curve, share) for curve in curves] for name, curves in merging.curves.items()}
    whole = merging.curves["merged"][0].accuracy[0]
    said = ", ".join(
        f"{name} {np.mean(values):.1%}" + (f" (± {np.std(values, ddof=1):.1%})" if len(values) > 1 else "")
        for name, values in found.items()
    )
    yield f"With as many channels gone, on test images (whole network {whole:.1%}): {said}."


def _accuracy_at(curve: PruneCurve, share: float) -> float:
    return float(np.interp(share, curve.shares, curve.accuracy))


def _facts(result: SurveyResult) -> dict[str, str]:
    survey = result.survey
    return {
        "network": result.network.name,
        "values": "behind the activations" if survey.signal == "post" else "before the activations",
        "images": _images(result),
        "images kept for groups": f"{len(survey.window_images):,}, the last ones",
        "groups": rule_in_words(survey.grouping),
    }


def _picture(page: Page, result: SurveyResult, file: Path, caption: str) -> None:
    """Show a picture that this run made; one of an earlier run may lie in the folder."""
    if file in result.files:
        page.figure(file, caption, alt=caption)


def _oddities(page: Page, result: SurveyResult) -> None:
    if not result.anomalies:
        return
    page.section("Odd channels")
    shown = sorted(result.anomalies, key=lambda found: list(AnomalyKind).index(found.kind))[:60]
    names = result.survey.image_names
    rows = [(found.layer, found.channel, str(found.kind), found.detail, _image(names, found.image)) for found in shown]
    rest = len(result.anomalies) - len(shown)
    caption = "Channels that behave oddly" + (f"; {rest:,} more are in channels.csv" if rest else "")
    page.table(("layer", "channel", "what", "figure", "image"), rows, caption)


def _image(names: Mapping[int, str], image: int) -> str:
    return "" if image < 0 else names.get(image, str(image))


def _groups(page: Page, result: SurveyResult, out: Path) -> None:
    if not result.groups:
        return
    page.section("Channels that answer to the same images")
    page.text(GROUPS_NOTE.format(rule=rule_in_words(result.survey.grouping)))
    if result.survey.grouping.alike == "maps":
        page.text(MAPS_NOTE)
    else:
        page.text(CHANCE_NOTE)
    exponent = result.survey.grouping.power
    rows = [_group_row(name, groups, exponent) for name, groups in result.groups.items()]
    columns = ("layer", "channels", "groups", "largest", "stable groups", "modularity", "shuffled")
    page.table(columns, rows, f"Groups by layer; stable: mean overlap of at least {STABLE:g} with groups of new draws")
    page.view3d((out / "graphs.html").read_text(encoding="utf-8"), GRAPH_NOTE, poster=out / "graph.png")
    drawn = sorted(result.groups, key=lambda name: -_worth(result.groups[name]))[:N_DRAWN]
    if len(drawn) < len(result.groups):
        known = any(groups.stability is not None for groups in result.groups.values())
        most = "the most stable groups" if known else "the most groups"
        page.text(f"Here are the {N_DRAWN} layers with {most}; groups_*.png in the folder are of all.")
    for name in (name for name in result.groups if name in drawn):
        _picture(page, result, out / f"groups_{name}.png", f"{name}: {counted(result.groups[name])}.")
        _picture(page, result, out / f"counts_{name}.png", f"{name}: how much of this is chance.")


def _n_stable(groups: LayerGroups) -> int | None:
    large = np.bincount(groups.labels) > 1
    return None if groups.stability is None else int((groups.stability[large] >= STABLE).sum())


def _worth(groups: LayerGroups) -> int:
    """Return by what layers are chosen to be shown: stable groups, or all where nothing is known of that."""
    stable = _n_stable(groups)
    return groups.n_groups if stable is None else stable


def _group_row(name: str, groups: LayerGroups, exponent: float) -> tuple[str | int | float | None, ...]:
    own, shuffled = _modularity(groups, exponent) or (None, None)
    return (
        *(name, groups.labels.size, groups.n_groups, int(np.bincount(groups.labels).max())),
        _n_stable(groups),
        None if own is None else round(own, 3),
        None if shuffled is None else round(shuffled, 3),
    )


def _merging(page: Page, result: SurveyResult, merging: Merging, out: Path) -> None:
    page.section("Redundant channels, merged")
    page.text(MERGE_NOTE.format(**merging.redundancy.options))
    page.table(*redundancy_table(merging.redundancy))
    curve = "Accuracy on test images while channels are merged, beside removing them."
    _picture(page, result, out / "merging.png", curve)
    if merging.merged is None:
        return
    rows = [
        (step.n_merged, f"{step.share:.1%}", "" if step.rule is None else str(step.rule), step.accuracy, step.loss)
        for step in merging.merged.steps
    ]
    columns = ("channels merged", "share", "rule", "accuracy", "loss")
    page.table(columns, rows, "Steps, on the images that chose the rule; a last one that lost too much was not done")
