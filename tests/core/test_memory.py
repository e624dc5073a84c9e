import numpy as np
import pytest

from cnnvis.core import Volume
from cnnvis.core.errors import InvalidInputError
from cnnvis.core.memory import SHARE, as_bytes, available_memory, new_bytes, show_bytes


@pytest.mark.parametrize(
    ("budget", "n_bytes"),
    [(0, 0), (123, 123), ("7", 7), ("2 GB", 2 * 10**9), ("1.5gib", 3 * 2**29), ("10 kB", 10_000), ("4M", 2**22)],
)
def test_budgets_in_bytes(budget, n_bytes):
    assert as_bytes(budget) == n_bytes


@pytest.mark.parametrize("budget", [-1, "-1 GB", "much", "3 horses", ""])
def test_wrong_budgets(budget):
    with pytest.raises(InvalidInputError):
        as_bytes(budget)


def test_the_default_is_a_share_of_what_is_available():
    assert 0 < as_bytes(None) <= SHARE * available_memory() * 1.5


@pytest.mark.parametrize(
    ("n_bytes", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e11, "250 GB"), (3e12, "3.0 TB")]
)
def test_bytes_for_reading(n_bytes, text):
    assert show_bytes(n_bytes) == text


def test_bytes_of_arrays_are_counted_once_each_wherever_they_are():
    shared = np.zeros(100, dtype=np.float32)
    volume = Volume(np.zeros((2, 3, 4), dtype=np.float32), weights=np.ones(2))
    data = {"a": (shared, [shared, "text", 7]), "b": volume, "half": shared[:50]}
    own = volume.values.nbytes + volume.channels.nbytes + volume.weights.nbytes
    seen: set[int] = set()
    assert new_bytes(data, seen) == 400 + own == 400 + 96 + 16 + 16
    assert new_bytes(data, seen) == 0
    assert new_bytes((shared, np.zeros(5, dtype=np.int64)), seen) == 40


def test_a_view_counts_as_what_it_keeps_alive():
    assert new_bytes(np.zeros((10, 10))[3, :2], set()) == 800


@pytest.mark.parametrize("data", [None, 3, "text", Volume, b"bytes"])
def test_other_things_count_nothing(data):
    assert new_bytes(data, set()) == 0
