"""Surveying: one pass of many images through a network, of which statistics stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnnvis.capture.inputs import as_module
from cnnvis.capture.surveying.convergence import ConvergenceCurve
from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.capture.surveying.pass_over import survey_shard
from cnnvis.capture.surveying.plan import make_plan
from cnnvis.capture.surveying.shards import BatchSource, ShardSource
from cnnvis.core import Provenance, Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent


def survey(
    model: Any,
    data: Any,
    layers: str | Iterable[str] | None = None,
    *,
    options: SurveyOptions | None = None,
    progress: Progress = silent,
) -> Survey:
    """Return how every channel of `model` behaves over the images of `data`.

    The images are taken in shards, whose statistics are merged in order: memory does not grow with their number.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Runs in eval mode and is left as it was, also after an error.
    data : pair (inputs, labels), inputs alone, or iterable of batches such as a DataLoader
        As for `importance`, but labels may be missing: there are no statistics by class then.
    layers : str or iterable of str, optional
        Names or globs. Default: all convolutions and dense layers.
    options : SurveyOptions, optional
    progress : callable, optional
        progress(done, total) after each batch, in images; total is 0 where it is not known. May raise to cancel.

    Returns
    -------
    Survey

    Raises
    ------
    LayerNotFoundError, LayerNotRunError
        For a layer that is not there, or that images do not go through.
    InvalidInputError
        For zero images, labels that are of no class, no layer to survey.

    Notes
    -----
    Cost: the forward passes; one more pass over the values of the layers for the averages, and five with
    `options.maps`; the co-moments of C channels take C^2 operations per image and 8 C^2 bytes.
    """
    options = options or SurveyOptions()
    source = BatchSource(model, data)
    example = source.example()
    plan = make_plan(model, example.call, layers, options, has_labels=source.has_labels)
    taken, curve = NetworkAccumulator(plan), ConvergenceCurve()
    done = 0

    def count(n_images: int) -> None:
        nonlocal done
        done += n_images
        progress(done, source.n_images or 0)

    for shard in source.shards(options.shard_size):
        taken.merge(survey_shard(model, plan, shard, done=count))
        curve.note(taken)
    curve.note(taken, is_last=True)
    return _result(model, source, taken, curve)


def _result(model: Any, source: ShardSource, taken: NetworkAccumulator, curve: ConvergenceCurve) -> Survey:
    if not taken.n_images:
        raise InvalidInputError(f"None of the {taken.n_skipped} images could be read: {taken.skipped[0].reason}")
    shown = {int(image) for layer in taken.layers.values() for image in layer.top.images.ravel() if image >= 0}
    names = {image: source.name(image) for image in sorted(shown | set(taken.recent.tolist()))}
    make_provenance = getattr(model, "provenance", None)
    provenance = make_provenance(()) if callable(make_provenance) else Provenance(model=type(as_module(model)).__name__)
    return Survey(
        layers={name: layer.result() for name, layer in taken.layers.items()},
        signal=taken.plan.options.signal,
        n_images=taken.n_images,
        confusion=taken.confusion if taken.plan.n_classes else None,
        window_images=taken.recent,
        image_names={image: name for image, name in names.items() if name is not None},
        n_skipped=taken.n_skipped,
        skipped=tuple(taken.skipped),
        convergence=curve.result(),
        class_names=getattr(model, "class_names", None),
        provenance=provenance,
    )
