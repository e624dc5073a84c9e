"""The plain training loop of the small networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softshrink

from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import DivergedError, InvalidInputError
from cnnvis.core.progress import Progress, silent
from cnnvis.training.options import TrainOptions
from cnnvis.training.run import TrainingRun

OnEpoch = Callable[[int, nn.Module], None]
"""Called as on_epoch(epoch, module): before the first step with 0, and after each epoch with its number."""


@dataclass(frozen=True)
class History:
    """How training went: one value per epoch, over the training images, each as it was when its batch came.

    Parameters
    ----------
    loss : tuple of float
        Mean cross-entropy in nats, without the L1 penalty.
    accuracy : tuple of float
        Share of images whose highest logit was their class.
    """

    loss: tuple[float, ...]
    accuracy: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.loss) != len(self.accuracy):
            raise InvalidInputError(f"A History has {len(self.loss)} losses but {len(self.accuracy)} accuracies.")


def train(
    module: nn.Module,
    data: tuple[Tensor, Tensor],
    options: TrainOptions | None = None,
    *,
    on_epoch: OnEpoch | None = None,
    checkpoint: Path | None = None,
    progress: Progress = silent,
) -> History:
    """Train a classifier in place.

    The same module, data, options and number of threads give the same weights. torch's global random state and the
    training flags are as before afterwards, also after an error; the gradients are cleared.

    Parameters
    ----------
    module : nn.Module
        (N, ...) inputs to (N, n_classes) logits. Parameters that need no gradient stay as they are.
    data : (inputs, labels)
        On the module's device; labels (N,) int64.
    options : TrainOptions, optional
    on_epoch : callable, optional
        For checkpoints. It may evaluate the module: training mode is set again after it.
    checkpoint : path, optional
        File that holds everything after the last finished epoch. If it is there, training goes on from it, with the
        same result as without an interruption; epochs before it are not told to `on_epoch` again.
    progress : callable
        Counts steps.

    Returns
    -------
    History

    Raises
    ------
    InvalidInputError
        When inputs and labels do not fit each other, or no parameter needs a gradient.
    DivergedError
        When a loss is NaN or infinite: names the step. The weights are those that gave it.
    FileFormatError
        When the checkpoint is damaged, or of another training.
    """
    options = options or TrainOptions()
    inputs, labels = _checked(data)
    weights = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not weights:
        raise InvalidInputError(f"No parameter of {type(module).__name__} needs a gradient; there is nothing to train.")
    with _training(module, options.random_state):
        run = TrainingRun(module, weights, len(inputs), options)
        if checkpoint is not None and checkpoint.exists():
            run.restore(checkpoint)
        elif on_epoch:
            on_epoch(0, module)
        for epoch in range(run.epoch + 1, options.epochs + 1):
            module.train()
            sums = torch.zeros(2, dtype=torch.float64)
            for chosen in run.order().to(inputs.device).split(options.batch_size):
                images = run.augmented(inputs[chosen])
                sums += _step(module, run.optimiser, (images, labels[chosen]), f"step {run.step + 1} (epoch {epoch})")
                _shrink(weights, options.learning_rate * options.l1)
                run.count_step()
                progress(run.step, run.n_steps)
            run.end_epoch(sums / len(inputs))
            if checkpoint is not None:
                run.save(checkpoint)
            if on_epoch:
                on_epoch(epoch, module)
    losses, shares = zip(*run.history, strict=True)
    return History(loss=losses, accuracy=shares)


def accuracy(module: nn.Module, data: tuple[Tensor, Tensor], *, batch_size: int = 1000) -> float:
    """Return the share of images whose highest logit is their class, in eval mode; the module is left as it was.

    Parameters
    ----------
    module : nn.Module
    data : (inputs, labels)
        As for `train`.
    batch_size : int, default 1000

    Raises
    ------
    InvalidInputError
        When inputs and labels do not fit each other.
    """
    inputs, labels = _checked(data)
    with evaluating(ModuleTree(module)):
        hits = sum(
            int((module(part).argmax(1) == wanted).sum())
            for part, wanted in zip(inputs.split(batch_size), labels.split(batch_size), strict=True)
        )
    return hits / len(inputs)


def _checked(data: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    inputs, labels = data
    if labels.shape != (len(inputs),) or labels.dtype != torch.int64 or len(inputs) == 0:
        raise InvalidInputError(
            f"{len(inputs)} inputs need as many labels, at least one, (N,) int64; "
            f"got {tuple(labels.shape)} {labels.dtype}."
        )
    return inputs, labels


def _step(module: nn.Module, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], where: str) -> Tensor:
    """Take one step; return the sum of the losses of the images before it, and how many were right, (2,) float64."""
    inputs, labels = batch
    logits = module(inputs)
    if logits.ndim != 2 or int(labels.min()) < 0 or int(labels.max()) >= logits.shape[1]:
        raise InvalidInputError(
            f"{type(module).__name__} returns {tuple(logits.shape)} for labels from {int(labels.min())} to "
            f"{int(labels.max())}; needed are logits (N, n_classes), with a class for every label."
        )
    loss = cross_entropy(logits, labels)
    if not torch.isfinite(loss):
        raise DivergedError(
            f"The loss became {loss.item()} at {where}; look at the inputs for NaN, or lower the learning rate."
        )
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    hits = int((logits.argmax(1) == labels).sum())
    return torch.tensor([loss.item() * len(labels), hits], dtype=torch.float64)


def _shrink(parameters: Sequence[Tensor], amount: float) -> None:
    """Move weights (not biases and scales, which have one axis) towards 0 by `amount`, at most to 0."""
    if amount > 0:
        with torch.no_grad():
            for weight in (parameter for parameter in parameters if parameter.ndim > 1):
                weight.copy_(softshrink(weight, amount))


@contextmanager
def _training(module: nn.Module, random_state: int) -> Iterator[None]:
    """Seed what layers draw, for a while; put flags and random states back, and clear the gradients."""
    flags = {part: part.training for part in module.modules()}
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(random_state)
        try:
            yield
        finally:
            module.zero_grad()
            for part, flag in flags.items():
                part.training = flag
