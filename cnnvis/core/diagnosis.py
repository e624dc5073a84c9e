"""A diagnosis: where one image departs from what a network does with images of its class."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_shape
from cnnvis.core.provenance import Provenance


@dataclass(frozen=True, slots=True, eq=False)
class Departure:
    """How far the channels of one layer are from those of a class.

    Parameters
    ----------
    z : (C,) float64
        (average of the image - mean of the class) / standard deviation in the class; NaN where the class does not vary
        and for channels without finite values.
    size : float
        Root mean square of `z`: about 1 for an image like those of the class.
    share : float
        Share of the class's own images, those in the survey's window, that depart at least as far; NaN without any.
    """

    z: NDArray[np.float64]
    size: float
    share: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "z", frozen_array(self.z, dtype=np.float64))
        require_shape("z", self.z, (None,))


@dataclass(frozen=True, slots=True)
class Patch:
    """What the network answers when the averages of some channels are those of a class.

    Parameters
    ----------
    layer : str
    channels : tuple of int
        Those that were shifted.
    answer : int
        Class of the largest score.
    probability : float
        Of the class patched towards.
    margin : float
        Score of the class patched towards, less the largest of the others.
    """

    layer: str
    channels: tuple[int, ...]
    answer: int
    probability: float
    margin: float


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Where one image departs from its class, layer by layer, and whether that is what decides the answer.

    Parameters
    ----------
    image : str
    probabilities : (K,) float64
    predicted : int
    true : int or None
        None where it is not known; everything is then said of the predicted class.
    values : mapping of str to str
        By layer: the layer whose values were read.
    from_predicted, from_true : mapping of str to Departure
        By layer, in order of execution; `from_true` is empty where the class is not known.
    first_layer : str or None
        The first layer that departs from the class (the true one where it is known): at most `level` of the class's
        own images and this one depart as far. None where no layer does, or where there are too few images to tell. A
        layer that gives the scores themselves is no candidate.
    n_compared : int
        Images of that class that this one was compared with.
    level : float
    layer : str
        The layer whose channels were patched: `first_layer`, or without one that which the fewest images depart from as
        far.
    single : tuple of Patch
        The channels of `layer` that depart furthest, each patched by itself, furthest first.
    together : tuple of Patch
        The first 1, 2, 4 ... of them patched together.
    whole : mapping of str to Patch
        By layer, those that give the scores left out: all its channels patched.
    unpatched : Patch
        Without any patch.
    class_names : tuple of str, or None
    provenance : Provenance
    """

    image: str
    probabilities: NDArray[np.float64]
    predicted: int
    true: int | None
    values: Mapping[str, str]
    from_predicted: Mapping[str, Departure]
    from_true: Mapping[str, Departure]
    first_layer: str | None
    n_compared: int
    level: float
    layer: str
    single: tuple[Patch, ...]
    together: tuple[Patch, ...]
    whole: Mapping[str, Patch]
    unpatched: Patch
    class_names: tuple[str, ...] | None = None
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        object.__setattr__(self, "probabilities", frozen_array(self.probabilities, dtype=np.float64))
        for name in ("values", "from_predicted", "from_true", "whole"):
            object.__setattr__(self, name, frozen_mapping(getattr(self, name)))

    @property
    def reference(self) -> int:
        """The class that the image is held against: the true one where it is known."""
        return self.predicted if self.true is None else self.true

    @property
    def from_reference(self) -> Mapping[str, Departure]:
        """Departures from the reference class."""
        return self.from_predicted if self.true is None else self.from_true

    def named(self, label: int) -> str:
        """Return the name of a class, or its index."""
        return str(label) if self.class_names is None else self.class_names[label]

    @property
    def caution(self) -> str:
        """What must be known before `first_layer` is believed: that too few images can tell; "" otherwise."""
        needed = math.ceil(1 / self.level) - 1
        if self.n_compared >= needed:
            return ""
        return (
            f"The survey kept {self.n_compared} images of {self.named(self.reference)}, too few to say that a layer "
            f"departs: that needs {needed} (of 1 in {needed + 1} images it is said by chance). Survey more, or with a "
            "larger window."
        )

    @property
    def mending_layers(self) -> tuple[str, ...]:
        """Layers of which all channels patched give the class that the image is held against."""
        return tuple(layer for layer, patch in self.whole.items() if patch.answer == self.reference)

    @property
    def verdict(self) -> str:
        """What patching says, in a sentence or two: whether departures decide the answer, and where."""
        wanted = self.named(self.reference)
        if self.unpatched.answer == self.reference:
            return f"The answer is {wanted}, with and without patches."
        mended = next((patch for patch in self.together if patch.answer == self.reference), None)
        if mended is not None:
            some = f"{len(mended.channels)} channels" if len(mended.channels) > 1 else "1 channel"
            return (
                f"With the averages of {wanted} in {some} of {self.layer} the answer is {wanted}: here it went wrong."
            )
        tried = len(self.together[-1].channels)
        few = f"No few channels decide it: with the averages of {wanted} in {tried} of {self.layer} it is still "
        few += f"{self.named(self.together[-1].answer)}."
        if self.mending_layers:
            first, others = self.mending_layers[0], len(self.mending_layers) - 1
            later = "1 later layer" if others == 1 else f"{others} later layers"
            also = f", and so do those of {later}" if others else ""
            return f"{few} All averages of {first} together give {wanted}{also}: what went wrong is there by then."
        best = max(self.whole.values(), key=lambda patch: patch.margin)
        return (
            f"Shifting all channels of one layer to the averages of {wanted} does not give {wanted} in any of the "
            f"{len(self.whole)} layers tried (best: {best.layer}, margin {self.unpatched.margin:+.2f} -> "
            f"{best.margin:+.2f}). Averages of single layers do not explain the answer; where channels answer may."
        )
