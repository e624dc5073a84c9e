"""The report of a survey: one self-contained HTML page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cnnvis.core import AnomalyKind, PruneCurve
from cnnvis.report import Page
from cnnvis.studies.page_end import machine_facts, write_page
from cnnvis.studies.survey_pictures import counted
from cnnvis.studies.survey_results import LayerGroups, Merging, SurveyResult

GROUPS_NOTE = (
    "Channels are linked by max(correlation, 0) to a power. Groups are communities of that graph. Random averages give "
    "groups as well: the charts show how many, for each power, when every channel's images are shuffled by themselves."
)
MERGE_NOTE = (
    "Averages propose pairs of channels; the maps that later layers receive have to confirm them, position by "
    "position. A channel that goes is taken over by the other, scaled and shifted, in every layer that read it. Rules "
    "were chosen on the images surveyed; the curves are of test images, which chose nothing."
)
STABLE = 0.75
"""Mean overlap from which a group counts as stable."""


def write_report(result: SurveyResult, out: Path, *, command: str = "") -> dict[Path, str]:
    """Write index.html, which carries all figures inside."""
    survey = result.survey
    page = Page(
        f"What the channels of {result.network.name} do",
        f"{survey.n_channels:,} channels of {len(survey)} layers over {survey.n_images:,} images: how strongly they "
        "answer, which are alike, which behave oddly, and which can go.",
    )
    _warn(page, result)
    page.section("What was found")
    for sentence in findings(result):
        page.text(sentence)
    page.facts(_facts(result))
    _picture(page, out, "grid.png", "Mean average of every channel, by layer; the stripe is its group.")
    _picture(page, out, "convergence.png", "Whether there were enough images: correlations should have settled.")
    _oddities(page, result)
    _groups(page, result, out)
    _picture(page, out, "alignment.png", "Which layers tell the images apart alike.")
    if result.merging is not None:
        _merging(page, result.merging, out)
    return write_page(page, result, out, command=command, facts=machine_facts("scikit-network"))


def findings(result: SurveyResult) -> Iterator[str]:
    """Yield a sentence for each thing found."""
    survey = result.survey
    if survey.accuracy is not None:
        yield f"{survey.accuracy:.1%} of the {survey.n_images:,} images surveyed were answered rightly."
    kinds = Counter(found.kind for found in result.anomalies)
    said = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items())
    yield f"Odd channels: {said}." if said else "No channel behaves oddly."
    if result.groups:
        stable = sum(int((groups.stability[_large(groups)] >= STABLE).sum()) for groups in result.groups.values())
        every = sum(groups.n_groups for groups in result.groups.values())
        yield f"{every} groups of like channels; {stable} of them come back when images are drawn anew."
    yield from _merge_findings(result.merging)


def _merge_findings(merging: Merging | None) -> Iterator[str]:
    if merging is None:
        return
    pairs = merging.redundancy.pairs
    confirmed = sum(not pair.reason for pair in pairs)
    yield f"Averages proposed {len(pairs):,} redundant pairs; the maps confirmed {confirmed:,} of them."
    if merging.merged is None:
        yield "Nothing could be merged within the loss of accuracy that was allowed."
        return
    steps = merging.merged.steps
    done = next(step for step in reversed(steps) if step.n_merged == len(merging.merged.merges))
    yield (
        f"{done.n_merged:,} of the hidden channels, {done.share:.1%}, went into others: accuracy "
        f"{steps[0].accuracy:.1%} -> {done.accuracy:.1%} on the images that chose."
    )
    yield from _curve_findings(merging, done.share)


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


def _warn(page: Page, result: SurveyResult) -> None:
    survey = result.survey
    if result.network.weights == "random":
        page.warning(f"{result.network.name} has RANDOM WEIGHTS: nothing here was learned.")
    if survey.n_skipped:
        named = "; ".join(f"{image.name}: {image.reason}" for image in survey.skipped[:5])
        page.warning(f"{survey.n_skipped:,} images could not be read and were left out. {named}")
    if survey.n_images < 2:
        page.warning("A single image has no correlations: there are no groups, and nothing can be merged.")
    if survey.confusion is None:
        page.warning("The images have no labels: there are no statistics by class, and nothing was merged.")


def _facts(result: SurveyResult) -> dict[str, str]:
    survey = result.survey
    return {
        "network": result.network.name,
        "values": "behind the activations" if survey.signal == "post" else "before the activations",
        "images": f"{survey.n_images:,}",
        "images kept for groups": f"{len(survey.window_images):,}, the last ones",
    }


def _picture(page: Page, out: Path, name: str, caption: str) -> None:
    if (out / name).exists():
        page.figure(out / name, caption, alt=caption)


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
    page.text(GROUPS_NOTE)
    rows = [_group_row(name, groups) for name, groups in result.groups.items()]
    columns = ("layer", "channels", "groups", "largest", "stable groups", "modularity", "shuffled")
    page.table(columns, rows, f"Groups by layer; stable: mean overlap of at least {STABLE:g} with groups of new draws")
    for name, groups in result.groups.items():
        _picture(page, out, f"groups_{name}.png", f"{name}: {counted(groups)}.")
        _picture(page, out, f"counts_{name}.png", f"{name}: how much of this is chance.")


def _large(groups: LayerGroups) -> np.ndarray:
    return np.bincount(groups.labels) > 1


def _group_row(name: str, groups: LayerGroups) -> tuple[str | int | float | None, ...]:
    counts = groups.counts
    place = None if counts is None else int(np.abs(counts.exponents - 6).argmin())
    return (
        *(name, groups.labels.size, groups.n_groups, int(np.bincount(groups.labels).max())),
        int((groups.stability[_large(groups)] >= STABLE).sum()),
        None if counts is None else round(float(counts.modularity[place]), 3),
        None if counts is None else round(float(counts.null_modularity[:, place].mean()), 3),
    )


def _merging(page: Page, merging: Merging, out: Path) -> None:
    page.section("Redundant channels, merged")
    page.text(MERGE_NOTE)
    for layer, reason in merging.redundancy.left_whole.items():
        page.text(f"Left whole: {layer}, {reason}.")
    _picture(page, out, "merging.png", "Accuracy on test images while channels are merged, beside removing them.")
    if merging.merged is None:
        return
    rows = [
        (step.n_merged, f"{step.share:.1%}", "" if step.rule is None else str(step.rule), step.accuracy, step.loss)
        for step in merging.merged.steps
    ]
    columns = ("channels merged", "share", "rule", "accuracy", "loss")
    page.table(columns, rows, "Steps, on the images that chose the rule; a last one that lost too much was not done")
