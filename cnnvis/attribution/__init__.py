"""How important the channels of a network are, which of them failed on an image, and where in it a class is seen."""

from cnnvis.attribution.activation import activation_of_recording
from cnnvis.attribution.batchnorm import batchnorm_variants
from cnnvis.attribution.batchnorm_options import VARIANTS, BatchNormOptions
from cnnvis.attribution.connections import connect, most_important
from cnnvis.attribution.diagnosis import diagnose
from cnnvis.attribution.grad_cam import grad_cam
from cnnvis.attribution.link_signs import link_signs
from cnnvis.attribution.links import link_importance
from cnnvis.attribution.methods import ImportanceMethod, ImportanceMethodName, importance
from cnnvis.attribution.network_maps import network_maps, recorded_maps
from cnnvis.attribution.occlusion import occlusion
from cnnvis.attribution.permutation import permuted
from cnnvis.attribution.randomisation import RandomisationCheck, randomisation_check, shuffled
from cnnvis.attribution.saliency import SaliencyMethod, SaliencyMethodName, saliency_maps
from cnnvis.attribution.space_scores import space_scores
from cnnvis.attribution.unit_importance import unit_importance
from cnnvis.core.links import LinkKind, LinkKindName

__all__ = [
    "VARIANTS",
    "BatchNormOptions",
    "ImportanceMethod",
    "ImportanceMethodName",
    "LinkKind",
    "LinkKindName",
    "RandomisationCheck",
    "SaliencyMethod",
    "SaliencyMethodName",
    "activation_of_recording",
    "batchnorm_variants",
    "connect",
    "diagnose",
    "grad_cam",
    "importance",
    "link_importance",
    "link_signs",
    "most_important",
    "network_maps",
    "occlusion",
    "permuted",
    "randomisation_check",
    "recorded_maps",
    "saliency_maps",
    "shuffled",
    "space_scores",
    "unit_importance",
]
