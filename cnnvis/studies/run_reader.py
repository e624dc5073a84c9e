"""A run as a window reads it: looked at again and again by one thread, turned into frames by another."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cnnvis.attribution import network_maps, recorded_maps
from cnnvis.core import Recording, RunMoment
from cnnvis.core.errors import CnnvisError, InvalidInputError
from cnnvis.core.memory import new_bytes
from cnnvis.core.progress import Progress, silent
from cnnvis.io.showing import Shown
from cnnvis.models import Network
from cnnvis.scene import Scene
from cnnvis.scene.run_view import Frame, RunFrames, RunLook, RunView, first_view, put_frames
from cnnvis.studies.run_frames import in_one_order, shared_transfer, spread, tiles_transfer, with_limits
from cnnvis.training import StoredRun

KEPT_BYTES = 256 * 2**20
"""Of recordings that are kept, so that another layer or sample need not be read anew."""

FRAME_BYTES = 256 * 2**20
"""Of the frames of one view; of more epochs than fit, every second is left out, or more of them."""


class RunReader:
    """Reads a run for somebody who looks at it; may be used by several threads, of which one reads at a time.

    Parameters
    ----------
    folder : path
    model : str, optional
        The architecture, as for `cnnvis.models.load`. Default: what comes with cnnvis under the run's name.

    Raises
    ------
    MissingFileError, FileFormatError
        As from `StoredRun`.
    CheckpointError
        When the run's weights do not fit the architecture that was named.
    """

    def __init__(self, folder: str | Path, model: str | None = None) -> None:
        self._lock = threading.Lock()
        self._run = StoredRun(folder)
        self._model = model
        self._kept: dict[int, Recording] = {}
        self._network: Network | None = None
        self._moment = self._run.moment()
        if model is not None:
            self._architecture()  # what does not fit is said at once

    @property
    def folder(self) -> Path:
        """Where the run lies."""
        return self._run.folder

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples."""
        return self._run.facts.samples

    def look(self) -> RunMoment:
        """Return what there is now; the very same object as before where nothing is new.

        Raises
        ------
        MissingFileError, FileFormatError
            When the run is gone, or its manifest damaged.
        """
        with self._lock:
            before = self._moment
            if self._run.refresh() or self._run.state is not before.state:
                self._moment = self._run.moment()
            if self._moment.facts.run_id != before.facts.run_id:
                self._kept, self._network = {}, None
            return self._moment

    def frames(
        self,
        view: RunView,
        epochs: Sequence[int],
        known: Mapping[int, Frame] | None = None,
        *,
        progress: Progress = silent,
    ) -> RunFrames:
        """Return what some epochs show, under one range, a layer's channels in one order.

        Parameters
        ----------
        view : RunView
        epochs : sequence of int
            Of the run, rising.
        known : mapping of int to Volume or NetworkMaps, optional
            Frames of this view that were made before, by epoch: only later ones are read, and get their order.
        progress : callable, optional
            Counts epochs; may raise CancelledError.

        Returns
        -------
        RunFrames
            Of so many epochs that they fit `FRAME_BYTES`. Those that cannot be read are left out, and named.

        Raises
        ------
        InvalidInputError
            When the layer has no maps, or the network can neither be run nor drawn from what was recorded.
        """
        known = dict(known or {})
        like: Any = known[max(known)] if known else None
        later = [epoch for epoch in epochs if epoch > max(known, default=-1)]
        if like is not None and len(known) + len(later) > _fitting(like):
            known, later = {}, list(epochs)
        with self._lock:
            made, problems = self._read(view, later, progress)
        if not known and not made:
            return RunFrames(view, {}, left_out=problems)
        if view.look is RunLook.NETWORK:
            maps = with_limits(known | made)
            return RunFrames(view, maps, tiles_transfer(maps.values()), problems)
        volumes = known | in_one_order(made, like)
        return RunFrames(view, volumes, shared_transfer(list(volumes.values())), problems)

    def network(self, epoch: int, sample: int) -> tuple[Network, Any, str]:
        """Return the network as it was then, one of the samples as it takes it, (1, ...), and its name.

        Raises
        ------
        InvalidInputError
            When the network's code is not known, or the run kept no samples.
        CnnvisError
            As from `StoredRun.network`.
        """
        with self._lock:
            architecture, samples = self._architecture(), self._moment.samples
            if architecture is None or samples is None:
                raise InvalidInputError(
                    "The run does not know how its network is built: name its architecture, as in cnnvis view RUN "
                    "--model my_net.py:build."
                )
            inputs = torch.from_numpy(np.array(samples[sample : sample + 1]))
            return self._run.network(epoch, architecture), inputs, self._run.facts.samples[sample]

    def _read(self, view: RunView, epochs: Sequence[int], progress: Progress) -> tuple[dict[int, Any], dict[int, str]]:
        """Return the frames of some epochs, as many as fit, and what is wrong with others."""
        self._check(view)
        made: dict[int, Any] = {}
        problems: dict[int, str] = {}
        waiting = list(epochs)
        while waiting:
            epoch = waiting.pop(0)
            progress(len(epochs) - len(waiting) - 1, len(epochs))
            try:
                made[epoch] = self._frame(view, epoch)
            except (OSError, CnnvisError) as error:
                problems[epoch] = f"{self._run.unit} {epoch} is left out: {error}"
            else:
                if len(made) == 1:
                    waiting = list(spread(waiting, _fitting(made[epoch]) - 1))
        return made, problems

    def _check(self, view: RunView) -> None:
        """Raise InvalidInputError where no epoch can show this."""
        facts = self._run.facts
        if not 0 <= view.sample < len(facts.samples):
            raise InvalidInputError(f"The run has samples 0 to {len(facts.samples) - 1}, got {view.sample}.")
        if view.look is RunLook.LAYER:
            mapped = facts.layers_with_maps
            if view.layer not in mapped:
                raise InvalidInputError(
                    f"The run kept no maps of {view.layer!r}; it kept those of {', '.join(mapped) or 'no layer'}."
                )
        elif self._architecture() is None and facts.graph is None:
            raise InvalidInputError(
                "The run does not know how its network is built: name its architecture, as in cnnvis view RUN --model "
                "my_net.py:build."
            )

    def _frame(self, view: RunView, epoch: int) -> Frame:
        if view.look is RunLook.LAYER:
            return self._recording(epoch)[view.layer].volume(image=view.sample)
        facts, samples = self._run.facts, self._moment.samples
        network = self._architecture()
        if network is None or samples is None:
            image = None if samples is None else samples[view.sample]
            assert facts.graph is not None
            return recorded_maps(facts.graph, self._recording(epoch), view.sample, input_values=image)
        maps = network_maps(self._run.network(epoch, network), samples[view.sample : view.sample + 1])
        return replace(maps, provenance=replace(maps.provenance, inputs=(facts.samples[view.sample],)))

    def _architecture(self) -> Network | None:
        """Return the network, with whatever weights; None where its code is not known."""
        if self._network is None and self._run.epochs:
            try:
                self._network = self._run.network(-1, self._model)
            except CnnvisError:
                if self._model is not None:
                    raise
        return self._network

    def _recording(self, epoch: int) -> Recording:
        """Return what was recorded then; what was read lately is kept."""
        if epoch not in self._kept:
            self._kept[epoch] = self._run.recording(epoch)
            while len(self._kept) > 1 and new_bytes(list(self._kept.values()), set()) > KEPT_BYTES:
                del self._kept[next(iter(self._kept))]
        return self._kept[epoch]


def _fitting(frame: Frame) -> int:
    """Return how many frames of such a size there may be."""
    return max(2, FRAME_BYTES // max(new_bytes(frame, set()), 1))


def show_run(
    folder: str | Path,
    *,
    look: RunLook | None = None,
    layer: str = "",
    sample: int | None = None,
    model: str | None = None,
) -> Shown:
    """Return a training as something to show: a frame for each epoch, in one order and under one range.

    Parameters
    ----------
    folder : path
        Of the run.
    look : {"layer", "network"}, optional
        One layer's maps as a volume, or those of the whole network as tiles. Default: a layer, where one was kept.
    layer : str
        Default: the second that was kept with maps.
    sample : int, optional
        Default: the first that was wrong at first and is right at last.
    model : str, optional
        As for `RunReader`.

    Returns
    -------
    Shown
        One scene, at the newest epoch; empty where no epoch can be read.

    Raises
    ------
    CnnvisError
        As from `RunReader`.
    """
    reader = RunReader(folder, model)
    moment = reader.look()
    first = first_view(moment)
    wanted = RunView(
        first.look if look is None else RunLook(look), layer or first.layer, first.sample if sample is None else sample
    )
    found, scene = reader.frames(wanted, moment.epochs), Scene()
    if found.frames:
        put_frames(scene, found, moment)
    return Shown(scene)
