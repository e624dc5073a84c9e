"""How each shipped network was trained; the perceptron again with other seeds, in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from cnnvis.core.progress import Progress, silent
from cnnvis.models import LabelledImages, Network, labelled_images
from cnnvis.models.architectures import perceptron, small_cnn
from cnnvis.models.bundled import FASHION_EPOCHS, digits_network, fashion_network, vgg16_network
from cnnvis.models.seeding import seeded
from cnnvis.models.vgg import VGG
from cnnvis.training.loop import OnEpoch, train
from cnnvis.training.options import TrainOptions

L1 = 0.3
"""Strength of the penalty of "mnist-mlp-l1": about three quarters of the weights become 0."""

PERCEPTRON = TrainOptions(epochs=20)
CNN = TrainOptions(epochs=FASHION_EPOCHS)
VGG_16 = TrainOptions(epochs=10, learning_rate=0.1, optimiser="sgd", weight_decay=5e-4, one_cycle=True, augment=True)


def untrained_perceptron(*, random_state: int = 0) -> Network:
    """Return the perceptron 784-81-49-10 as `train_perceptron` begins with it; "mnist-mlp-untrained" is seed 0."""
    with seeded(random_state):
        module = perceptron()
    return digits_network(module.eval(), name=f"untrained perceptron, seed {random_state}", weights="random")


def train_perceptron(
    images: LabelledImages | None = None,
    *,
    random_state: int = 0,
    l1: float = 0.0,
    on_epoch: OnEpoch | None = None,
    progress: Progress = silent,
) -> Network:
    """Return the perceptron 784-81-49-10 trained from a seed: 20 epochs, about 2 s on one core for 7,000 digits.

    "mnist-mlp" is seed 0, "mnist-mlp-l1" seed 0 with ``l1=L1``; the last digits may differ between machines.

    Parameters
    ----------
    images : LabelledImages, optional
        What to train on; default the 7,000 digits of MNIST's part "train".
    random_state : int, default 0
        Seed of the first weights and of the order of the images.
    l1 : float, default 0
        See `TrainOptions`.
    on_epoch, progress : callable, optional
        As for `train`.

    Raises
    ------
    DivergedError, InvalidInputError
        As from `train`.
    """
    if images is None:
        images = labelled_images("mnist", "train")
    module = untrained_perceptron(random_state=random_state).module
    options = replace(PERCEPTRON, l1=l1, random_state=random_state)
    train(module, (images.images, images.labels), options, on_epoch=on_epoch, progress=progress)
    return digits_network(module.eval(), name=f"perceptron, seed {random_state}")


def train_cnn(
    images: LabelledImages,
    *,
    random_state: int = 0,
    on_epoch: OnEpoch | None = None,
    progress: Progress = silent,
) -> Network:
    """Return the convolutional network trained from a seed: 10 epochs, minutes on one core for 58,000 images.

    "fashion-cnn" is seed 0; its checkpoints were taken by `on_epoch`. Parameters and errors as for `train_perceptron`.
    """
    with seeded(random_state):
        module = small_cnn()
    options = replace(CNN, random_state=random_state)
    train(module, (images.images, images.labels), options, on_epoch=on_epoch, progress=progress)
    return fashion_network(module.eval(), name=f"small CNN, seed {random_state}")


def train_vgg16(
    images: LabelledImages,
    *,
    width: float = 0.5,
    epochs: int = VGG_16.epochs,
    random_state: int = 0,
    checkpoint: Path | None = None,
    on_epoch: OnEpoch | None = None,
    progress: Progress = silent,
) -> Network:
    """Return VGG-16 with batch norm trained from a seed: five minutes per epoch on one core at half width.

    "vgg16-fashion" is half width, 10 epochs, seed 0.

    Parameters
    ----------
    images : LabelledImages
    width : float, default 0.5
        Share of the channels, see `cnnvis.models.vgg.VGG`; four to six times the time at 1.
    epochs : int, default 10
    random_state : int, default 0
    checkpoint : path, optional
        Where to go on from after an interruption, see `train`.
    on_epoch, progress : callable, optional
        As for `train`.

    Raises
    ------
    DivergedError, InvalidInputError, FileFormatError
        As from `train`.
    """
    with seeded(random_state):
        module = VGG(width)
    module = module.to(memory_format=torch.channels_last)  # half the time on a CPU
    options = replace(VGG_16, epochs=epochs, random_state=random_state)
    train(module, images.pair, options, checkpoint=checkpoint, on_epoch=on_epoch, progress=progress)
    module = module.to(memory_format=torch.contiguous_format)
    return vgg16_network(module.eval(), name=f"VGG-16 at width {width:g}, seed {random_state}")
