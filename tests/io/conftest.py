"""A disk that fills up."""

import resource
from contextlib import contextmanager

import pytest


@pytest.fixture
def full_disk():
    """A context in which no file can grow beyond some bytes, as on a disk that is nearly full."""

    @contextmanager
    def limited(size):
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited
