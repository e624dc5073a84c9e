"""Where groups stand along the channels."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.core import GroupSpan, Volume


def volume(groups):
    n = 4 if groups is None else len(groups)
    return Volume(np.zeros((n, 2, 2)), groups=groups)


def test_spans_by_hand():
    assert volume([1, 1, 0, -1]).group_spans == (GroupSpan(1, 0, 2), GroupSpan(0, 2, 3), GroupSpan(-1, 3, 4))


@pytest.mark.parametrize(("groups", "count"), [(None, 0), ([0, 0, 0], 1), ([5], 1)])
def test_one_span_of_one_group_and_none_without(groups, count):
    assert len(volume(groups).group_spans) == count


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=30))
def test_spans_tile_the_channels(groups):
    spans = volume(groups).group_spans
    rebuilt = [span.group for span in spans for _ in range(span.start, span.stop)]
    assert rebuilt == groups
    assert all(left.group != right.group for left, right in pairwise(spans))
