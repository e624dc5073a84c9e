"""A network becomes something to show: maps of an image, or bundled links."""

import textwrap
import threading

import numpy as np
import pytest

from cnnvis.capture import record
from cnnvis.core import Importance
from cnnvis.core.errors import CancelledError, CnnvisError, InvalidInputError, LayerNotFoundError, NoSpatialMapsError
from cnnvis.layout import BundleOptions
from cnnvis.models import load, read_image
from cnnvis.studies import DrawingOptions
from cnnvis.studies.showing import ModelView, show_model

IMAGE = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
QUICK = DrawingOptions(bundling=BundleOptions(max_iterations=1))
SCORES = Importance({"0": np.arange(4.0), "2": np.arange(5.0)}, "weight")

NETWORKS = """
    import torch
    from torch import nn
    from cnnvis.models import ImageSpec, Network

    def convolutional():
        torch.manual_seed(3)
        layers = nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Flatten(), nn.Linear(20, 3)
        return Network(nn.Sequential(*layers), name="tiny", weights="random", image=ImageSpec((4, 4), colour="L"))
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("networks") / "networks.py"
    path.write_text(textwrap.dedent(NETWORKS))
    return f"{path}:convolutional"


def test_maps_of_an_image_stand_in_a_row_in_their_order(source):
    shown = show_model(source, ModelView(image=IMAGE, layers=("0", "2"), ordering="kmeans"))
    assert shown.networks == (None,)
    first, second = shown.target.items
    assert [item.data.shape for item in (first, second)] == [(4, 4, 4), (5, 2, 2)]
    assert [item.data.method for item in (first, second)] == ["kmeans", "kmeans"]
    assert second.origin[2] > first.origin[2] + first.data.spacing[2] * 3
    network = load(source)
    maps = record(network, network.preprocess(read_image(IMAGE)), ("0",))["0"].activations[0]
    np.testing.assert_allclose(first.data.values, maps[first.data.channels], rtol=1e-6)
    # weighted by how active each channel is, though nothing is faded by it yet
    np.testing.assert_allclose(first.data.weights, np.abs(first.data.values).mean(axis=(1, 2)), rtol=1e-5)
    assert first.drive == "none"


def test_maps_are_recorded_once(source):
    network, calls = load(source), []
    network.module.register_forward_hook(lambda *_: calls.append(1))
    show_model(network, ModelView(image=IMAGE, layers=("0", "2")))
    with_maps = len(calls)
    calls.clear()
    record(network, network.preprocess(read_image(IMAGE)), ("0", "2"))
    assert with_maps == len(calls) > 0


def test_scores_that_are_given_drive_opacity_and_order(source):
    view = ModelView(image=IMAGE, layers=("0",), ordering="importance", scores=SCORES)
    (item,) = show_model(source, view).target
    assert item.drive == "importance"
    np.testing.assert_array_equal(item.data.channels, [3, 2, 1, 0])
    np.testing.assert_array_equal(item.data.weights, [3, 2, 1, 0])


def test_without_an_image_the_whole_network_is_drawn(source):
    shown = show_model(source, ModelView(drawing=QUICK))
    (network,) = shown.networks
    assert [item.kind for item in shown.target] == ["bundle", "glyphs", "labels"]
    assert shown.target["bundle"].data.points is network.lines.points
    assert network.parameters["importance"] == "weight"  # none comes with cnnvis for it


def test_shipped_importance_tells_the_classes_of_a_bundled_network():
    options = DrawingOptions(top_k=200, bundling=BundleOptions(max_iterations=1))
    shown = show_model("mnist-mlp", ModelView(drawing=options))
    assert shown.networks[0].parameters["importance"] == "batchnorm"
    assert shown.target["bundle"].shown_class == "all"
    assert shown.target["bundle"].class_names == tuple("0123456789")


@pytest.mark.parametrize("view", [ModelView(image=IMAGE), ModelView(drawing=QUICK)])
def test_progress_rises_to_the_end_and_stops_the_work_anywhere(view, source):
    told = []
    show_model(source, view, progress=lambda done, total: told.append(done / total))
    assert told == sorted(told)
    assert told[0] < 0.5
    assert told[-1] == 1
    for stop in range(len(told)):
        seen = []

        def cancel(done, total, seen=seen, stop=stop):
            seen.append(done)
            if len(seen) > stop:
                raise CancelledError("stopped")

        with pytest.raises(CancelledError):
            show_model(source, view, progress=cancel)
        assert len(seen) == stop + 1


def test_it_works_in_a_thread(source):
    found = []
    thread = threading.Thread(target=lambda: found.append(show_model(source, ModelView(image=IMAGE))))
    thread.start()
    thread.join(60)
    here = show_model(source, ModelView(image=IMAGE))
    assert found[0].target.state() == here.target.state()
    np.testing.assert_array_equal(found[0].target.items[0].data.values, here.target.items[0].data.values)


def test_what_cannot_be_shown_says_why(source):
    with pytest.raises(InvalidInputError, match="those of an image"):
        ModelView(layers=("0",))
    with pytest.raises(InvalidInputError, match="ordering method"):
        ModelView(ordering="colour")
    with pytest.raises(NoSpatialMapsError, match=r"'4' of tiny has values \(3,\).*Without an image"):
        show_model(source, ModelView(image=IMAGE, layers=("4",)))
    with pytest.raises(LayerNotFoundError):
        show_model(source, ModelView(image=IMAGE, layers=("5",)))
    with pytest.raises(LayerNotFoundError):
        show_model(source, ModelView(image=IMAGE, layers=("2",), scores=Importance({"0": np.arange(4.0)}, "weight")))
    with pytest.raises(CnnvisError, match="no-such-network"):
        show_model("no-such-network")
    with pytest.raises(CnnvisError, match=r"missing\.png"):
        show_model(source, ModelView(image="missing.png"))


def test_a_whole_network_is_shown_as_the_maps_of_an_image_or_of_its_example(source):
    for image, name in ((IMAGE, ()), (None, ())):
        (item,) = show_model(source, ModelView(image=image, tiles=True)).target
        assert item.kind == "tiles"
        assert [len(stack) for stack in item.data.values] == [1, 4, 5, 3]
        assert item.data.provenance.inputs == name
    some = show_model(source, ModelView(tiles=True, layers=("0", "4"))).target
    assert some["network"].data.layers == ("0", "4")
    heard = []
    show_model(source, ModelView(tiles=True), progress=lambda done, total: heard.append(done / total))
    assert heard[-1] == 1
