"""What a study of gradients by class is asked for and what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cnnvis.capture.gradient_volumes import Inputs
from cnnvis.capture.targets import QuantityName
from cnnvis.core import GradientCheck, Importance, Recording, Volume
from cnnvis.models import Network, Prediction
from cnnvis.scene import TransferFunction
from cnnvis.scene.transfer import Curve
from cnnvis.studies.results import require_size

DEMONSTRATION = ("Shirt", "T-shirt/top", "Ankle boot")
"""The class under inspection, a similar and a dissimilar one, where none is named: classes of Fashion-MNIST."""


@dataclass(frozen=True)
class LabelledCases:
    """Images of three classes, of each one that is classified rightly and one wrongly; all under one class neuron.

    Parameters
    ----------
    data : str or path, optional
        "fashion-mnist" or "mnist", or a folder with one subfolder of pictures per class. Cases are taken from the
        part "test" and means from "importance"; of a folder, by file name, from every second picture of a class and
        from the others. Default: the data set that comes with cnnvis and has the network's classes.
    reference : str or int, optional
        The class whose neuron is under inspection, by name or index. None: those of `DEMONSTRATION`.
    similar, dissimilar : str or int, optional
        Of the other classes. None: whose test images give the reference class the highest and the lowest
        probability, on average.
    """

    data: str | Path | None = None
    reference: str | int | None = None
    similar: str | int | None = None
    dissimilar: str | int | None = None


@dataclass(frozen=True)
class PhotoCases:
    """Photos without labels, each under several class neurons.

    Parameters
    ----------
    images : tuple of str or path
        As for `cnnvis.models.read_image`.
    targets : tuple of str or int
        Classes by name or index, the same for all photos. Empty: of each photo its likeliest class, the second
        likeliest and the least likely.
    """

    images: tuple[str | Path, ...] = ("chelsea", "coffee", "rocket")
    targets: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class GradientClasses:
    """What to look at and how; `gradient_classes.run` does it.

    Parameters
    ----------
    model : str, path, nn.Module or Network
        As for `cnnvis.models.load`.
    cases : LabelledCases or PhotoCases
    layers : tuple of str
        Names or globs of layers with weights; empty: the network's first default layer, else its first convolution.
    inputs : {"mean", "norm", "blocks"} or int
        What becomes of the input channels of a filter, see `cnnvis.capture.gradient_volume`.
    of : {"logit", "margin", "loss"}
        What is differentiated.
    n_checked : int
        Weights per layer and case whose gradient is checked by float64 differences; of photos the first case only.
    weights : path, optional
        State dict, as for `load`.
    random_state : int
        Chooses the weights that are checked, and those of a network that is made at random.
    device : str
    size : (width, height)
        Of a single volume's picture, in pixels, 64 to 8192 each.
    """

    model: Any = "fashion-cnn"
    cases: LabelledCases | PhotoCases = field(default_factory=LabelledCases)
    layers: tuple[str, ...] = ()
    inputs: Inputs = "mean"
    of: QuantityName = "logit"
    n_checked: int = 10
    weights: str | Path | None = None
    random_state: int = 0
    device: str = "auto"
    size: tuple[int, int] = (1280, 800)

    def __post_init__(self) -> None:
        require_size(self.size)


@dataclass(frozen=True, eq=False, repr=False)
class Case:
    """One image under one class neuron.

    Parameters
    ----------
    label : str
        Which case it is: "Shirt, taken for Pullover"; its frame's name.
    image : str
        Name of the image.
    inputs : (1, C, H, W) tensor
    picture : (H, W, 3) ndarray of uint8
    target : Prediction
        The class whose neuron is differentiated, and the probability the network gives it.
    predicted : Prediction
        The likeliest class.
    truth : str
        The class that the image shows, "" where that is not known.
    reference : int
        Position of the case that it is compared with; its own for a reference.
    """

    label: str
    image: str
    inputs: Tensor
    picture: NDArray[np.uint8]
    target: Prediction
    predicted: Prediction
    truth: str = ""
    reference: int = 0

    def __repr__(self) -> str:
        return f"Case({self.label!r}, image={self.image!r}, target={self.target.name!r})"


@dataclass(frozen=True)
class Chosen:
    """The cases of a study and how they were chosen.

    Parameters
    ----------
    cases : tuple of Case
    rule : str
        How they were chosen, in a sentence.
    missing : tuple of str
        A sentence for each case that there is no image of.
    by_class : mapping of class name to (inputs, labels)
        Images for the means, (N, C, H, W) and (N,) int64; empty for photos. The reference class comes first.
    """

    cases: tuple[Case, ...]
    rule: str
    missing: tuple[str, ...] = ()
    by_class: Mapping[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerGradients:
    """Weight gradients of one layer as volumes.

    Parameters
    ----------
    layer : str
    volumes : mapping of case label to Volume
    differences : mapping of case label to Volume
        Each case minus the one it is compared with; references are left out.
    means : mapping of str to Volume
        The mean gradient over many images of a class, by "class, mean of N images"; empty for photos.
    norms : (N,) ndarray
        L2 norm of each case's gradient over all weights of the layer.
    cosines : (N,) ndarray
        Cosine of the angle between each case's gradient and that of the case it is compared with; NaN for a gradient
        of zeros.
    checks : mapping of case label to GradientCheck
        Against float64 finite differences.
    """

    layer: str
    volumes: Mapping[str, Volume]
    differences: Mapping[str, Volume]
    means: Mapping[str, Volume]
    norms: NDArray[np.float64]
    cosines: NDArray[np.float64]
    checks: Mapping[str, GradientCheck]

    @cached_property
    def transfer(self) -> TransferFunction:
        """One transfer function for all cases, its range fixed."""
        return common_transfer(self.volumes)

    @cached_property
    def difference_transfer(self) -> TransferFunction:
        """One for all differences."""
        return common_transfer(self.differences)


OPACITY: Curve = ((0.0, 0.0), (0.25, 0.03), (1.0, 1.0))
"""Opacity by the magnitude of a gradient: the smallest are clear, so that the strong ones behind them are seen."""


def common_transfer(volumes: Mapping[str, Volume]) -> TransferFunction:
    """Return a transfer function whose range is fixed to that of all volumes.

    In cube roots: in most layers a few filters have by far the strongest gradients, and the others would be pale.
    """
    values = np.concatenate([volume.values.ravel() for volume in volumes.values()])
    return TransferFunction.preset("linear", values=values, normalisation="cbrt", opacity=OPACITY).with_span(values)


@dataclass(frozen=True)
class Part:
    """What was found with one network.

    Parameters
    ----------
    study : GradientClasses
    network : Network
    chosen : Chosen
    recording : Recording
        Of all cases, one weight gradient each.
    layers : tuple of LayerGradients
    importance : Importance or None
        Mean norm of the gradient over the images of the reference class, where there are such images.
    folder : Path
        Where its files lie.
    """

    study: GradientClasses
    network: Network
    chosen: Chosen
    recording: Recording
    layers: tuple[LayerGradients, ...]
    importance: Importance | None
    folder: Path = Path()

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases, references first in their group."""
        return self.chosen.cases

    def folder_of(self, layer: LayerGradients) -> Path:
        """Return where the files of a layer lie: the first layer's in the part's own folder."""
        return self.folder if layer is self.layers[0] else self.folder / layer.layer


@dataclass(frozen=True)
class GradientResult:
    """All that was found and written.

    Parameters
    ----------
    parts : tuple of Part
        One per network.
    files : mapping of Path to str
        What was written, and what it is.
    seconds : mapping of str to float
        Wall time by stage.
    total_seconds : float
    """

    parts: tuple[Part, ...]
    files: Mapping[Path, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    total_seconds: float = 0.0
