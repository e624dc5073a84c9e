"""Whole jobs, from network and images to files: what a pipeline script, a verb and the viewer share."""

from cnnvis.studies import activation_volumes, compare_networks, gradient_classes, importance_curves
from cnnvis.studies.compare_results import CompareNetworks, CompareResult
from cnnvis.studies.curve_results import ImportanceCurves
from cnnvis.studies.gradient_results import GradientClasses, GradientResult, LabelledCases, PhotoCases
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult

__all__ = [
    "ActivationVolumes",
    "CompareNetworks",
    "CompareResult",
    "GradientClasses",
    "GradientResult",
    "ImportanceCurves",
    "LabelledCases",
    "LayerStudy",
    "PhotoCases",
    "StudyResult",
    "activation_volumes",
    "compare_networks",
    "gradient_classes",
    "importance_curves",
]
