"""How important the channels of a network are."""

from cnnvis.attribution.methods import ImportanceMethod, ImportanceMethodName, importance
from cnnvis.attribution.randomisation import RandomisationCheck, randomisation_check, shuffled

__all__ = [
    "ImportanceMethod",
    "ImportanceMethodName",
    "RandomisationCheck",
    "importance",
    "randomisation_check",
    "shuffled",
]
