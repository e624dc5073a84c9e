"""The views of a survey as one HTML page: cells, maps, matrix, graph and answers, linked by what is selected."""

from cnnvis.report.survey_views.contents import GroupView, ImageView, LayerView, SurveyViews
from cnnvis.report.survey_views.page import survey_views_page

__all__ = ["GroupView", "ImageView", "LayerView", "SurveyViews", "survey_views_page"]
