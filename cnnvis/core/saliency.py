"""Where in an image the score of a class comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnvis.core.checks import frozen_array, frozen_mapping, require_finite, require_shape
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.provenance import Provenance

METHOD_TITLES = {"grad_cam": "Grad-CAM", "occlusion": "Occlusion"}
"""Methods as people write them."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SaliencyMap:
    """How much each place of one image has to do with the score of one class, by one method.

    Parameters
    ----------
    values : (H, W) float32
        At the resolution of the network's input. Grad-CAM: not negative. Occlusion: by how much the score falls when
        the place is covered, below 0 where it rises.
    method : {"grad_cam", "occlusion"}
    target : int
        The class.
    probabilities : (K,) float64
        Of all classes, for the whole image.
    class_names : tuple of str, optional
        One per class.
    layer : str
        Whose maps Grad-CAM weighs.
    options : mapping of str to values of JSON
        What the method was told: `of` which score; `layer_size` of Grad-CAM; `window`, `stride` and `baseline` of
        occlusion.
    provenance : Provenance

    Raises
    ------
    InvalidInputError
        For values that are no finite (H, W) array, an unknown method, and a class that is not there.
    """

    values: NDArray[np.float32]
    method: str
    target: int
    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...] | None = None
    layer: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if self.method not in METHOD_TITLES:
            raise InvalidInputError(f"SaliencyMap: method is one of {', '.join(METHOD_TITLES)}, got {self.method!r}.")
        values = frozen_array(self.values, dtype=np.float32)
        probabilities = frozen_array(self.probabilities, dtype=np.float64)
        require_shape("values", values, (None, None))
        require_shape("probabilities", probabilities, (None,))
        require_finite("values", values)
        if not values.size:
            raise InvalidInputError(f"SaliencyMap: values have shape {values.shape}, so there is no place to tell of.")
        if not 0 <= self.target < probabilities.size:
            raise InvalidInputError(
                f"SaliencyMap: there is no class {self.target}, only 0 to {probabilities.size - 1}."
            )
        names = None if self.class_names is None else tuple(self.class_names)
        if names is not None and len(names) != probabilities.size:
            raise InvalidInputError(f"SaliencyMap: {len(names)} class names for {probabilities.size} classes.")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "probabilities", probabilities)
        object.__setattr__(self, "class_names", names)
        object.__setattr__(self, "options", frozen_mapping(self.options))

    @property
    def class_name(self) -> str:
        """Name of the class, "class 3" where classes have none."""
        return self.class_names[self.target] if self.class_names else f"class {self.target}"

    @property
    def probability(self) -> float:
        """Probability that the network gives the class for the whole image."""
        return float(self.probabilities[self.target])

    @property
    def title(self) -> str:
        """The method, and what it was told, in one line."""
        parts = [METHOD_TITLES[self.method] + (f" of {self.layer}" if self.layer else "")]
        if "layer_size" in self.options:
            parts.append("maps of {} × {}".format(*self.options["layer_size"]))
        if "window" in self.options:
            parts.append("window {} × {}".format(*self.options["window"]))
        if "baseline" in self.options:
            baseline = self.options["baseline"]
            parts.append(f"covered by {'the mean colour' if baseline == 'mean' else baseline}")
        return ", ".join(parts)

    @property
    def quantity(self) -> str:
        """What the values are, for a legend."""
        score = self.options.get("of", "score")
        return f"fall of the {score}" if self.method == "occlusion" else f"weighted activation ({score})"
