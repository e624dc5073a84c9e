"""What every accumulator can do: grow batch by batch, take in another, give its state as arrays and take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray


class Accumulator:
    """Grows with `update` and `merge`; its whole state can be taken out as arrays and put back.

    Merging the accumulators of parts, in the order of the parts, gives the same as one accumulator of everything:
    to the last bit where counts are kept, up to rounding elsewhere.
    """

    STATE: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold the state: arrays and numbers."""

    def merge(self, other: Self) -> None:
        """Take in what `other` has seen, which comes behind what was seen here."""
        raise NotImplementedError

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state by name, without copies."""
        return {name: np.asarray(getattr(self, name)) for name in self.STATE}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put a state back that `arrays` gave."""
        for name in self.STATE:
            value = arrays[name]
            setattr(self, name, value.item() if isinstance(getattr(self, name), int) else value.copy())
