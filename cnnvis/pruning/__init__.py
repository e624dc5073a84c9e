"""Switch parts of a network off, measure what is left, and make it physically smaller."""

from cnnvis.core import FilterTable
from cnnvis.pruning.curves import class_curves, curves_with_controls, prune_curve, prune_curves
from cnnvis.pruning.files import load_pruned, save_pruned
from cnnvis.pruning.measure import Measured, evaluate
from cnnvis.pruning.options import CurveOptions, PruneOptions
from cnnvis.pruning.single_filters import filter_table
from cnnvis.pruning.structural import Pruned, prune

__all__ = [
    "CurveOptions",
    "FilterTable",
    "Measured",
    "PruneOptions",
    "Pruned",
    "class_curves",
    "curves_with_controls",
    "evaluate",
    "filter_table",
    "load_pruned",
    "prune",
    "prune_curve",
    "prune_curves",
    "save_pruned",
]
