"""One operation of a network in numbers, and which part of the input it sees."""

from cnnvis.capture.explaining.explain import SOFTMAX, explain, explain_layers
from cnnvis.capture.explaining.receptive import receptive_fields
from cnnvis.capture.explaining.scaling import scaled_probabilities

__all__ = ["SOFTMAX", "explain", "explain_layers", "receptive_fields", "scaled_probabilities"]
