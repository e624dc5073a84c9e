"""Switch parts of a network off or merge them, measure what is left, and make it physically smaller."""

from cnnvis.core import FilterTable
from cnnvis.pruning.curves import class_curves, curves_with_controls, prune_curve, prune_curves
from cnnvis.pruning.files import load_pruned, save_pruned
from cnnvis.pruning.measure import Measured, evaluate
from cnnvis.pruning.merge_curve import merge_curve
from cnnvis.pruning.merging import MergedNetwork, merge_channels, merged_until
from cnnvis.pruning.options import CurveOptions, MergeOptions, PruneOptions, RedundancyOptions
from cnnvis.pruning.recalibration import recalibrated
from cnnvis.pruning.redundancy import find_redundant
from cnnvis.pruning.single_filters import filter_table
from cnnvis.pruning.structural import Pruned, prune

__all__ = [
    "CurveOptions",
    "FilterTable",
    "Measured",
    "MergeOptions",
    "MergedNetwork",
    "PruneOptions",
    "Pruned",
    "RedundancyOptions",
    "class_curves",
    "curves_with_controls",
    "evaluate",
    "filter_table",
    "find_redundant",
    "load_pruned",
    "merge_channels",
    "merge_curve",
    "merged_until",
    "prune",
    "prune_curve",
    "prune_curves",
    "recalibrated",
    "save_pruned",
]
