"""Whole jobs, from network and images to files: what a pipeline script, a verb and the viewer share."""

from cnnvis.studies import (
    activation_volumes,
    architecture,
    bundled_network,
    channel_survey,
    compare_networks,
    gradient_classes,
    importance_curves,
    operations,
    training_timeline,
)
from cnnvis.studies.architecture import ArchitectureResult, ArchitectureStudy
from cnnvis.studies.bundle_results import BundleResult, BundleStudy, DrawingOptions, NetworkLook
from cnnvis.studies.compare_results import CompareNetworks, CompareResult
from cnnvis.studies.curve_results import ImportanceCurves
from cnnvis.studies.gradient_results import GradientClasses, GradientResult, LabelledCases, PhotoCases
from cnnvis.studies.nn_vis_settings import NetworkSettings, read_settings
from cnnvis.studies.operations import OperationResult, OperationStudy
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult
from cnnvis.studies.run_reader import RunReader, show_run
from cnnvis.studies.showing import ModelView, show_model
from cnnvis.studies.survey_graph import survey_graph
from cnnvis.studies.survey_results import ChannelSurvey, SurveyResult
from cnnvis.studies.timeline_results import TimelineResult, TrainingTimeline
from cnnvis.studies.unit_scores import UnitScores, score_units

__all__ = [
    "ActivationVolumes",
    "ArchitectureResult",
    "ArchitectureStudy",
    "BundleResult",
    "BundleStudy",
    "ChannelSurvey",
    "CompareNetworks",
    "CompareResult",
    "DrawingOptions",
    "GradientClasses",
    "GradientResult",
    "ImportanceCurves",
    "LabelledCases",
    "LayerStudy",
    "ModelView",
    "NetworkLook",
    "NetworkSettings",
    "OperationResult",
    "OperationStudy",
    "PhotoCases",
    "RunReader",
    "StudyResult",
    "SurveyResult",
    "TimelineResult",
    "TrainingTimeline",
    "UnitScores",
    "activation_volumes",
    "architecture",
    "bundled_network",
    "channel_survey",
    "compare_networks",
    "gradient_classes",
    "importance_curves",
    "operations",
    "read_settings",
    "score_units",
    "show_model",
    "show_run",
    "survey_graph",
    "training_timeline",
]
