"""Surveys: statistics of every channel over many images, in parts that can be merged."""

from cnnvis.capture.surveying.options import SurveyOptions
from cnnvis.capture.surveying.survey import survey

__all__ = ["SurveyOptions", "survey"]
