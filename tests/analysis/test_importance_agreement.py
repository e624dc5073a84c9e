import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from cnnvis.analysis import compare_importance
from cnnvis.core import Importance, ImportanceAgreement
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError


def scores(method="x", **layers):
    return Importance({layer: np.asarray(values, float) for layer, values in layers.items()}, method)


THREE = {
    "gradient": scores(a=[1, 2, 3, 4], b=[1, 2, 3]),
    "ablation": scores(a=[0.1, 0.3, 0.2, 0.4], b=[3, 2, 1]),
    "weight": scores(a=[7, 7, 7, 7], b=[1, 3, 2]),
}


def test_by_hand():
    found = compare_importance(THREE)
    assert found.methods == ("gradient", "ablation", "weight")
    assert found.layers == ("a", "b")
    assert found.matrix("a")[0, 1] == pytest.approx(0.8)  # one swap of neighbours among four: 1 - 6 * 2 / 60
    np.testing.assert_allclose(found.matrix("b"), [[1, -1, 0.5], [-1, 1, -0.5], [0.5, -0.5, 1]])


def test_a_method_that_scores_all_channels_alike_has_no_agreement():
    found = compare_importance(THREE)
    assert np.isnan(found.matrix("a")[2]).all()
    np.testing.assert_allclose(found.mean, [[1, -0.1, 0.5], [-0.1, 1, -0.5], [0.5, -0.5, 1]])


def test_layers_that_some_methods_leave_out():
    found = compare_importance({"x": scores(a=[1, 2], b=[1, 2], only=[1]), "y": scores(b=[2, 1], c=[1, 2]),
                                "z": scores(c=[3, 4], b=[5, 6])})  # fmt: skip
    assert found.layers == ("b", "c")
    np.testing.assert_allclose(found.matrix("b"), [[1, -1, 1], [-1, 1, -1], [1, -1, 1]])
    nan = np.nan
    np.testing.assert_allclose(found.matrix("c"), [[nan, nan, nan], [nan, 1, 1], [nan, 1, 1]])


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=30))
def test_it_is_scipys_and_blind_to_scale(pairs):
    first, second = np.array(pairs, dtype=float).T
    found = compare_importance({"x": scores(a=first), "y": scores(a=second), "z": scores(a=rankdata(second) ** 3)})
    if np.ptp(first) and np.ptp(second):
        assert found.matrix("a")[0, 1] == pytest.approx(spearmanr(first, second).statistic, abs=1e-12)
        assert found.matrix("a")[0, 2] == pytest.approx(found.matrix("a")[0, 1], abs=1e-12)
        assert found.matrix("a")[1, 2] == pytest.approx(1)
    else:
        assert np.isnan(found.matrix("a")[0, 1])


def test_refusals():
    with pytest.raises(InvalidInputError, match="at least two methods, got 1"):
        compare_importance({"x": scores(a=[1])})
    with pytest.raises(InvalidInputError, match="x, y score no layer in common"):
        compare_importance({"x": scores(a=[1]), "y": scores(b=[1])})
    with pytest.raises(InvalidInputError, match=r"'a' has other numbers of channels.*'x': 1, 'y': 2"):
        compare_importance({"x": scores(a=[1]), "y": scores(a=[1, 2])})
    with pytest.raises(LayerNotFoundError, match="Did you mean: aa"):
        compare_importance({"x": scores(aa=[1]), "y": scores(aa=[1])}).matrix("a")
    with pytest.raises(InvalidInputError, match=r"agreement in 'a' has shape \(1, 1\)"):
        ImportanceAgreement(("x", "y"), {"a": np.ones((1, 1))})
    with pytest.raises(InvalidInputError, match="within -1 to 1"):
        ImportanceAgreement(("x",), {"a": [[1.5]]})


def test_no_layer_has_no_mean():
    assert np.isnan(ImportanceAgreement(("x", "y"), {}).mean).all()
