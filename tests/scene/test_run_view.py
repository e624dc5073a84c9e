"""What of a training a scene shows, and how it is put there."""

import numpy as np
import pytest

from cnnvis.core import (
    Provenance,
    RunCheckpoint,
    RunFacts,
    RunMoment,
    RunState,
    SamplePredictions,
    TrainingCurve,
    Volume,
)
from cnnvis.core.classes import percent
from cnnvis.scene import Scene, TransferFunction
from cnnvis.scene.run_view import (
    RunFrames,
    RunLook,
    RunView,
    first_view,
    frame_label,
    learned_sample,
    put_frames,
    shown_epochs,
    shown_item,
    shown_view,
)

FACTS = RunFacts("net", samples=("a", "b"), layers=("conv",), labels=(0, 1), class_names=("cat", "dog"))
NO_CURVE = TrainingCurve(np.empty(0), np.empty(0), np.empty(0), np.empty(0))


def checkpoint(number, predicted=(0, 1), probability=(0.9, 0.6)):
    return RunCheckpoint(number, number, number, predicted=predicted, probability=probability)


def moment(*numbers, facts=FACTS):
    return RunMoment(facts, tuple(map(checkpoint, numbers)), NO_CURVE, NO_CURVE, None, None, RunState.FINISHED)


def volume(value, sample=0, layer="conv"):
    return Volume(np.full((2, 3, 3), float(value)), layer=layer, provenance=Provenance(inputs=(FACTS.samples[sample],)))


def frames(*numbers, sample=0, layer="conv", span=(0.0, 9.0)):
    made = {number: volume(number, sample, layer) for number in numbers}
    return RunFrames(RunView(RunLook.LAYER, layer, sample), made, TransferFunction(span=span))


def test_labels_of_frames_name_the_answer_and_give_the_epoch_back():
    assert frame_label(checkpoint(3), FACTS, 1) == "3 · taken for dog, 60.0 %"
    assert frame_label(RunCheckpoint(7, 7, 7), FACTS, 0) == "7"
    scene = Scene()
    put_frames(scene, frames(0, 3, 10), moment(0, 3, 10))
    assert shown_epochs(scene) == (0, 3, 10)
    assert shown_epochs(Scene()) == ()


@pytest.mark.parametrize(("epoch", "shown"), [(None, 10), (10, 10), (9, 3), (0, 0), (-1, 0)])
def test_the_epoch_that_is_asked_for_is_shown_or_the_one_before_it(epoch, shown):
    scene = Scene()
    put_frames(scene, frames(0, 3, 10), moment(0, 3, 10), epoch=epoch)
    assert shown_item(scene).data.values[0, 0, 0] == shown
    assert shown_epochs(scene)[scene.frame] == shown
    scene.frame = 0
    assert shown_item(scene).data.values[0, 0, 0] == 0


def test_more_epochs_go_into_the_same_item():
    scene = Scene()
    before = frames(0, 1)
    put_frames(scene, before, moment(0, 1))
    item = shown_item(scene)
    item.density = 3.0
    put_frames(scene, frames(0, 1, 2, span=(0.0, 12.0)), moment(0, 1, 2), epoch=1, before=before)
    assert shown_item(scene) is item
    assert (item.density, item.transfer.span, scene.frame) == (3.0, (0.0, 12.0), 1)


def test_a_range_that_somebody_chose_stays():
    scene = Scene()
    before = frames(0, 1)
    put_frames(scene, before, moment(0, 1))
    shown_item(scene).fix_span((1.0, 2.0))
    put_frames(scene, frames(0, 1, 2, span=(0.0, 12.0)), moment(0, 1, 2), before=before)
    assert shown_item(scene).transfer.span == (1.0, 2.0)


def test_another_layer_takes_the_look_and_its_own_range():
    scene = Scene()
    before = frames(0, 1)
    put_frames(scene, before, moment(0, 1))
    shown_item(scene).update({"mode": "mip", "opacity": 0.5})
    shown_item(scene).fix_span((1.0, 2.0))
    scene.camera.azimuth = 77.0
    put_frames(scene, frames(0, 1, layer="deep", span=(0.0, 4.0)), moment(0, 1), before=before)
    item = shown_item(scene)
    assert [each.name for each in scene] == ["deep"]
    assert (item.mode, item.opacity, item.transfer.span, scene.camera.azimuth) == ("mip", 0.5, (0.0, 4.0), 77.0)
    assert scene.title == "deep: cat, original order"


def test_the_view_is_read_from_the_scene():
    scene = Scene()
    put_frames(scene, frames(0, 1, sample=1), moment(0, 1))
    last = RunView(RunLook.NETWORK, "other", 0)
    assert shown_view(scene, FACTS, last) == RunView(RunLook.LAYER, "conv", 1)
    assert shown_view(Scene(), FACTS, last) == last


def test_samples_of_one_name_are_told_apart_by_what_was_seen_last():
    facts = RunFacts("net", samples=("a", "a"), layers=("conv",))
    scene = Scene()
    put_frames(scene, frames(0), moment(0, facts=facts))
    assert shown_view(scene, facts, RunView(RunLook.LAYER, "conv", 1)).sample == 1


def test_what_is_seen_at_first():
    found = SamplePredictions(np.array([0, 1]), np.array([[1, 0], [1, 1]]), np.ones((2, 2)), labels=np.array([0, 1]))
    assert learned_sample(found) == 1, "the second: wrong at first, right at last"
    assert learned_sample(None) == 0
    assert first_view(moment(0)) == RunView(RunLook.NETWORK, "", 0), "without a graph no layer is known to have maps"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0 %"), (0.0001, "below 0.1 %"), (0.999, "99.9 %"), (0.9999, "above 99.9 %"), (1, "100.0 %")],
)
def test_probabilities_in_words(share, text):
    assert percent(share) == text
