"""Importance by ablation: how much the loss grows when one unit is switched off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnvis.attribution.layer_choice import choose_layers
from cnnvis.capture.inputs import as_module
from cnnvis.capture.labelled import Labelled, labelled_batches
from cnnvis.capture.masking import Masking, read_means
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.spaces import channel_spaces
from cnnvis.capture.state import evaluating
from cnnvis.capture.targets import class_scores, require_classes
from cnnvis.core import ChannelSpace, Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError
from cnnvis.core.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class AblationOptions:
    """How units are ablated.

    Parameters
    ----------
    to : {"zero", "mean"}
        What takes the place of a unit: 0, or its mean over the same images.
    max_units : int, optional
        Units tried per channel space, drawn at random where it has more; default: all.
    random_state : int
        Seed of that draw.
    """

    to: Literal["zero", "mean"] = "zero"
    max_units: int | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.to not in ("zero", "mean"):
            raise InvalidInputError(f"to must be one of zero, mean, got {self.to!r}.")
        if self.max_units is not None and self.max_units < 1:
            raise InvalidInputError(f"max_units must be at least 1, got {self.max_units}.")


def by_ablation(
    model: Any,
    data: Any,
    *,
    layers: str | Iterable[str] | None = None,
    progress: Progress = silent,
    **options: Any,
) -> Importance:
    """Return by how much the mean cross-entropy grows when a unit is switched off, all others left on.

    The reference for single units; removing many at once is another question. Units are off where they are read
    (`cnnvis.capture.switch_off`), so layers that share their channels have the same scores.

    Parameters
    ----------
    model, progress
        As for `importance`; progress counts images times units.
    data : pair (inputs, labels), or batches of such pairs (a DataLoader)
        A DataLoader brings its own number of images per pass.
    layers : str or iterable of str, optional
        Names or globs of layers with channels of their own. Default: all but inputs and classes; these only where
        they are named in full.
    **options
        See `AblationOptions`.

    Returns
    -------
    Importance
        `scores` is max(0, change), `signed` the change itself: below 0 where the network does better without the
        unit. `per_class` is the same for the images of each class by themselves; None where a class has no images.
        With `max_units`, `options["tried"]` lists the units tried by layer; the others have the mean score
        of these, and NaN in `signed`: nothing was measured.

    Raises
    ------
    InvalidInputError
        For missing labels, labels that are no class, a network without class scores, a loss that is NaN or infinite.
    LayerNotFoundError
        For a layer without channels of its own; near matches are listed.

    Notes
    -----
    Cost: a forward pass over all images per unit, and one more.
    """
    chosen = AblationOptions(**options)
    module = as_module(model)
    data = list(data) if isinstance(data, Iterator) else data  # it may be read twice, for means
    labelled = labelled_batches(model, data)
    batches = iter(labelled)
    first = next(batches)
    one_image = next(first.call.images())
    spaces = channel_spaces(module, one_image.kwargs or one_image.args)
    names = choose_layers(spaces, layers)
    if not names:
        raise LayerNotFoundError("The network has no layers between its inputs and its classes; name the layers.")
    means = None
    if chosen.to == "mean":
        means = read_means(model, data[0] if isinstance(data, tuple) else data, spaces, layers=names)
    ablation = _Ablation(module, tuple(dict.fromkeys(map(spaces.of, names))), chosen)
    with evaluating(ModuleTree(module)), Masking(module, spaces, layers=names, means=means) as masking:
        for batch in chain([first], batches):
            ablation.add(batch, masking, progress, labelled.n_images or 0)
    return ablation.importance({name: spaces.of(name).name for name in names}, getattr(model, "class_names", None))


class _Ablation:
    """Sums of the change of loss, by class, for each unit tried."""

    def __init__(self, module: nn.Module, spaces: tuple[ChannelSpace, ...], options: AblationOptions) -> None:
        random = np.random.default_rng(options.random_state)
        self._module = module
        self._options = options
        self._sizes = {space.name: space.size for space in spaces}
        self._tried = {name: _drawn(size, options.max_units, random) for name, size in self._sizes.items()}
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._counts: NDArray[np.int64] | None = None
        self._done = 0

    def add(self, batch: Labelled, masking: Masking, progress: Progress, n_images: int) -> None:
        """Run the images of a batch once as they are, and once without each unit."""
        masking.keep({})
        whole, n_classes = self._losses(batch, "no unit off")
        if self._counts is None:
            self._counts = np.zeros(n_classes, dtype=np.int64)
            self._sums = {name: np.zeros((tried.size, n_classes)) for name, tried in self._tried.items()}
        self._counts += np.bincount(batch.labels, minlength=n_classes)
        n_units = sum(tried.size for tried in self._tried.values())
        for name, tried in self._tried.items():
            for place, channel in enumerate(tried):
                masking.keep({name: np.arange(self._sizes[name]) != channel})
                losses, _ = self._losses(batch, f"unit {channel} of {name!r} off")
                self._sums[name][place] += np.bincount(batch.labels, losses - whole, n_classes)
                self._done += batch.call.n_images
                progress(self._done, n_images * n_units)

    def _losses(self, batch: Labelled, state: str) -> tuple[NDArray[np.float64], int]:
        """Return the cross-entropy of each image, (n,), and the number of classes."""
        call, labels = batch
        output = self._module(*call.args, **call.kwargs)
        scores = class_scores(output, call.n_images, network=type(self._module).__name__).double()
        require_classes(labels, scores.shape[1])
        losses = scores.logsumexp(1) - scores.gather(1, torch.from_numpy(labels).to(scores.device)[:, None])[:, 0]
        bad = int((~losses.isfinite()).sum())
        if bad:
            raise InvalidInputError(
                f"With {state}, the loss of {bad} of {call.n_images} images is NaN or infinite; "
                "check weights, inputs and their preprocessing."
            )
        return losses.cpu().numpy(), scores.shape[1]

    def importance(self, layers: dict[str, str], class_names: Iterable[str] | None) -> Importance:
        """Return what was found, by layer, of which `layers` has the name of the space."""
        n_images, has_all = self._counts.sum(), bool(self._counts.all())
        scores, signed, per_class = {}, {}, {}
        for layer, space in layers.items():
            change = self._sums[space].sum(axis=1) / n_images
            signed[layer] = self._filled(space, change, np.nan)
            scores[layer] = self._filled(space, np.maximum(change, 0))
            if has_all:
                per_class[layer] = self._filled(space, np.maximum(self._sums[space] / self._counts, 0))
        options = asdict(self._options)
        if self._options.max_units is not None:
            options["tried"] = {layer: self._tried[space].tolist() for layer, space in layers.items()}
        names = tuple(class_names or ())
        return Importance(
            scores=scores,
            method="ablation",
            per_class=per_class if has_all else None,
            signed=signed,
            options=options,
            class_names=names if len(names) == self._counts.size else None,
        )

    def _filled(self, space: str, measured: NDArray[np.float64], other: float | None = None) -> NDArray[np.float64]:
        """Return one row per unit of the space: what was measured; for units not tried `other`, or the mean."""
        rows = np.empty((self._sizes[space], *measured.shape[1:]))
        rows[:] = measured.mean(axis=0) if other is None else other
        rows[self._tried[space]] = measured
        return rows


def _drawn(size: int, at_most: int | None, random: np.random.Generator) -> NDArray[np.int64]:
    """Return the numbers of the units to try, rising."""
    if at_most is None or size <= at_most:
        return np.arange(size)
    return np.sort(random.choice(size, at_most, replace=False))
