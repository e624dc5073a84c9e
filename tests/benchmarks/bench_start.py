"""What a user waits for before anything begins: the import and the help."""

from __future__ import annotations

import subprocess
import sys

import pytest


def start(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.bench
@pytest.mark.benchmark(group="start")
@pytest.mark.parametrize("code", ["pass", "import cnnvis"], ids=["python alone", "import cnnvis (below 50 ms more)"])
def test_import(benchmark, code):
    benchmark(start, "-c", code)


@pytest.mark.bench
@pytest.mark.benchmark(group="start")
def test_help(benchmark):
    """Aim: below 300 ms."""
    benchmark(start, "-m", "cnnvis", "--help")


@pytest.mark.bench
@pytest.mark.benchmark(group="start")
def test_rendering_probe_with_kept_answer(benchmark):
    """Aim: milliseconds, not the second of the trial picture."""
    from cnnvis.rendering import probe

    probe.require_rendering()

    def ask() -> None:
        probe._require_rendering.cache_clear()
        probe.require_rendering()

    benchmark(ask)
