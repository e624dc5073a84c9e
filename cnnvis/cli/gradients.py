"""`cnnvis gradients`, and what `pipelines/gradient_classes.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Data, Device, Layers, Model, Out, Quiet, Seed, Size, Weights
from cnnvis.cli._progress import say_stage
from cnnvis.cli._results import command_line, say_result

if TYPE_CHECKING:
    from cnnvis.studies.gradient_results import Case, GradientResult

Class = Annotated[str | None, Parameter(metavar="NAME|INDEX")]
Several = Parameter(negative="", show_default=False)


def gradients(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Annotated[Model | None, Parameter(name="--model", show_default="fashion-cnn and efficientnet-lite0")] = None,
    weights: Weights = None,
    layer: Annotated[Layers, Parameter(show_default="the network's first convolution")] = (),
    data: Data = None,
    class_: Annotated[Class, Parameter(name="--class", show_default="Shirt")] = None,
    similar: Annotated[Class, Parameter(name="--similar", show_default="T-shirt/top for Shirt")] = None,
    dissimilar: Annotated[Class, Parameter(name="--dissimilar", show_default="Ankle boot for Shirt")] = None,
    image: Annotated[tuple[str, ...], Several, Parameter(name="--image")] = (),
    target_class: Annotated[tuple[str, ...], Several, Parameter(name="--target-class", metavar="NAME|INDEX")] = (),
    of: Annotated[Literal["logit", "margin", "loss"], Parameter(name="--of")] = "logit",
    inputs: Annotated[str, Parameter(name="--inputs", metavar="mean|norm|blocks|INDEX")] = "mean",
    check: Annotated[int, Parameter(name="--check", validator=Number(gte=1))] = 10,
    seed: Seed = 0,
    device: Device = "auto",
    size: Size = (1280, 800),
    out: Out = Path("out/gradient_classes"),
    quiet: Quiet = False,
) -> None:
    """Show the weight gradients of a class neuron for images of several classes, as volumes and tiles.

    Leaves series of volumes (.pvd), films, pictures and the report index.html in the folder OUT. Without --model two
    networks are looked at: fashion-cnn with images of three classes, and efficientnet-lite0 with photos; with --image
    the latter alone.

    Labelled images: of the class under inspection, a similar and a dissimilar one, the first that is classified
    rightly and the first that is not. Photos (--image): each under several class neurons.

    Parameters
    ----------
    class_ : str
        The class whose neuron is under inspection, by name or index.
    similar : str
        A class like it; by default the one whose images give it the highest probability.
    dissimilar : str
        A class unlike it; by default the one whose images give it the lowest probability.
    image : str
        Picture file or sample (chelsea, coffee ...), may be repeated: photos in place of labelled images.
    target_class : str
        Class neuron for the photos, may be repeated; by default the likeliest, the second and the least likely.
    of : str
        What is differentiated: the class's logit, its margin over all others, or the loss.
    inputs : str
        Input channels of a filter: their mean, their norm, side by side as blocks, or one of them by its number.
    check : int
        Weights per case whose gradients are checked by float64 differences; of photos only the first case is checked.
    """
    from cnnvis.core.errors import InvalidInputError
    from cnnvis.studies import gradient_classes
    from cnnvis.studies.gradient_results import GradientClasses, LabelledCases, PhotoCases

    if model is None and (layer or weights):
        raise InvalidInputError("--layer and --weights belong to one network; name it by --model.")
    labelled = LabelledCases(data=data, reference=class_, similar=similar, dissimilar=dissimilar)
    photos = PhotoCases(images=image or PhotoCases.images, targets=target_class)
    chosen = {"fashion-cnn": labelled, "efficientnet-lite0": photos}
    if model is not None:
        chosen = {model: photos if image else labelled}
    elif image or target_class:
        del chosen["fashion-cnn"]
    studies = [
        GradientClasses(
            model=name,
            cases=cases,
            layers=layer,
            inputs=int(inputs) if inputs.isdecimal() else inputs,  # type: ignore[arg-type]  # checked when used
            of=of,
            n_checked=check,
            weights=weights,
            random_state=seed,
            device=device,
            size=size,
        )
        for name, cases in chosen.items()
    ]
    command = command_line()
    result = gradient_classes.run(studies, out, command=command, on_stage=None if quiet else say_stage)
    if not quiet:
        say_result(_found(result), result, out)


def _line(case: Case) -> str:
    seen = f"likeliest {case.predicted.name} {case.predicted.probability:.2%}"
    return f"{case.label} ({case.image}): {seen}, neuron {case.target.name} {case.target.probability:.2%}"


def _found(result: GradientResult) -> list[str]:
    """Return what was found, line by line."""
    lines = []
    for part in result.parts:
        lines += ["", f"{part.network.name}: {part.chosen.rule}", *(f"  {_line(case)}" for case in part.cases)]
        lines += [f"  {sentence}" for sentence in part.chosen.missing]
        for layer in part.layers:
            lines += [f"  {layer.layer}, {label}: {check}" for label, check in layer.checks.items()]
    return lines
