"""A network that is ready to be looked at: module, example input, preprocessing, class names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from cnnvis.core import Provenance
from cnnvis.core.errors import InvalidInputError
from cnnvis.models.images import ImageLike, read_image
from cnnvis.models.predictions import Prediction, top_classes
from cnnvis.models.preprocessing import ImageSpec


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """An nn.Module with all that is needed to feed it and to say what it is.

    What `load` returns; a factory of your own may build one to state size, scaling and class names:
    ``Network(net, image=ImageSpec((32, 32), mean=0.5, std=0.5, max_value=1), class_names=("cat", "dog"))``.

    Parameters
    ----------
    module : nn.Module
        `load` puts it into eval mode on the chosen device.
    name : str, default the module's class name
        As the user named it; shown on pictures.
    weights : str, default ""
        "trained", "random", or the checkpoint's file name; "" when unknown.
    example : tuple of tensor, optional
        One tensor per input of the module, batch size 1, on its device and in its dtype. Made from `image` (noise
        from a fixed seed) where it is not given. `load` moves it along with the module.
    class_names : tuple of str, optional
        One per output.
    image : ImageSpec, optional
        Preprocessing; None for a network that does not take one image.
    default_layers : tuple of str
        Dotted names of layers that are good to look at first.

    Raises
    ------
    InvalidInputError
        When neither `example` nor `image` is given: the shape of the input cannot be known.
    """

    module: nn.Module
    name: str = ""
    weights: str = ""
    example: tuple[torch.Tensor, ...] | torch.Tensor | None = None
    class_names: tuple[str, ...] | None = None
    image: ImageSpec | None = None
    default_layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise InvalidInputError(f"A Network needs a torch.nn.Module, got {type(self.module).__name__}.")
        object.__setattr__(self, "name", self.name or type(self.module).__name__)
        object.__setattr__(self, "example", self._checked_example())
        object.__setattr__(self, "default_layers", tuple(self.default_layers))
        if self.class_names is not None:
            object.__setattr__(self, "class_names", tuple(self.class_names))

    def __repr__(self) -> str:
        kind, weights = type(self.module).__name__, self.weights or "unknown"
        return f"Network({self.name!r}, {kind}, {self.n_parameters:,} parameters, weights {weights})"

    @property
    def device(self) -> torch.device:
        """Device of the first parameter or buffer; the CPU for a module that has none."""
        return _first_tensor(self.module).device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the first floating parameter or buffer; float32 for a module that has none."""
        return _first_tensor(self.module).dtype

    @property
    def n_parameters(self) -> int:
        """Number of parameters, shared ones counted once."""
        return sum(parameter.numel() for parameter in self.module.parameters())

    @cached_property
    def sha256(self) -> str:
        """Hash over the names, types, shapes and values of all parameters and buffers.

        Computed once, on first use, and kept: weights changed afterwards do not show. About 0.1 s per 100 MB.
        """
        digest = hashlib.sha256()
        for name, tensor in _tensors(self.module):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            flat = tensor.detach().cpu().contiguous().reshape(-1)
            digest.update(flat.view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def preprocess(self, image: ImageLike) -> torch.Tensor:
        """Return a picture as the network's input.

        Parameters
        ----------
        image : str, path or ndarray
            As for `read_image`.

        Returns
        -------
        (1, C, H, W) tensor
            On the module's device, in its dtype; C is 3, or 1 for a network of grey images.

        Raises
        ------
        InvalidInputError
            When the network takes no image, or the picture is not one.
        """
        if self.image is None:
            raise InvalidInputError(
                f"{self.name} states no image preprocessing; pass its input tensors, "
                "or let its factory return a Network with an ImageSpec."
            )
        values = torch.from_numpy(self.image.apply(read_image(image)))[None]
        return values.to(self.device, self.dtype)

    def predict(self, image: ImageLike | torch.Tensor, *, k: int = 5) -> tuple[Prediction, ...]:
        """Return the `k` likeliest classes of one picture, best first; one forward pass.

        Parameters
        ----------
        image : str, path, ndarray or (1, C, H, W) tensor
            A picture as for `preprocess`, or what it returned.
        k : int, default 5

        Raises
        ------
        InvalidInputError
            When the network's output is not one score per class.
        """
        inputs = image if isinstance(image, torch.Tensor) else self.preprocess(image)
        with torch.inference_mode(), _eval_mode(self.module):
            output = self.module(inputs)
        if not isinstance(output, torch.Tensor):
            raise InvalidInputError(f"{self.name} returns {type(output).__name__}, not one tensor of class scores.")
        return top_classes(output.float().cpu().numpy(), self.class_names, k=k)

    def provenance(self, inputs: Iterable[str] = ()) -> Provenance:
        """Return what pictures and files say about this network and the named inputs."""
        return Provenance(
            model=self.name,
            weights=self.weights,
            model_sha256=self.sha256,
            inputs=tuple(inputs),
            preprocessing=self.image.describe() if self.image else "",
        )

    def _checked_example(self) -> tuple[torch.Tensor, ...]:
        example = self.example
        if example is None and self.image is not None:
            generator = torch.Generator().manual_seed(0)
            noise = torch.randn((1, self.image.channels, *self.image.size), generator=generator)
            example = noise.to(self.device, self.dtype)
        if isinstance(example, torch.Tensor):
            example = (example,)
        if (
            not isinstance(example, (tuple, list))
            or not example
            or not all(isinstance(one, torch.Tensor) for one in example)
        ):
            raise InvalidInputError(
                f"The network {self.name} needs an example input to be traced with: a tensor (1, ...), one "
                f"tensor per input, or an ImageSpec, got {type(example).__name__}."
            )
        return tuple(example)


def _tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.named_parameters()
    yield from module.named_buffers()


def _first_tensor(module: nn.Module) -> torch.Tensor:
    floating = (tensor for _, tensor in _tensors(module) if tensor.is_floating_point())
    return next(floating, torch.empty(0))


@contextmanager
def _eval_mode(module: nn.Module) -> Iterator[None]:
    """Put `module` into eval mode, and every part of it back into its own mode afterwards."""
    training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True
