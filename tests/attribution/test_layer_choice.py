"""Which layers are scored: hidden ones by default and by glob, inputs and classes where they are named."""

import pytest
import torch
from torch import nn

from cnnvis.attribution.layer_choice import choose_layers
from cnnvis.capture.spaces import channel_spaces
from cnnvis.core.errors import LayerNotFoundError


class Dense(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(5, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.last(self.second(self.first(x).relu()).relu())


@pytest.fixture(scope="module")
def spaces():
    return channel_spaces(Dense(), torch.randn(2, 5))


@pytest.mark.parametrize(
    ("layers", "inputs", "chosen"),
    [
        (None, False, ("first", "second")),
        (None, True, ("x", "first", "second")),
        ("*s*", True, ("first", "second")),
        (["last", "x"], False, ("x", "last")),
        ([], False, ()),
    ],
)
def test_layers_are_chosen_by_name_and_glob(spaces, layers, inputs, chosen):
    assert choose_layers(spaces, layers, inputs=inputs) == chosen


@pytest.mark.parametrize(("layers", "message"), [("secnd", "Did you mean: second"), ("las*", "Did you mean: last")])
def test_what_fits_nothing_is_named(spaces, layers, message):
    with pytest.raises(LayerNotFoundError, match=rf"No units of '{layers[:3]}.*' to score. {message}"):
        choose_layers(spaces, layers, inputs=True)
