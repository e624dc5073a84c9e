"""One operation of a network in numbers, and which part of the input it sees."""

from cnnvis.capture.explaining.explain import SOFTMAX, explain
from cnnvis.capture.explaining.receptive import receptive_fields
from cnnvis.capture.explaining.scaling import scaled_probabilities

__all__ = ["SOFTMAX", "explain", "receptive_fields", "scaled_probabilities"]
