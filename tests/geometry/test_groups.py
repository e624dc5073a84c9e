"""Where groups stand along the channels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import Volume
from cnnvis.geometry import GroupSpan, group_boundaries, group_spans


def volume(groups, step=1.0):
    n = 4 if groups is None else len(groups)
    return Volume(np.zeros((n, 2, 2)), groups=groups, spacing=(1.0, 1.0, step))


def test_spans_and_boundaries_by_hand():
    grouped = volume([1, 1, 0, -1], step=2.0)
    assert group_spans(grouped) == [GroupSpan(1, 0, 2), GroupSpan(0, 2, 3), GroupSpan(-1, 3, 4)]
    assert group_boundaries(grouped).tolist() == [3.0, 5.0]  # 1.5 and 2.5 channels of 2 units


@pytest.mark.parametrize("groups", [None, [0, 0, 0], [5]])
def test_no_boundary_without_several_groups(groups):
    assert group_boundaries(volume(groups)).tolist() == []


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=30))
def test_spans_tile_the_channels(groups):
    spans = group_spans(volume(groups))
    rebuilt = [span.group for span in spans for _ in range(span.start, span.stop)]
    assert rebuilt == groups
    assert all(left.group != right.group for left, right in pairwise(spans))
