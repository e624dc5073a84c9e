"""Option types shared by the verbs and the scripts in `pipelines/`, so that one word means one thing everywhere.

A verb writes `layer: Layers = ()` and gets the option's name, help and checks. `Parameter` is cyclopts' own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter, Token
from cyclopts.validators import Number

MAX_SIDE = 16384
"""Longest side of a picture in pixels: what common graphics drivers allow; such a square is 0.8 GB as RGB."""

METHODS = ("weight", "activation", "gradient", "taylor", "ablation", "batchnorm")
"""Names of `cnnvis.attribution.ImportanceMethod`, by hand: the help must not wait for torch."""


def parse_size(text: str) -> tuple[int, int]:
    """Return (width, height) of a text such as "1600x1000".

    Raises
    ------
    ValueError
        When the text is not WIDTHxHEIGHT, or a side is not within 1 to 16384 pixels.
    """
    match = re.fullmatch(r"(\d+)[xX×](\d+)", text.strip())
    if match is None:
        raise ValueError(f"expected WIDTHxHEIGHT in pixels such as 1600x1000, got {text!r}.")
    width, height = int(match[1]), int(match[2])
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ValueError(f"each side must have 1 to {MAX_SIDE} pixels, got {text!r}.")
    return width, height


def format_size(size: tuple[int, int]) -> str:
    """Return (width, height) as `parse_size` reads it."""
    return f"{size[0]}x{size[1]}"


def format_names(names: Sequence[str]) -> str:
    """Return several names as a list for the help; "every one" stands for none."""
    return ", ".join(names) or "every one"


def _convert_size(type_: Any, tokens: Sequence[Token]) -> tuple[int, int]:
    return parse_size(tokens[0].value)


Model = Annotated[
    str,
    Parameter(
        name="--model",
        help="Bundled name, file.py:factory, torchvision:NAME, timm:NAME, exported program (.pt2), Unity folder.",
    ),
]
Layers = Annotated[
    tuple[str, ...],
    Parameter(
        name="--layer",
        negative="",
        metavar="NAME",
        show_default=format_names,
        help="Dotted layer name or glob (features.*); may be repeated.",
    ),
]
Weights = Annotated[
    Path | None,
    Parameter(
        name="--weights",
        metavar="FILE",
        show_default=False,
        help="State dict to load: .pt, .pth or .safetensors.",
    ),
]
Data = Annotated[
    str | None,
    Parameter(
        name="--data",
        metavar="NAME|FOLDER",
        show_default="that of the network's classes",
        help="Labelled images: mnist or fashion-mnist, or a folder with one subfolder per class.",
    ),
]
Method = Annotated[str, Parameter(name="--method", metavar="NAME", help=f"Method of importance: {', '.join(METHODS)}.")]
Methods = Annotated[
    tuple[str, ...],
    Parameter(
        name="--method",
        negative="",
        metavar="NAME",
        show_default=" ".join,
        help=f"Method of importance, may be repeated: {', '.join(METHODS)}.",
    ),
]
Image = Annotated[str, Parameter(name="--image", help="Picture file, or a sample: chelsea, coffee, astronaut ...")]
TargetClass = Annotated[str, Parameter(name="--class", metavar="NAME|INDEX", help="Class by name or by index.")]
Seed = Annotated[int, Parameter(name="--seed", validator=Number(gte=0), help="The same seed gives the same result.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], Parameter(name="--device", help="Where the network runs.")]
Out = Annotated[Path, Parameter(name="--out", help="File or folder to write; made if it is missing.")]
_SIZE = Parameter(
    name="--size",
    negative="",
    metavar="WxH",
    n_tokens=1,
    converter=_convert_size,
    help="Picture width and height in pixels.",
)
Size = Annotated[tuple[int, int], _SIZE, Parameter(show_default=format_size)]
SavedSize = Annotated[tuple[int, int] | None, _SIZE, Parameter(show_default="as saved, else 1600x1000; films 960x600")]
Quiet = Annotated[
    bool,
    Parameter(name=("--quiet", "-q"), negative="", show_default=False, help="Show no progress and no summary."),
]
