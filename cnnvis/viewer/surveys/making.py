"""Surveys of the network that is open: which network that is, and the survey itself, made in a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnvis.core import Provenance, Survey
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.survey import SignalName
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.workspace import Workspace

if TYPE_CHECKING:
    from cnnvis.models import Network

SURVEYING = "survey"
"""Slot of the jobs that make surveys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyWish:
    """What is to be surveyed.

    Parameters
    ----------
    model : str
        As for `cnnvis.models.load`.
    weights : str or None
        A file of weights for it.
    data : str or None
        A folder of pictures, or a data set as for `cnnvis.models.folders.labelled_parts`.
    layers : tuple of str
        Names or globs; empty: all convolutions and dense layers.
    signal : {"post", "pre"}
    """

    model: str
    weights: str | None = None
    data: str | None = None
    layers: tuple[str, ...] = ()
    signal: SignalName = "post"


def origin_of(workspace: Workspace) -> Provenance | None:
    """Return which network the active scene is of: the drawn one, else that of the chosen item, else of any.

    None where nothing that is open says which.
    """
    chosen = () if workspace.item is None else (workspace.item,)
    held = [workspace.network, *(getattr(item, "data", None) for item in (*chosen, *workspace.scene))]
    found = (getattr(each, "provenance", None) for each in held)
    return next((each for each in found if isinstance(each, Provenance) and each.model), None)


def surveyed(wish: SurveyWish, origin: Provenance | None, tell: Tell) -> Survey:
    """Load the network and survey it; for a thread.

    Raises
    ------
    InvalidInputError
        When the network has other weights than that of the same name in `origin`, which is open.
    CnnvisError
        Of loading the network, and of `cnnvis.survey`.
    """
    from cnnvis.capture import SurveyOptions, survey  # loads torch, in the thread
    from cnnvis.models import load

    tell.progress(0, 1)
    network = load(wish.model, weights=wish.weights)
    if origin is not None:
        _require_same(network, origin)
    options = SurveyOptions(signal=wish.signal)
    return survey(network, _images(network, wish.data), wish.layers or None, options=options, progress=tell.progress)


def _require_same(network: Network, origin: Provenance) -> None:
    """Raise where the network is called like the one that is open, and is another."""
    if network.name == origin.model and origin.model_sha256 and network.sha256 != origin.model_sha256:
        raise InvalidInputError(
            f"{network.name} has other weights when it is loaded than what is open, whose weights are called "
            f"{origin.weights or 'nothing'!r}. Name the file of these under Weights."
        )


def _images(network: Network, data: str | None) -> Any:
    """Return what `cnnvis.survey` takes."""
    from cnnvis.studies.survey_images import survey_images

    return survey_images(network, data, merge=False).surveyed
