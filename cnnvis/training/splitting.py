"""Which image is in which part of a data set."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.errors import InvalidInputError


def split_by_class(
    labels: ArrayLike, sizes: Mapping[str, int], *, rest: str, random_state: int = 0
) -> dict[str, NDArray[np.int64]]:
    """Return disjoint parts of a data set, each with equally many images of every class.

    The images are shuffled; then the first of each class go to the first part, the next to the second, and so on; and
    each part is shuffled again, since frequent classes would stand at its beginning.

    Parameters
    ----------
    labels : (N,) int
    sizes : mapping of str to int
        Part -> images per class.
    rest : str
        Name of the part that gets all other images.
    random_state : int, default 0

    Returns
    -------
    dict of str to (n,) ndarray of int64
        Indices into `labels`, in shuffled order; `rest` comes last.

    Raises
    ------
    InvalidInputError
        When a class has too few images.
    """
    labels = np.asarray(labels)
    generator = np.random.default_rng(random_state)
    order = generator.permutation(len(labels))
    part_of = np.full(len(labels), rest, dtype=object)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        if len(members) < sum(sizes.values()):
            raise InvalidInputError(f"Class {label} has {len(members)} images; {sum(sizes.values())} are needed.")
        ends = np.cumsum(list(sizes.values()))
        for part, chosen in zip(sizes, np.split(members, ends), strict=False):
            part_of[chosen] = part
    return {part: generator.permutation(np.flatnonzero(part_of == part)) for part in (*sizes, rest)}
