"""`cnnvis diagnose`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cnnvis.cli._options import Data, Device, Model, Quiet, TargetClass, Weights
from cnnvis.cli._progress import progress_bar

if TYPE_CHECKING:
    from cnnvis.core import Diagnosis, Survey
    from cnnvis.models import Network

SHOWN = 8
"""Channels printed."""


def diagnose(  # noqa: PLR0913 - one parameter per option of the command line
    image: Annotated[str, Parameter(name="IMAGE", show_default=False)],
    *,
    model: Model = "vgg16-fashion",
    weights: Weights = None,
    data: Data = None,
    survey: Annotated[Path | None, Parameter(name="--survey", metavar="FILE", show_default="made anew")] = None,
    target: Annotated[TargetClass | None, Parameter(show_default=False)] = None,
    out: Annotated[Path | None, Parameter(name="--out", show_default=False)] = None,
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Say where a network departs from its class on an image, and whether that decides the answer.

    Compares the average of every channel with those of the predicted and of the true class in a survey. The first layer
    that departs further than the class's own images is looked at: its channels are shifted to what the class has,
    and the answer is watched.

    Parameters
    ----------
    image : str
        A picture, or the number of a test image of DATA, from 0; the class of the latter is known.
    survey : Path
        survey.safetensors of `cnnvis survey`, of the same network and with classes.
    target : str
        The true class of the image.
    out : Path
        Picture to write, such as diagnosis.png.
    """
    from cnnvis.attribution import diagnose as explain
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.models import load

    network = load(model, weights=weights, device=device)
    inputs, name, label = _image(network, image, data)
    known = label if target is None else target
    made = _survey(network, survey, data, quiet=quiet)
    found = explain(network, inputs, made, true=known)
    if found.provenance.model != made.provenance.model and survey is not None:
        raise InvalidInputError(f"{survey} is a survey of {made.provenance.model}, not of {network.name}.")
    if out is not None:
        from cnnvis.io import save_bytes
        from cnnvis.report import diagnosis_figure, to_png

        save_bytes(to_png(diagnosis_figure(found, title=name)), out)
    if not quiet:
        sys.stdout.write("\n".join([*_lines(found, name), *([f"Wrote {out}"] if out else []), ""]))


def _image(network: Network, image: str, data: str | None) -> tuple[Any, str, int | None]:
    """Return the input, its name and its class, where that is known."""
    if not image.isdecimal() or Path(image).exists():
        return image, Path(image).name, None
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.models.folders import labelled_parts

    testing = labelled_parts(network, data).testing
    number = int(image)
    if number >= len(testing):
        raise InvalidInputError(f"There are test images 0 to {len(testing) - 1}, got {number}.")
    return testing.images[number : number + 1], testing.names[number], int(testing.labels[number])


def _survey(network: Network, file: Path | None, data: str | None, *, quiet: bool) -> Survey:
    from cnnvis.capture import survey
    from cnnvis.core import Survey
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.io import load
    from cnnvis.models.folders import labelled_parts

    if file is None:
        with progress_bar("survey", unit="image", quiet=quiet) as progress:
            return survey(network, labelled_parts(network, data).importance.pair, progress=progress)
    made = load(file)
    if not isinstance(made, Survey):
        raise InvalidInputError(f"{file} holds no survey but {type(made).__name__}; cnnvis survey makes one.")
    return made


def _lines(found: Diagnosis, name: str) -> list[str]:
    share = found.probabilities[found.predicted]
    lines = ["", f"{name}: {found.named(found.predicted)} ({share:.1%})"]
    if found.true is not None:
        right = "which is right" if found.true == found.predicted else f"but it is {found.named(found.true)}"
        lines[-1] += f", {right} ({found.probabilities[found.true]:.1%})"
    reference = found.named(found.reference)
    lines += [
        "",
        f"Distance from {reference} (1: as usual), how many of its images are as far, and the answer with all",
    ]
    lines += [f"channels of a layer set to the averages of {reference}:", ""]
    width = max(map(len, found.from_reference))
    for layer, departure in found.from_reference.items():
        patch = found.whole.get(layer)
        after = "" if patch is None else f"{found.named(patch.answer)}, margin {patch.margin:+.2f}"
        mark = " <- first to depart" if layer == found.first_layer else ""
        lines.append(f"  {layer:<{width}}  {departure.size:>6.2f}  {departure.share:>6.1%}   {after}{mark}")
    if found.first_layer is None:
        lines.append(f"  No layer departs further than {1 - found.level:.0%} of the images of {reference}.")
    lines += ["", f"Channels of {found.layer} that are furthest off, set to the averages of {reference} one by one:"]
    z = found.from_reference[found.layer].z
    for patch in found.single[:SHOWN]:
        channel = patch.channels[0]
        change = patch.margin - found.unpatched.margin
        lines.append(f"  {channel:>5}  z {z[channel]:+7.1f}   margin {change:+.2f}   {found.named(patch.answer)}")
    lines += ["", _verdict(found)]
    return lines


def _verdict(found: Diagnosis) -> str:
    """Return in one sentence whether taking departures back changes the answer."""
    wanted = found.named(found.reference)
    if found.unpatched.answer == found.reference:
        return f"The answer is {wanted}, with and without patches."
    mended = next((patch for patch in found.together if patch.answer == found.reference), None)
    if mended is not None:
        count = len(mended.channels)
        some = f"{count} channels" if count > 1 else "1 channel"
        return f"With the averages of {wanted} in {some} of {found.layer} the answer is {wanted}: here it went wrong."
    whole = [layer for layer, patch in found.whole.items() if patch.answer == found.reference]
    if whole:
        return f"Not these channels, but all of {whole[0]} with the averages of {wanted} give {wanted}."
    best = max(found.whole.values(), key=lambda patch: patch.margin)
    return (
        f"No averages of {wanted} mend the answer (best: {best.layer}, margin {found.unpatched.margin:+.2f} -> "
        f"{best.margin:+.2f}): what differs is where channels answer, not how much."
    )
