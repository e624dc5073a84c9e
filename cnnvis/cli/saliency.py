"""`cnnvis saliency`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Model, Out, Quiet, Weights
from cnnvis.cli._progress import progress_bar

if TYPE_CHECKING:
    from cnnvis.studies.saliency import ImageSaliency

Several = Parameter(negative="", show_default=False)
Pixels = Annotated[int | None, Parameter(metavar="PIXELS", show_default=False, validator=Number(gte=1))]
MethodName = Literal["grad_cam", "occlusion"]


def saliency(  # noqa: PLR0913 - one parameter per option of the command line
    image: Annotated[str, Parameter(name="IMAGE")] = "chelsea",
    *,
    model: Model = "efficientnet-lite0",
    weights: Weights = None,
    data: Data = None,
    target: Annotated[tuple[str, ...], Several, Parameter(name="--class", metavar="NAME|INDEX")] = (),
    method: Annotated[tuple[MethodName, ...], Parameter(name="--method", negative="", show_default=" ".join)] = (
        "grad_cam",
        "occlusion",
    ),
    of: Annotated[Literal["logit", "margin"], Parameter(name="--of")] = "logit",
    layer: Annotated[str | None, Parameter(name="--layer", show_default="the last with maps")] = None,
    window: Annotated[Pixels, Parameter(name="--window")] = None,
    stride: Annotated[Pixels, Parameter(name="--stride")] = None,
    baseline: Annotated[str, Parameter(name="--baseline", metavar="mean|NUMBER")] = "mean",
    device: Device = "auto",
    out: Out = Path("out/saliency"),
    quiet: Quiet = False,
) -> None:
    """Show where in an image a network sees classes: Grad-CAM and occlusion, laid over the picture.

    Leaves the picture saliency.png and each map as a .safetensors file in the folder OUT.

    Parameters
    ----------
    image : str
        A picture file or sample (chelsea, coffee ...), or the number of a test image of DATA, from 0.
    target : str
        Class by name or index, may be repeated; by default the likeliest three.
    method : str
        May be repeated; by default both.
    of : str
        Score of the class: its logit, or its margin over all others, which shows something where the logit has nothing.
    layer : str
        Whose maps Grad-CAM weighs.
    window : int
        Side of the window that covers; by default a seventh of the image.
    stride : int
        Step of the window; by default half of it.
    baseline : str
        What covers: the image's mean colour, or a value in the unit of the network's input.
    """
    from cnnvis.io import save, save_bytes
    from cnnvis.models import load
    from cnnvis.report import saliency_figure, to_png
    from cnnvis.studies.saliency import SaliencyOptions, image_saliency

    options = SaliencyOptions(
        methods=method,
        targets=target,
        of=of,
        layer=layer,
        window=window,
        stride=stride,
        baseline=baseline if baseline == "mean" else _number(baseline),
    )
    network = load(model, weights=weights, device=device)
    with progress_bar("saliency", quiet=quiet) as progress:
        found = image_saliency(network, image, options, data=data, progress=progress)
    written = [out / "saliency.png"]
    save_bytes(to_png(saliency_figure(found.maps, found.picture, title=found.name)), written[0])
    written += [save(each, out / f"{each.method}-{each.target}.safetensors") for each in found.maps]
    if not quiet:
        sys.stdout.write("\n".join([*_lines(found), *(f"Wrote {path}" for path in written), ""]))


def _number(text: str) -> float:
    from cnnvis.core.errors import InvalidInputError

    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(f"--baseline is mean or a number, got {text!r}.") from None


def _lines(found: ImageSaliency) -> list[str]:
    """Return the answer, and where each map has its largest value."""
    best = found.predictions[0]
    truth = "" if found.label is None else f", true class {found.label}"
    lines = [f"{found.name}: {best.name} ({best.probability:.1%}){truth}"]
    for each in found.maps:
        row, column = divmod(int(each.values.argmax()), each.values.shape[1])
        at = f"largest at row {row}, column {column}" if each.values.max() > 0 else "nothing speaks for it"
        lines.append(f"  {each.class_name} ({each.probability:.1%}): {each.title}: {at}")
    return lines
