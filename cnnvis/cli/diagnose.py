"""`cnnvis diagnose`."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cnnvis.cli._options import Data, Device, Model, Quiet, TargetClass, Weights
from cnnvis.cli._progress import progress_bar

if TYPE_CHECKING:
    from cnnvis.core import Diagnosis, Survey
    from cnnvis.models import LabelledImages, Network

SHOWN = 8
"""Channels printed."""


def diagnose(  # noqa: PLR0913 - one parameter per option of the command line
    image: Annotated[
        str | None, Parameter(name="IMAGE", show_default="the first test image that is answered wrongly")
    ] = None,
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
        The true class of the image, by name or index.
    out : Path
        Picture to write, such as diagnosis.png.
    """
    from cnnvis.attribution import diagnose as explain
    from cnnvis.models import load

    network = load(model, weights=weights, device=device)
    inputs, name, label = _image(network, image, data)
    known = label if target is None else target
    made = _survey(network, survey, data, quiet=quiet)
    found = explain(network, inputs, made, true=known)
    if out is not None:
        from cnnvis.io import save_bytes
        from cnnvis.report import diagnosis_figure, to_png
        from cnnvis.studies.image_stream import as_picture

        seen = network.preprocess(inputs) if isinstance(inputs, str) else inputs
        figure = diagnosis_figure(found, title=name, picture=as_picture(seen[0].cpu().numpy()))
        save_bytes(to_png(figure), out)
    if not quiet:
        sys.stdout.write("\n".join([*_lines(found, name), *([f"Wrote {out}"] if out else []), ""]))


def _image(network: Network, image: str | None, data: str | None) -> tuple[Any, str, int | None]:
    """Return the input, its name and its class, where that is known."""
    from cnnvis.models.folders import labelled_parts, one_image

    if image is None:
        image = str(_first_wrong(network, labelled_parts(network, data).testing))
    return one_image(network, image, data)


def _first_wrong(network: Network, testing: LabelledImages) -> int:
    """Return the number of the first image that is answered wrongly."""
    from cnnvis.core.errors import InvalidInputError

    for number, label in enumerate(testing.labels):
        if network.predict(testing.images[number : number + 1], k=1)[0].index != label:
            return number
    raise InvalidInputError(f"All {len(testing)} test images are answered rightly. Name the number of one to look at.")


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
        f"Distance: how far the averages of a layer are from those of {reference}; 1 is usual. As far: share of the",
        f"images of {reference} that are. Patched: the answer with all averages of the layer set to those, and its",
        f"margin, the score of {reference} less the largest other; unpatched it is {found.unpatched.margin:+.2f}.",
        "",
    ]
    width = max(map(len, ["layer", *found.from_reference]))
    lines.append(f"  {'layer':<{width}}  distance  as far   patched")
    for layer, departure in found.from_reference.items():
        patch = found.whole.get(layer)
        after = "" if patch is None else f"{found.named(patch.answer)}, margin {patch.margin:+.2f}"
        mark = " <- first to depart" if layer == found.first_layer else ""
        lines.append(f"  {layer:<{width}}  {departure.size:>8.2f}  {departure.share:>6.1%}   {after}{mark}")
    if found.first_layer is None:
        lines.append(f"  No layer departs further than {1 - found.level:.0%} of the images of {reference}.")
    lines += ["", *textwrap.wrap(found.caution, 100)] if found.caution else []
    lines += ["", f"Channels of {found.layer} that are furthest off, set to the averages of {reference} one by one:"]
    z = found.from_reference[found.layer].z
    for patch in found.single[:SHOWN]:
        channel = patch.channels[0]
        change = patch.margin - found.unpatched.margin
        lines.append(f"  {channel:>5}  z {z[channel]:+7.1f}   margin by {change:+.2f}   {found.named(patch.answer)}")
    return [*lines, "", *textwrap.wrap(found.verdict, 100)]
