"""Whole jobs, from network and images to files: what a pipeline script, a verb and the viewer share."""

from cnnvis.studies import activation_volumes
from cnnvis.studies.results import ActivationVolumes, LayerStudy, StudyResult

__all__ = ["ActivationVolumes", "LayerStudy", "StudyResult", "activation_volumes"]
