"""Where units stand, and how the lines between them are bundled."""

from cnnvis.layout.bundling import Bundler, bundle, straight_lines
from cnnvis.layout.compactness import edge_compactness
from cnnvis.layout.options import BundleMode, BundleModeName, BundleOptions
from cnnvis.layout.random_network import random_network

__all__ = [
    "BundleMode",
    "BundleModeName",
    "BundleOptions",
    "Bundler",
    "bundle",
    "edge_compactness",
    "random_network",
    "straight_lines",
]
