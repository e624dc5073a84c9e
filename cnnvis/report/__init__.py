"""Figures, tables and a self-contained HTML page of results that others computed."""

from cnnvis.report.encode import to_jpeg, to_png, to_rgb
from cnnvis.report.figure_charts import order_quality_chart, top5
from cnnvis.report.figure_filters import filter_images, filter_tiles, filters_and_maps
from cnnvis.report.figure_mosaic import mosaic
from cnnvis.report.figure_pictures import picture_rows
from cnnvis.report.figure_slices import row_slices
from cnnvis.report.page import Page
from cnnvis.report.tables import order_quality_table

__all__ = [
    "Page",
    "filter_images",
    "filter_tiles",
    "filters_and_maps",
    "mosaic",
    "order_quality_chart",
    "order_quality_table",
    "picture_rows",
    "row_slices",
    "to_jpeg",
    "to_png",
    "to_rgb",
    "top5",
]
