"""Where units stand, and how the lines between them are bundled."""

from cnnvis.layout.bundle_listing import Bundle, bundles, lines_at
from cnnvis.layout.bundling import Bundler, bundle, straight_lines
from cnnvis.layout.compactness import edge_compactness
from cnnvis.layout.measures import measure
from cnnvis.layout.options import Arrangement, ArrangementName, BundleMode, BundleModeName, BundleOptions
from cnnvis.layout.placement import place
from cnnvis.layout.random_network import random_network
from cnnvis.layout.resampling import resampled
from cnnvis.layout.unit_advection import UnitOptions, advect_units

__all__ = [
    "Arrangement",
    "ArrangementName",
    "Bundle",
    "BundleMode",
    "BundleModeName",
    "BundleOptions",
    "Bundler",
    "UnitOptions",
    "advect_units",
    "bundle",
    "bundles",
    "edge_compactness",
    "lines_at",
    "measure",
    "place",
    "random_network",
    "resampled",
    "straight_lines",
]
