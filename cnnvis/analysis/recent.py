"""A survey's last images alone: a sliding window over them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.analysis.moments import channel_moments
from cnnvis.core import ClassStatistics, LayerSurvey, Survey
from cnnvis.core.survey import LEVELS


def recent_survey(survey: Survey) -> Survey:
    """Return what the channels did over the images of the survey's window, the last ones.

    Parameters
    ----------
    survey : Survey

    Returns
    -------
    Survey
        Of `len(survey.window_images)` images. Averages are kept in float32, so figures agree with those of a survey of
        the same images to six digits. There are no statistics of maps and no curve of convergence: the window holds
        averages only.
    """
    labelled = survey.confusion is not None
    n_classes = 0 if survey.confusion is None else len(survey.confusion)
    layers = {name: _recent(survey, layer, n_classes) for name, layer in survey.layers.items()}
    return replace(
        survey,
        layers=layers,
        n_images=len(survey.window_images),
        confusion=_confusion(survey, n_classes) if labelled else None,
        convergence=None,
    )


def _recent(survey: Survey, layer: LayerSurvey, n_classes: int) -> LayerSurvey:
    values = layer.window.astype(np.float64)
    finite = np.isfinite(values)
    known = np.where(finite, values, np.nan)
    has_any = finite.any(axis=0)
    safe = np.where(has_any, known, 0.0)  # of a channel without values nothing is asked
    undefined = np.where(has_any, 1.0, np.nan)
    mean, std = np.nanmean(safe, axis=0) * undefined, np.nanstd(safe, axis=0) * undefined
    top = np.argsort(np.where(finite, -values, np.inf), axis=0, kind="stable")[: layer.top_images.shape[1]].T
    there = np.take_along_axis(finite.T, top, axis=1)
    return replace(
        layer,
        mean=mean,
        std=std,
        correlation=_correlation(values, finite, mean, std),
        quantiles=np.nanquantile(safe, LEVELS, axis=0).T * undefined[:, None],
        top_images=_padded(np.where(there, survey.window_images[top], -1), layer.top_images.shape, -1),
        top_averages=_padded(
            np.where(there, np.take_along_axis(values.T, top, axis=1), np.nan), layer.top_images.shape, np.nan
        ),
        n_missing=(~finite).sum(axis=0),
        maps=None,
        by_class=None if layer.by_class is None else _by_class(known, survey.window_labels, n_classes),
        spatial=None,
    )


def _correlation(
    values: NDArray[np.float64], finite: NDArray[np.bool_], mean: NDArray[np.float64], std: NDArray[np.float64]
) -> NDArray[np.float64]:
    undefined = ~(std > 1e-6 * np.abs(mean)) | ~finite.all(axis=0)
    if len(values) < 2:
        return np.full((mean.size, mean.size), np.nan)
    matrix = channel_moments(np.where(finite, values, 0.0)).pearson()
    matrix[undefined] = np.nan
    matrix[:, undefined] = np.nan
    return matrix


def _padded(values: NDArray[Any], shape: tuple[int, ...], filler: float) -> NDArray[Any]:
    whole: NDArray[Any] = np.full(shape, filler, values.dtype)
    whole[:, : values.shape[1]] = values
    return whole


def _by_class(known: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> ClassStatistics:
    count = np.bincount(labels[labels >= 0], minlength=n_classes)
    mean, std = np.full((2, known.shape[1], n_classes), np.nan)
    for label in np.flatnonzero(count):
        own = known[labels == label]
        has_any = np.isfinite(own).any(axis=0)
        mean[has_any, label] = np.nanmean(own[:, has_any], axis=0)
        std[has_any, label] = np.nanstd(own[:, has_any], axis=0)
    return ClassStatistics(count, mean, std)


def _confusion(survey: Survey, n_classes: int) -> NDArray[np.int64]:
    confusion = np.zeros((n_classes, n_classes), np.int64)
    known = (survey.window_labels >= 0) & (survey.window_answers >= 0)
    np.add.at(confusion, (survey.window_labels[known], survey.window_answers[known]), 1)
    return confusion
