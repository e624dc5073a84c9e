"""How important the channels of a network are."""

from cnnvis.attribution.methods import ImportanceMethod, ImportanceMethodName, importance

__all__ = ["ImportanceMethod", "ImportanceMethodName", "importance"]
