"""What an image goes through before a network sees it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnvis.core.errors import InvalidInputError

ColourOrder = Literal["RGB", "BGR", "L"]
"""Order of a network's input channels; "L" is one channel of grey."""

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Fit(StrEnum):
    """How an image of another shape is brought to the network's size."""

    CROP = "crop"  # keep the proportions, cut off what sticks out
    STRETCH = "stretch"  # keep everything, give up the proportions


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The image a network expects: size, crop, scaling, colour order.

    Parameters
    ----------
    size : (H, W) of int
        Pixels.
    fit : Fit or str, default "crop"
        "crop" cuts the largest centred box of the right proportions, "stretch" takes the whole image.
    crop : float in (0, 1], default 1.0
        Part of that box's sides that is kept: 0.875 for the usual "resize to 256, crop 224".
    interpolation : {"nearest", "bilinear", "bicubic", "lanczos"}, default "bicubic"
    max_value : float, default 1.0
        Value of white before `mean` is subtracted: 1 or 255.
    mean, std : tuple of float
        Per channel in the order of `colour`, or one for all: ``(x - mean) / std``.
    colour : {"RGB", "BGR", "L"}, default "RGB"
    assumed : bool, default False
        Nobody stated this; it is the usual ImageNet preprocessing, and is shown as assumed.
    """

    size: tuple[int, int]
    fit: Fit | Literal["crop", "stretch"] = Fit.CROP
    crop: float = 1.0
    interpolation: Interpolation = "bicubic"
    max_value: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    colour: ColourOrder = "RGB"
    assumed: bool = False

    def __post_init__(self) -> None:
        size = tuple(int(side) for side in self.size)
        if len(size) != 2 or min(size) < 1:
            raise InvalidInputError(f"size of an ImageSpec must be (height, width) in pixels, got {self.size}.")
        if self.fit not in tuple(Fit):
            raise InvalidInputError(f"fit of an ImageSpec must be crop or stretch, got {self.fit!r}.")
        for name, choices in (("interpolation", get_args(Interpolation)), ("colour", get_args(ColourOrder))):
            if getattr(self, name) not in choices:
                allowed = ", ".join(choices)
                raise InvalidInputError(f"{name} of an ImageSpec must be {allowed}; got {getattr(self, name)!r}.")
        if not 0 < self.crop <= 1:
            raise InvalidInputError(f"crop of an ImageSpec must lie in (0, 1], got {self.crop}.")
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "fit", Fit(self.fit))
        for name in ("mean", "std"):
            object.__setattr__(self, name, self._per_channel(name))
        if not all(value > 0 for value in (*self.std, self.max_value)):
            raise InvalidInputError(
                f"std and max_value of an ImageSpec must be positive, got {self.std}, {self.max_value}."
            )

    @property
    def channels(self) -> int:
        """Number of input channels, 3 or 1."""
        return len(self.colour)

    def describe(self) -> str:
        """Return the whole preprocessing as one readable line."""
        height, width = self.size
        kept = "whole image stretched" if self.fit is Fit.STRETCH else "centre crop"
        if self.crop < 1:
            kept += f" of {self.crop:.3g} of the sides"
        colour = "grey" if self.colour == "L" else self.colour
        scaling = f"x in 0..{self.max_value:g}"
        if set(self.mean) != {0.0} or set(self.std) != {1.0}:
            scaling = f"(x - {_brief(self.mean)}) / {_brief(self.std)}, {scaling}"
        line = f"{width} x {height} {colour}, {kept}, {self.interpolation}, {scaling}"
        return f"{line} (assumed: the usual for ImageNet)" if self.assumed else line

    def resize(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the part of an (h, w, 3) uint8 image that the network sees, (H, W, 3) uint8 RGB.

        For showing the picture beside the maps: pixel and map coincide.
        """
        height, width = self.size
        resample = Image.Resampling[self.interpolation.upper()]
        resized = Image.fromarray(image).resize((width, height), resample, box=self._box(*image.shape[:2]))
        return np.asarray(resized)

    def apply(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return an (h, w, 3) uint8 RGB image as the network's input, (C, H, W) float32."""
        resized = self.resize(image)
        if self.colour == "L":
            values = np.asarray(Image.fromarray(resized).convert("L"))[..., None]
        else:
            values = resized if self.colour == "RGB" else resized[..., ::-1]
        scaled = values.astype(np.float32) * np.float32(self.max_value / 255)
        scaled = (scaled - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))

    def _box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return the (left, top, right, bottom) of the input that is kept, in whole pixels, rounded down."""
        rows, columns = float(height), float(width)
        if self.fit is Fit.CROP:
            scale = min(height / self.size[0], width / self.size[1])
            rows, columns = self.size[0] * scale, self.size[1] * scale
        rows, columns = max(1.0, rows * self.crop), max(1.0, columns * self.crop)
        # The small number keeps what is whole but for its rounding error, such as 300 / 224 * 224.
        left, top, columns, rows = (
            int(edge + 1e-6) for edge in ((width - columns) / 2, (height - rows) / 2, columns, rows)
        )
        return (left, top, left + columns, top + rows)

    def _per_channel(self, name: str) -> tuple[float, ...]:
        values = tuple(float(value) for value in np.atleast_1d(getattr(self, name)))
        if len(values) not in (1, self.channels) or not np.isfinite(values).all():
            raise InvalidInputError(
                f"{name} of an ImageSpec needs 1 or {self.channels} finite values for {self.colour}, got {values}."
            )
        return values * self.channels if len(values) == 1 else values


def imagenet_spec(size: tuple[int, int] = (224, 224), **options: Any) -> ImageSpec:
    """Return the usual ImageNet preprocessing: centre crop of 0.875, ImageNet's mean and standard deviation."""
    return ImageSpec(size, **{"crop": 0.875, "mean": IMAGENET_MEAN, "std": IMAGENET_STD, **options})


def _brief(values: tuple[float, ...]) -> str:
    """Return one number where all channels agree, else all of them."""
    if len(set(values)) == 1:
        return f"{values[0]:g}"
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
