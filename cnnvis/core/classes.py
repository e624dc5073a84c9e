"""Classes by name or by index, and how likely they are, in words."""

from __future__ import annotations

from collections.abc import Sequence

from cnnvis.core.errors import InvalidInputError, did_you_mean


def class_index(wanted: str | int, class_names: Sequence[str] | None = None) -> int:
    """Return the index of the class that a person named.

    Parameters
    ----------
    wanted : str or int
        A class name, in any case; or an index, also as text. A class called "3" is meant before the class with index 3.
    class_names : sequence of str, optional
        One per class. Without them only an index can be meant, and its upper end cannot be checked.

    Raises
    ------
    InvalidInputError
        When there is no such class; near matches are listed.
    """
    names = list(class_names or ())
    lowered = [name.lower() for name in names]
    text = str(wanted).strip()
    if isinstance(wanted, str) and text.lower() in lowered:
        return lowered.index(text.lower())
    if text.isdecimal() and (class_names is None or int(text) < len(names)):
        return int(text)
    if class_names is None:
        raise InvalidInputError(f"There is no class {wanted!r}: this network names no classes; give an index from 0.")
    raise InvalidInputError(
        f"There is no class {wanted!r}. {did_you_mean(text, names, what='classes')} By index: 0 to {len(names) - 1}."
    )


def percent(share: float) -> str:
    """Return a probability in words of a caption: never 0 or 100 where it is not."""
    if 0 < share < 0.0005:
        return "below 0.1 %"
    return "above 99.9 %" if 0.9995 <= share < 1 else f"{100 * share:.1f} %"
