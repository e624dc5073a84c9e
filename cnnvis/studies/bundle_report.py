"""The report of the study of a bundled network: one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis.core import BundleQuality
from cnnvis.layout import Bundle
from cnnvis.report import Page
from cnnvis.studies.bundle_results import BundleResult
from cnnvis.studies.page_end import machine_facts, write_page

SUMMARY = (
    "The whole network in one picture: a line for each link from unit to unit, drawn as densely as it is important, "
    "and bundled with those that go the same way and serve the same classes."
)
CLASSES = (
    "The same network and the same bundles; what is important for the class comes forward, all else fades. The shares "
    "of a unit's importance by class say which classes a link serves; along the way from unit to unit they fade from "
    "those of its start into those of its end."
)
PAIR = (
    "Left every link goes straight from unit to unit, right it is bundled; both end at the same points, in the same "
    "colours and opacities. Bundling changes the way, not what is linked."
)
TRUST = (
    "Lines that share a way save ink, but their ways are longer, and where they run together it cannot be seen which "
    "of them leads where. Ambiguity measures that: the share of unrelated lines, with no unit and no class in common, "
    "among those that a line shares its voxels with in the middle half of its way. The higher it is, the less should "
    "be read from single lines; and what is close in the picture need not work together in the network. Separation by "
    "class says how much more alike the important lines of a voxel are in the classes that they serve than any two "
    "lines between the same layers: 1 if they are the same, 0 if classes play no part. As there are fewer bundles than "
    "classes, and most units serve several, it stays well below 1."
)
STEPS = "From straight lines to bundles: each frame is one iteration, with a smaller bandwidth than the one before."
WHOLE = (
    "All links. Layers stand one behind the other, each a square of its units; the more important a link, the more it "
    "is seen, and its colour mixes those of the classes that it serves."
)
NO_CLASSES = "The importance has no classes, so that links are neither coloured nor parted by class."
BUNDLES = (
    "Links that run together half-way from layer to layer. A link weighs |weight|, or the norm of its kernel, divided "
    "by the largest of its layer; all bundles are in bundles.csv."
)
TOP = 12
"""Bundles that the page lists; all are in the table beside it."""


def write_report(result: BundleResult, out: Path, *, command: str) -> dict[Path, str]:
    """Write index.html, which carries all pictures, films and the interactive view inside."""
    page = Page(f"{name_of(result)} as bundled links", SUMMARY)
    if result.network.provenance.weights == "random":
        page.warning(f"{name_of(result)} has RANDOM WEIGHTS: nothing here was learned.")
    _whole(page, result, out)
    _pair(page, result, out)
    if result.classes:
        _classes(page, result, out)
    _moving(page, result, out)
    _trust(page, result)
    _bundles(page, result)
    page.section("How it was made")
    page.facts(_facts(result))
    return write_page(page, result, out, command=command, facts=machine_facts())


def name_of(result: BundleResult) -> str:
    """Return the name of the network, or what the random one is."""
    return result.network.provenance.model


def findings(result: BundleResult) -> Iterator[str]:
    """Yield what was drawn and what bundling came to, in sentences made from the numbers."""
    network, quality = result.network, result.network.quality
    yield f"{name_of(result)}: {network.edges.caption}."
    yield (
        f"Bundled, the lines need {100 * quality.ink_ratio:.0f} % of the ink of straight ones, and are "
        f"{quality.length_ratio_mean:.2f} times as long on average (95 % of them at most {quality.length_ratio_95:.2f} "
        "times)."
    )
    yield (
        f"A point stands {quality.displacement_mean:.3f} from its place on the straight line on average, "
        f"{quality.displacement_max:.2f} at most; a layer is {network.layout.width:g} wide."
    )
    yield (
        f"{100 * quality.monotone_share:.1f} % of the lines never turn back; "
        f"ambiguity {quality.ambiguity:.2f}, of straight lines {result.straight.ambiguity:.2f}."
    )
    if quality.separation is not None and result.straight.separation is not None:
        yield (
            f"By class, bundles are separate to {quality.separation:.2f} (1: lines that run together serve the same "
            f"classes alike, 0: any classes), straight lines to {result.straight.separation:.2f}."
        )


def _whole(page: Page, result: BundleResult, out: Path) -> None:
    network = result.network
    page.section("All classes" if result.classes else "The network")
    page.text(" ".join(findings(result)))
    for note in network.edges.notes:
        page.text(note)
    page.figure(out / "all.png", WHOLE, alt=f"All links of {name_of(result)}, bundled")
    if network.profiles is None:
        page.text(NO_CLASSES)


def _pair(page: Page, result: BundleResult, out: Path) -> None:
    page.section("Straight and bundled")
    page.text(PAIR)
    page.figure(
        out / "pair.png", "The same links, straight and bundled.", alt=f"{name_of(result)}: straight beside bundled"
    )


def _classes(page: Page, result: BundleResult, out: Path) -> None:
    page.section("Class by class")
    page.text(CLASSES)
    page.figure(
        out / "classes.png",
        "Each class by itself; large pictures are in the files below.",
        alt="Small pictures of the network, one for each class",
    )


def _moving(page: Page, result: BundleResult, out: Path) -> None:
    page.section("In three dimensions")
    if result.study.film_frames:
        page.video(out / "turn.mp4", "Once around the network.")
    page.view3d(
        (out / "view3d.html").read_text(encoding="utf-8"), "Drag to turn, wheel to zoom.", poster=out / "all.png"
    )
    if result.study.stages:
        page.video(out / "stages.mp4", STEPS)


def _trust(page: Page, result: BundleResult) -> None:
    page.section("How far the bundles can be trusted")
    page.text(TRUST)
    before, after = (_measures(quality) for quality in (result.straight, result.network.quality))
    rows = [(name, before[name], after[name]) for name in before]
    page.table(("measure", "straight", "bundled"), rows, "The same links, straight and bundled.")


def _measures(quality: BundleQuality) -> dict[str, str]:
    found = {
        f"ink: voxels with a line, {quality.voxels_per_side} on the longest side": f"{quality.ink_after:,}",
        "displacement, mean (scene units)": f"{quality.displacement_mean:.3f}",
        "displacement, largest (scene units)": f"{quality.displacement_max:.3f}",
        "length / straight length, mean": f"{quality.length_ratio_mean:.3f}",
        "length / straight length, 95 % of the lines below": f"{quality.length_ratio_95:.3f}",
        "lines that never turn back": f"{100 * quality.monotone_share:.2f} %",
        "ambiguity, 0 to 1": f"{quality.ambiguity:.3f}",
    }
    if quality.separation is not None:
        found["separation by class, at most 1"] = f"{quality.separation:.3f}"
    return found


def _bundles(page: Page, result: BundleResult) -> None:
    network = result.network
    page.section("The largest bundles")
    page.text(BUNDLES)
    columns = ["bundle", "from", "to", "links", "summed weight", "sources", "targets"]
    rows: list[tuple[str | float, ...]] = []
    for number, one in enumerate(result.bundles[:TOP]):
        source, target = (network.layout.layers[layer] for layer in one.layers)
        cells = (f"{number}", source, target, f"{len(one):,}", f"{one.weight:,.1f}", one.n_sources, one.n_targets)
        rows.append((*cells, _served(one, network.class_names)) if network.class_names else cells)
    if network.class_names:
        columns.append("serves most")
    shown = "All" if len(rows) == len(result.bundles) else f"The {len(rows)} largest of"
    caption = f"{shown} {len(result.bundles):,} bundles, by summed weight."
    page.table(columns, rows, caption)


def _served(bundle: Bundle, names: tuple[str, ...]) -> str:
    """Return the classes of the largest shares: "3 (21 %), 5 (18 %)"."""
    shares = bundle.class_shares
    if shares is None:
        return "–"
    return ", ".join(f"{names[label]} ({100 * shares[label]:.0f} %)" for label in (-shares).argsort(kind="stable")[:3])


def _facts(result: BundleResult) -> dict[str, str]:
    network = result.network
    provenance = network.provenance
    sizes = dict(zip(network.edges.units.layers, network.edges.units.sizes, strict=True))
    facts = {
        "network": f"{provenance.model}, weights {provenance.weights or 'unknown'}",
        "layers": ", ".join(f"{layer} ({size})" for layer, size in sizes.items()),
        "importance": result.origin,
        "links": network.edges.caption,
    }
    parameters = {name: value for name, value in result.study.options.as_parameters().items() if name != "random_state"}
    options = {name.replace("_", " "): _text(value) for name, value in parameters.items()}
    return facts | options | {"seed": str(result.study.random_state)}


def _text(value: Any) -> str:
    """Return an option as a reader says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == [] else str(value)
