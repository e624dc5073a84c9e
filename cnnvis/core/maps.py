"""Recorded values: the feature maps of one layer, and all layers of one recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.axes import stack_spacing
from cnnvis.core.checks import frozen_array, frozen_integers, frozen_mapping, require_shape
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, NoSpatialMapsError, did_you_mean
from cnnvis.core.importance import Importance
from cnnvis.core.ordering import Ordering
from cnnvis.core.provenance import Provenance
from cnnvis.core.volume import Volume


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeatureMaps:
    """The values of one layer for N images, channel axis 1.

    Parameters
    ----------
    activations : (N, C, *S) ndarray of float16, float32 or float64
        S is (H, W) for a convolution, () for a dense layer, (T,) for tokens, (D, H, W) in 3-D.
        May be a memory map. NaN and infinity are allowed and counted by `n_missing`.
    layer : str
        Dotted name of the layer.
    gradients : (N, C, *S) ndarray or None
        d target / d activation, same shape.
    provenance : Provenance
    """

    activations: NDArray[Any]
    layer: str = ""
    gradients: NDArray[Any] | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str):
            raise InvalidInputError(
                f"FeatureMaps(activations, layer): the layer is a name, got {type(self.layer).__name__}."
            )
        activations = frozen_array(self.activations)
        if activations.ndim < 2:
            raise InvalidInputError(
                f"FeatureMaps of {self.layer!r} need an array (N, C, *S), got shape {activations.shape}."
            )
        if not np.issubdtype(activations.dtype, np.floating):
            activations = frozen_array(activations, dtype=np.float32)
        object.__setattr__(self, "activations", activations)
        if self.gradients is not None:
            gradients = frozen_array(self.gradients)
            require_shape(f"gradients of {self.layer!r}", gradients, activations.shape)
            object.__setattr__(self, "gradients", gradients)

    def __repr__(self) -> str:
        shape, dtype = self.activations.shape, self.activations.dtype
        return f"FeatureMaps(layer={self.layer!r}, activations={shape} {dtype})"

    def __len__(self) -> int:
        return int(self.activations.shape[0])

    @property
    def n_channels(self) -> int:
        """Number of channels C."""
        return int(self.activations.shape[1])

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """S: (H, W) for maps, () for a dense layer."""
        return tuple(self.activations.shape[2:])

    @property
    def n_missing(self) -> int:
        """Number of values that are NaN or infinite. Cost: one pass over the array."""
        return int(sum(np.count_nonzero(~np.isfinite(image)) for image in self.activations))

    def stack(self, image: int = 0) -> NDArray[Any]:
        """Return the (C, H, W) maps of one image, a view.

        Raises
        ------
        NoSpatialMapsError
            When the layer has no (row, column) maps.
        InvalidInputError
            When there is no such image.
        """
        if len(self.spatial_shape) != 2:
            raise NoSpatialMapsError(
                f"Layer {self.layer!r} gives values of shape (C, *S) = {self.activations.shape[1:]}; "
                "a volume needs maps (C, H, W). Choose a convolution, pooling or activation layer before the flatten."
            )
        if not -len(self) <= image < len(self):
            raise InvalidInputError(f"Layer {self.layer!r} holds {len(self)} images, got image {image}.")
        stack: NDArray[Any] = self.activations[image]
        return stack

    def volume(
        self,
        ordering: Ordering | None = None,
        *,
        image: int = 0,
        importance: Importance | NDArray[Any] | None = None,
    ) -> Volume:
        """Return the maps of one image as a Volume, its channels in the order of `ordering`.

        Parameters
        ----------
        ordering : Ordering, optional
            None keeps the channels as the network has them.
        image : int, default: 0
        importance : Importance or (C,) array, optional
            One non-negative weight per channel (in the network's own order); it multiplies the opacity.

        Notes
        -----
        A view for the original order, one copy of the maps otherwise.
        """
        stack = self.stack(image)
        inputs = self.provenance.inputs
        name = inputs[image] if -len(inputs) <= image < len(inputs) else ""
        volume = Volume(
            values=stack,
            layer=self.layer,
            spacing=stack_spacing(stack.shape),
            provenance=replace(self.provenance, inputs=(name,) if name else ()),
        )
        if importance is not None:
            volume = volume.weighted(importance)
        return volume if ordering is None else volume.reordered(ordering)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recording:
    """Feature maps by layer for one set of inputs.

    Parameters
    ----------
    maps : mapping of str to FeatureMaps
        In order of execution.
    logits : (N, K) ndarray or None
        What the network returned, where that is one tensor.
    inputs : tuple of str
        Name of each image.
    target : int, (N,) ndarray of int, or None
        Class whose logit was differentiated.
    weight_gradients : mapping of str to ndarray
        d logit[target] / d weight by layer, in the weight's own shape: the mean over images, or one per image behind
        a leading axis N.
    provenance : Provenance
    per_image : bool
        Whether weight gradients have the leading axis N.
    transposed : mapping of str to int
        Groups of each transposed convolution with a weight gradient: its weight is (in, out / groups, *kernel).
    """

    maps: Mapping[str, FeatureMaps]
    logits: NDArray[Any] | None = None
    inputs: tuple[str, ...] = ()
    target: int | NDArray[np.int64] | None = None
    weight_gradients: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    per_image: bool = False
    transposed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {len(maps) for maps in self.maps.values()}
        if len(counts) > 1:
            raise InvalidInputError(f"Recording: layers hold different numbers of images: {sorted(counts)}.")
        object.__setattr__(self, "maps", frozen_mapping(self.maps))
        gradients = {layer: frozen_array(array) for layer, array in self.weight_gradients.items()}
        object.__setattr__(self, "weight_gradients", frozen_mapping(gradients))
        object.__setattr__(self, "transposed", frozen_mapping(self.transposed))
        object.__setattr__(self, "inputs", tuple(self.inputs))
        if self.logits is not None:
            object.__setattr__(self, "logits", frozen_array(self.logits))
        if self.target is not None and np.ndim(self.target):
            object.__setattr__(self, "target", frozen_integers("target", self.target))

    def __repr__(self) -> str:
        layers = ", ".join(f"{name} {maps.activations.shape[1:]}" for name, maps in list(self.maps.items())[:4])
        more = f", and {len(self) - 4} more" if len(self) > 4 else ""
        images = len(next(iter(self.maps.values()))) if self.maps else len(self.inputs)
        return f"Recording({images} images; {layers}{more})"

    def __getitem__(self, layer: str) -> FeatureMaps:
        try:
            return self.maps[layer]
        except KeyError:
            hint = did_you_mean(layer, self.maps, what="recorded layers")
            raise LayerNotFoundError(f"Layer {layer!r} was not recorded. {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.maps)

    def __len__(self) -> int:
        return len(self.maps)

    def __contains__(self, layer: object) -> bool:
        return layer in self.maps

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the recorded layers, in order of execution."""
        return tuple(self.maps)


def as_volume(obj: Volume | FeatureMaps | NDArray[Any], *, image: int = 0) -> Volume:
    """Return feature maps or a plain array as the Volume of one image.

    Parameters
    ----------
    obj : Volume, FeatureMaps, or (C, H, W) or (N, C, H, W) array of numbers
        A Volume comes back as it is.
    image : int, default: 0
        Which image, where there are several.

    Raises
    ------
    InvalidInputError
        When `obj` is none of these, or there is no such image.
    NoSpatialMapsError
        When a layer has no (row, column) maps.
    """
    if isinstance(obj, Volume):
        return obj
    if isinstance(obj, FeatureMaps):
        return obj.volume(image=image)
    if not isinstance(obj, np.ndarray):
        raise InvalidInputError(f"A volume is made of a Volume, FeatureMaps or an array, got {type(obj).__name__}.")
    if obj.ndim not in (3, 4) or obj.dtype.kind not in "fiub":
        raise InvalidInputError(
            f"A volume needs an array (C, H, W) or (N, C, H, W) of real numbers, got {obj.dtype} of shape {obj.shape}."
        )
    if obj.ndim == 4:
        return FeatureMaps(activations=obj).volume(image=image)
    return Volume(values=obj, spacing=stack_spacing(obj.shape))
