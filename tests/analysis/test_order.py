"""The call itself: what it accepts, refuses and reports."""

import json
import subprocess
import sys
import typing

import numpy as np
import pytest

from cnnvis.analysis import Normalize, NormalizeName, OrderMethod, OrderMethodName, order
from cnnvis.analysis._values import row_slices
from cnnvis.analysis.methods import METHODS
from cnnvis.analysis.ordering import split_images
from cnnvis.core import FeatureMaps, Importance
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError, NoSpatialMapsError
from cnnvis.core.ordering import METHOD_TITLES

RNG = np.random.default_rng(0)
MAPS = RNG.random((8, 20, 9))
METHODS_ON_VALUES = ["original", "pca", "kmeans", "leaf", "importance"]


def test_every_name_is_registered_once():
    assert set(METHODS) == set(OrderMethod)
    assert set(METHOD_TITLES) == {method.value for method in OrderMethod}
    assert list(typing.get_args(OrderMethodName)) == [method.value for method in OrderMethod]
    assert list(typing.get_args(NormalizeName)) == [choice.value for choice in Normalize]


def test_feature_maps_and_arrays_give_the_same():
    wanted = order(MAPS).permutation.tolist()
    assert order(FeatureMaps(MAPS[None], layer="conv")).permutation.tolist() == wanted
    assert order(MAPS[None]).permutation.tolist() == wanted
    assert order(MAPS.tolist()).permutation.tolist() == wanted
    assert order((MAPS * 1000).astype(int)).permutation.tolist() == wanted


@pytest.mark.parametrize("shape", [(6, 7), (2, 5, 11), (2, 4, 3, 5, 6)])
def test_dense_tokens_and_volumes(shape):
    maps = FeatureMaps(RNG.random(shape))
    ordering = order(maps, holdout=0)
    flat = np.moveaxis(maps.activations, 1, 0).reshape(shape[1], -1)
    assert ordering.permutation.tolist() == order(flat[:, None, :]).permutation.tolist()


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, cnnvis.analysis; print(*{'scipy', 'sklearn', 'torch', 'vtk'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# ---- one of everything


@pytest.mark.parametrize("method", list(OrderMethod))
def test_one_channel(method):
    ordering = order(MAPS[:1], method, importance=[1.0])
    assert ordering.permutation.tolist() == [0]
    assert np.isnan(ordering.quality.smoothness)
    assert np.isnan(ordering.quality.brightness)


@pytest.mark.parametrize("method", list(OrderMethod))
def test_two_channels(method):
    ordering = order(MAPS[:2], method, importance=[1.0, 2.0])
    assert sorted(ordering.permutation.tolist()) == [0, 1]
    assert ordering.quality.smoothness == pytest.approx(ordering.quality.original)


@pytest.mark.parametrize("method", list(OrderMethod))
def test_constant_maps(method):
    ordering = order(np.full((4, 17, 5), 2.5), method, importance=np.arange(4))
    assert ordering.constant.all()
    assert ordering.permutation.tolist() == [0, 1, 2, 3]
    assert np.isnan(ordering.quality.smoothness)
    if METHODS[method].groups:
        assert ordering.groups.tolist() == [-1, -1, -1, -1]
        assert ordering.n_groups == 0


@pytest.mark.parametrize("method", METHODS_ON_VALUES)
def test_one_value_per_channel_still_sorts(method):
    ordering = order(np.array([[3.0, 1.0, 2.0]]), method, importance=[3, 1, 2])
    wanted = {"original": [0, 1, 2], "importance": [0, 2, 1]}.get(method, [1, 2, 0])
    assert ordering.permutation.tolist() == wanted
    assert np.isnan(ordering.quality.smoothness)


def test_one_pixel_has_no_zscore():
    with pytest.raises(InvalidInputError, match="at least two values per channel"):
        order(np.array([[3.0, 1.0, 2.0]]), normalize="zscore")


def test_constant_in_the_row_but_alive_elsewhere_is_not_dead():
    maps = MAPS.copy()
    maps[:3, 15] = 0.5
    for method in ("pca_rows", "kmeans_rows"):
        for normalize in ("none", "zscore"):
            assert not order(maps, method, normalize=normalize).constant.any()


# ---- missing values


def test_missing_values_are_counted_and_change_little(clusters):
    maps, _ = clusters
    holed = maps.copy()
    holed[:, 4, 4] = [np.nan, np.inf, -np.inf] * 10
    found, wanted = order(holed, "kmeans", n_groups=4), order(maps, "kmeans", n_groups=4)
    assert found.options["n_missing"] == 30
    assert found.groups.tolist() == wanted.groups.tolist()
    assert np.isfinite(found.quality.smoothness)


def test_an_all_nan_channel_is_constant_and_last():
    maps = MAPS.copy()
    maps[2] = np.nan
    ordering = order(maps)
    assert ordering.permutation[-1] == 2
    assert ordering.constant.tolist() == [False, False, True] + [False] * 5
    assert np.isnan(ordering.scores[2])
    assert np.isfinite(np.delete(ordering.scores, 2)).all()


# ---- rows


@pytest.mark.parametrize(("height", "row"), [(55, 15), (16, 15), (15, 7), (7, 3), (1, 0)])
def test_default_row(height, row):
    ordering = order(RNG.random((4, height, 6)), "pca_rows")
    assert ordering.options["row"] == row


def test_a_method_on_rows_sees_one_row_of_every_image():
    maps = RNG.random((3, 5, 8, 6))
    rows, row = row_slices(maps, 2)
    assert (rows.shape, row) == ((3, 5, 6), 2)
    assert np.shares_memory(rows, maps)
    changed = maps.copy()
    changed[:, :, 5:] = RNG.random((3, 5, 3, 6))
    assert order(maps, "pca_rows", row=2).scores.tolist() == order(changed, "pca_rows", row=2).scores.tolist()


@pytest.mark.parametrize("row", [-1, 20])
def test_no_such_row(row):
    with pytest.raises(InvalidInputError, match=f"from 0 to 19 .* got {row}"):
        order(MAPS, "pca_rows", row=row)


def test_rows_need_maps():
    with pytest.raises(NoSpatialMapsError, match="methods on rows need maps"):
        order(RNG.random((5, 6)), "kmeans_rows")


# ---- held-out images


@pytest.mark.parametrize(
    ("n_images", "holdout", "held"),
    [(1, 0.25, []), (2, 0.25, [1]), (4, 0.25, [3]), (8, 0.25, [3, 7]), (4, 0.5, [1, 3]), (3, 0.99, [0, 2]), (5, 0, [])],
)
def test_which_images_are_held_out(n_images, holdout, held):
    used, found = split_images(n_images, holdout)
    assert found == held
    assert sorted(used + found) == list(range(n_images))
    assert used


def test_held_out_images_never_reach_the_order():
    maps = RNG.random((4, 8, 5, 5))
    changed = maps.copy()
    changed[3] = RNG.random((8, 5, 5))
    first, second = order(maps), order(changed)
    assert first.scores.tolist() == second.scores.tolist()
    assert first.quality.held_out
    assert first.quality.smoothness != second.quality.smoothness
    assert not order(maps[:1]).quality.held_out
    assert not order(maps, holdout=0).quality.held_out


@pytest.mark.parametrize("holdout", [-0.1, 1.0, 2, float("nan")])
def test_bad_holdout(holdout):
    with pytest.raises(InvalidInputError, match="from 0 to under 1"):
        order(MAPS, holdout=holdout)


# ---- refusals


@pytest.mark.parametrize("shape", [(0, 4, 4), (0, 3, 4, 4), (2, 0, 4, 4), (2, 3, 0, 4), (0, 5)])
def test_nothing_to_order(shape):
    with pytest.raises(InvalidInputError, match="empty"):
        order(np.zeros(shape))


@pytest.mark.parametrize("shape", [(), (5,), (2, 2, 2, 2, 2, 2)])
def test_wrong_number_of_axes(shape):
    with pytest.raises(InvalidInputError, match=r"allowed are \(C, H, W\)"):
        order(np.zeros(shape))


def test_complex_values_are_refused():
    with pytest.raises(InvalidInputError, match="complex128"):
        order(MAPS + 1j)


def test_unknown_words_list_what_is_allowed():
    with pytest.raises(InvalidInputError, match=r"Unknown ordering method 'kmean'\. Did you mean: kmeans"):
        order(MAPS, "kmean")
    with pytest.raises(InvalidInputError, match=r"Unknown normalize 'z'.*Allowed: none, zscore"):
        order(MAPS, normalize="z")


def test_more_groups_than_live_channels():
    maps = MAPS.copy()
    maps[:2] = 0
    assert order(maps, "kmeans", n_groups=6).n_groups == 6
    with pytest.raises(InvalidInputError, match=r"from 1 to 6, .* got 7"):
        order(maps, "kmeans", n_groups=7)


@pytest.mark.parametrize("option", ["n_groups", "n_init"])
def test_numbers_below_one(option):
    with pytest.raises(InvalidInputError, match=f"{option} must be at least 1, got 0"):
        order(MAPS, "kmeans", **{option: 0})


def test_importance_must_be_given_and_fit():
    with pytest.raises(InvalidInputError, match="needs importance="):
        order(MAPS, "importance")
    with pytest.raises(InvalidInputError, match=r"shape \(3,\); allowed is \(8\)"):
        order(MAPS, "importance", importance=[1, 2, 3])
    with pytest.raises(InvalidInputError, match="1 values that are NaN"):
        order(MAPS, "importance", importance=[np.nan] + [1] * 7)


def test_importance_is_found_by_layer():
    importance = Importance({"conv": np.arange(8.0)}, method="weight")
    ordering = order(FeatureMaps(MAPS[None], layer="conv"), "importance", importance=importance)
    assert ordering.permutation.tolist() == list(range(7, -1, -1))
    with pytest.raises(LayerNotFoundError, match="conv"):
        order(FeatureMaps(MAPS[None], layer="other"), "importance", importance=importance)


def test_options_are_told_and_fit_into_json():
    options = dict(order(MAPS, "kmeans_rows", normalize="zscore", n_groups=3, random_state=4, n_init=2).options)
    assert options == {
        "normalize": "zscore",
        "random_state": 4,
        "n_missing": 0,
        "row": 15,
        "n_groups": 3,
        "n_init": 2,
    }
    assert json.loads(json.dumps(options)) == options


def test_maps_are_not_changed():
    maps = MAPS.copy()
    maps[0, 0, 0] = np.nan
    kept = maps.copy()
    for method in OrderMethod:
        order(maps, method, importance=np.arange(8))
    np.testing.assert_array_equal(maps, kept)
