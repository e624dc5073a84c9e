"""`cnnvis volume`, and what `pipelines/conv1_volume.py` runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from cnnvis.cli._options import Device, Image, Layers, Model, Out, Quiet, Seed, Size, Weights
from cnnvis.cli._progress import say_stage
from cnnvis.cli._results import command_line, say_result

Orders = Annotated[
    tuple[str, ...],
    Parameter(
        name="--order",
        negative="",
        metavar="METHOD",
        show_default=" ".join,
        help="Ordering method, may be repeated: kmeans, kmeans_rows, pca, pca_rows, leaf, importance.",
    ),
]
Groups = Annotated[
    int | None,
    Parameter(name="--groups", show_default="chosen by size", validator=Number(gte=1), help="Groups of k-means."),
]


Row = Annotated[int | None, Parameter(name="--row", show_default="15, else the middle row", validator=Number(gte=0))]


def volume(  # noqa: PLR0913 - one parameter per option of the command line
    *,
    model: Model = "efficientnet-lite0",
    weights: Weights = None,
    layer: Annotated[Layers, Parameter(show_default="the network's own choice")] = (),
    image: Image = "chelsea",
    order: Orders = ("kmeans", "pca"),
    groups: Groups = None,
    normalize: Annotated[Literal["zscore", "none"], Parameter(name="--normalize")] = "zscore",
    row: Row = None,
    post: Annotated[bool, Parameter(name="--post", negative="", show_default=False)] = False,
    frames: Annotated[int, Parameter(name="--frames", validator=Number(gte=0))] = 20,
    seed: Seed = 0,
    device: Device = "auto",
    size: Size = (1280, 800),
    out: Out = Path("out/conv1_volume"),
    quiet: Quiet = False,
) -> None:
    """Record layers of a network for an image, order their channels and render the volumes.

    Leaves volumes (.vti), pictures, a film, orders.csv, scene.json and the report index.html in the folder OUT.
    Without --layer the network's own choice is shown: for efficientnet-lite0 the first convolution and the
    first one with 96 channels.

    Parameters
    ----------
    normalize : str
        zscore orders channels by their pattern alone, none by their brightness as well.
    row : int
        Row of the row-slice picture, and of the orders by rows.
    post : bool
        Show the values after the activation that follows each layer.
    frames : int
        Pictures of the turntable film; 0 for no film.
    """
    from cnnvis.studies import ActivationVolumes, activation_volumes

    study = ActivationVolumes(
        model=model,
        layers=layer,
        image=image,
        orders=order,  # type: ignore[arg-type]  # checked by ActivationVolumes
        n_groups=groups,
        normalize=normalize,
        row=row,
        after_activation=post,
        weights=weights,
        random_state=seed,
        device=device,
        size=size,
        film_frames=frames,
        command=command_line(),
    )
    result = activation_volumes.run(study, out, on_stage=None if quiet else say_stage)
    if not quiet:
        say_result(_found(result), result, out)


def _found(result: Any) -> list[str]:
    """Return what was found, line by line."""
    image = result.recording.inputs[0]
    lines = ["", *(f"{image}: {best.name} ({best.probability:.0%})" for best in result.predictions[:1])]
    for layer in result.layers:
        for method, ordering in layer.orderings.items():
            quality = ordering.quality
            lines.append(
                f"{layer.layer}: {method:<12} smoothness {quality.smoothness:.3f}"
                f" (random orders {quality.random_mean:.3f} ± {quality.random_std:.3f})"
            )
    return lines
