"""What every test shares: a fixed environment and the photo of the examples."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import hypothesis
import pytest

# Before any library starts its threads: two workers share two cores, and results must not depend on the machine.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ["MPLBACKEND"] = "Agg"
os.environ["CNNVIS_BACKEND"] = "static"  # of notebooks that tests execute; tests of other ways to show remove it
hypothesis.settings.register_profile("cnnvis", deadline=None)  # machines are shared: an example may wait half a second
hypothesis.settings.load_profile("cnnvis")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Pictures of the window are renewed by hand only."""
    parser.addoption("--renew-baselines", action="store_true", help="write the pictures of tests/viewer/baselines anew")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker of pytest-xdist a screen of its own: what is dragged falls on the window that lies on top."""
    if "PYTEST_XDIST_WORKER" not in os.environ or "DISPLAY" not in os.environ or shutil.which("Xvfb") is None:
        return
    mine, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"]
    quiet = {"pass_fds": [theirs], "stderr": subprocess.DEVNULL}
    subprocess.Popen(command, **quiet, preexec_fn=_end_with_parent)  # noqa: PLW1509 - a worker has no threads yet
    os.close(theirs)
    with os.fdopen(mine) as answer:  # waits until it is there; nothing where it could not start
        number = answer.readline().strip()
    if number:
        os.environ["DISPLAY"] = f":{number}"
        os.environ.pop("XAUTHORITY", None)


def _end_with_parent() -> None:
    """Let this process end when its parent does, and no sooner: Qt needs the screen to the last (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


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


@pytest.fixture
def full_disk() -> Callable[[int], AbstractContextManager[None]]:
    """Return a context in which no file can grow beyond some bytes, as on a disk that is nearly full."""

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
