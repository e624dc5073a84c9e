"""Files of other programs, one module per format, read without those programs; nothing in them runs."""

from cnnvis.models.importers._weights import ForeignWeights
from cnnvis.models.importers.tensorflow import is_tensorflow, read_tensorflow, tensorflow_epochs

__all__ = ["ForeignWeights", "is_tensorflow", "read_tensorflow", "tensorflow_epochs"]
