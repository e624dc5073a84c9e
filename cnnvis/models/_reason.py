"""Torch's own error texts run to a screenful; ours quote their first sentence."""

from __future__ import annotations


def first_sentence(error: BaseException, *, default: str = "") -> str:
    """Return the first sentence of an error's text without its full stop; `default`, or its class, when it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].partition(". ")[0].rstrip(".") if lines else default or type(error).__name__
