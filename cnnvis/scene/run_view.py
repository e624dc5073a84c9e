"""What of a training a scene shows, read from the scene itself: look, layer, sample, and the epoch of each frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from cnnvis.core import NetworkMaps, RunCheckpoint, RunFacts, RunMoment, SamplePredictions, Volume
from cnnvis.core.classes import percent
from cnnvis.core.ordering import method_title
from cnnvis.scene.camera import Camera
from cnnvis.scene.items import SceneItem, ValueItem
from cnnvis.scene.scene import TILES_CAMERA, Scene
from cnnvis.scene.scene_state import Series
from cnnvis.scene.transfer import TransferFunction

Frame = Volume | NetworkMaps


class RunLook(StrEnum):
    """What a frame shows of the network: one layer's maps as a volume, or those of all layers as tiles."""

    LAYER = "layer"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class RunView:
    """What to see of a training.

    Parameters
    ----------
    look : RunLook
    layer : str
        Whose maps; of the whole network only kept for when one layer is looked at again.
    sample : int
    """

    look: RunLook
    layer: str
    sample: int


@dataclass(frozen=True, slots=True, eq=False)
class RunFrames:
    """What the epochs of a training show.

    Parameters
    ----------
    view : RunView
    frames : mapping of int to Volume or NetworkMaps
        By epoch, rising.
    transfer : TransferFunction or None
        One for all epochs, its range fixed; None where there are none.
    left_out : mapping of int to str
        A sentence for each epoch that could not be read.
    """

    view: RunView
    frames: Mapping[int, Frame]
    transfer: TransferFunction | None = None
    left_out: Mapping[int, str] = field(default_factory=dict)


def first_view(moment: RunMoment) -> RunView:
    """Return what to see of a run at first: a layer's maps, or the whole network where none was kept that has any."""
    mapped = moment.facts.layers_with_maps
    look = RunLook.LAYER if mapped else RunLook.NETWORK
    return RunView(look, mapped[:2][-1] if mapped else "", learned_sample(moment.predictions))


def learned_sample(predictions: SamplePredictions | None) -> int:
    """Return the first sample that was wrong at first and is right at last; 0 where there is none, or no labels."""
    if predictions is None or predictions.right is None:
        return 0
    return int(np.argmax(predictions.right[-1] & ~predictions.right[0]))


def put_frames(
    scene: Scene, found: RunFrames, moment: RunMoment, *, epoch: int | None = None, before: RunFrames | None = None
) -> None:
    """Let a scene play the frames of a run, in the look that it has where it shows such frames already.

    Parameters
    ----------
    scene : Scene
    found : RunFrames
        At least one frame.
    moment : RunMoment
        What the run was when they were made.
    epoch : int, optional
        Which is shown: this, or the one before it. Default: the newest.
    before : RunFrames, optional
        What the scene played before. A range of colours that is not theirs somebody has chosen by hand: it stays.
    """
    data = tuple(found.frames.values())
    item = shown_item(scene)
    if not isinstance(item, ValueItem) or not _suits(item, found):
        item = _new_item(scene, item, found)
    elif before is None or before.transfer is None or item.transfer.span == before.transfer.span:
        item.transfer = item.transfer.model_copy(update={"span": found.transfer and found.transfer.span})
    by_number = {checkpoint.number: checkpoint for checkpoint in moment.checkpoints}
    labels = tuple(frame_label(by_number[number], moment.facts, found.view.sample) for number in found.frames)
    at = len(data) - 1 if epoch is None else max(sum(number <= epoch for number in found.frames) - 1, 0)
    scene.restore_frames(Series(axis=moment.facts.unit, labels=labels), {item.name: data}, at)
    item.data = data[at]
    scene.title = _title(found.view, moment.facts, data[at])


def _suits(item: ValueItem, found: RunFrames) -> bool:
    """Whether an item shows other epochs or samples of the very same."""
    first = next(iter(found.frames.values()))
    return type(item.data) is type(first) and getattr(item.data, "layer", "") == getattr(first, "layer", "")


def _new_item(scene: Scene, old: SceneItem | None, found: RunFrames) -> ValueItem:
    """Put an item for these frames in place of another one, of whose look it takes what suits it."""
    first = next(iter(found.frames.values()))
    scene.restore_frames(Series(), {}, 0)
    if old is not None:
        scene.remove(old.name)
    if isinstance(first, Volume):
        item: ValueItem = scene.add_volume(first, name=first.layer, transfer=found.transfer)
    else:
        item = scene.add_tiles(first, transfer=found.transfer)
    if old is not None and type(old) is type(item):
        item.update({name: value for name, value in old.look_for(item).items() if name != "transfer"})
    else:
        scene.camera.update((Camera() if isinstance(first, Volume) else TILES_CAMERA).model_dump())
    return item


def _title(view: RunView, facts: RunFacts, shown: Frame) -> str:
    subject = facts.subject(view.sample)
    if isinstance(shown, Volume):
        return f"{view.layer}: {subject}, {method_title(shown.method)} order"
    return f"{facts.name}: {subject}"


def shown_item(scene: Scene) -> SceneItem | None:
    """Return the item that plays the epochs: the one with frames; None where there is none."""
    return next((item for item in scene if item.name in scene.frames), None)


def shown_view(scene: Scene, facts: RunFacts, last: RunView) -> RunView:
    """Return what a scene shows of a run.

    Parameters
    ----------
    scene : Scene
    facts : RunFacts
    last : RunView
        What cannot be read from the scene is as here: samples of one name, and the layer of a whole network.
    """
    item = shown_item(scene)
    if item is None or not isinstance(item.data, Volume | NetworkMaps):
        return last
    names = item.data.provenance.inputs[:1]
    sample = last.sample
    if names and names[0] in facts.samples and facts.samples[sample] != names[0]:
        sample = facts.samples.index(names[0])
    if isinstance(item.data, NetworkMaps):
        return RunView(RunLook.NETWORK, last.layer, sample)
    return RunView(RunLook.LAYER, item.data.layer, sample)


def frame_label(checkpoint: RunCheckpoint, facts: RunFacts, sample: int) -> str:
    """Return what is said of a frame: its epoch, and what the network took the sample for."""
    if not checkpoint.predicted:
        return str(checkpoint.number)
    name, share = facts.class_name(checkpoint.predicted[sample]), checkpoint.probability[sample]
    return f"{checkpoint.number} · taken for {name}, {percent(share)}"


def shown_epochs(scene: Scene) -> tuple[int, ...]:
    """Return the epoch of each frame, as `frame_label` wrote it."""
    return tuple(int(label.split(" ", 1)[0]) for label in scene.series.labels)
