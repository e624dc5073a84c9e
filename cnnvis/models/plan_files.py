"""Networks that were built by hand: as modules, and as Python files that need no cnnvis."""

from __future__ import annotations

import ast
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

from torch import nn

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.core.plan import ConvolutionStep, NetworkPlan, PoolingStep, Step
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import ImageSpec

FACTORY = "network"
"""The function of a file that `cnnvis.models.load` calls: file.py:network."""

MARK = "Built with cnnvis, from this plan:"

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class PlanFile(NamedTuple):
    """A plan as it was read from a file, and whether somebody has changed the code besides."""

    plan: NetworkPlan
    edited: bool


def planned_module(plan: NetworkPlan) -> nn.Sequential:
    """Return the network of a plan, with torch's random weights.

    Raises
    ------
    InvalidInputError
        When its steps do not fit each other.
    """
    found = plan.check()
    if not found.fits:
        raise InvalidInputError(found.problem)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    read: tuple[int, ...] = plan.input
    for step, cost, (flatten, name, activation) in zip(plan.steps, found.costs, plan.layer_names(), strict=True):
        if flatten:
            layers[flatten] = nn.Flatten()
        layers[name] = _layer(step, read)
        if activation:
            layers[activation] = _ACTIVATIONS[getattr(step, "activation")]()  # noqa: B009 - a pooling has none
        read = cost.shape
    return nn.Sequential(layers)


def planned_network(plan: NetworkPlan, *, name: str = "built") -> Network:
    """Return the same with its input and classes, ready to be looked at; errors as for `planned_module`."""
    module = planned_module(plan).eval()
    image, example = _image_of(plan), None
    if image is None:
        import torch

        example = torch.zeros(1, *plan.input)
    return Network(
        module, name=name, weights="random", image=image, example=example, class_names=plan.class_names or None
    )


def _image_of(plan: NetworkPlan) -> ImageSpec | None:
    """Return how pictures are brought to the input; None where it is neither grey nor in colour."""
    channels, *size = plan.input
    if channels not in (1, 3):
        return None
    return ImageSpec((size[0], size[1]), colour="L" if channels == 1 else "RGB")


def _layer(step: Step, read: tuple[int, ...]) -> nn.Module:
    if isinstance(step, ConvolutionStep):
        return nn.Conv2d(read[0], step.channels, step.kernel, step.stride, step.padding)
    if isinstance(step, PoolingStep):
        return nn.MaxPool2d(step.kernel, step.stride)
    n_read = 1
    for side in read:
        n_read *= side
    return nn.Linear(n_read, step.units)


def write_plan(plan: NetworkPlan, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a network as a Python file: `build()` makes the module, `network()` what cnnvis opens.

    Parameters
    ----------
    plan : NetworkPlan
    path : path-like
        Ends in .py; written whole or not at all.
    overwrite : bool
        Also a file that somebody has edited by hand, or another one.

    Raises
    ------
    InvalidInputError
        When the steps do not fit, or there is a file with code that this would lose.
    """
    path = Path(path)
    if path.suffix != ".py":
        raise InvalidInputError(f"A network is written as Python, NAME.py, got {path.name!r}.")
    if not plan.check().fits:
        raise InvalidInputError(plan.check().problem)
    if path.exists() and not overwrite and is_edited(path):
        raise InvalidInputError(
            f"{path} has code that was not written by cnnvis, or was edited since. Choose another name, or allow it to "
            "be replaced."
        )
    return save_bytes(text_of(plan).encode("utf-8"), path)


def read_plan(path: str | Path) -> PlanFile:
    """Return the plan that a file was written from; the file is not run.

    Raises
    ------
    MissingFileError
        When there is no such file.
    FileFormatError
        When it has no plan, or a damaged one, or is no Python.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        words = ast.get_docstring(ast.parse(text)) or ""
    except FileNotFoundError as error:
        raise MissingFileError(f"There is no file {path}.") from error
    except (SyntaxError, ValueError, OSError) as error:
        raise FileFormatError(f"{path} is no Python that can be read: {error}") from error
    _, mark, rest = words.partition(MARK)
    if not mark:
        raise FileFormatError(f"{path} has no plan of cnnvis at its top: it was written otherwise.")
    plan = NetworkPlan.from_json(" ".join(rest.strip().split("\n\n")[0].splitlines()))
    return PlanFile(plan, text != text_of(plan))


def is_edited(path: Path) -> bool:
    """Whether a file holds anything else than what cnnvis wrote there."""
    try:
        return read_plan(path).edited
    except FileFormatError:
        return True


def text_of(plan: NetworkPlan) -> str:
    """Return the Python of a plan; formatted as ruff and black leave it."""
    lines = [f'        ("{name}", {code}),' for name, code in _entries(plan)]
    spec = _spec(plan)
    plan_lines = _wrapped(plan.to_json())
    raw = "r" if any("\\" in line for line in plan_lines) else ""
    first, last = (" x ".join(map(str, shape)) for shape in (plan.input, plan.check().costs[-1].shape))
    return "\n".join(
        [
            f'{raw}"""A network of {len(plan.steps)} steps, from {first} to {last}.',
            "",
            MARK,
            *plan_lines,
            "",
            "Change it as you like: cnnvis shows what you save.",
            '"""',
            "",
            "from collections import OrderedDict",
            "",
            "from torch import nn",
            "",
            "",
            "def build():",
            '    """Return the network, with random weights."""',
            "    layers = [",
            *lines,
            "    ]",
            "    return nn.Sequential(OrderedDict(layers))",
            "",
            "",
            f"def {FACTORY}():",
            '    """Return the network with its input and its classes, for cnnvis."""',
            *spec,
            "",
        ]
    )


def _entries(plan: NetworkPlan) -> list[tuple[str, str]]:
    """Return the name and the code of each layer."""
    entries: list[tuple[str, str]] = []
    read: tuple[int, ...] = plan.input
    for step, cost, (flatten, name, activation) in zip(plan.steps, plan.check().costs, plan.layer_names(), strict=True):
        if flatten:
            entries.append((flatten, "nn.Flatten()"))
        entries.append((name, _code(step, read)))
        if activation:
            kind = _ACTIVATIONS[getattr(step, "activation")]  # noqa: B009 - a pooling has none
            entries.append((activation, f"nn.{kind.__name__}()"))
        read = cost.shape
    return entries


def _code(step: Step, read: tuple[int, ...]) -> str:
    if isinstance(step, ConvolutionStep):
        settings = f"kernel_size={step.kernel}, stride={step.stride}, padding={step.padding}"
        return f"nn.Conv2d({read[0]}, {step.channels}, {settings})"
    if isinstance(step, PoolingStep):
        return f"nn.MaxPool2d({step.kernel}, stride={step.stride})"
    return f"nn.Linear({' * '.join(map(str, read))}, {step.units})"


def _spec(plan: NetworkPlan) -> list[str]:
    """Return the body of the factory."""
    names = ", ".join(map(_quoted, plan.class_names)) + ("," if len(plan.class_names) == 1 else "")
    classes = [f"    classes = ({names})" if plan.class_names else "    classes = None"]
    if len(classes[0]) > 88:
        classes = ["    classes = (", *(f"        {_quoted(name)}," for name in plan.class_names), "    )"]
    channels, *size = plan.input
    if _image_of(plan) is None:
        return [
            "    import torch",
            "",
            "    from cnnvis.models import Network",
            "",
            *classes,
            f"    example = torch.zeros(1, {', '.join(map(str, plan.input))})",
            '    return Network(build(), weights="random", example=example, class_names=classes)',
        ]
    colour = "L" if channels == 1 else "RGB"
    return [
        "    from cnnvis.models import ImageSpec, Network",
        "",
        *classes,
        f'    image = ImageSpec(({size[0]}, {size[1]}), colour="{colour}")',
        '    return Network(build(), weights="random", image=image, class_names=classes)',
    ]


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _wrapped(text: str, width: int = 88) -> list[str]:
    """Return one line of JSON as several, broken at spaces behind commas."""
    lines, line = [], ""
    for part in text.split(", "):
        piece = f"{part}, "
        if line and len(line) + len(piece) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line.removesuffix(", ")]
