"""What the linked views of a survey's page show: a few images through the network, made as small as the page needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cnnvis.layout import channel_links
from cnnvis.report.survey_views import GroupView, ImageView, LayerView, SurveyViews
from cnnvis.studies.image_stream import ImageAnswer, ImageStream
from cnnvis.studies.page_room import Room, page_room, plane, within
from cnnvis.studies.survey_results import SurveyResult

MOST_LOOKED_AT = 200
"""Images among which those of the page are chosen, evenly spread over all."""


def survey_views(result: SurveyResult, stream: ImageStream | None) -> SurveyViews:
    """Return the views of a survey, of which the page is at most `PAGE_BYTES` large.

    Parameters
    ----------
    result : SurveyResult
    stream : ImageStream, optional
        Images to look at, with labels or without; the page has none without it.
    """
    survey = result.survey
    there = 0 if stream is None else len(stream)
    first = stream.at(0) if stream is not None and there else None
    room = page_room(survey, result.groups, there, first)
    images = [] if stream is None else [_image(stream.at(number), room) for number in telling(stream, room.n_images)]
    return SurveyViews(
        title=f"What the channels of {result.network.name} do",
        n_images=survey.n_images,
        layers=tuple(_layer(result, name, room) for name in survey),
        images=tuple(images),
        class_names=survey.class_names or (),
        note=" ".join([_images_note(images, there), *_made_small(result, first, room), "`cnnvis view` shows all."]),
    )


def telling(stream: ImageStream, most: int) -> list[int]:
    """Return the numbers of some images.

    Of images with labels, wrongly and rightly answered ones in turn, of many classes, half of them wrong where there
    are so many of either kind. Of others, half are those that drive the most channels, the rest is spread evenly.

    Parameters
    ----------
    stream : ImageStream
    most : int
        So many at most.

    Notes
    -----
    Costs `MOST_LOOKED_AT` passes of one image.
    """
    if len(stream) <= most:
        return list(range(len(stream)))
    numbers = _spread(len(stream), MOST_LOOKED_AT)
    labels, answers = np.full((2, numbers.size), -1)
    averages = []
    for place, answer in enumerate(map(stream.at, numbers.tolist())):
        if answer.label is not None and answer.probabilities.size:
            labels[place], answers[place] = answer.label, answer.probabilities.argmax()
        averages.append(np.concatenate(list(answer.averages.values())).astype(np.float32))
    judged = bool((labels >= 0).all())
    places = _judged(labels, answers, most) if judged else _unjudged(np.stack(averages), most)
    return [int(numbers[place]) for place in places]


def _spread(length: int, most: int) -> NDArray[np.int64]:
    """Return the numbers of at most so many of `length` images, evenly spread."""
    n = min(length, most)
    return np.arange(n) * length // n


def _judged(labels: NDArray[np.int64], answers: NDArray[np.int64], most: int) -> list[int]:
    wrong, right = (list(_by_turns(np.flatnonzero(kind), labels)) for kind in (answers != labels, answers == labels))
    wrong = wrong[: max(most // 2, most - len(right))]
    right = right[: most - len(wrong)]
    pairs = [place for pair in zip(right, wrong, strict=False) for place in pair]
    return [*pairs, *right[len(wrong) :], *wrong[len(right) :]]


def _by_turns(places: NDArray[np.int64], labels: NDArray[np.int64]) -> Iterator[int]:
    """Yield the first of each class, then the second of each."""
    turns: dict[int, list[int]] = {}
    for place in places.tolist():
        turns.setdefault(int(labels[place]), []).append(place)
    for turn in zip_longest(*(turns[label] for label in sorted(turns))):
        yield from (place for place in turn if place is not None)


def _unjudged(averages: NDArray[np.float32], most: int) -> list[int]:
    """Return places, in order: those that drive the most channels, and evenly spread ones of the others."""
    finite = np.where(np.isfinite(averages), averages, -np.inf)
    varies = finite.max(axis=0) > finite.min(axis=0)  # what is always the same is driven by none
    driven = np.bincount(finite.argmax(axis=0)[varies], minlength=len(averages))
    strongest = np.argsort(-driven, kind="stable")[: most // 2]
    others = np.setdiff1d(np.arange(len(averages)), strongest)
    return sorted([*strongest.tolist(), *others[_spread(others.size, most - strongest.size)].tolist()])


def _layer(result: SurveyResult, name: str, room: Room) -> LayerView:
    layer, groups = result.survey[name], result.groups.get(name)
    if groups is None:
        return LayerView(name, layer.mean, layer.std)
    order = np.argsort(groups.labels, kind="stable")
    matrix = _small(np.nan_to_num(groups.similarity)[np.ix_(order, order)], room.matrix)
    shown = GroupView(groups.labels, matrix, groups.places, channel_links(groups.weights, name))
    return LayerView(name, layer.mean, layer.std, shown)


def _image(answer: ImageAnswer, room: Room) -> ImageView:
    picture = np.moveaxis(_small(np.moveaxis(answer.image, -1, 0).astype(np.float32), room.picture), 0, -1)
    return ImageView(
        name=answer.name,
        picture=picture.round().astype(np.uint8),
        probabilities=answer.probabilities,
        label=answer.label,
        averages=answer.averages,
        maps={name: _small(_planes(maps), room.map) for name, maps in answer.maps.items()} if room.map else {},
    )


def _planes(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return maps (C, *S) as (C, h, w)."""
    return maps.reshape(len(maps), *plane(maps.shape[1:]))


def _small(planes: NDArray[Any], side: int) -> NDArray[Any]:
    """Return (..., H, W) planes with at most so many rows and columns, in proportion: means of neighbours."""
    shape = planes.shape[-2:]
    if max(shape) <= side:
        return planes
    flat = torch.from_numpy(planes).reshape(-1, 1, *shape)
    small = torch.nn.functional.adaptive_avg_pool2d(flat, within(shape, side))
    return small.reshape(*planes.shape[:-2], *small.shape[-2:]).numpy()


def _images_note(images: Sequence[ImageView], there: int) -> str:
    """Say which of the images that there are these are."""
    if not images:
        return "There are no images of this data to look at: cells show means over all images."
    if len(images) == there:
        return "The only image is on the page." if there == 1 else f"All {there} images are on the page."
    some = f"{len(images)} of {there:,} images are on the page"
    if any(image.label is None or not image.probabilities.size for image in images):
        return f"{some}, half of them those that drive the most channels."
    n_wrong = sum(int(image.probabilities.argmax()) != image.label for image in images)
    return f"{some}, {n_wrong} of them answered wrongly."


def _made_small(result: SurveyResult, answer: ImageAnswer | None, room: Room) -> Iterator[str]:
    """Say what is not as it was."""
    n_reduced = sum(groups.labels.size > room.matrix for groups in result.groups.values())
    if n_reduced:
        yield (
            f"A matrix of more than {room.matrix} channels shows means of neighbouring rows and columns, in the order "
            f"of the groups ({n_reduced} of {len(result.groups)} layers)."
        )
    if answer is None:
        return
    if max(answer.image.shape[:2]) > room.picture:
        yield f"Pictures are made small, {room.picture} pixels at most."
    if not room.map:
        yield "There was no room for maps."
    elif any(max(plane(maps.shape[1:])) > room.map for maps in answer.maps.values()):
        yield f"Maps are made small, {room.map} x {room.map} at most."
