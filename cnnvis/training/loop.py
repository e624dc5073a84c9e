"""The plain training loop of the small networks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softshrink

from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.state import evaluating
from cnnvis.core.errors import DivergedError, InvalidInputError
from cnnvis.core.progress import Progress, silent

OnEpoch = Callable[[int, nn.Module], None]
"""Called as on_epoch(epoch, module): before the first step with 0, and after each epoch with its number."""


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train: Adam on the cross-entropy, in shuffled batches.

    Parameters
    ----------
    epochs : int, default 10
        Times that every image is seen.
    batch_size : int, default 128
        Images per step; the last batch of an epoch may be smaller.
    learning_rate : float, default 0.001
    l1 : float, default 0
        Strength of an L1 penalty on weights, not on biases nor scales: after each step every weight moves by
        ``learning_rate * l1`` towards 0 and stops there (the proximal step of the penalty), so that weights that
        nothing speaks for become exactly 0.
    random_state : int, default 0
        Seed of the order of the images and of layers that draw numbers, such as dropout.
    """

    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    l1: float = 0.0
    random_state: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            if int(getattr(self, name)) != getattr(self, name) or getattr(self, name) < 1:
                raise InvalidInputError(f"{name} of TrainOptions must be 1, 2, 3 ...; got {getattr(self, name)}.")
        if not 0 < self.learning_rate < float("inf"):
            raise InvalidInputError(f"learning_rate of TrainOptions must be positive, got {self.learning_rate}.")
        if not 0 <= self.l1 < float("inf"):
            raise InvalidInputError(f"l1 of TrainOptions must be 0 or more, got {self.l1}.")


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
    options: TrainOptions = TrainOptions(),
    *,
    on_epoch: OnEpoch | None = None,
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
    options : TrainOptions
    on_epoch : callable, optional
        For checkpoints. It may evaluate the module: training mode is set again after it.
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
    """
    inputs, labels = _checked(data)
    weights = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not weights:
        raise InvalidInputError(f"No parameter of {type(module).__name__} needs a gradient; there is nothing to train.")
    optimiser = torch.optim.Adam(weights, lr=options.learning_rate)
    shuffle = torch.Generator().manual_seed(options.random_state)
    total, step, history = options.epochs * -(-len(inputs) // options.batch_size), 0, []
    with _training(module, options.random_state):
        if on_epoch:
            on_epoch(0, module)
        for epoch in range(1, options.epochs + 1):
            module.train()
            sums = torch.zeros(2, dtype=torch.float64)
            for chosen in torch.randperm(len(inputs), generator=shuffle).to(inputs.device).split(options.batch_size):
                step += 1
                sums += _step(module, optimiser, (inputs[chosen], labels[chosen]), f"step {step} (epoch {epoch})")
                _shrink(weights, options.learning_rate * options.l1)
                progress(step, total)
            history.append((sums / len(inputs)).tolist())
            if on_epoch:
                on_epoch(epoch, module)
    losses, shares = zip(*history, strict=True)
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
