"""Which images, under which class neurons, a study of gradients looks at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.targets import class_scores
from cnnvis.core.classes import class_index
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import LabelledImages, Network, Prediction, read_image, top_classes
from cnnvis.models.folders import labelled_parts
from cnnvis.models.predictions import class_probabilities
from cnnvis.studies.gradient_results import DEMONSTRATION, Case, Chosen, LabelledCases, PhotoCases

BATCH = 256
"""Images classified at a time."""

SHOWN = 10
"""Classes that an error lists."""


def choose(network: Network, cases: LabelledCases | PhotoCases) -> Chosen:
    """Return the cases by the rule that `Chosen.rule` states; the same images give the same cases.

    Raises
    ------
    InvalidInputError
        For a class that is not there, a class without images, a network without class scores, and images that it does
        not take.
    MissingFileError
        For a data set, folder or picture that is not there.
    """
    chosen = _labelled(network, cases) if isinstance(cases, LabelledCases) else _photos(network, cases)
    labels = [case.label for case in chosen.cases]
    apart = (
        replace(case, label=f"{case.label} #{number}") if labels.count(case.label) > 1 else case
        for number, case in enumerate(chosen.cases)
    )
    return replace(chosen, cases=tuple(apart))  # photos of one name, classes of one name: series tell cases by label


# -- images of three classes -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Tested:
    """Labelled images and what the network says of them: (N, K) probabilities."""

    images: LabelledImages
    probabilities: NDArray[np.float64]

    @property
    def labels(self) -> NDArray[np.int64]:
        return self.images.labels.numpy()

    @property
    def predicted(self) -> NDArray[np.int64]:
        return self.probabilities.argmax(axis=1)


def _labelled(network: Network, asked: LabelledCases) -> Chosen:
    parts = labelled_parts(network, asked.data)
    scores = _scores_of(network, parts.testing.images)
    names = parts.testing.class_names
    if scores.shape[1] != len(names):
        raise InvalidInputError(
            f"{network.name} gives {scores.shape[1]} scores, the labelled images are of {len(names)} classes."
        )
    tested = _Tested(parts.testing, np.array([class_probabilities(row) for row in scores]))
    classes = _three_classes(asked, tested)
    cases, missing = [], []
    for right in (True, False):
        for index in classes:
            fitting = np.flatnonzero((tested.labels == index) & ((tested.predicted == index) == right))
            if fitting.size:
                cases.append(_labelled_case(tested, int(fitting[0]), target=classes[0]))
            else:
                how = "rightly" if right else "wrongly"
                missing.append(f"No test image of {names[index]} is classified {how}: this case is left out.")
    labels = parts.importance.labels
    by_class = {names[index]: (parts.importance.images[labels == index], labels[labels == index]) for index in classes}
    return Chosen(tuple(cases), _LABELLED_RULE, tuple(missing), by_class)


_LABELLED_RULE = (
    "Of each class the first test image, in the order of the data, that the network classifies rightly, and the first "
    "that it classifies wrongly."
)


def _three_classes(asked: LabelledCases, tested: _Tested) -> tuple[int, int, int]:
    """Return reference, similar and dissimilar class; there are images of each."""
    names = tested.images.class_names
    wanted = [asked.reference, asked.similar, asked.dissimilar]
    if asked.reference is None:
        if not set(DEMONSTRATION) <= set(names):
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            raise InvalidInputError(f"Name the class whose neuron is under inspection, such as by --class: {shown}.")
        wanted = [name if given is None else given for given, name in zip(wanted, DEMONSTRATION, strict=True)]
    reference, similar, dissimilar = (None if each is None else class_index(each, names) for each in wanted)
    assert reference is not None
    others = _by_likeness(tested, reference, without=(similar, dissimilar))
    if len(others) < (similar is None) + (dissimilar is None):
        raise InvalidInputError(
            "There are too few classes with images for a similar and a dissimilar one: three are needed."
        )
    similar = others[0] if similar is None else similar
    dissimilar = others[-1] if dissimilar is None else dissimilar
    classes = (reference, similar, dissimilar)
    if len(set(classes)) < 3:
        chosen = ", ".join(names[index] for index in classes)
        raise InvalidInputError(f"Reference, similar and dissimilar must be three classes, got {chosen}.")
    for index in classes:
        if index not in tested.labels:
            raise InvalidInputError(f"There are no images of class {names[index]} to test on.")
    return classes


def _by_likeness(tested: _Tested, reference: int, *, without: tuple[int | None, ...]) -> list[int]:
    """Return the other classes that have images, those first whose images give the reference more probability."""
    others = [int(index) for index in np.unique(tested.labels) if index not in (reference, *without)]
    likeness = {index: tested.probabilities[tested.labels == index, reference].mean() for index in others}
    return sorted(others, key=lambda index: -likeness[index])


def _labelled_case(tested: _Tested, at: int, *, target: int) -> Case:
    images, names, probabilities = tested.images, tested.images.class_names, tested.probabilities[at]
    truth, best = int(tested.labels[at]), int(tested.predicted[at])
    how = "rightly classified" if best == truth else f"taken for {names[best]}"
    path = Path(images.names[at])
    from_file = path.is_file()
    return Case(
        label=f"{names[truth]}, {how}",
        image=path.name if from_file else images.names[at],
        inputs=images.images[at : at + 1],
        picture=read_image(path) if from_file else _shipped_picture(images.images[at]),
        target=Prediction(target, names[target], float(probabilities[target])),
        predicted=Prediction(best, names[best], float(probabilities[best])),
        truth=names[truth],
    )


def _shipped_picture(image: Tensor) -> NDArray[np.uint8]:
    """Return a (1, H, W) image of a shipped data set, 0 to 1, as (H, W, 3) uint8."""
    return np.repeat((255 * image[0]).round().byte().numpy()[..., None], 3, axis=-1)


# -- photos ----------------------------------------------------------------------------------------


def _photos(network: Network, asked: PhotoCases) -> Chosen:
    if not asked.images:
        raise InvalidInputError("There is no photo to look at; name one at least.")
    targets = tuple(class_index(target, network.class_names) for target in asked.targets)
    cases: list[Case] = []
    for image in dict.fromkeys(asked.images):
        cases += _photo_cases(network, image, dict.fromkeys(targets), first=len(cases))
    return Chosen(tuple(cases), _GIVEN_RULE if targets else _PHOTO_RULE)


_PHOTO_RULE = (
    "Each photo under three class neurons: of its likeliest class (1st), the second (2nd) and the least likely (last)."
)
_GIVEN_RULE = "Each photo under the class neurons that were asked for."


def _photo_cases(network: Network, image: str | Path, targets: Iterable[int], *, first: int) -> Iterator[Case]:
    picture = read_image(image)
    inputs = network.preprocess(picture)
    scores = _scores_of(network, inputs)
    ranked = top_classes(scores, network.class_names, k=scores.shape[1])
    by_index = {entry.index: entry for entry in ranked}
    roles = {ranked[rank].index: role for rank, role in ((0, "1st"), (1, "2nd"), (-1, "last"))}
    for index in targets or roles:
        if index not in by_index:
            raise InvalidInputError(f"There is no class {index}: {network.name} has {len(ranked)}, from 0.")
        role = f" ({roles[index]})" if index in roles else ""
        yield Case(
            label=f"{Path(image).stem}: {by_index[index].name}{role}",
            image=Path(image).name,
            inputs=inputs,
            picture=picture,
            target=by_index[index],
            predicted=ranked[0],
            reference=first,
        )


# -- what the network says -------------------------------------------------------------------------


def _scores_of(network: Network, images: Tensor) -> NDArray[np.float64]:
    """Return what the network gives for images (N, C, H, W): its class scores (N, K).

    Raises
    ------
    InvalidInputError
        When it gives anything else, one score only, or NaN or infinity.
    """
    with torch.inference_mode():
        outputs = [
            class_scores(network.module(batch.to(network.device, network.dtype)), len(batch), network=network.name)
            for batch in images.split(BATCH)
        ]
    scores = torch.cat(outputs).double().cpu().numpy()
    if scores.shape[1] < 2:
        raise InvalidInputError(f"{network.name} gives one score for an image; several classes are needed.")
    if not np.isfinite(scores).all():
        raise InvalidInputError(
            f"{np.count_nonzero(~np.isfinite(scores))} scores of {network.name} are NaN or infinite."
        )
    return scores
