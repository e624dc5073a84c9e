"""What comes along to be looked at at once."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """One of the networks that come along.

    Parameters
    ----------
    text, tip : str
    model : str
        Its bundled name.
    image : str, optional
        A sample whose feature maps are shown, in place of the drawn network.
    training : bool
        Its training is shown, epoch by epoch.
    """

    text: str
    tip: str
    model: str
    image: str | None = None
    training: bool = False


EXAMPLES: dict[str, Example] = {
    "mnist": Example(
        "A perceptron that reads digits, as bundled lines",
        "784-81-49-10, trained on 7,000 digits: all 67,963 links in the colours of the classes.",
        "mnist-mlp",
    ),
    "fashion": Example(
        "A convolutional network, as bundled lines",
        "Trained on pictures of clothes: channels are units, kernels are links.",
        "fashion-cnn",
    ),
    "photo": Example(
        "Feature maps of a photo, as volumes",
        "The first layers of EfficientNet-Lite0 look at a cat; channels are ordered by likeness.",
        "efficientnet-lite0",
        "chelsea",
    ),
    "training": Example(
        "A training, epoch by epoch",
        "How a convolutional network learned to know clothes apart: its maps, loss and accuracy after each epoch.",
        "fashion-cnn",
        training=True,
    ),
}

MODELS = (
    "mnist-mlp",
    "mnist-mlp-untrained",
    "mnist-mlp-l1",
    "fashion-cnn",
    "vgg16-fashion",
    "vgg16-untrained",
    "efficientnet-lite0",
)
"""Names of `cnnvis.models.BUNDLED`, by hand: the list must not wait for torch."""

ABOUT = {
    "mnist-mlp": "a perceptron that reads digits",
    "mnist-mlp-untrained": "the same before training",
    "mnist-mlp-l1": "the same, trained to do with few links",
    "fashion-cnn": "convolutions that know clothes apart",
    "vgg16-fashion": "many convolutions that know clothes apart",
    "vgg16-untrained": "twice as wide, before training",
    "efficientnet-lite0": "many convolutions for photos",
}
"""What each of them is, in a few words."""

UNTRAINED = {"mnist-mlp": "mnist-mlp-untrained", "mnist-mlp-l1": "mnist-mlp-untrained"}
"""By the name of a network: the same one with the weights that it began with."""

SAMPLES = ("chelsea", "astronaut", "coffee", "rocket", "horse", "coins")
"""Some of `cnnvis.models.images.sample_images`, by hand as well."""
