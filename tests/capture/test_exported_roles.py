"""Layers of a torch.export program have the roles of what they run."""

import torch
from torch import nn

import cnnvis


def test_exported_programs_have_convolutions(tmp_path):
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8)).eval()
    torch.export.save(torch.export.export(net, (torch.zeros(1, 3, 12, 12),)), tmp_path / "p.pt2")
    graph = cnnvis.trace(cnnvis.models.load(tmp_path / "p.pt2"))
    assert [layer.role for layer in graph.layers] == ["input", "convolution", "activation", "convolution"]
    assert graph.units.sizes[1:] == (8, 8)
