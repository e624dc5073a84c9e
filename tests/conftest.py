"""What every test shares: a fixed environment and the photo of the examples."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before any library starts its threads: two workers share two cores, and results must not depend on the machine.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"
os.environ["CNNVIS_BACKEND"] = "static"  # of notebooks that tests execute; tests of other ways to show remove it


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread behind which would keep the process alive."""
    before = set(threading.enumerate())
    yield
    leaked = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
    for thread in leaked:
        thread.join(timeout=5.0)
    assert not [thread.name for thread in leaked if thread.is_alive()]


@pytest.fixture(scope="session")
def sample_image() -> Path:
    """Return the file of the photo that the demo uses: scikit-image's cat Chelsea, 451x300 RGB."""
    import skimage

    return Path(skimage.__file__).parent / "data" / "chelsea.png"
