from .encode import to_jpeg, to_png, to_rgb
from .figure_agreement import agreement_matrix_figure
from .figure_alignment import alignment_figure
from .figure_class_curves import class_curve_chart
from .figure_communities import community_figure, group_count_chart
from .figure_compactness import compactness_chart
from .figure_convergence import convergence_chart
from .figure_curves import prune_curve_chart
from .figure_diagnosis import diagnosis_figure
from .figure_differences import area_chart
from .figure_filters import filter_images, filter_tiles, filters_and_maps
from .figure_gradients import gradient_tiles
from .figure_importance import importance_by_class, importance_grid
from .figure_importance_bars import importance_bars, importance_histogram
from .figure_merging import merge_curve_chart
from .figure_mosaic import mosaic
from .figure_operation import operation_figure, operation_sheet
from .figure_order_quality import order_quality_chart
from .figure_pictures import picture_rows
from .figure_saliency import saliency_figure
from .figure_scaling import scaling_chart
from .figure_slices import row_slices
from .figure_survey import survey_grid
from .figure_training import training_chart
from .overlay import laid_over, saliency_scale
from .page import Page
from .tables import filter_table_rows, order_quality_table, redundancy_table

__all__ = [
    "Page",
    "agreement_matrix_figure",
    "alignment_figure",
    "area_chart",
    "class_curve_chart",
    "community_figure",
    "compactness_chart",
    "convergence_chart",
    "diagnosis_figure",
    "filter_images",
    "filter_table_rows",
    "filter_tiles",
    "filters_and_maps",
    "gradient_tiles",
    "group_count_chart",
    "importance_bars",
    "importance_by_class",
    "importance_grid",
    "importance_histogram",
    "laid_over",
    "merge_curve_chart",
    "mosaic",
    "operation_figure",
    "operation_sheet",
    "order_quality_chart",
    "order_quality_table",
    "picture_rows",
    "prune_curve_chart",
    "redundancy_table",
    "row_slices",
    "saliency_figure",
    "saliency_scale",
    "scaling_chart",
    "survey_grid",
    "to_jpeg",
    "to_png",
    "to_rgb",
    "training_chart",
]
