import pytest

from cnnvis.core.errors import InvalidInputError
from cnnvis.core.memory import SHARE, as_bytes, available_memory, show_bytes


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
