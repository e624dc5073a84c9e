"""Where units stand, and how the lines between them are bundled."""

from cnnvis.layout.bundle_listing import Bundle, bundles, lines_at
from cnnvis.layout.bundling import Bundler, bundle, straight_lines
from cnnvis.layout.channel_graph import channel_graph, channel_links
from cnnvis.layout.compactness import edge_compactness
from cnnvis.layout.density_volume import LineDensity, density_volume
from cnnvis.layout.distance import with_layer_distance
from cnnvis.layout.force import force_layout
from cnnvis.layout.line_steps import LineMover, carried, smoothed
from cnnvis.layout.measures import measure
from cnnvis.layout.neighbours import Neighbours, NetworkPath, strongest_links, strongest_of_each, strongest_path
from cnnvis.layout.options import Arrangement, ArrangementName, BundleMode, BundleModeName, BundleOptions
from cnnvis.layout.placement import place
from cnnvis.layout.random_network import random_network
from cnnvis.layout.resampling import resampled
from cnnvis.layout.tiles import Tiles, place_tiles
from cnnvis.layout.unit_advection import UnitOptions, advect_units
from cnnvis.layout.unit_steps import UnitMover

__all__ = [
    "Arrangement",
    "ArrangementName",
    "Bundle",
    "BundleMode",
    "BundleModeName",
    "BundleOptions",
    "Bundler",
    "LineDensity",
    "LineMover",
    "Neighbours",
    "NetworkPath",
    "Tiles",
    "UnitMover",
    "UnitOptions",
    "advect_units",
    "bundle",
    "bundles",
    "carried",
    "channel_graph",
    "channel_links",
    "density_volume",
    "edge_compactness",
    "force_layout",
    "lines_at",
    "measure",
    "place",
    "place_tiles",
    "random_network",
    "resampled",
    "smoothed",
    "straight_lines",
    "strongest_links",
    "strongest_of_each",
    "strongest_path",
    "with_layer_distance",
]
