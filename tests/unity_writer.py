"""Folders of the Unity CNN visualizer, made as its converters make them, from a network with random weights."""

import json

import numpy as np
import torch
from torch import nn

CLASSES = ("zero", "one", "two")
MNIST = (("conv0", 4), ("maxpool0", 2), ("conv1", 8), ("maxpool1", 2), ("conv2", 16), ("maxpool2", 2), ("fc0", 16))
"""The network of nn_data_gen/jsons.zip: 28, 14, 7, 3 pixels a side, then 144 values, 16, and the classes."""

SMALL = (("conv0", 2), ("maxpool0", 2), ("fc0", 4))


class ChannelsLast(nn.Module):
    """A network as the converter meets it: what its layers store, channels last, and its answers."""

    def __init__(self, rows, side, channels, seed, *, padding="same", ceil=False, kernel=3):
        super().__init__()
        torch.manual_seed(seed)
        self.parts, inputs, size = nn.ModuleDict(), channels, side
        for name, number in (*rows, ("fc_out", len(CLASSES))):
            if name.startswith("conv"):
                self.parts[name] = nn.Conv2d(inputs, number, kernel, padding=padding, bias=False)
                inputs, size = number, size if padding == "same" else size - kernel + 1
            elif name.startswith("maxpool"):
                self.parts[name] = nn.MaxPool2d(number, ceil_mode=ceil)
                size = -(-size // number) if ceil else size // number
            else:
                self.parts[name] = nn.Linear(inputs * size * size, number, bias=False)
                inputs, size = number, 1

    def stored(self, x):
        """Return activations by name, and kernels by name, as arrays with channels last."""
        values, kernels = {"input": x.permute(0, 2, 3, 1)}, {}
        for name, part in self.parts.items():
            if isinstance(part, nn.Linear):
                x = part(x.permute(0, 2, 3, 1).flatten(1) if x.ndim == 4 else x)
                kernels[name] = part.weight.T
            else:
                x = part(x)
                if isinstance(part, nn.Conv2d):
                    kernels[name] = part.weight.permute(2, 3, 1, 0)
            x = torch.relu(x) if name != "fc_out" else x
            values[name] = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        return {k: v.detach().numpy() for k, v in values.items()}, {k: v.detach().numpy() for k, v in kernels.items()}


def write_run(folder, rows=MNIST, *, epochs=2, side=28, channels=1, n_images=3, values=True, **options):
    """Write a folder of the present form; return activations and kernels by epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for epoch in range(epochs):
        values_of, kernels = _stored(rows, side, channels, n_images, epoch, options)
        kept[epoch] = (values_of, kernels)
        structure = [["input", [1, side, side, channels]]]
        weights = [["input", [1], [0]]]
        for name, array in list(values_of.items())[1:]:
            shape = list(kernels[name].shape if name in kernels else array.shape[1:3])
            structure.append([name, shape])
            weights.append([name, shape, (kernels[name] if name in kernels else np.zeros(shape)).tolist()])
        answers = [CLASSES[row.argmax()] for row in values_of["fc_out"]]
        labels = [[CLASSES[number % 3] for number in range(n_images)], answers]
        save(folder / "model_structure.json", [*structure, list(CLASSES)])
        save(folder / f"model_weights_epoch{epoch:03d}.json", weights)
        if values:
            stored = [[name, list(array.shape), array.tolist()] for name, array in values_of.items()]
            save(folder / f"model_activations_epoch{epoch:03d}.json", [*stored, labels])
    return kept


def write_first_version(folder, rows=SMALL, *, epochs=2, side=8, channels=1, **options):
    """Write a folder of the first form, of one image."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = {}
    for epoch in range(epochs):
        values, kernels = kept[epoch] = _stored(rows, side, channels, 1, epoch, options)
        rows_of = []
        for name, array in values.items():
            shape = array.shape if name == "input" else array.shape[1:3]
            weights = kernels[name] if name in kernels else np.zeros(shape)
            rows_of.append(["ship", name, list(weights.shape), weights.tolist(), list(array.shape), array.tolist()])
        save(folder / f"epoch{epoch}.json", rows_of)
    return kept


def save(path, rows):
    path.write_text(json.dumps(rows))


def edit(path, change):
    """Apply `change` to the rows of a file."""
    rows = json.loads(path.read_text())
    save(path, change(rows) or rows)


def _stored(rows, side, channels, n_images, epoch, options):
    images = torch.from_numpy(np.random.default_rng(7).random((n_images, channels, side, side), np.float32))
    return ChannelsLast(rows, side, channels, epoch, **options).stored(images)
