"""What a survey measures."""

from __future__ import annotations

from dataclasses import dataclass

from cnnvis.core import Signal
from cnnvis.core.checks import parse_choice, require_number
from cnnvis.core.survey import SignalName


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOptions:
    """What a survey measures.

    Parameters
    ----------
    signal : {"post", "pre"}, default: "post"
        Values behind the activation function of a layer, which the layers after it receive, or before it.
    maps : bool, default: True
        All values of the maps too: their spread, extremes, zeros and missing ones. Without them averages only.
    space : bool, default: False
        The correlation of the maps position by position, too: C^2 products per position, about as much work as the
        convolutions themselves.
    window : int, default: 1000
        Images whose averages are kept, the last ones.
    n_top : int, default: 9
        Images to keep per channel, those with the largest averages.
    shard_size : int, default: 256
        Images that are taken in together, at least: the unit of work of a process, and of what a resumed survey
        repeats. Results depend on it by rounding only.
    """

    signal: Signal | SignalName = Signal.POST
    maps: bool = True
    space: bool = False
    window: int = 1000
    n_top: int = 9
    shard_size: int = 256

    def __post_init__(self) -> None:
        object.__setattr__(self, "signal", parse_choice(Signal, self.signal, what="signal"))
        for name, low in (("window", 1), ("n_top", 1), ("shard_size", 1)):
            require_number(name, getattr(self, name), low, 1e9, whole=True)
