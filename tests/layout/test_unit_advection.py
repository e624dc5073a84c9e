"""Units moved within their layer, so that those that serve the same classes stand together."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from cnnvis.core import Layout
from cnnvis.core.errors import CancelledError, InvalidInputError, LayerNotFoundError
from cnnvis.layout import UnitOptions, advect_units, place, random_network


def _square(places: list[tuple[float, float]]) -> Layout:
    positions = np.array([(x, y, 0.0) for x, y in places])
    return Layout(positions, np.zeros(len(places), int), np.array([[[-0.5, -0.5, 0], [0.5, 0.5, 0]]]), ("a",))


def _nearest_is_like(positions: np.ndarray, classes: np.ndarray) -> float:
    """Return the share of units whose nearest neighbour serves the same class."""
    distance = np.linalg.norm(positions[:, None] - positions, axis=2) + np.diag(np.full(len(positions), np.inf))
    return float((classes[distance.argmin(axis=1)] == classes).mean())


def test_units_of_one_class_come_together_and_others_part() -> None:
    rng = np.random.default_rng(0)
    classes = rng.permutation(np.arange(36) % 3)
    edges, _ = random_network([36, 3])
    layout = place(edges)
    profiles = np.vstack([np.eye(3)[classes] + 0.05 * rng.random((36, 3)), np.eye(3)])
    moved = advect_units(layout, profiles)
    assert _nearest_is_like(layout.positions[:36], classes) < 0.5
    assert _nearest_is_like(moved.positions[:36], classes) > 0.9


def test_without_classes_to_tell_apart_nothing_moves() -> None:
    edges, profiles = random_network([16, 4], random_state=3)
    layout = place(edges)
    still = advect_units(layout, profiles, options=UnitOptions(class_separation=0))
    np.testing.assert_allclose(still.positions, layout.positions, atol=1e-9)
    np.testing.assert_allclose(advect_units(layout, np.ones((20, 5))).positions, layout.positions, atol=1e-9)


def test_fixed_layers_and_single_units_stay() -> None:
    edges, profiles = random_network([25, 9, 1], n_classes=3, random_state=1)
    layout = place(edges)
    moved = advect_units(layout, profiles, fixed=layout.layers[:1])
    np.testing.assert_array_equal(moved.positions[:25], layout.positions[:25])
    np.testing.assert_array_equal(moved.positions[-1], layout.positions[-1])
    assert not np.allclose(moved.positions[25:34], layout.positions[25:34])
    np.testing.assert_array_equal(moved.positions[:, 2], layout.positions[:, 2])
    np.testing.assert_array_equal(moved.slabs, layout.slabs)


def test_units_in_one_place_are_parted() -> None:
    moved = advect_units(_square([(0.1, 0.1)] * 4), np.ones((4, 2)))
    distance = np.linalg.norm(moved.positions[:, None] - moved.positions, axis=2)[np.triu_indices(4, 1)]
    assert distance.min() > 0.24


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.floats(0.1, 10), st.floats(-50, 50))
def test_bounded_equivariant_and_independent_of_numbers(seed: int, n: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    positions = np.column_stack([rng.uniform(-0.5, 0.5, (n, 2)), np.zeros(n)])
    slab = np.array([[[-0.5, -0.5, 0], [0.5, 0.5, 0]]])
    profiles = rng.random((n, 4))
    options = UnitOptions(node_bandwidth_reduction=0.7)
    layout = Layout(positions, np.zeros(n, int), slab)
    moved = advect_units(layout, profiles, options=options)
    assert np.isfinite(moved.positions).all()
    assert np.abs(moved.positions[:, :2]).max() <= 0.5 + 1e-12
    other = Layout(scale * positions + shift, np.zeros(n, int), scale * slab + shift)
    found = (advect_units(other, 7 * profiles, options=options).positions - shift) / scale
    np.testing.assert_allclose(found, moved.positions, atol=1e-6)
    again = advect_units(layout, profiles, options=options)
    np.testing.assert_array_equal(again.positions, moved.positions)


def test_bad_input_is_named() -> None:
    layout = _square([(0, 0), (0.2, 0)])
    with pytest.raises(InvalidInputError, match="profiles has shape"):
        advect_units(layout, np.ones((3, 2)))
    with pytest.raises(InvalidInputError, match="NaN"):
        advect_units(layout, [[1, np.nan], [1, 1]])
    with pytest.raises(InvalidInputError, match="negative"):
        advect_units(layout, [[1, -1], [1, 1]])
    with pytest.raises(LayerNotFoundError, match="Did you mean"):
        advect_units(layout, np.ones((2, 2)), fixed=["aa"])
    with pytest.raises(InvalidInputError, match="node_bandwidth_reduction must be from"):
        UnitOptions(node_bandwidth_reduction=1.0)


def test_zero_profiles_leave_units_where_they_are() -> None:
    layout = _square([(0, 0), (0.4, 0)])
    np.testing.assert_allclose(advect_units(layout, np.zeros((2, 3))).positions, layout.positions, atol=1e-9)


def test_it_can_be_stopped_and_says_how_far_it_is() -> None:
    edges, profiles = random_network([9, 4])
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if done == 3:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        advect_units(place(edges), profiles, progress=stop)
    assert calls == [(1, 112), (2, 112), (3, 112)]
