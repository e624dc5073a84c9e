"""Random weights from a seed, without a trace in torch's global random state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(random_state: int) -> Iterator[None]:
    """Seed torch's CPU generator for a while, and put its state back: networks are built on the CPU."""
    state = torch.get_rng_state()
    torch.default_generator.manual_seed(random_state)
    try:
        yield
    finally:
        torch.set_rng_state(state)
