"""Checks gradients against finite differences in float64."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from cnnvis.capture.inputs import ForwardCall, as_call, as_module, with_images
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.recorder import record
from cnnvis.capture.state import evaluating
from cnnvis.capture.switching import Switches
from cnnvis.capture.targets import QuantityName, Target
from cnnvis.core import GradientCheck
from cnnvis.core.errors import InvalidInputError

STEPS = (1e-5, 1e-6, 1e-7)
"""Steps of the differences: a smaller one where something switches within the larger. In float64, rounding makes an
error of about 1e-15 |f| / step, curvature one of step squared."""

FLOOR = 1e-4
"""Part of a layer's largest gradient below which an error is not related to the gradient itself but to this part."""


def check_gradients(
    model: Any,
    inputs: Any,
    target: Any,
    layers: str | Iterable[str] | None = None,
    *,
    n_weights: int = 10,
    of: QuantityName = "logit",
    random_state: int = 0,
) -> GradientCheck:
    """Return how far the weight gradients of `record` are from central finite differences, both in float64.

    Weights are moved up and down on a copy of the network. Where a ReLU, a maximum or a comparison switches between the
    two ends, smaller steps are tried; where it does within all of them the weight is left out, and counted.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Untouched: a copy in float64 is differentiated.
    inputs, target, of
        As for `record`; all images are run at once, so take a few.
    layers : str or iterable of str, optional
        Names or globs, as for `record`; those among them that have a weight of their own are checked.
    n_weights : int, default: 10
        Weights sampled of each layer, at most.
    random_state : int, default: 0

    Returns
    -------
    GradientCheck
        An error is relative to the larger of the two numbers, but at least to `FLOOR` of the layer's largest gradient.

    Raises
    ------
    InvalidInputError
        When no layer has a weight that can be moved (computed weights cannot), and where `record` raises it.

    Notes
    -----
    Cost: at least two forward passes per weight; a float64 pass takes about twice the time of a float32 one.
    """
    if n_weights < 1:
        raise InvalidInputError(f"n_weights must be at least 1, got {n_weights}.")
    module = copy.deepcopy(as_module(model)).double()
    inputs, _ = with_images(model, inputs, ())
    goal = Target.of_model(model, target, of)
    differences = _Differences(module, as_call(module, inputs), goal)
    gradients = differences.gradients(layers)
    if not gradients:
        raise InvalidInputError(f"No layer of {type(module).__name__} among {layers!r} has a weight that can be moved.")
    generator = np.random.default_rng(random_state)
    errors: list[float] = []
    n_excluded = 0
    smallest = STEPS[0]
    for name, gradient in gradients.items():
        floor = FLOOR * float(np.abs(gradient).max())
        for place in generator.choice(gradient.size, min(n_weights, gradient.size), replace=False):
            difference = differences.at(name, int(place))
            if difference is None:
                n_excluded += 1
                continue
            errors.append(_relative_error(float(gradient.flat[place]), difference.slope, floor))
            smallest = min(smallest, difference.step)
    found = np.array(errors) if errors else np.full(1, np.nan)
    return GradientCheck(float(found.max()), float(np.median(found)), len(errors), n_excluded, smallest)


def _relative_error(gradient: float, difference: float, floor: float) -> float:
    scale = max(abs(gradient), abs(difference), floor)
    return abs(gradient - difference) / scale if scale else 0.0


class _Difference(NamedTuple):
    slope: float
    step: float


class _Differences:
    """The mean quantity of a class, and how it changes with single weights of a network that may be changed."""

    def __init__(self, module: nn.Module, call: ForwardCall, goal: Target) -> None:
        self._tree = ModuleTree(module)
        self._call = call
        self._goal = goal

    def gradients(self, layers: str | Iterable[str] | None) -> dict[str, NDArray[np.float64]]:
        """Return the weight gradients of `record`, of layers whose weight is a parameter."""
        inputs = self._call.kwargs or self._call.args
        goal, n_images = self._goal, self._call.n_images
        recording = record(self._tree.model, inputs, layers, target=goal.classes, of=goal.of, batch_size=n_images)
        return {
            name: np.asarray(gradient)
            for name, gradient in recording.weight_gradients.items()
            if isinstance(self._tree.all[name].weight, nn.Parameter)
        }

    def at(self, name: str, place: int) -> _Difference | None:
        """Return the central difference by one weight; None where something switches within the smallest step."""
        weight = self._tree.all[name].weight.data.view(-1)
        value = weight[place].item()
        try:
            for step in STEPS:
                weight[place] = value + step
                up, above = self._value()
                weight[place] = value - step
                down, below = self._value()
                if not above.differ(below):
                    return _Difference((up - down) / (2 * step), step)
        finally:
            weight[place] = value
        return None

    def _value(self) -> tuple[float, Switches]:
        call = self._call.copy()
        with evaluating(self._tree), Switches() as switches:
            scores = self._tree.model(*call.args, **call.kwargs)
        return self._goal.values(scores, 0).mean().item(), switches
