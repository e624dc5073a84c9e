"""A model comes back as it was: {normal, wrong layer, module that raises} x kinds of models x verbs."""

import contextlib
import copy

import pytest
import torch
from capture_nets import IMAGES, Failing, Residual, Twice, Unet, Vit
from torch import nn
from torch.nn import functional

from cnnvis.capture import intervene, record, trace
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, LayerNotRunError


class Noisy(nn.Module):
    """Draws random numbers, counts its calls in a buffer, exchanges another, trains its norm also in eval mode."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.register_buffer("n_calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def forward(self, x):
        self.n_calls += 1
        x = functional.dropout(self.conv(x), 0.5)
        x = functional.batch_norm(x, self.mean, self.variance, training=True)
        self.mean = self.mean * 2
        return x


KINDS = {"residual": Residual, "unet": Unet, "vit": Vit, "twice": Twice, "noisy": Noisy, "failing": Failing}


def hooks_of(model):
    return [
        (name, len(hooks))
        for name, module in model.named_modules()
        for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
    ]


def state_of(model):
    return {
        "hooks": hooks_of(model),
        "training": [module.training for module in model.modules()],
        "grad flags": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [None if p.grad is None else p.grad.tolist() for p in model.parameters()],
        "values": {name: tensor.tolist() for name, tensor in model.state_dict().items()},
        "identity": [id(tensor) for tensor in (*model.parameters(), *model.buffers())],
        "random state": torch.get_rng_state().tolist(),
        "grad mode": torch.is_grad_enabled(),
        "modes": torch._C._len_torch_function_stack(),
    }


def mixed(model):
    """A model in which no flag is like its neighbour's."""
    for index, module in enumerate(model.modules()):
        module.training = index % 2 == 0
    for index, parameter in enumerate(model.parameters()):
        parameter.requires_grad = index % 3 != 0
    last = list(model.parameters())[-1]
    last.grad = torch.ones_like(last)
    return model


VERBS = {
    "trace": lambda model, layer: trace(model, torch.rand(IMAGES, generator=torch.Generator().manual_seed(1))),
    "record": lambda model, layer: record(model, torch.ones(IMAGES), layer),
    "record all": lambda model, layer: record(model, torch.ones(IMAGES)),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", ["normal", "wrong layer"])
@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_as_before(kind, case, verb):
    model = mixed(KINDS[kind]())
    layer = next(name for name, module in model.named_modules() if isinstance(module, nn.Conv2d))
    before = state_of(model)
    if kind == "failing":
        with pytest.raises(ArithmeticError, match="inside the model"):
            VERBS[verb](model, layer)
    elif case == "wrong layer" and verb == "record":
        with pytest.raises(LayerNotFoundError):
            VERBS[verb](model, "no such layer")
    else:
        VERBS[verb](model, layer)
    assert state_of(model) == before


class Ema(nn.Module):
    """Writes into a buffer what depends on its weights, as networks do that follow their own values."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        x = self.conv(x)
        self.mean.mul_(0.9).add_(x.mean((0, 2, 3)))
        return x


@pytest.mark.parametrize("case", ["normal", "wrong layer", "wrong class", "stopped"])
@pytest.mark.parametrize("per_image", [False, True])
@pytest.mark.parametrize("kind", [*KINDS, "ema"])
def test_everything_is_as_before_after_gradients(kind, per_image, case):
    def stop(done, total):
        raise KeyboardInterrupt

    body = mixed((KINDS | {"ema": Ema})[kind]())
    model = body if kind in ("residual", "vit") else nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    before = state_of(model)
    options = {"target": 99 if case == "wrong class" else 0, "per_image": per_image}
    if case == "stopped":
        options["progress"] = stop
    errors = {"wrong layer": LayerNotFoundError, "wrong class": InvalidInputError, "stopped": KeyboardInterrupt}
    expected = ArithmeticError if kind == "failing" else errors.get(case)
    with pytest.raises(expected) if expected else contextlib.nullcontext():
        record(model, torch.ones(IMAGES), "no such layer" if case == "wrong layer" else None, **options)
    assert state_of(model) == before
    assert all(tensor.is_leaf for tensor in model.buffers())


@pytest.mark.parametrize("case", ["normal", "wrong layer", "never run"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_intervention_leaves_no_hooks(kind, case):
    model = KINDS[kind]().eval()
    layer = next(name for name, module in model.named_modules() if isinstance(module, nn.Conv2d))
    layer = {"normal": layer, "wrong layer": "no such layer", "never run": f"{layer}_7"}[case]
    errors = {"normal": (), "wrong layer": LayerNotFoundError, "never run": LayerNotRunError}[case]
    errors = ArithmeticError if kind == "failing" else errors
    before = hooks_of(model)
    if errors:
        with pytest.raises(errors), intervene(model, {layer: {0: 0.0}}):
            model(torch.rand(IMAGES))
    else:
        with intervene(model, {layer: {0: 0.0}}):
            model(torch.rand(IMAGES))
    assert hooks_of(model) == before
    assert torch._C._len_torch_function_stack() == 0


def test_recording_draws_the_random_numbers_of_a_plain_forward():
    model, images = Noisy().eval(), torch.rand(IMAGES)
    state = torch.get_rng_state()
    recorded = record(model, images, "batch_norm")["batch_norm"].activations
    torch.set_rng_state(state)
    with torch.no_grad():
        assert torch.equal(torch.from_numpy(recorded.copy()), copy.deepcopy(model)(images))


def test_dropout_and_norms_are_in_eval_mode():
    model, images = Residual().train(), torch.rand(IMAGES)
    recorded = record(model, images).logits
    with torch.no_grad():
        assert torch.equal(torch.from_numpy(recorded.copy()), model.eval()(images))


def test_hooks_of_the_user_stay_and_are_seen():
    model, images = Residual().eval(), torch.rand(IMAGES)
    handle = model.conv1.register_forward_hook(lambda module, args, output: output * 0)
    assert not record(model, images, "conv1")["conv1"].activations.any()
    assert len(model.conv1._forward_hooks) == 1
    handle.remove()
