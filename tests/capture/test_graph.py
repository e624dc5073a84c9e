import json

import numpy as np
import pytest
import torch
from capture_nets import FOR_FX, IMAGES, Dense, Failing, Loop, Lstm, Residual, Siamese, Twice, Unet, Vit
from torch import fx, nn
from torch.nn import functional

from cnnvis.capture import activation_of, trace
from cnnvis.core import LayerRole
from cnnvis.core.errors import InvalidInputError


def edges(graph):
    return {(link.source, link.target) for link in graph.links}


def fx_edges(model):
    """The oracle: torch.fx's edges between calls, called as DESIGN.md calls layers."""
    counts, names, found = {}, {}, set()
    modules = {id(module): name for name, module in reversed(list(model.named_modules(remove_duplicate=False)))}
    taken = set(modules.values())
    for node in fx.symbolic_trace(model).graph.nodes:
        if node.op in ("output", "get_attr"):
            continue
        if node.op == "call_module":
            base = modules[id(model.get_submodule(node.target))]
        elif node.op == "placeholder":
            base = node.target
        else:
            function = node.target if isinstance(node.target, str) else node.target.__name__
            base = {"iadd": "add"}.get(function, function)
            base += "_op" if base in taken else ""
        name, count = base, counts.get(base, 0)
        while count and (name := f"{base}_{count}") in taken:
            count += 1
        counts[base] = count + 1
        names[node] = name
        found |= {(names[source], name) for source in node.all_input_nodes}
    return found


@pytest.mark.parametrize("kind", FOR_FX)
def test_edges_are_those_of_torch_fx(kind):
    model = FOR_FX[kind]()
    assert edges(trace(model, torch.rand(IMAGES))) == fx_edges(model.eval())


def test_layers_of_a_residual_block():
    model = Residual()
    graph = trace(model, torch.rand(1, 3, 8, 8))
    assert graph.names == (
        *("image", "conv1", "bn", "relu", "conv2", "add"),
        *("relu_op", "adaptive_avg_pool2d", "flatten", "fc"),
    )
    assert graph.sources("add") == ("conv2", "relu")
    assert [layer.role.value for layer in graph.layers] == [
        *("input", "convolution", "norm", "activation", "convolution", "merge"),
        *("activation", "pooling", "reshape", "dense"),
    ]
    assert graph["conv1"].shape == (4, 8, 8)
    assert graph["fc"].shape == (5,)
    assert graph["conv1"].attributes["kernel_size"] == [3, 3]
    assert graph.model == "Residual"
    assert sum(layer.parameters for layer in graph.layers) == sum(p.numel() for p in model.parameters())
    for layer in graph.layers:
        json.dumps(dict(layer.attributes))


def test_attributes_of_grouped_and_depthwise_convolutions():
    graph = trace(Dense(), torch.rand(IMAGES))
    assert graph["grouped"].attributes["groups"] == 2
    assert graph["depthwise"].attributes["groups"] == 8
    assert graph.sources("cat") == ("stem", "grouped")
    assert graph.sources("cat_1") == ("cat", "depthwise")
    assert graph["cat_1"].shape == (16, 8, 8)


def test_a_skip_connection_far_apart():
    graph = trace(Unet(), torch.rand(IMAGES))
    assert graph.sources("cat") == ("down.1", "up")
    assert graph["silu"].role is LayerRole.ACTIVATION


def test_the_channel_axis_of_tokens_comes_first():
    graph = trace(Vit(), torch.rand(2, 3, 8, 8))
    shapes = {layer.name: layer.shape for layer in graph.layers}
    assert shapes["patch"] == (6, 2, 2)
    assert shapes["flatten"] == shapes["transpose"] == (6, 4)
    tokens = ["cat", "norm", "own.proj", "add", "mha", "act", "drop", "add_1"]
    assert {name: shapes[name] for name in tokens} == dict.fromkeys(tokens, (6, 5))
    assert shapes["own.qkv"] == (18, 5)
    assert shapes["head"] == (3,)
    assert graph.sources("add") == ("cat", "own.proj")
    assert graph.sources("add_1") == ("add", "drop")
    assert graph["mha"].attributes["outputs"] == ["mha:1"]


def test_the_channel_axis_of_a_transformer_that_is_fed_with_tokens():
    """An input (N, T, D) looks like (N, C, S); the layers know better, also where they meet the input."""
    layer = nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)
    graph = trace(layer, torch.rand(2, 5, 6))
    shapes = {layer.name: layer.shape for layer in graph.layers[1:]}
    assert shapes.pop("linear1") == shapes.pop("relu") == shapes.pop("dropout") == (8, 5)
    assert set(shapes.values()) == {(6, 5)}


def test_sequence_first_layers_inside_a_batch_first_network():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(4, 6)
            self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8), 1, enable_nested_tensor=False)

        def forward(self, x):
            return self.encoder(self.embed(x).permute(1, 0, 2)).mean(0)

    graph = trace(Net(), torch.rand(2, 5, 4))
    assert {layer.shape for layer in graph.layers if layer.name.startswith("encoder")} == {(6, 5), (8, 5)}
    assert graph["mean"].shape == (6,)
    assert all(layer.recordable for layer in graph.layers)


def test_an_untouched_tensor_keeps_its_own_place():
    """Dropout in eval mode returns the very tensor it got: the skip around it must not go through it."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)
            self.drop = nn.Dropout()

        def forward(self, x):
            x = self.conv(x)
            return self.drop(x) + x

    assert trace(Net(), torch.rand(IMAGES)).sources("add") == ("drop", "conv")


def test_calls_of_one_module_are_numbered_around_the_names_of_others():
    graph = trace(Twice(), torch.rand(IMAGES))
    assert graph.names == ("x", "conv", "relu", "relu_1", "conv_1", "relu_2")
    assert graph["conv_1"].parameters == 0
    assert graph["conv_1"].module == "conv"


def test_operations_and_inputs_called_like_modules_get_a_tag():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.add = nn.Conv2d(3, 3, 1)
            self.x = nn.ReLU()

        def forward(self, x):
            return self.x(self.add(x)) + x + 1

    assert trace(Net(), torch.rand(IMAGES)).names == ("x_input", "add", "x", "add_op", "add_op_1")


def test_several_inputs_nested_in_and_out():
    left, right, scale = torch.rand(IMAGES), torch.rand(IMAGES), torch.rand(2, 4)
    model = Siamese()
    graph = trace(model, {"left": left, "others": [right], "scale": scale})
    assert edges(graph) == {
        *(("left", "body"), ("body", "blocks.0"), ("others.0", "body_1"), ("body_1", "blocks.1")),
        *(("scale", "getitem"), ("blocks.1", "mul"), ("getitem", "mul")),
    }
    assert "unused" not in graph
    assert trace(model, (left, [right])).names[:2] == ("left", "others.0")


def test_tuples_dicts_and_recurrent_states():
    graph = trace(Lstm(), torch.rand(2, 7, 4))
    assert graph["lstm"].shape == (5, 7)
    assert graph["lstm"].attributes["outputs"] == ["lstm:1.0", "lstm:1.1"]
    assert graph["fc"].shape == (2, 7)
    assert graph.sources("getitem") == ("lstm",)
    assert trace(Lstm(batch_first=False), torch.rand(2, 7, 4))["fc"].shape == (2, 7)


@pytest.mark.parametrize(("largest", "steps"), [(0.5, 1), (1.9, 2), (7.0, 4)])
def test_control_flow_that_depends_on_data(largest, steps):
    graph = trace(Loop(), torch.full((1, 4), largest))
    assert sum(layer.module == "step" for layer in graph.layers) == steps
    assert all(layer.shape for layer in graph.layers), "what steers the loop belongs to no image"
    assert graph.sources("step") == ("x",)


def test_in_place_operations_become_the_source():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x):
            x = self.conv(x)
            functional.relu_(x)
            x[:, 0] = x[:, 1]
            x[:, 1:].mul_(2)
            return torch.sigmoid(x)

    graph = trace(Net(), torch.rand(IMAGES))
    assert graph.sources("setitem") == ("relu", "getitem")
    assert set(graph.sources("sigmoid")) == {"setitem", "mul"}


def test_dtype_moves_and_copies_are_no_layers():
    class Net(nn.Module):
        def forward(self, x):
            return x.double().clone().contiguous().detach().to(torch.float32).relu()

    graph = trace(Net(), torch.rand(IMAGES))
    assert graph.names == ("x", "relu")
    assert graph.sources("relu") == ("x",)


def test_what_cannot_be_recorded_says_so():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.text = Text()

        def forward(self, x):
            self.text(x)
            x = torch.fft.fft(x)
            return x.real.reshape(-1)

    class Text(nn.Module):
        def forward(self, x):
            return "no tensor"

    graph = trace(Net(), torch.rand(1, 2, 3))
    recordable = {layer.name: layer.recordable for layer in graph.layers}
    assert recordable == {"x": True, "text": False, "fft_fft": False, "real": True, "reshape": False}


def test_the_root_may_be_a_single_layer_or_use_functions_only():
    assert trace(nn.Conv2d(3, 4, 1), torch.rand(IMAGES)).names == ("input", "Conv2d")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.rand(4, 3, 1, 1))

        def forward(self, x):
            return functional.conv2d(x, self.weight)

    graph = trace(Net(), torch.rand(IMAGES))
    assert graph["conv2d"].parameters == 12
    assert graph["conv2d"].role is LayerRole.CONVOLUTION


def test_a_layer_that_raises_and_is_caught():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.part = Failing()
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            try:
                x = self.part(x)
            except ArithmeticError:
                x = self.conv(x)
            return x + 1

    graph = trace(Net(), torch.rand(IMAGES))
    assert graph.names == ("x", "part.conv", "part.relu", "conv", "add")
    assert graph.sources("conv") == ("x",)


def test_exported_programs_are_traced_by_their_operations():
    model = torch.export.export(Residual().eval(), (torch.rand(IMAGES),)).module()
    graph = trace(model, torch.rand(IMAGES))
    roles = [layer.role.value for layer in graph.layers if layer.role is not LayerRole.OTHER]
    assert roles[:5] == ["input", "convolution", "norm", "activation", "convolution"]
    assert graph.layers[-1].role is LayerRole.DENSE


def test_wrapped_models_and_networks_are_unwrapped():
    class Network:
        module = Residual()
        example = (torch.rand(1, 3, 8, 8),)

    assert trace(Network()).model == "Residual"
    assert trace(nn.DataParallel(Residual()), np.random.default_rng(0).random(IMAGES)).model == "Residual"
    assert trace(torch.compile(Residual()), torch.rand(IMAGES)).model == "Residual"


@pytest.mark.parametrize(
    ("model", "example", "message"),
    [
        ("efficientnet", None, "torch.nn.Module"),
        (Residual(), None, "needs an example"),
        (Residual(), "photo.png", "hold no tensor"),
        (Residual(), torch.rand(0, 3, 8, 8), "zero images"),
        (Residual(), (torch.rand(IMAGES), torch.rand(3, 1)), "first axis"),
        (nn.LazyConv2d(3, 1), torch.rand(IMAGES), "lazy"),
    ],
)
def test_bad_input(model, example, message):
    with pytest.raises(InvalidInputError, match=message):
        trace(model, example)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_refused():
    with pytest.raises(InvalidInputError, match="TorchScript"):
        trace(torch.jit.trace(nn.ReLU(), torch.rand(1)), torch.rand(1))


def test_activation_that_follows():
    graph = trace(Residual(), torch.rand(IMAGES))
    assert activation_of(graph, "conv1") == "relu"
    assert activation_of(graph, "conv2") is None
    assert activation_of(graph, "add") == "relu_op"
