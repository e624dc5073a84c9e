"""Frozen data types, units, errors and axis conventions. Needs numpy only."""

from cnnvis.core.agreement import ImportanceAgreement
from cnnvis.core.anomalies import Anomaly, AnomalyKind
from cnnvis.core.bundled import BundledNetwork, BundleQuality
from cnnvis.core.channel_graph import ChannelGraph
from cnnvis.core.communities import CommunityStability, GroupCounts, Grouping
from cnnvis.core.compactness import Compactness, CompactnessRuns
from cnnvis.core.curves import ClassCurves, CurveComparison, PruneCurve
from cnnvis.core.diagnosis import Departure, Diagnosis, Patch
from cnnvis.core.filter_table import FilterRow, FilterTable
from cnnvis.core.gradient_check import GradientCheck
from cnnvis.core.graph import LayerLink, LayerNode, LayerRole, ModelGraph
from cnnvis.core.importance import Importance
from cnnvis.core.links import LinkKind, LinkKindName
from cnnvis.core.maps import FeatureMaps, Recording, as_volume
from cnnvis.core.merging import Merge, MergeRule, MergeRuleName, MergeStep
from cnnvis.core.network import EdgeSet, Layout, PointSet, PolylineSet
from cnnvis.core.network_maps import NetworkMaps
from cnnvis.core.operation import LayerOperation, LayerValues, UnitOperation
from cnnvis.core.ordering import Ordering, OrderQuality
from cnnvis.core.provenance import Provenance
from cnnvis.core.receptive_fields import ReceptiveFields
from cnnvis.core.redundancy import ChannelMoments, ChannelPair, Redundancy
from cnnvis.core.saliency import SaliencyMap
from cnnvis.core.spaces import ChannelSpace, ChannelSpaces, Read
from cnnvis.core.survey import (
    ClassStatistics,
    Convergence,
    LayerSurvey,
    MapStatistics,
    Signal,
    SkippedImage,
    Survey,
)
from cnnvis.core.training_run import (
    PieceFacts,
    RunCheckpoint,
    RunFacts,
    RunMoment,
    RunState,
    SamplePredictions,
    TrainingCurve,
)
from cnnvis.core.units import Units
from cnnvis.core.volume import GroupSpan, Volume

__all__ = [
    "Anomaly",
    "AnomalyKind",
    "BundleQuality",
    "BundledNetwork",
    "ChannelGraph",
    "ChannelMoments",
    "ChannelPair",
    "ChannelSpace",
    "ChannelSpaces",
    "ClassCurves",
    "ClassStatistics",
    "CommunityStability",
    "Compactness",
    "CompactnessRuns",
    "Convergence",
    "CurveComparison",
    "Departure",
    "Diagnosis",
    "EdgeSet",
    "FeatureMaps",
    "FilterRow",
    "FilterTable",
    "GradientCheck",
    "GroupCounts",
    "GroupSpan",
    "Grouping",
    "Importance",
    "ImportanceAgreement",
    "LayerLink",
    "LayerNode",
    "LayerOperation",
    "LayerRole",
    "LayerSurvey",
    "LayerValues",
    "Layout",
    "LinkKind",
    "LinkKindName",
    "MapStatistics",
    "Merge",
    "MergeRule",
    "MergeRuleName",
    "MergeStep",
    "ModelGraph",
    "NetworkMaps",
    "OrderQuality",
    "Ordering",
    "Patch",
    "PieceFacts",
    "PointSet",
    "PolylineSet",
    "Provenance",
    "PruneCurve",
    "Read",
    "ReceptiveFields",
    "Recording",
    "Redundancy",
    "RunCheckpoint",
    "RunFacts",
    "RunMoment",
    "RunState",
    "SaliencyMap",
    "SamplePredictions",
    "Signal",
    "SkippedImage",
    "Survey",
    "TrainingCurve",
    "UnitOperation",
    "Units",
    "Volume",
    "as_volume",
]
