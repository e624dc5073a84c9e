"""Training of one scale per unit and class in a network that is frozen otherwise, several classes at once.

The classes share a batch: image b of class k stands at b * K + k. Reading the images of one step as B
images with K times as many channels then makes one batch norm of torch those of all classes, each over
the images of its own class, with no copy and no loop. All else in a network treats image by image,
so that the classes do not meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cnnvis.attribution._one_vs_rest import BalancedBatches, losses, margins
from cnnvis.attribution._scale_sites import Site, SiteNetwork, Visitor
from cnnvis.attribution.batchnorm_options import BatchNormOptions, GammaStart
from cnnvis.capture.inputs import ForwardCall
from cnnvis.capture.nested import map_tensors
from cnnvis.core.errors import DivergedError, InvalidInputError

EPSILON = 1e-5
"""Added to the variance, as in torch."""

_STARTS = {GammaStart.ONE.value: 1.0, GammaStart.ZERO.value: 1e-3}

_BETAS = (0.9, 0.999)
_ADAM_EPSILON = 1e-8

SETTLING_BATCHES = 16
"""Batches over which the statistics are averaged with which the trained network is judged, with scales held fixed."""

_CONSTANT = 1e-10
"""A unit is constant where its variance is at most this part of its mean square: rounding, no signal."""

_TRAINING, _SETTLING = 0, 1  # seeds of separate streams of batches


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of the units of each site by class, (K, C): class and rest count for a half each."""

    mean: tuple[Tensor, ...]
    variance: tuple[Tensor, ...]

    @property
    def varies(self) -> tuple[Tensor, ...]:
        """Whether a unit varies at all, (K, C)."""
        return tuple(
            variance > _CONSTANT * (variance + mean**2) for mean, variance in zip(self.mean, self.variance, strict=True)
        )


@dataclass(frozen=True, slots=True)
class ScaleState:
    """Scales (and offsets) of K classes after some steps, with the running means of Adam; each (K, n_values)."""

    step: int
    values: Tensor
    first: Tensor
    second: Tensor


@dataclass(frozen=True, slots=True)
class Task:
    """What all classes share: the network, the data, the options."""

    network: SiteNetwork
    sites: tuple[Site, ...]
    images: ForwardCall
    labels: NDArray[np.int64]
    options: BatchNormOptions

    def take(self, rows: NDArray[np.int64]) -> ForwardCall:
        """Return images by their places in the data."""
        places = torch.from_numpy(np.ascontiguousarray(rows))

        def piece(tensor: Tensor) -> Tensor:
            return tensor.index_select(0, places.to(tensor.device))

        args, kwargs = map_tensors(self.images.args, piece), map_tensors(self.images.kwargs, piece)
        return ForwardCall(args, kwargs, len(rows))


class ScaleTraining:
    """One-vs-rest training of the scales of some classes. Nothing is held but the task: states go in and come out.

    Parameters
    ----------
    task : Task
        Its network is opened by the caller.
    classes : sequence of int
    """

    def __init__(self, task: Task, classes: Sequence[int]) -> None:
        self.task = task
        self.classes = tuple(classes)
        sizes = [site.size for site in task.sites]
        self._n_gammas = sum(sizes)
        self._sizes = sizes * 2 if task.options.beta else sizes
        self._batches = {
            stream: [
                BalancedBatches(task.labels, label, task.options.batch_size, (task.options.random_state, stream))
                for label in self.classes
            ]
            for stream in (_TRAINING, _SETTLING)
        }

    def start(self, moments: Moments) -> ScaleState:
        """Return the state before training."""
        init = self.task.options.init
        if init == GammaStart.IDENTITY:
            found = zip(moments.variance, moments.varies, strict=True)
            gammas = [torch.where(varies, (variance + EPSILON).sqrt(), 0) for variance, varies in found]
        else:
            gammas = [torch.full_like(mean, _STARTS[init]) for mean in moments.mean]
        betas = [mean if init == GammaStart.IDENTITY else torch.zeros_like(mean) for mean in moments.mean]
        values = torch.cat(gammas + betas if self.task.options.beta else gammas, dim=1)
        return ScaleState(0, values, torch.zeros_like(values), torch.zeros_like(values))

    def advance(self, state: ScaleState) -> ScaleState:
        """Return the state after one more step.

        Raises
        ------
        DivergedError
            Names class and step.
        """
        values = state.values.detach().requires_grad_()
        with torch.enable_grad():
            loss = losses(self._margins(self._rows(_TRAINING, state.step), self._normaliser(values)))
            gammas = values[:, : self._n_gammas]
            whole = loss.sum() + self.task.options.l2 * gammas.square().sum()
            if not loss.requires_grad:
                raise InvalidInputError(
                    "The network runs without gradients (torch.no_grad or detach in its forward), "
                    "so that scales inside it cannot be trained."
                )
            (gradient,) = torch.autograd.grad(whole, values)
        self._require_finite(loss.detach().isfinite() & gradient.isfinite().all(1), state.step + 1)
        pull = torch.zeros_like(state.values[0])
        pull[: self._n_gammas] = self.task.options.l1
        return _adam(state, gradient, pull, self.task.options.learning_rate)

    def _require_finite(self, finite: Tensor, step: int) -> None:
        if finite.all():
            return
        label = self.classes[int(finite.logical_not().nonzero()[0])]
        raise DivergedError(
            f"The loss of class {label} is not finite at step {step} of {self.task.options.steps}. "
            "Check the images for NaN, or lower learning_rate. With checkpoint= what was done so far is kept: "
            "leave the class out of classes= and run again."
        )

    def gammas(self, state: ScaleState) -> list[NDArray[np.float64]]:
        """Return the scales of each site, (C, K)."""
        parts = state.values.split(self._sizes, dim=1)[: len(self.task.sites)]
        return [part.T.double().cpu().numpy() for part in parts]

    def settle(self, state: ScaleState) -> Moments:
        """Return the moments that the sites have with these scales, averaged over batches.

        Running means kept while training would lag behind scales that still move (Wu and Johnson,
        "Rethinking 'Batch' in BatchNorm", 2021).
        """
        shapes = [(len(self.classes) * site.size,) for site in self.task.sites]
        running = [(state.values.new_zeros(shape), state.values.new_ones(shape)) for shape in shapes]
        for number in range(SETTLING_BATCHES):
            visitor = self._normaliser(state.values, running, momentum=1 / (number + 1))
            self._margins(self._rows(_SETTLING, number), visitor)
        found = [(mean.view(len(self.classes), -1), var.view(len(self.classes), -1)) for mean, var in running]
        return Moments(tuple(mean for mean, _ in found), tuple(var for _, var in found))

    def judge(self, state: ScaleState, moments: Moments) -> NDArray[np.float64]:
        """Return the margins of all images, (N, K), with scales and moments held fixed."""
        running = [(m.reshape(-1), v.reshape(-1)) for m, v in zip(moments.mean, moments.variance, strict=True)]
        visitor = self._normaliser(state.values, running)
        n_images, size = self.task.images.n_images, self.task.options.batch_size
        found = []
        for start in range(0, n_images, size):
            rows = np.arange(start, min(start + size, n_images)).repeat(len(self.classes))
            found.append(self._margins(rows, visitor).double().cpu().numpy())
        return np.concatenate(found)

    def _rows(self, stream: int, number: int) -> NDArray[np.int64]:
        return np.stack([batches[number] for batches in self._batches[stream]], axis=1).reshape(-1)

    def _margins(self, rows: NDArray[np.int64], visitor: Visitor) -> Tensor:
        logits = self.task.network.run(self.task.take(rows), visitor)
        classes = torch.tensor(self.classes, device=logits.device)
        return margins(logits.view(-1, len(self.classes), logits.shape[1]), classes, self.task.options.head)

    def _normaliser(
        self, values: Tensor, running: list[tuple[Tensor, Tensor]] | None = None, *, momentum: float = 0.0
    ) -> Visitor:
        """Return the visitor that normalises and scales.

        Without `running`, and with a momentum, by the statistics of the batch; these update `running`. Else
        by `running`, which stays.
        """
        parts = [part.reshape(-1) for part in values.split(self._sizes, dim=1)]
        gammas, betas = parts[: len(self.task.sites)], parts[len(self.task.sites) :]
        by_batch = running is None or momentum > 0

        def visit(number: int, maps: Tensor) -> Tensor:
            mean, variance = running[number] if running else (None, None)
            beta = betas[number] if betas else None
            folded = maps.reshape(-1, gammas[number].numel(), maps.shape[2])
            normed = functional.batch_norm(folded, mean, variance, gammas[number], beta, by_batch, momentum, EPSILON)
            return normed.view_as(maps)

        return visit


def _adam(state: ScaleState, gradient: Tensor, pull: Tensor, rate: float) -> ScaleState:
    """Return the state after one step of Adam (Kingma and Ba, 2015), with an L1 penalty of strength `pull`.

    The penalty enters as a soft threshold in Adam's own metric. While a scale keeps its sign this is Adam on the
    penalised loss to the letter; a scale that reaches 0 rests there instead of jumping about it. Such jumps
    hang on the last digit, so that runs which differ in rounding only would drift apart.

    A new state rather than a changed one: an interrupt finds the old or the new one, whole.
    """
    step = state.step + 1
    first = state.first.lerp(gradient, 1 - _BETAS[0])
    side = torch.where(state.values == 0, gradient, state.values).sign()
    second = state.second.lerp((gradient + pull * side).square(), 1 - _BETAS[1])
    rates = rate / ((second / (1 - _BETAS[1] ** step)).sqrt() + _ADAM_EPSILON)
    moved = state.values - rates / (1 - _BETAS[0] ** step) * first
    return ScaleState(step, moved.sign() * (moved.abs() - rates * pull).clamp_min(0), first, second)
