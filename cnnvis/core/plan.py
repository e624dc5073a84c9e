"""A network that is built by hand, layer by layer: what it is made of, and whether it fits together."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import FileFormatError, InvalidInputError

ActivationName = Literal["relu", "tanh", "sigmoid", "none"]


class StepActivation(StrEnum):
    """What stands behind a convolution or a dense layer."""

    RELU = "relu"
    TANH = "tanh"
    SIGMOID = "sigmoid"
    NONE = "none"


MOST = 4096
"""Channels, units and pixels of a side at most."""

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ConvolutionStep:
    """A convolution, and an activation behind it.

    Parameters
    ----------
    channels, kernel, stride, padding : int
    activation : {"relu", "tanh", "sigmoid", "none"}
    """

    channels: int = 8
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    activation: ActivationName = "relu"

    def __post_init__(self) -> None:
        _require(self, channels=1, kernel=1, stride=1, padding=0)
        parse_choice(StepActivation, self.activation, what="activation")


@dataclass(frozen=True, slots=True)
class PoolingStep:
    """A max pooling.

    Parameters
    ----------
    kernel, stride : int
    """

    kernel: int = 2
    stride: int = 2

    def __post_init__(self) -> None:
        _require(self, kernel=1, stride=1)


@dataclass(frozen=True, slots=True)
class DenseStep:
    """A dense layer, and an activation behind it. Maps before it are flattened.

    Parameters
    ----------
    units : int
    activation : {"relu", "tanh", "sigmoid", "none"}
    """

    units: int = 16
    activation: ActivationName = "relu"

    def __post_init__(self) -> None:
        _require(self, units=1)
        parse_choice(StepActivation, self.activation, what="activation")


Step = ConvolutionStep | PoolingStep | DenseStep

KINDS: dict[str, type[Step]] = {"convolution": ConvolutionStep, "max pooling": PoolingStep, "dense": DenseStep}


@dataclass(frozen=True, slots=True)
class StepCost:
    """What a step makes, and what that costs.

    Parameters
    ----------
    shape : (C, H, W) or (C,)
    parameters, products : int
        Weights and biases; multiplications for one image.
    """

    shape: Shape
    parameters: int = 0
    products: int = 0


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """Whether a plan fits together.

    Parameters
    ----------
    costs : tuple of StepCost
        Of the steps before the first that does not fit.
    problem : str
        Why that does not, with what would help; "" where all fit.
    """

    costs: tuple[StepCost, ...]
    problem: str = ""

    @property
    def fits(self) -> bool:
        """Whether the network can be made."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network as a list of steps.

    Parameters
    ----------
    steps : tuple of Step
    input : (C, H, W)
    class_names : tuple of str
        Of the last layer's units; empty, or one for each.

    Raises
    ------
    InvalidInputError
        For numbers out of range. Steps that do not fit each other are no error here: `check` says so.
    """

    steps: tuple[Step, ...] = ()
    input: tuple[int, int, int] = (1, 28, 28)
    class_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "class_names", tuple(self.class_names))
        size = tuple(int(side) for side in self.input)
        if len(size) != 3 or not all(1 <= side <= MOST for side in size):
            raise InvalidInputError(f"The input of a plan is (channels, rows, columns), each 1 to {MOST}, got {size}.")
        object.__setattr__(self, "input", size)

    def check(self) -> PlanCheck:
        """Return what every step makes, and why the first that does not fit does not."""
        shape: Shape = self.input
        costs: list[StepCost] = []
        for number, step in enumerate(self.steps):
            problem = _problem(step, shape)
            if problem:
                return PlanCheck(tuple(costs), f"Step {number + 1}, {name_of(step)}: {problem}")
            costs.append(_cost(step, shape))
            shape = costs[-1].shape
        return PlanCheck(tuple(costs), self._problem_at_the_end(shape))

    def _problem_at_the_end(self, shape: Shape) -> str:
        if not self.steps:
            return "There is no step yet: add one."
        if self.class_names and (len(shape) > 1 or shape[0] != len(self.class_names)):
            made = " x ".join(map(str, shape))
            return f"There are {len(self.class_names)} classes, but the last step makes {made}: end with a dense layer."
        return ""

    def layer_names(self) -> tuple[tuple[str, str, str], ...]:
        """Return for each step the names of its flatten, layer and activation, "" for none: conv1, pool1, fc1."""
        numbers = {"conv": 0, "pool": 0, "fc": 0}
        names, flat = [], False
        for step in self.steps:
            stem = {ConvolutionStep: "conv", PoolingStep: "pool", DenseStep: "fc"}[type(step)]
            numbers[stem] += 1
            activation = getattr(step, "activation", "none")
            behind = "" if activation == "none" else f"{activation}_{stem}{numbers[stem]}"
            flatten = "flatten" if stem == "fc" and not flat else ""
            flat |= stem == "fc"
            names.append((flatten, f"{stem}{numbers[stem]}", behind))
        return tuple(names)

    def to_json(self) -> str:
        """Return the plan as one line of JSON."""
        steps = [{"kind": name_of(step), **asdict(step)} for step in self.steps]
        return json.dumps({"input": self.input, "steps": steps, "class_names": self.class_names})

    @classmethod
    def from_json(cls, text: str) -> NetworkPlan:
        """Return what `to_json` wrote.

        Raises
        ------
        FileFormatError
            When it is damaged, or of a kind of step that is not known.
        """
        try:
            facts = json.loads(text)
            steps = tuple(_step(dict(entry)) for entry in facts["steps"])
            return cls(steps, tuple(facts["input"]), tuple(map(str, facts["class_names"])))
        except (ValueError, TypeError, KeyError, InvalidInputError) as error:
            raise FileFormatError(f"This is no plan of a network: {error}") from error


def name_of(step: Step) -> str:
    """Return what kind of step it is, in words."""
    return next(name for name, kind in KINDS.items() if isinstance(step, kind))


def _step(facts: dict[str, Any]) -> Step:
    return KINDS[facts.pop("kind")](**facts)


def _require(step: Step, **least: int) -> None:
    for name, low in least.items():
        value = getattr(step, name)
        if not isinstance(value, int) or not low <= value <= MOST:
            raise InvalidInputError(
                f"{name} of a {type(step).__name__} is a whole number from {low} to {MOST}, got {value!r}."
            )


def _problem(step: Step, shape: Shape) -> str:
    """Return why a step cannot read a shape; "" where it can."""
    if isinstance(step, DenseStep):
        return ""
    if len(shape) == 1:
        return "it reads maps, but a dense layer before it makes none. Put it before the first dense layer."
    padding = step.padding if isinstance(step, ConvolutionStep) else 0
    room = [side + 2 * padding for side in shape[1:]]
    if min(room) < step.kernel:
        padded = f" with padding {padding}" if padding else ""
        help_ = "Make the kernel smaller, or pool less before it."
        return f"a window of {step.kernel} x {step.kernel} has no room in {shape[1]} x {shape[2]}{padded}. {help_}"
    return ""


def _cost(step: Step, shape: Shape) -> StepCost:
    if isinstance(step, DenseStep):
        n_read = math.prod(shape)
        return StepCost((step.units,), (n_read + 1) * step.units, n_read * step.units)
    padding = step.padding if isinstance(step, ConvolutionStep) else 0
    rows, columns = ((side + 2 * padding - step.kernel) // step.stride + 1 for side in shape[1:])
    if isinstance(step, PoolingStep):
        return StepCost((shape[0], rows, columns))
    weights = shape[0] * step.kernel**2 * step.channels
    return StepCost((step.channels, rows, columns), weights + step.channels, weights * rows * columns)
