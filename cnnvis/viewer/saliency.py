"""Where the network sees a class in an image: what is asked, worked out in a thread, and what is known by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from cnnvis.core import SaliencyMap
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.workspace import ModelSource, Workspace

if TYPE_CHECKING:
    from cnnvis.models import Network
    from cnnvis.studies.saliency import ImageSaliency

SLOT = "saliency"

AT_ONCE = {"grad_cam": 1, "occlusion": 10}
"""Likeliest classes asked for at first: of occlusion several cost no more than one."""

Key = tuple[str, str, int]
"""Method, score and class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyWish:
    """What is to be explained.

    Parameters
    ----------
    source : (model, weights)
        As for `cnnvis.models.load`.
    image : str
        As for `cnnvis.studies.saliency.image_saliency`.
    method : {"grad_cam", "occlusion"}
    of : {"logit", "margin"}
    target : int or None
        None: the likeliest class.
    """

    source: ModelSource
    image: str
    method: str = "grad_cam"
    of: str = "logit"
    target: int | None = None


class SaliencyBench(QObject):
    """Holds the maps of one image, and works further ones out when they are asked for.

    Parameters
    ----------
    workspace : Workspace

    Attributes
    ----------
    found : ImageSaliency or None
        Picture and predictions of the image that is looked at.
    shown : SaliencyMap or None
        The one that was asked for last.
    wish : SaliencyWish or None
        What is shown.

    Notes
    -----
    Signals: `changed` another map is shown, or nothing any more.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.found: ImageSaliency | None = None
        self.shown: SaliencyMap | None = None
        self.wish: SaliencyWish | None = None
        self._network: Network | None = None
        self._maps: dict[Key, SaliencyMap] = {}

    def ask(self, wish: SaliencyWish) -> None:
        """Show a map; where it is not known yet, work it out in a thread."""
        before = self.wish
        of_same_network = before is not None and wish.source == before.source
        known = self.found if of_same_network and wish.image == before.image else None
        targets = _targets(wish, known)
        ready = self._maps.get((wish.method, wish.of, targets[0])) if known is not None else None
        if ready is not None:
            self.workspace.jobs.cancel(SLOT)
            self.wish, self.shown = wish, ready
            self.changed.emit()
            return
        network = self._network if of_same_network else None

        def work(tell: Tell) -> tuple[Network, ImageSaliency]:
            return _explained(wish, targets, network, tell)

        def then(result: tuple[Network, ImageSaliency]) -> None:
            self._network, found = result
            if known is None:
                self._maps.clear()
            self._maps |= {(each.method, wish.of, each.target): each for each in found.maps}
            self.wish, self.found, self.shown = wish, found, found.maps[0]
            self.changed.emit()

        self.workspace.jobs.run(SLOT, work, then, title=f"Explaining {wish.image}")


def _targets(wish: SaliencyWish, known: ImageSaliency | None) -> tuple[int, ...]:
    """Return the classes to ask for, first the one that is wanted; none, that is the likeliest, of a new image."""
    if known is None:
        return () if wish.target is None else (wish.target,)
    likeliest = [each.index for each in known.predictions[: AT_ONCE[wish.method]]]
    first = likeliest[0] if wish.target is None else wish.target
    return tuple(dict.fromkeys([first, *likeliest]))[: AT_ONCE[wish.method]]


def _explained(
    wish: SaliencyWish, targets: tuple[int, ...], network: Network | None, tell: Tell
) -> tuple[Network, ImageSaliency]:
    """Load the network, unless it is at hand, and find the maps; for a thread."""
    from cnnvis.models import load  # loads torch, in the thread
    from cnnvis.studies.saliency import SaliencyOptions, image_saliency

    tell.progress(0, 1)
    if network is None:
        network = load(wish.source[0], weights=wish.source[1])
    options = SaliencyOptions(methods=(wish.method,), targets=targets, likeliest=AT_ONCE[wish.method], of=wish.of)
    return network, image_saliency(network, wish.image, options, progress=tell.progress)
