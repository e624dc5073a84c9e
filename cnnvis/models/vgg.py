"""VGG-16 with batch norm for small grey images."""

from __future__ import annotations

from torch import Tensor, nn

from cnnvis.core.errors import InvalidInputError

VGG_16 = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")
"""Channels of the 13 convolutions at full width, and where maxima of 2 x 2 are taken."""


class VGG(nn.Module):
    """VGG-16 with batch norm [1]_ for 28 x 28 grey images, which it pads to 32 x 32: ``features.N``, ``classifier.N``.

    13 convolutions of 3 x 3 without bias, each with batch norm and ReLU, five maxima of 2 x 2, which leave 1 x 1, a
    dense layer with ReLU and one that gives the logits. Inputs are (N, 1, 28, 28), outputs (N, n_classes).

    Parameters
    ----------
    width : float, default 1
        Share of the channels: 64 to 512, 4,224 in all, at 1.
    n_classes : int, default 10

    Raises
    ------
    InvalidInputError
        When the width is not positive.

    References
    ----------
    .. [1] K. Simonyan, A. Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.
    """

    def __init__(self, width: float = 1.0, n_classes: int = 10) -> None:
        if not 0 < width < float("inf"):
            raise InvalidInputError(f"width of a VGG must be positive, a share of its channels; got {width}.")
        super().__init__()
        self.pad = nn.ZeroPad2d(2)
        layers: list[nn.Module] = []
        channels = 1
        for entry in VGG_16:
            if entry == "pool":
                layers.append(nn.MaxPool2d(2))
                continue
            wanted = max(1, round(int(entry) * width))
            layers += [nn.Conv2d(channels, wanted, 3, padding=1, bias=False), nn.BatchNorm2d(wanted), nn.ReLU()]
            channels = wanted
        self.features = nn.Sequential(*layers)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(nn.Linear(channels, channels), nn.ReLU(), nn.Linear(channels, n_classes))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.classifier(self.flatten(self.features(self.pad(images))))
        return logits
