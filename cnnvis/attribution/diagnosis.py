"""Which part of a network failed on an image: where it departs from its class, checked by patching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture import SurveyOptions
from cnnvis.capture.inputs import ForwardCall, as_call, as_module, with_images
from cnnvis.capture.labelled import Labelled
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.nested import map_tensors
from cnnvis.capture.shifting import shift
from cnnvis.capture.state import evaluating
from cnnvis.capture.surveying.pass_over import survey_shard
from cnnvis.capture.surveying.plan import make_plan
from cnnvis.capture.surveying.shards import BatchShard
from cnnvis.core import ClassStatistics, LayerSurvey, Provenance, Survey
from cnnvis.core.classes import class_index
from cnnvis.core.diagnosis import Departure, Diagnosis, Patch
from cnnvis.core.errors import InvalidInputError

LEVEL = 0.01
"""A layer departs when at most this share of the class's own images and this one depart as far: with fewer than 99 of
the class's own none can be so unusual."""

N_CHANNELS = 16
"""Channels that are patched one by one."""

LEAST_STD = 0.05
"""Least standard deviation within a class, as a share of that over all images: a channel that a class hardly uses would
otherwise count as the furthest from it."""


def diagnose(
    model: Any, image: Any, survey: Survey, *, true: int | str | None = None, n_channels: int = N_CHANNELS
) -> Diagnosis:
    """Return where an image departs from what `model` does with images of its class.

    The averages of every channel are compared with those of the class in a survey: of the class that was predicted,
    and of the true one. The first layer that departs further than the class's own images is looked at: its channels are
    shifted, the furthest first, so that their averages are those of the class, and the answer is watched; so are all
    channels of each layer. A departure that does not change the answer when it is taken back did not cause it.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Left as it was.
    image : picture file, or tensor or array (1, ...)
        A picture needs a Network, which says how it is preprocessed.
    survey : Survey
        Of the same network, with labels.
    true : int or str, optional
        The class of the image.
    n_channels : int, default: 16
        Channels to patch one by one.

    Returns
    -------
    Diagnosis

    Raises
    ------
    InvalidInputError
        For more than one image, a survey of another network, of other weights, without classes or of other layers, a
        class that is not there or that has fewer than two images in the survey, a network without class scores.

    Notes
    -----
    Cost: a few forward passes of `n_channels` copies of the image. An average says how much of a pattern there is,
    not where: two images with equal averages are alike here.

    How unusual a departure is, is the p-value of conformal prediction [1]_: each of the class's images that the survey
    kept is held against all the others of its class, as this image is against all, and the share of them and this
    one that depart at least as far is counted. It is right for any number of images, but with n of them at least
    1 / (n + 1); over several layers some image will depart by chance.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", Springer (2005).
    """
    require_same_network(model, survey)
    images, names = with_images(model, image, ())
    n_of_class = _classes(next(iter(survey.layers.values()))).count
    call = as_call(as_module(model), images)
    if call.n_images != 1:
        raise InvalidInputError(f"A diagnosis is of one image, got {call.n_images}.")
    scores = _scores(model, call)
    predicted = int(scores.argmax())
    label = None if true is None else class_index(true, survey.class_names)
    averages = _averages(model, call, survey)
    from_predicted = _departures(survey, averages, _counted(predicted, n_of_class, survey))
    from_true = {} if label is None else _departures(survey, averages, _counted(label, n_of_class, survey))
    found = from_true or from_predicted
    inner = [name for name in survey if not np.array_equal(averages[name], scores)]
    if not inner:
        raise InvalidInputError("The survey has no layer before the scores; survey more layers.")
    first = next((name for name in inner if found[name].share <= LEVEL), None)
    layer = first or min(inner, key=lambda name: (np.nan_to_num(found[name].share, nan=1.0), -found[name].size))
    patcher = _Patcher(model, call, predicted if label is None else label)
    towards = {name: _classes(survey.layers[name]).mean[:, patcher.label] - averages[name] for name in inner}
    furthest = [int(c) for c in np.argsort(-np.nan_to_num(np.abs(found[layer].z)), kind="stable")[:n_channels]]
    counts = [count for count in 2 ** np.arange(16) if count < len(furthest)] + [len(furthest)]
    sets = [(), *((channel,) for channel in furthest), *(tuple(furthest[:count]) for count in counts)]
    patches = patcher.patches(layer, survey.layers[layer].value, towards[layer], sets)
    return Diagnosis(
        image=names[0] if names else "",
        probabilities=_probabilities(scores),
        predicted=predicted,
        true=label,
        values={name: each.value for name, each in survey.layers.items()},
        from_predicted=from_predicted,
        from_true=from_true,
        first_layer=first,
        n_compared=int((survey.window_labels == patcher.label).sum()),
        level=LEVEL,
        layer=layer,
        single=patches[1 : 1 + len(furthest)],
        together=patches[1 + len(furthest) :],
        whole={name: patcher.whole(name, survey.layers[name].value, towards[name]) for name in inner},
        unpatched=patches[0],
        class_names=survey.class_names,
        provenance=_provenance(model, names),
    )


def require_same_network(model: Any, survey: Survey) -> None:
    """Raise InvalidInputError unless the survey is of these weights, as far as both say whose they are."""
    here, there = getattr(model, "sha256", ""), survey.provenance
    if here and there.model_sha256 not in ("", here):
        weights = " with other weights" if there.model == model.name else ""
        raise InvalidInputError(
            f"The survey is of {there.model}{weights}, the network is {model.name}; `cnnvis survey` makes one of this."
        )


def _scores(model: Any, call: ForwardCall) -> NDArray[np.float64]:
    """Return the (K,) scores of the one image."""
    module = as_module(model)
    call = call.copy()
    with evaluating(ModuleTree(module)), torch.no_grad():
        output = module(*call.args, **call.kwargs)
    if not isinstance(output, Tensor) or output.ndim != 2:
        raise InvalidInputError("A diagnosis needs class scores: the network returns no table (N, K) of them.")
    return np.asarray(output[0].double().cpu().numpy(), np.float64)


def _counted(label: int, counts: NDArray[np.int64], survey: Survey) -> int:
    if not 0 <= label < counts.size:
        raise InvalidInputError(f"There is no class {label}: the survey has {counts.size}, 0 to {counts.size - 1}.")
    if counts[label] < 2:
        name = label if survey.class_names is None else survey.class_names[label]
        raise InvalidInputError(f"The survey has {counts[label]} images of class {name}; at least two are needed.")
    return label


def _averages(model: Any, call: ForwardCall, survey: Survey) -> dict[str, NDArray[np.float64]]:
    """Return the (C,) averages of each layer of the survey."""
    options = SurveyOptions(signal=survey.signal, maps=False, window=1)
    plan = make_plan(model, call, list(survey), options, has_labels=False)
    taken = survey_shard(model, plan, BatchShard(0, (Labelled(call, None),)))
    found = {name: layer.averages.mean for name, layer in taken.layers.items()}
    for name, layer in survey.layers.items():
        if found[name].size != layer.n_channels:
            raise InvalidInputError(
                f"Layer {name!r} has {found[name].size} channels, in the survey {layer.n_channels}: "
                "it is of another network."
            )
    return found


def _departures(survey: Survey, averages: Mapping[str, NDArray[np.float64]], label: int) -> dict[str, Departure]:
    own = survey.window_labels == label
    return {name: _departure(layer, averages[name], label, own) for name, layer in survey.layers.items()}


def _classes(layer: LayerSurvey) -> ClassStatistics:
    """Return the statistics by class of a layer."""
    if layer.by_class is None:
        raise InvalidInputError("This survey has no classes: survey images with labels, then diagnose.")
    return layer.by_class


def _departure(layer: LayerSurvey, averages: NDArray[np.float64], label: int, own: NDArray[np.bool_]) -> Departure:
    classes = _classes(layer)
    mean, std, count = classes.mean[:, label], classes.std[:, label], int(classes.count[label])
    z = (averages - mean) / _usable(std, layer)
    size = _size(z)
    images = layer.window[own].astype(np.float64)
    without = mean - (images - mean) / (count - 1)  # of each image, the mean of all the others of its class
    squares = np.maximum(count * std**2 - (images - mean) * (images - without), 0)
    others = np.array([_size(row) for row in (images - without) / _usable(np.sqrt(squares / (count - 1)), layer)])
    share = (1 + np.count_nonzero(others >= size)) / (1 + others.size) if others.size else np.nan
    return Departure(z, size, float(share))


def _usable(std: NDArray[np.float64], layer: LayerSurvey) -> NDArray[np.float64]:
    """Return deviations that can be divided by; NaN for a channel that never varies, whatever the class."""
    least = np.maximum(std, LEAST_STD * layer.std)
    usable: NDArray[np.float64] = np.where(least > 0, least, np.nan)
    return usable


def _size(z: NDArray[np.float64]) -> float:
    known = z[np.isfinite(z)]
    return float(np.sqrt(np.square(known).mean())) if known.size else 0.0


def _probabilities(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


class _Patcher:
    """Runs copies of an image, in each of which other channels of a layer have the averages of a class."""

    def __init__(self, model: Any, call: ForwardCall, label: int) -> None:
        self._module, self._call = as_module(model), call
        self.label = label

    def whole(self, layer: str, value: str, towards: NDArray[np.float64]) -> Patch:
        """Return what the network answers with all channels of a layer patched."""
        return self.patches(layer, value, towards, [tuple(np.flatnonzero(np.isfinite(towards)).tolist())])[0]

    def patches(
        self, layer: str, value: str, towards: NDArray[np.float64], channels: Sequence[tuple[int, ...]]
    ) -> tuple[Patch, ...]:
        """Return what the network answers with each set of channels shifted by what `towards` (C,) says."""
        shifts = np.zeros((len(channels), towards.size))
        for row, some in enumerate(channels):
            shifts[row, list(some)] = np.nan_to_num(towards[list(some)])
        scores = self._scores(value, shifts)
        return tuple(self._patch(layer, some, row) for some, row in zip(channels, scores, strict=True))

    def _scores(self, value: str, shifts: NDArray[np.float64]) -> NDArray[np.float64]:
        def copies(tensor: Tensor) -> Tensor:
            return tensor.expand(len(shifts), *tensor.shape[1:]).clone()

        args, kwargs = map_tensors((self._call.args, self._call.kwargs), copies)
        with evaluating(ModuleTree(self._module)), torch.no_grad(), shift(self._module, value, shifts):
            output = self._module(*args, **kwargs)
        return np.asarray(output.double().cpu().numpy(), np.float64)

    def _patch(self, layer: str, channels: tuple[int, ...], scores: NDArray[np.float64]) -> Patch:
        others = np.delete(scores, self.label)
        return Patch(
            layer=layer,
            channels=channels,
            answer=int(scores.argmax()),
            probability=float(_probabilities(scores)[self.label]),
            margin=float(scores[self.label] - others.max()),
        )


def _provenance(model: Any, names: tuple[str, ...]) -> Provenance:
    of_network = getattr(model, "provenance", None)
    shown = tuple(Path(name).name for name in names)
    return of_network(shown) if callable(of_network) else Provenance(model=type(model).__name__, inputs=shown)
