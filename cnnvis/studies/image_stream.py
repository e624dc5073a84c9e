"""Images through a network, one at a time: what each layer of a survey gives, and what the network answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.attribution.diagnosis import require_same_network
from cnnvis.capture.calls import Call, channels_first
from cnnvis.capture.inputs import ForwardCall, as_call
from cnnvis.capture.modules import ModuleTree
from cnnvis.capture.selection import Selection
from cnnvis.capture.state import evaluating
from cnnvis.core import Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.models import LabelledImages, Network, load
from cnnvis.studies.survey_images import HeldPictures, Pictures, surveyed_pictures


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnswer:
    """What a network makes of one image.

    Parameters
    ----------
    name : str
    image : (H, W, 3) uint8
        The input, its values stretched from black to white.
    maps : mapping of str to (C, *S) float32
        By layer of the survey.
    averages : mapping of str to (C,) float64
        Means of the maps.
    probabilities : (K,) float64
        Empty where the network gives no class scores.
    label : int or None
        The true class, where it is known.
    """

    name: str
    image: NDArray[np.uint8]
    maps: Mapping[str, NDArray[np.float32]]
    averages: Mapping[str, NDArray[np.float64]]
    probabilities: NDArray[np.float64]
    label: int | None


class ImageStream:
    """The images of a survey, others, or one's own, through its network.

    Parameters
    ----------
    survey : Survey
        Says which network, by the name it was loaded by, and which values of it.
    model : str or Network, optional
        The network, where it is not that of this name, or has weights of one's own.
    images : LabelledImages, optional
        Default: those that were surveyed, see `surveyed_pictures`.

    Raises
    ------
    InvalidInputError
        When the network has other weights than the one that was surveyed.
    CnnvisError
        When there is no such network.
    """

    def __init__(self, survey: Survey, model: Any = None, images: LabelledImages | None = None) -> None:
        wanted = survey.provenance.model if model is None else model
        self.network: Network = wanted if isinstance(wanted, Network) else load(wanted)
        require_same_network(self.network, survey)
        self._survey = survey
        self._pictures: Pictures | None = None if images is None else HeldPictures(images)
        self._values = {name: layer.value for name, layer in survey.layers.items()}

    @property
    def pictures(self) -> Pictures:
        """The images.

        Raises
        ------
        InvalidInputError
            When nobody knows where those of the survey are.
        """
        if self._pictures is None:
            self._pictures = surveyed_pictures(self._survey, self.network)
        return self._pictures

    def __len__(self) -> int:
        """Return how many images there are; 0 where nobody knows where they are."""
        try:
            return len(self.pictures)
        except InvalidInputError:
            return 0

    def at(self, number: int) -> ImageAnswer:
        """Return what the network makes of one of the images."""
        pictures = self.pictures
        if not 0 <= number < len(pictures):
            raise InvalidInputError(f"There are images 0 to {len(pictures) - 1}, got {number}.")
        return self._answer(*pictures.at(number))

    def of_file(self, path: str | Path) -> ImageAnswer:
        """Return what the network makes of one's own picture."""
        return self._answer(self.network.preprocess(path), Path(path).name, None)

    def _answer(self, image: Tensor, name: str, label: int | None) -> ImageAnswer:
        maps, scores = self._run(as_call(self.network.module, image))
        averages = {
            layer: values.reshape(len(values), -1).mean(axis=1, dtype=np.float64) for layer, values in maps.items()
        }
        return ImageAnswer(name, as_picture(image[0].numpy()), maps, averages, scores, label)

    def _run(self, call: ForwardCall) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.float64]]:
        """Return the maps of the survey's layers, and the probabilities of the classes."""
        tree = ModuleTree(self.network.module)
        selection = Selection(tree, list(dict.fromkeys(self._values.values())))
        found: dict[str, NDArray[np.float32]] = {}

        def keep(heard: Call) -> None:
            for value in selection.values(heard, 1):
                # a copy: what follows may change it in place
                found[value.name] = channels_first(value.tensor.detach(), value.axes)[0].float().cpu().numpy().copy()

        with evaluating(tree), selection.listen(keep):
            output = self.network.module(*call.args, **call.kwargs)
        is_table = isinstance(output, Tensor) and output.ndim == 2
        scores = torch.softmax(output[0].double(), 0).cpu().numpy() if is_table else np.empty(0)
        return {name: found[value] for name, value in self._values.items()}, scores


def as_picture(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return a (C, H, W) input of a network as an (H, W, 3) uint8 picture, from its darkest value to its brightest."""
    low, high = float(values.min()), float(values.max())
    grey = (values - low) / (high - low) if high > low else np.zeros_like(values)
    pixels = np.repeat(grey, 3, axis=0) if len(grey) == 1 else grey[:3]
    picture: NDArray[np.uint8] = np.moveaxis(np.round(255 * pixels), 0, -1).astype(np.uint8)
    return picture
