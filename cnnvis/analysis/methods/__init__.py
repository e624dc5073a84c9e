"""The ordering methods and their registry.

A new method is one function ``(ChannelMoments, OrderOptions) -> Arrangement`` over live channels,
its name in OrderMethod and in OrderMethodName, one line in METHODS, and its title for pictures in
`core.ordering.METHOD_TITLES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from cnnvis.analysis.methods._base import Arrangement, OrderOptions
from cnnvis.analysis.methods.kmeans import by_kmeans
from cnnvis.analysis.methods.leaf import by_leaf
from cnnvis.analysis.methods.pca import by_pca
from cnnvis.analysis.methods.plain import by_importance, original
from cnnvis.analysis.moments import ChannelMoments


class OrderMethod(StrEnum):
    """How channels are put in order.

    `original`: as the network numbers them; `pca`: by the first principal component of the whole
    maps; `kmeans`: in k-means groups of the whole maps; `leaf`: optimal leaf order of the cluster
    tree; `importance`: most important first. `pca_rows` and `kmeans_rows` look at one row of
    every map, as CNN-VIS did.
    """

    ORIGINAL = "original"
    PCA = "pca"
    PCA_ROWS = "pca_rows"
    KMEANS = "kmeans"
    KMEANS_ROWS = "kmeans_rows"
    LEAF = "leaf"
    IMPORTANCE = "importance"


OrderMethodName = Literal["original", "pca", "pca_rows", "kmeans", "kmeans_rows", "leaf", "importance"]


@dataclass(frozen=True, slots=True)
class Method:
    """A registered method.

    Parameters
    ----------
    arrange : callable
        Orders live channels, of which there is at least one.
    rows : bool
        Whether it looks at one row of every map instead of whole maps.
    groups : bool
        Whether it makes groups.
    """

    arrange: Callable[[ChannelMoments, OrderOptions], Arrangement]
    rows: bool = False
    groups: bool = False


METHODS: dict[OrderMethod, Method] = {
    OrderMethod.ORIGINAL: Method(original),
    OrderMethod.PCA: Method(by_pca),
    OrderMethod.PCA_ROWS: Method(by_pca, rows=True),
    OrderMethod.KMEANS: Method(by_kmeans, groups=True),
    OrderMethod.KMEANS_ROWS: Method(by_kmeans, rows=True, groups=True),
    OrderMethod.LEAF: Method(by_leaf),
    OrderMethod.IMPORTANCE: Method(by_importance),
}

__all__ = ["METHODS", "Arrangement", "Method", "OrderMethod", "OrderMethodName", "OrderOptions"]
