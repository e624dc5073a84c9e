"""Get at what happens inside a network: its graph, the values of its layers, and changes to them."""

from cnnvis.capture.explaining import explain, receptive_fields, scaled_probabilities
from cnnvis.capture.gradient_check import check_gradients
from cnnvis.capture.gradient_volumes import gradient_volume
from cnnvis.capture.graph import activation_of, trace
from cnnvis.capture.intervene import intervene
from cnnvis.capture.masking import Masking, read_means
from cnnvis.capture.read_moments import read_moments
from cnnvis.capture.recorder import record
from cnnvis.capture.spaces import channel_spaces
from cnnvis.capture.statistics import RunningCovariance, RunningStatistics
from cnnvis.capture.store import open_store
from cnnvis.capture.surveying import SurveyOptions, survey
from cnnvis.capture.switch import switch_off
from cnnvis.core import GradientCheck

__all__ = [
    "GradientCheck",
    "Masking",
    "RunningCovariance",
    "RunningStatistics",
    "SurveyOptions",
    "activation_of",
    "channel_spaces",
    "check_gradients",
    "explain",
    "gradient_volume",
    "intervene",
    "open_store",
    "read_means",
    "read_moments",
    "receptive_fields",
    "record",
    "scaled_probabilities",
    "survey",
    "switch_off",
    "trace",
]
