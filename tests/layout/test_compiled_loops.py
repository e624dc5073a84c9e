"""Loops that are compiled once, and said to be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import caching

from cnnvis.layout import _compiled, _loops

CODE = """
import logging
logging.basicConfig(level=logging.INFO, format="%(message)s")
from cnnvis.layout import _compiled, bundle, place, random_network
print(_compiled.kernels_ready())
edges, profiles = random_network([3, 2])
bundle(edges, place(edges), profiles=profiles)
print(_compiled.kernels_ready())
"""


def test_the_first_bundling_says_that_it_compiles_and_the_next_session_need_not(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}

    def session() -> tuple[list[str], str]:
        done = subprocess.run(
            [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True, timeout=240
        )
        return done.stdout.split(), done.stderr

    ready, said = session()
    assert ready == ["False", "True"]
    assert said.count("compiled now, once") == 1
    ready, said = session()
    assert ready == ["True", "True"]
    assert "compiled now" not in said


def test_where_nothing_can_be_kept_loops_are_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a read-only file system."""

    class NoFolder:
        @classmethod
        def from_function(cls, *_: object) -> None:
            return None

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [NoFolder])

    def double(x: int) -> int:
        return 2 * x

    loop = _loops.compiled_loop()(double)
    assert loop(21) == 42
    assert loop.stats.cache_path is None
    monkeypatch.setattr(_compiled._kernels, "splat", _loops.compiled_loop()(double))
    assert not _compiled.kernels_ready()
