"""Switch parts of a network off, measure what is left, and make it physically smaller."""

from cnnvis.pruning.curves import class_curves, prune_curve, prune_curves
from cnnvis.pruning.measure import Measured
from cnnvis.pruning.options import CurveOptions

__all__ = [
    "CurveOptions",
    "Measured",
    "class_curves",
    "prune_curve",
    "prune_curves",
]
