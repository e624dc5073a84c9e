"""Files of other programs, one module per format, read without those programs; nothing in them runs."""

from cnnvis.models.importers._weights import ForeignWeights
from cnnvis.models.importers.keras import is_keras, read_keras
from cnnvis.models.importers.tensorflow import is_tensorflow, read_tensorflow, tensorflow_epochs
from cnnvis.models.importers.unity import UnityRun, UnityValues, is_unity, read_unity

__all__ = [
    "ForeignWeights",
    "UnityRun",
    "UnityValues",
    "is_keras",
    "is_tensorflow",
    "is_unity",
    "read_keras",
    "read_tensorflow",
    "read_unity",
    "tensorflow_epochs",
]
