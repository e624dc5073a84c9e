"""Occlusion: by how much the score of a class falls when a part of the image is covered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cnnvis.attribution._one_image import ClassScore, ClassScoreName, OneImage, chosen_class, facts
from cnnvis.capture.inputs import ForwardCall, as_module
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.state import evaluating
from cnnvis.capture.targets import Quantity, class_scores, quantity_of
from cnnvis.core import SaliencyMap
from cnnvis.core.checks import parse_choice
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

WINDOWS_PER_SIDE = 7
BATCH_SIZE = 32

Sides = int | tuple[int, int]
Baseline = float | Literal["mean"]


def occlusion(
    model: Any,
    image: Any = None,
    target: int | str | None = None,
    *,
    window: Sides | None = None,
    stride: Sides | None = None,
    baseline: Baseline = "mean",
    of: ClassScoreName = "logit",
    progress: Progress = silent,
) -> SaliencyMap:
    """Return by how much the score of a class falls where a window covers the image (Zeiler & Fergus, 2014).

    The window goes over the image in steps of `stride`, the last of each row and column at the edge. Each pixel has the
    mean, over the windows that cover it, of score of the whole image - score of the covered one.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Comes back as it was. Nothing needs to be differentiable.
    image, target
        As for `grad_cam`.
    window : int or (rows, columns), optional
        Pixels of the input. Default: a seventh of each side.
    stride : int or (rows, columns), optional
        At most the window. Default: half of it.
    baseline : float or "mean"
        What covers: the mean of the image itself, by channel, or one value in the unit of the network's input, where 0
        is often the mean of the images it was trained on, but black for networks that take 0 to 1.
    of : {"logit", "margin"}
        The score, as for `grad_cam`.
    progress : callable, optional
        progress(windows done, windows) after each pass; raise there to stop.

    Returns
    -------
    SaliencyMap
        `values` in the unit of the score; below 0 where the score rises once the place is covered.

    Raises
    ------
    InvalidInputError
        For a window larger than the image, a stride that leaves pixels out, another class, more than one image, a
        network without class scores.

    Notes
    -----
    Cost: one forward pass per window in batches of 32; 169 by default. A window of the background's colour is a shape
    too, to which a network may answer: compare baselines.
    """
    options = {"window": window, "stride": stride, "baseline": baseline, "of": of}
    return occlusions(model, image, (target,), progress=progress, **options)[0]


def occlusions(
    model: Any,
    image: Any,
    targets: Iterable[int | str | None],
    *,
    window: Sides | None = None,
    stride: Sides | None = None,
    baseline: Baseline = "mean",
    of: ClassScoreName = "logit",
    progress: Progress = silent,
) -> tuple[SaliencyMap, ...]:
    """Return the map of each of several classes, in the time of one; see `occlusion`."""
    score = parse_choice(ClassScore, of, what="score `of` a class")
    one = OneImage.of(model, image, "occlusion")
    sides = _sides("window", window, tuple(max(round(side / WINDOWS_PER_SIDE), 1) for side in one.size))
    steps = _sides("stride", stride, tuple(max(side // 2, 1) for side in sides))
    if any(side > whole for side, whole in zip(sides, one.size, strict=True)):
        raise InvalidInputError(f"The window {sides} is larger than the image {one.size}; take a smaller one.")
    if any(step > side for step, side in zip(steps, sides, strict=True)):
        raise InvalidInputError(f"The stride {steps} is larger than the window {sides}, so pixels are never covered.")
    rows, columns = (_starts(*lengths) for lengths in zip(one.size, sides, steps, strict=True))
    corners = [(row, column) for row in rows for column in columns]
    module = as_module(model)
    tree = ModuleTree(module)
    with evaluating(tree):
        with one.first_pass():
            whole = _scores(module, one.call)
        chosen = [chosen_class(model, target, whole[0].numpy()) for target in targets]
        cover = _cover(one.pixels, baseline)
        seen: list[Tensor] = []
        for batch in _batches(corners):
            seen.append(_scores(module, _covered(one, batch, sides, cover)))
            progress(sum(map(len, seen)), len(corners))
    covered = torch.cat(seen)
    return tuple(
        SaliencyMap(
            values=_spread(_falls(whole, covered, index, score), corners, sides, one.size),
            method="occlusion",
            target=index,
            options={"window": list(sides), "stride": list(steps), "baseline": baseline, "of": score.value},
            **facts(model, one, whole[0].numpy()),
        )
        for index in chosen
    )


def _sides(name: str, given: Sides | None, default: tuple[int, ...]) -> tuple[int, int]:
    sides = default if given is None else (given, given) if np.ndim(given) == 0 else tuple(given)  # type: ignore[arg-type]
    if len(sides) != 2 or any(int(side) != side or side < 1 for side in sides):
        raise InvalidInputError(f"{name} is a number of pixels, at least 1, or (rows, columns), got {given!r}.")
    return int(sides[0]), int(sides[1])


def _starts(length: int, side: int, step: int) -> list[int]:
    """Return where windows begin along one axis: the last ends at the edge."""
    return [*range(0, length - side, step), length - side]


def _batches(corners: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    for start in range(0, len(corners), BATCH_SIZE):
        yield corners[start : start + BATCH_SIZE]


def _cover(pixels: Tensor, baseline: Baseline) -> Tensor:
    """Return what covers, (C, 1, 1)."""
    if baseline == "mean":
        return pixels[0].mean(dim=(1, 2), keepdim=True)
    if not isinstance(baseline, int | float) or not np.isfinite(baseline):
        raise InvalidInputError(f'baseline is a finite number or "mean", got {baseline!r}.')
    return torch.full_like(pixels[0, :, :1, :1], baseline)


def _covered(one: OneImage, corners: list[tuple[int, int]], sides: tuple[int, int], cover: Tensor) -> ForwardCall:
    """Return a forward pass on copies of the image, each covered at one of the corners."""
    n = len(corners)

    def repeated(tensor: Tensor) -> Tensor:
        copies = tensor.repeat(n, *[1] * (tensor.ndim - 1))
        if tensor is one.pixels:
            for copy, (row, column) in zip(copies, corners, strict=True):
                copy[:, row : row + sides[0], column : column + sides[1]] = cover
        return copies

    return ForwardCall(map_tensors(one.call.args, repeated), map_tensors(one.call.kwargs, repeated), n)


def _scores(module: nn.Module, call: ForwardCall) -> Tensor:
    """Return class scores (n, K); the network may change its inputs in place."""
    call = call.copy()
    output = module(*call.args, **call.kwargs)
    return class_scores(output, call.n_images, network=type(module).__name__).double().cpu()


def _falls(whole: Tensor, covered: Tensor, index: int, score: ClassScore) -> NDArray[np.float64]:
    """Return by how much the score of a class falls, (n,), from the scores of the whole image (1, K) and others."""
    every = torch.cat([whole, covered])
    values = quantity_of(every, torch.full((len(every),), index), Quantity(score.value)).numpy()
    falls: NDArray[np.float64] = values[0] - values[1:]
    return falls


def _spread(
    falls: NDArray[np.float64], corners: list[tuple[int, int]], sides: tuple[int, int], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the mean of what falls over the windows that cover each pixel, (H, W)."""
    total, count = np.zeros(size), np.zeros(size)
    for fall, (row, column) in zip(falls, corners, strict=True):
        place = np.s_[row : row + sides[0], column : column + sides[1]]
        total[place] += fall
        count[place] += 1
    return (total / count).astype(np.float32)
