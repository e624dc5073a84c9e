"""Which layers a method scores that looks at the places where channels are read."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from cnnvis.core import ChannelSpaces
from cnnvis.core.errors import LayerNotFoundError, did_you_mean


def choose_layers(
    spaces: ChannelSpaces, layers: str | Iterable[str] | None, *, inputs: bool = False
) -> tuple[str, ...]:
    """Return the layers and input values that a user asked for, in order of execution.

    Default, and what a glob selects, are the hidden layers and, with `inputs`, the input values. The layer
    of the classes, and an input without `inputs`, must be named in full.

    Raises
    ------
    LayerNotFoundError
        For a name or glob that selects nothing; near matches are listed.
    """
    hidden = {name for space in spaces.hidden for name in space.layers}
    common = [name for name in spaces.names if name in hidden or (inputs and not spaces.of(name).layers)]
    if layers is None:
        return tuple(common)
    wanted: set[str] = set()
    for pattern in [layers] if isinstance(layers, str) else layers:
        found = [pattern] if pattern in spaces.names else [name for name in common if fnmatchcase(name, pattern)]
        if not found:
            hint = did_you_mean(pattern.strip("*?"), spaces.names, what="layers with channels of their own")
            raise LayerNotFoundError(f"No units of {pattern!r} to score. {hint}")
        wanted.update(found)
    return tuple(name for name in spaces.names if name in wanted)
