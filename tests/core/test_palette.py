import numpy as np
import pytest

from cnnvis.core.palette import GROUP_COLOURS, MISSING_COLOUR, NO_GROUP_COLOUR, class_colours, group_colour

# Full colour blindness in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
VISIONS = {
    "normal": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def seen(colours, vision):
    """OKLab coordinates of sRGB colours as an eye with this vision sees them."""
    colours = np.asarray(colours, dtype=float)
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ np.transpose(VISIONS[vision]), 0, 1)
    return np.cbrt(linear @ np.transpose(TO_LMS)) @ np.transpose(TO_LAB)


def least_distance(one, other):
    return np.linalg.norm(one[:, None] - other[None], axis=-1).min()


@pytest.mark.parametrize("vision", VISIONS)
def test_all_group_colours_can_be_told_apart(vision):
    everything = seen([*GROUP_COLOURS, NO_GROUP_COLOUR, MISSING_COLOUR], vision)
    distance = np.linalg.norm(everything[:, None] - everything[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    # 0.02 is a just noticeable difference in OKLab.
    assert distance.min() > 0.05


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("name", ["viridis", "RdBu_r", "gray"])
def test_the_missing_colour_is_in_no_colour_map(name, vision):
    from matplotlib import colormaps

    colours = colormaps[name](np.linspace(0, 1, 256))[:, :3]
    assert least_distance(seen([MISSING_COLOUR], vision), seen(colours, vision)) > 0.06


def test_groups_have_colours_of_their_own_then_start_over():
    n = len(GROUP_COLOURS)
    assert n >= 20
    assert len(set(GROUP_COLOURS)) == n
    assert group_colour(n + 2) == group_colour(2) == GROUP_COLOURS[2]
    assert group_colour(-1) == NO_GROUP_COLOUR
    assert all(0 <= part <= 1 for colour in GROUP_COLOURS for part in colour)


def test_mixed_colours_of_classes_by_hand():
    one, other, third = (np.array(group_colour(number)) for number in range(3))
    shares = [(1, 0, 0), (0.5, 0.5, 0), (0.75, 0.25, 0), (1 / 3, 1 / 3, 1 / 3), (0, 0, 0)]
    expected = [one, (one + other) / 2, (27 * one + other) / 28, (one + other + third) / 3, NO_GROUP_COLOUR]
    for kind in (np.float32, np.float64):
        np.testing.assert_allclose(class_colours(np.array(shares, kind)), expected, atol=1e-6)
    assert class_colours(np.zeros((4, 0))).shape == (4, 3)
