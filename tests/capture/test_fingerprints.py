"""Hashes of weights and images."""

import pytest
import torch
from torch import nn

from cnnvis.capture.fingerprints import fingerprint, fingerprint_images
from cnnvis.capture.inputs import ForwardCall


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_one_bit_of_one_weight_tells(dtype):
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).to(dtype)
    before = fingerprint(module)
    assert fingerprint(module) == before
    with torch.no_grad():
        module[0].weight[0, 0, 0, 0].view(-1).view(torch.uint8)[0] ^= 1
    assert fingerprint(module) != before


def test_names_shapes_and_dtypes_tell():
    weights = torch.zeros(4)
    shaped = {"flat": weights, "square": weights.reshape(2, 2), "int": torch.zeros(4, dtype=torch.int32)}
    prints = {name: fingerprint_images(ForwardCall((tensor,))) for name, tensor in shaped.items()}
    prints["named"] = fingerprint_images(ForwardCall((), {"x": weights}))
    assert len(set(prints.values())) == len(prints)
