"""Small networks that tell colours apart, pictures for them, and studies of their gradients."""

import textwrap

import numpy as np
from PIL import Image

from cnnvis.studies.gradient_results import GradientClasses, LabelledCases

NETWORKS = """
    import torch
    from torch import nn
    from cnnvis.models import ImageSpec, Network

    NAMES = ("red", "green", "blue")

    def network(*layers, names=NAMES):
        return Network(nn.Sequential(*layers), name="colours", weights="random", class_names=names,
                       image=ImageSpec((8, 8), interpolation="nearest"))

    def averaging():
        convolution = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        with torch.no_grad():
            convolution.weight.zero_()
            for channel in range(3):
                convolution.weight[channel, channel, 1, 1] = 5.0
        return convolution

    def colours():  # each class by the mean of its own colour
        return network(averaging(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def deeper():
        torch.manual_seed(0)
        return network(averaging(), nn.ReLU(), nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                       nn.Linear(6, 3))

    def blind():
        class Ones(nn.Module):
            def forward(self, x):
                return x * 0
        return network(averaging(), Ones(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def maps():
        return network(averaging())

    def broken():
        convolution = averaging()
        nn.init.constant_(convolution.weight, float("nan"))
        return network(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def flat():
        return network(nn.Flatten(), nn.Linear(192, 3))
"""

COLOURS = {"red": (200, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 200)}
SIZE = (320, 200)


def write_networks(folder):
    """Write the file of networks; return its path."""
    path = folder / "networks.py"
    path.write_text(textwrap.dedent(NETWORKS))
    return path


def write(folder, name, colour, seed):
    """Write a noisy picture of one colour; noise of 20 never changes which colour is strongest."""
    noise = np.random.default_rng(seed).integers(0, 20, (8, 8, 3))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray((noise + colour).astype(np.uint8)).save(folder / f"{name}.png")


def write_pictures(folder):
    """Write four pictures of each class, b and d for testing: b is right, d wrong, but of blue both are right."""
    wrong = {"red": "green", "green": "red", "blue": "blue"}
    for number, name in enumerate(COLOURS):
        for letter, seed in zip("abcd", range(4), strict=True):
            colour = COLOURS[wrong[name] if letter == "d" else name]
            write(folder / name, f"{name}-{letter}", colour, 10 * number + seed)
    return folder


def asked(networks, name, cases, **changes):
    return GradientClasses(model=f"{networks}:{name}", cases=cases, **({"size": SIZE} | changes))


def by_colour(folder, **changes):
    return LabelledCases(**({"data": folder, "reference": "red", "similar": "green", "dissimilar": "blue"} | changes))
