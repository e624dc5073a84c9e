"""Surveying: one pass of many images through a network, of which statistics stay."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnvis.capture.inputs import as_module
from cnnvis.capture.surveying.checkpoint import SurveyCheckpoint
from cnnvis.capture.surveying.convergence import ConvergenceCurve
from cnnvis.capture.surveying.engines import in_processes, on_dask
from cnnvis.capture.surveying.files import FileSource, folder_source
from cnnvis.capture.surveying.network import NetworkAccumulator
from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.capture.surveying.pass_over import survey_shard
from cnnvis.capture.surveying.plan import SurveyPlan, make_plan
from cnnvis.capture.surveying.shards import BatchSource, Shard, ShardSource
from cnnvis.capture.targets import as_labels
from cnnvis.core import Provenance, Survey
from cnnvis.core.checks import require_number
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.progress import Progress, silent

logger = logging.getLogger(__name__)


def survey(
    model: Any,
    data: Any,
    layers: str | Iterable[str] | None = None,
    *,
    options: SurveyOptions | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    progress: Progress = silent,
) -> Survey:
    """Return how every channel of `model` behaves over the images of `data`.

    The images are taken in shards, whose statistics are merged in order: memory does not grow with their number.

    Parameters
    ----------
    model : nn.Module or cnnvis.models.Network
        Runs in eval mode and is left as it was, also after an error.
    data : folder, list of picture files, LabelledImages, pair (inputs, labels), inputs alone, or iterable of batches
        A folder has one subfolder of pictures per class, or pictures without classes. Files are read when their turn
        comes; one that cannot be read is skipped and named. All else as for `importance`, a DataLoader among it, but
        labels may be missing: there are no statistics by class then. A pair may hold a list of files and their classes.
    layers : str or iterable of str, optional
        Names or globs. Default: all convolutions and dense layers.
    options : SurveyOptions, optional
    workers : int, default: 1
        Processes, each with one thread; 1 is this process with torch's own threads. A process that dies is replaced.
    scheduler : str, optional
        Address of a Dask cluster to use in their place, such as tcp://host:8786.
    checkpoint : path, optional
        File that holds everything after each shard. If it is there the survey goes on from it, with the same result;
        it is removed at the end. It is refused for other images; those of a loader are known by the first batch, so it
        must bring them in the same order each time.
    progress : callable, optional
        progress(done, total) in images, after each batch, with several processes after each shard; total is 0 where it
        is not known. May raise to cancel.

    Returns
    -------
    Survey

    Raises
    ------
    LayerNotFoundError, LayerNotRunError
        For a layer that is not there, or that images do not go through.
    InvalidInputError
        For zero images or none that can be read, labels that are of no class, no layer to survey, a checkpoint of
        another run, and a model that cannot be sent to other processes.
    MissingFileError
        When there is no such folder.
    MissingDependencyError
        For a cluster without Dask.

    Notes
    -----
    Cost: the forward passes; one more pass over the values of the layers for the averages, and five with
    `options.maps`; the co-moments of C channels take C^2 operations per image and 8 C^2 bytes.
    """
    options = options or SurveyOptions()
    require_number("workers", workers, 1, 1024, whole=True)
    source = source_of(model, data)
    plan = make_plan(model, source.example().call, layers, options, has_labels=source.has_labels)
    taken, curve = NetworkAccumulator(plan), ConvergenceCurve()
    kept = checkpoint and SurveyCheckpoint.of(Path(checkpoint), as_module(model), plan, source)
    n_shards = kept.restore(taken, curve) if kept else 0
    if n_shards:
        logger.info("Going on with the survey in %s, from image %d.", checkpoint, taken.n_images + taken.n_skipped)
    count = _Counter(progress, source.n_images or 0, taken.n_images + taken.n_skipped)
    engine = on_dask(scheduler) if scheduler else in_processes(workers) if workers > 1 else count.engine
    with closing(engine(model, plan, source.shards(options.shard_size, n_shards))) as parts:
        for number, part in enumerate(parts, n_shards + 1):
            taken.merge(part)
            curve.note(taken)
            count.reach(taken.n_images + taken.n_skipped)
            if kept:
                kept.save(taken, curve, number)
    curve.note(taken, is_last=True)
    result = _result(model, source, taken, curve)
    if kept:
        kept.path.unlink(missing_ok=True)
    return result


def source_of(model: Any, data: Any) -> ShardSource:
    """Return the images that `data` stands for, see `survey`."""
    if isinstance(data, str | os.PathLike):
        return folder_source(model, data)
    if hasattr(data, "pair") and hasattr(data, "names"):
        return BatchSource(model, data.pair, data.names)
    files, labels = data if isinstance(data, tuple) and len(data) == 2 else (data, None)
    if isinstance(files, list | tuple) and files and all(isinstance(file, str | os.PathLike) for file in files):
        labels = None if labels is None else as_labels(labels)
        if labels is not None and labels.size != len(files):
            raise InvalidInputError(f"There are {labels.size} labels for {len(files)} files; give one label per file.")
        return FileSource(model, [Path(file) for file in files], labels)
    return BatchSource(model, data)


class _Counter:
    """Tells how many images are done, within a shard too where this process works on it."""

    def __init__(self, progress: Progress, total: int, done: int) -> None:
        self._progress, self._total, self._done = progress, total, done

    def engine(
        self, model: Any, plan: SurveyPlan, shards: Iterable[Shard]
    ) -> Generator[NetworkAccumulator, None, None]:
        """Pass the shards over the network in this process."""
        for shard in shards:
            yield survey_shard(model, plan, shard, done=lambda n_images: self.reach(self._done + n_images))

    def reach(self, done: int) -> None:
        """Note that so many images are done."""
        if done != self._done:
            self._done = done
            self._progress(done, self._total)


def _result(model: Any, source: ShardSource, taken: NetworkAccumulator, curve: ConvergenceCurve) -> Survey:
    if not taken.n_images:
        raise InvalidInputError(f"None of the {taken.n_skipped} images could be read: {taken.skipped[0].reason}")
    shown = {int(image) for layer in taken.layers.values() for image in layer.top.images.ravel() if image >= 0}
    names = {image: source.name(image) for image in sorted(shown | set(taken.recent[:, 0].tolist()))}
    make_provenance = getattr(model, "provenance", None)
    provenance = make_provenance(()) if callable(make_provenance) else Provenance(model=type(as_module(model)).__name__)
    return Survey(
        layers={
            name: replace(layer.result(), value_type=taken.plan.types[name]) for name, layer in taken.layers.items()
        },
        signal=taken.plan.options.signal,
        n_images=taken.n_images,
        confusion=taken.confusion if taken.plan.n_classes else None,
        window_images=taken.recent[:, 0],
        window_labels=taken.recent[:, 1],
        window_answers=taken.recent[:, 2],
        image_names={image: name for image, name in names.items() if name is not None},
        n_skipped=taken.n_skipped,
        skipped=tuple(taken.skipped),
        convergence=curve.result(),
        class_names=getattr(model, "class_names", None),
        provenance=provenance,
    )
