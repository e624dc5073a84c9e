"""Ordering, similarity, quality and stability: arrays in, frozen results out. No torch."""

from cnnvis.analysis._cka import cka
from cnnvis.analysis._similarity import similarity
from cnnvis.analysis._stability import StabilityReport, stability
from cnnvis.analysis._values import default_row
from cnnvis.analysis.agreement import OrderAgreement, compare_orders
from cnnvis.analysis.anomalies import anomalies
from cnnvis.analysis.communities import by_size, communities, link_weights, modularity
from cnnvis.analysis.curve_comparison import CurveMeasure, compare_curves
from cnnvis.analysis.group_checks import community_stability, group_counts
from cnnvis.analysis.importance_agreement import compare_importance
from cnnvis.analysis.methods import OrderMethod, OrderMethodName
from cnnvis.analysis.moments import Normalize, NormalizeName
from cnnvis.analysis.ordering import order
from cnnvis.analysis.paired import compare_paired
from cnnvis.analysis.quality import order_quality, with_quality
from cnnvis.analysis.recent import recent_survey

__all__ = [
    "CurveMeasure",
    "Normalize",
    "NormalizeName",
    "OrderAgreement",
    "OrderMethod",
    "OrderMethodName",
    "StabilityReport",
    "anomalies",
    "by_size",
    "cka",
    "communities",
    "community_stability",
    "compare_curves",
    "compare_importance",
    "compare_orders",
    "compare_paired",
    "default_row",
    "group_counts",
    "link_weights",
    "modularity",
    "order",
    "order_quality",
    "recent_survey",
    "similarity",
    "stability",
    "with_quality",
]
