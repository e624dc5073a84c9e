"""Whose importance a link inherits."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal


class LinkKind(StrEnum):
    """Whose importance a link inherits; the four `edge_importance_type`s of nn_vis by name, or by number 0 to 3.

    `interpolate`: that of its start fading into that of its end; where a link has one number, their mean; `start`;
    `both`: their sum, so that links are ranked as by `interpolate`; `end`.
    """

    INTERPOLATE = "interpolate"
    START = "start"
    BOTH = "both"
    END = "end"

    @classmethod
    def _missing_(cls, value: object) -> LinkKind | None:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(cls):
            return list(cls)[value]
        return None


LinkKindName = Literal["interpolate", "start", "both", "end"]
