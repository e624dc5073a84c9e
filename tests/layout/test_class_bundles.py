"""Bundles of a network whose units each serve one class: how far they are separate by class, and what that costs."""

import itertools

import numpy as np
import pytest

from cnnvis.core import EdgeSet, Units
from cnnvis.layout import BundleOptions, bundle, measure, place

SIZES = (25, 36, 36, 4)
N_CLASSES = 4


def planted(seed):
    """Return links between all units, ten times as strong within a class, and profiles that tell the class of each."""
    generator = np.random.default_rng(seed)
    units = Units(tuple("abcd"), SIZES, n_inputs=1)
    classes = np.concatenate([generator.permutation(np.arange(size) % N_CLASSES) for size in SIZES])
    ranges = [np.arange(len(units))[units.range(name)] for name in "abcd"]
    gaps = [np.meshgrid(one, other, indexing="ij") for one, other in itertools.pairwise(ranges)]
    source, target = (np.concatenate([gap[end].ravel() for gap in gaps]) for end in (0, 1))
    weight = np.where(classes[source] == classes[target], 1, 0.1) * generator.uniform(0.5, 1, source.size)
    return EdgeSet(source, target, weight, units=units), 0.05 + 0.95 * np.eye(N_CLASSES)[classes]


@pytest.fixture(scope="module", params=[0, 1, 2])
def found(request):
    """Return the quality of the bundles by (arrangement, class_separation), and that of straight lines."""
    edges, profiles = planted(request.param)
    qualities = {}
    for arrangement in ("raster", "classes"):
        layout = place(edges, arrangement=arrangement, scores=profiles if arrangement == "classes" else None)
        for separation in (0.0, 1.0):
            lines = bundle(edges, layout, profiles=profiles, options=BundleOptions(class_separation=separation))
            qualities[arrangement, separation] = measure(lines)
        qualities[arrangement, "straight"] = measure(lines.blended(0))
    return qualities


def test_bundles_of_planted_classes_are_separate_by_class(found):
    assert found["classes", 1.0].separation > 0.8
    assert found["classes", 1.0].separation > found["classes", "straight"].separation + 0.15
    assert found["raster", "straight"].separation < 0.15
    assert found["classes", 1.0].ambiguity < 0.6 * found["raster", "straight"].ambiguity


def test_place_and_class_separation_both_part_the_classes(found):
    separation = {how: quality.separation for how, quality in found.items()}
    assert separation["raster", 1.0] > separation["raster", 0.0] + 0.05
    assert separation["classes", 1.0] > separation["classes", 0.0] + 0.02
    assert separation["classes", 1.0] > separation["raster", 1.0] + 0.15


def test_it_costs_neither_ink_nor_length(found):
    quality = found["classes", 1.0]
    assert quality.ink_ratio < 0.24
    assert quality.length_ratio_mean < 1.15
    assert quality.monotone_share == 1
