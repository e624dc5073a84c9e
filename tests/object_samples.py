"""Volumes to try, and what it means that objects are the same; for the tests of several packages."""

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from cnnvis.core import Provenance, Volume

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@st.composite
def volumes(draw):
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, max_side=5))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    n = shape[0]
    return Volume(
        values=draw(hnp.arrays(dtype, shape, elements=st.floats(width=32))),  # NaN and infinity included
        layer=draw(TEXT),
        channels=np.array(draw(st.permutations(range(n)))),
        groups=draw(st.none() | hnp.arrays(np.int64, n, elements=st.integers(-1, 3))),
        weights=draw(st.none() | hnp.arrays(np.float64, n, elements=st.floats(0, 1e6))),
        spacing=draw(st.tuples(*[st.floats(1e-3, 1e3)] * 3)),
        method=draw(TEXT),
        quantity=draw(TEXT.filter(bool)),
        provenance=Provenance(model=draw(TEXT), inputs=tuple(draw(st.lists(TEXT, max_size=2)))),
    )


def assert_same_volume(got, want):
    assert got.values.dtype == want.values.dtype
    np.testing.assert_array_equal(got.values, want.values)
    np.testing.assert_array_equal(got.channels, want.channels)
    for name in ("groups", "weights"):
        if getattr(want, name) is None:
            assert getattr(got, name) is None
        else:
            np.testing.assert_array_equal(getattr(got, name), getattr(want, name))
    for name in ("layer", "spacing", "method", "quantity", "provenance"):
        assert getattr(got, name) == getattr(want, name)


def assert_same_lines(got, want):
    np.testing.assert_array_equal(got.points, want.points)
    np.testing.assert_array_equal(got.offsets, want.offsets)
    for part in ("point_arrays", "line_arrays"):
        assert getattr(got, part).keys() == getattr(want, part).keys()
        for name, array in getattr(want, part).items():
            np.testing.assert_array_equal(getattr(got, part)[name], array)
