"""Architectures of torchvision and timm, where the user has them installed. Nothing is ever downloaded."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

from cnnvis.core.errors import MissingDependencyError, ModelNotFoundError, did_you_mean
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import Fit, ImageSpec, imagenet_spec
from cnnvis.models.resources import imagenet_classes

_IMAGENET_CLASSES = 1000


def from_torchvision(name: str) -> Network:
    """Return the architecture `name` of torchvision with random weights, and the preprocessing of its weights.

    Raises
    ------
    MissingDependencyError
        When torchvision is not installed.
    ModelNotFoundError
        When it has no such model; near matches are listed.
    """
    models = _import("torchvision.models")
    if name not in models.list_models():
        raise _unknown("torchvision", name, models.list_models())
    options: dict[str, Any] = {"weights": None}
    if "weights_backbone" in inspect.signature(models.get_model_builder(name)).parameters:
        options["weights_backbone"] = None  # detection and segmentation would download it
    classifies = name in models.list_models(module=models)
    return Network(
        models.get_model(name, **options),
        name=f"torchvision:{name}",
        weights="random",
        image=_torchvision_spec(models.get_model_weights(name)) if classifies else imagenet_spec(assumed=True),
        class_names=imagenet_classes() if classifies else None,
    )


def from_timm(name: str) -> Network:
    """Return the architecture `name` of timm with random weights, and the preprocessing of its configuration.

    Raises
    ------
    MissingDependencyError
        When timm is not installed.
    ModelNotFoundError
        When it has no such model; near matches are listed.
    """
    timm = _import("timm")
    if not timm.is_model(name):  # also refuses "hf-hub:...", which would download
        raise _unknown("timm", name, timm.list_models())
    module = timm.create_model(name, pretrained=False)
    n_classes = getattr(module, "num_classes", None)
    return Network(
        module,
        name=f"timm:{name}",
        weights="random",
        image=_timm_spec(_import("timm.data").resolve_model_data_config(module)),
        class_names=imagenet_classes() if n_classes == _IMAGENET_CLASSES else None,
    )


PACKAGES: dict[str, Callable[[str], Network]] = {"torchvision": from_torchvision, "timm": from_timm}
"""Prefix of a model's name -> what builds it."""


def _import(name: str) -> ModuleType:
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError, OSError) as error:  # a torchvision built for another torch raises these too
        raise MissingDependencyError(
            f"Models of {package} need it installed and importable ({error}). Type: pip install {package}"
        ) from error


def _unknown(package: str, name: str, names: list[str]) -> ModelNotFoundError:
    return ModelNotFoundError(f"{package} has no model {name!r}. {did_you_mean(name, names, what='models')}")


def _torchvision_spec(weights: Any) -> ImageSpec:
    """Return what the transforms of the default weights do: shorter side to `resize_size`, then crop `crop_size`."""
    preset = weights.DEFAULT.transforms()
    side = preset.crop_size[0]
    return ImageSpec(
        (side, side),
        crop=side / preset.resize_size[0],
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )


def _timm_spec(config: dict[str, Any]) -> ImageSpec:
    _, height, width = config["input_size"]
    return ImageSpec(
        (height, width),
        fit=Fit.STRETCH if config.get("crop_mode") == "squash" else Fit.CROP,
        crop=config["crop_pct"],
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )
