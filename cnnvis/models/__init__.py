"""Getting networks and pictures in: bundled networks, checkpoints, factories, packages, files of other programs."""

from cnnvis.models.bundled import bundled_names
from cnnvis.models.datasets import LabelledImages, labelled_images
from cnnvis.models.exporting import save_exported
from cnnvis.models.images import ImageLike, read_image, sample_images
from cnnvis.models.importing import Imported, import_network, list_weights
from cnnvis.models.loading import load
from cnnvis.models.network import Network
from cnnvis.models.predictions import Prediction, top_classes
from cnnvis.models.preprocessing import Fit, ImageSpec, imagenet_spec
from cnnvis.models.resources import data_path, imagenet_classes

__all__ = [
    "Fit",
    "ImageLike",
    "ImageSpec",
    "Imported",
    "LabelledImages",
    "Network",
    "Prediction",
    "bundled_names",
    "data_path",
    "imagenet_classes",
    "imagenet_spec",
    "import_network",
    "labelled_images",
    "list_weights",
    "load",
    "read_image",
    "sample_images",
    "save_exported",
    "top_classes",
]
