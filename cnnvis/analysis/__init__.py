"""Ordering, similarity, quality and stability: arrays in, frozen results out. No torch."""

from cnnvis.analysis.agreement import OrderAgreement, compare_orders
from cnnvis.analysis.methods import OrderMethod, OrderMethodName
from cnnvis.analysis.moments import Normalize, NormalizeName
from cnnvis.analysis.ordering import order
from cnnvis.analysis.quality import order_quality, with_quality
from cnnvis.analysis.similarity import similarity
from cnnvis.analysis.stability import StabilityReport, stability

__all__ = [
    "Normalize",
    "NormalizeName",
    "OrderAgreement",
    "OrderMethod",
    "OrderMethodName",
    "StabilityReport",
    "compare_orders",
    "order",
    "order_quality",
    "similarity",
    "stability",
    "with_quality",
]
