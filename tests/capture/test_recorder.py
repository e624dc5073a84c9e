import logging

import numpy as np
import pytest
import torch
from capture_nets import FOR_FX, IMAGES, Loop, Lstm, Residual, Siamese, Twice, Vit
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from cnnvis.capture import record, trace
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError, LayerNotRunError


def by_hand(model, images):
    """Values of Residual, layer by layer, each computed without in-place operations."""
    model.eval()
    with torch.no_grad():
        conv1 = model.conv1(images)
        bn = model.bn(conv1)
        relu = bn.clamp(min=0)
        conv2 = model.conv2(relu)
        add = conv2 + relu
        return {"conv1": conv1, "bn": bn, "relu": relu, "conv2": conv2, "add": add, "relu_op": add.clamp(min=0)}


def test_values_are_the_true_ones_before_in_place_activations():
    model, images = Residual(), torch.rand(IMAGES) - 0.5
    recording = record(model, images)
    for layer, values in by_hand(model, images).items():
        np.testing.assert_array_equal(recording[layer].activations, values.numpy())
    assert recording.layers == ("conv1", "bn", "relu", "conv2", "add", "relu_op", "adaptive_avg_pool2d", "fc")
    with torch.no_grad():
        np.testing.assert_array_equal(recording.logits, model(images).numpy())


@pytest.mark.parametrize("layers", ["conv1", ["conv2", "bn"], ["add"], "conv*", None])
def test_taps_and_tracer_record_the_same(layers):
    model, images = Residual(), torch.rand(IMAGES)
    everything = by_hand(model, images)
    recording = record(model, images, layers)
    assert len(recording) == {"conv1": 1, "conv*": 2}.get(str(layers), len(layers) if layers else 8)
    for name in set(recording) & set(everything):
        np.testing.assert_array_equal(recording[name].activations, everything[name].numpy())


def test_second_calls_and_the_names_of_trace():
    model, images = Twice(), torch.rand(IMAGES)
    recording = record(model, images)
    assert recording.layers == trace(model, images).names[1:]
    alone = record(model, images, ["conv_1"])
    np.testing.assert_array_equal(alone["conv_1"].activations, recording["conv_1"].activations)
    assert not np.array_equal(recording["conv"].activations, recording["conv_1"].activations)


def test_batches_and_progress():
    model, images, steps = Residual(), torch.rand(7, 3, 8, 8), []
    recording = record(model, images, batch_size=3, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(3, 7), (6, 7), (7, 7)]
    whole = record(model, images)
    for layer in whole:
        np.testing.assert_allclose(recording[layer].activations, whole[layer].activations, rtol=1e-4, atol=1e-6)
    assert recording.logits.shape == (7, 5)


@pytest.mark.parametrize("kind", ["array", "list", "generator", "loader", "labelled loader", "dicts", "random loader"])
def test_kinds_of_inputs(kind):
    model, images = Residual(), torch.rand(5, 3, 8, 8)
    inputs = {
        "array": images.double().numpy(),
        "list": [images[:2], images[2:]],
        "generator": (images[i : i + 1] for i in range(5)),
        "loader": DataLoader(images, batch_size=2),
        "labelled loader": DataLoader(TensorDataset(images, torch.arange(5)), batch_size=2),
        "dicts": [{"image": images}],
        "random loader": DataLoader(images, batch_size=2, shuffle=True, drop_last=True),
    }[kind]
    recording = record(model, inputs, "conv1", names=() if "random" in kind else list("abcde"))
    if "random" in kind:
        assert len(recording["conv1"]) == 4
        return
    np.testing.assert_allclose(
        recording["conv1"].activations, record(model, images, "conv1")["conv1"].activations, rtol=1e-4, atol=1e-6
    )
    assert recording.inputs == recording.provenance.inputs == ("a", "b", "c", "d", "e")


def test_several_inputs_and_nested_ones():
    model, left, right = Siamese(), torch.rand(IMAGES), torch.rand(IMAGES)
    recording = record(model, (left, [right]), ["body", "body_1"], batch_size=1)
    with torch.no_grad():
        np.testing.assert_allclose(recording["body_1"].activations, model.body(right).numpy(), rtol=1e-5)
        np.testing.assert_allclose(recording["body"].activations, model.body(left).numpy(), rtol=1e-5)
    assert recording.logits is None, "two tensors are no logits"


def test_tokens_have_their_channels_on_axis_1():
    model, images = Vit().eval(), torch.rand(2, 3, 8, 8)
    recording = record(model, images, ["norm", "own.qkv", "mha:1", "own"])
    with torch.no_grad():
        tokens = torch.cat([model.cls.expand(2, -1, -1), model.patch(images).flatten(2).transpose(1, 2)], dim=1)
        normed = model.norm(tokens)
        np.testing.assert_allclose(recording["norm"].activations, normed.transpose(1, 2), atol=1e-6)
        np.testing.assert_allclose(recording["own.qkv"].activations, model.own.qkv(normed).transpose(1, 2), atol=1e-5)
        np.testing.assert_allclose(recording["own"].activations, model.own(normed).transpose(1, 2), atol=1e-5)
    assert recording["mha:1"].activations.shape == (2, 5, 5)


@pytest.mark.parametrize("batch_first", [True, False])
def test_recurrent_layers_and_their_states(batch_first):
    model, series = Lstm(batch_first=batch_first).eval(), torch.rand(3, 7, 4)
    recording = record(model, series, ["lstm", "lstm:1.0", "fc"])
    with torch.no_grad():
        fed = series if batch_first else series.transpose(0, 1)
        out, (state, _) = model.lstm(fed)
        out = out if batch_first else out.transpose(0, 1)
    np.testing.assert_allclose(recording["lstm"].activations, out.transpose(1, 2), atol=1e-6)
    np.testing.assert_allclose(recording["lstm:1.0"].activations, state.permute(1, 2, 0), atol=1e-6)
    assert recording["fc"].activations.shape == (3, 2, 7)


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [(torch.float16, np.float16), (torch.bfloat16, np.float32), (torch.float64, np.float64)],
)
def test_other_precisions(dtype, stored):
    model, images = Residual().to(dtype), torch.rand(IMAGES)
    recording = record(model, images, ["conv1", "add"])
    assert recording["conv1"].activations.dtype == stored
    with torch.no_grad():
        expected = model.conv1(images.to(dtype)).double().numpy()
    np.testing.assert_array_equal(recording["conv1"].activations.astype(float), expected)


def test_integer_results_become_floats_and_complex_ones_are_refused():
    class Net(nn.Module):
        def forward(self, x):
            return (x * 10).long(), torch.fft.fft(x)

    images = torch.rand(2, 3, 4)
    recording = record(Net(), images)
    assert recording.layers == ("mul", "long")
    assert recording["long"].activations.dtype == np.float32
    with pytest.raises(InvalidInputError, match=r"'fft_fft'.*complex"):
        record(Net(), images, "fft_fft")


def test_a_model_on_another_device_gets_its_inputs_there():
    model = Residual().to("meta")
    with pytest.raises(NotImplementedError, match="meta"):  # inputs arrived, values cannot leave: there are none
        record(model, torch.rand(IMAGES), "conv1")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_recording_on_a_gpu():
    model, images = Residual().cuda().half(), torch.rand(5, 3, 8, 8)
    state = torch.cuda.get_rng_state()
    recording = record(model, images, batch_size=2)
    assert recording["add"].activations.dtype == np.float16
    assert torch.equal(torch.cuda.get_rng_state(), state)
    assert trace(model, images).names[1:] == (*recording.layers[:-1], "flatten", "fc")
    with torch.no_grad():
        expected = model.eval().conv1(images.cuda().half()).cpu().numpy()
    np.testing.assert_allclose(recording["conv1"].activations, expected, atol=1e-2)


def test_the_inputs_of_the_user_are_not_changed():
    model, images = nn.Sequential(nn.ReLU(inplace=True)), torch.rand(IMAGES) - 0.5
    before = images.clone()
    record(model, images)
    record(model, [images])
    trace(model, images)
    assert torch.equal(images, before)


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ("conv", LayerNotFoundError, r"Did you mean: conv\d, conv\d"),
        ("conv3*", LayerNotFoundError, r"Did you mean: conv\d, conv\d"),
        ([], InvalidInputError, "empty"),
        ("add_3", LayerNotFoundError, "add"),
        ("conv1_1", LayerNotRunError, "'conv1' was called 1 time, as conv1"),
        ("relu_4", LayerNotRunError, "called 1 time"),
    ],
)
def test_wrong_layers(layers, error, message):
    with pytest.raises(error, match=message):
        record(Residual(), torch.rand(IMAGES), layers)


def test_layers_that_never_run_or_are_none():
    inputs = (torch.rand(IMAGES), [torch.rand(IMAGES)])
    with pytest.raises(LayerNotRunError, match=r"'unused'.*does not go through"):
        record(Siamese(), inputs, "unused")
    with pytest.raises(LayerNotRunError, match=r"ModuleList is never called.*'blocks.\*'"):
        record(Siamese(), inputs, "blocks")
    with pytest.raises(LayerNotFoundError, match="inside the layer 'mha'"):
        record(Vit(), torch.rand(2, 3, 8, 8), "mha.out_proj")
    with pytest.raises(LayerNotFoundError, match="another name of the module 'conv'"):
        record(Twice(), torch.rand(IMAGES), "tied")


def test_a_layer_that_runs_for_some_images_only():
    inputs = torch.tensor([[0.5] * 4, [7.0] * 4])
    with pytest.raises(LayerNotRunError, match=r"'step_1' ran for images 1 to 1 but not for images 0 to 0"):
        record(Loop(), inputs, batch_size=1)
    with pytest.raises(LayerNotRunError, match=r"'step_1' ran for images 0 to 0 but not for images 1 to 1"):
        record(Loop(), inputs.flip(0), "step_*", batch_size=1)
    assert len(record(Loop(), inputs, "step", batch_size=1)["step"]) == 2


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (torch.rand(0, 3, 8, 8), "zero images"),
        ([], "zero images"),
        ("cat.png", "preprocess"),
        (3, "int"),
        (np.array(["a"]), "no numbers"),
        (torch.tensor(1.0), "first axis"),
        ([torch.rand(IMAGES), torch.rand(2, 3, 9, 9)], "images of one size"),
    ],
)
def test_wrong_inputs(inputs, message):
    with pytest.raises(InvalidInputError, match=message):
        record(Residual(), inputs, "conv1")


def test_a_missing_batch_axis_is_noticed():
    with pytest.raises(InvalidInputError, match="does not hold the 3 images"):
        record(nn.Sequential(nn.Conv2d(3, 4, 1)), torch.rand(3, 8, 8), "0")


def test_names_must_fit():
    with pytest.raises(InvalidInputError, match="2 images but 1 names"):
        record(Residual(), torch.rand(IMAGES), names=["a"])
    with pytest.raises(InvalidInputError, match="batch_size"):
        record(Residual(), torch.rand(IMAGES), batch_size=0)


def test_nan_and_infinity_are_kept():
    images = torch.rand(IMAGES)
    images[0, 0, 0, 0], images[1, 0, 0, 0] = torch.nan, torch.inf
    maps = record(nn.Sequential(nn.ReLU()), images, "0")["0"]
    assert maps.n_missing == 2


def test_the_provenance_of_a_network_is_kept():
    class Network:
        module = Residual()

        def provenance(self, names):
            return trace_provenance(names)

    def trace_provenance(names):
        from cnnvis.core import Provenance

        return Provenance(model="mine", weights="random", inputs=tuple(names))

    recording = record(Network(), torch.rand(IMAGES), "conv1", names=["a", "b"])
    assert recording.provenance.model == "mine"
    assert recording["conv1"].provenance.inputs == ("a", "b")


def test_the_user_can_stop_it():
    def stop(done, total):
        raise CancelledError("enough")

    model = Residual().train()
    with pytest.raises(CancelledError):
        record(model, torch.rand(IMAGES), progress=stop)
    assert model.training


def test_the_need_is_logged(caplog):
    with caplog.at_level(logging.INFO, logger="cnnvis.capture"):
        record(Residual(), torch.rand(4, 3, 8, 8), "conv1", batch_size=2, memory_budget="1 MB")
    assert caplog.messages == ["Recording 1 layers of 4 images: 4.1 kB in memory (budget 1.0 MB), 0 B on disk"]


@pytest.mark.parametrize("kind", FOR_FX)
def test_outputs_are_those_of_a_plain_forward(kind):
    model, images = FOR_FX[kind]().eval(), torch.rand(IMAGES)
    last = trace(model, images).layers[-1].name
    with torch.no_grad():
        np.testing.assert_array_equal(record(model, images)[last].activations, model(images).numpy())
