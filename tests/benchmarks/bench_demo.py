"""The demo as a user runs it: wall time and peak memory of a process of its own, against the stated limits."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.bench, pytest.mark.benchmark(group="demo")]

ROOT = Path(__file__).parents[2]
SECONDS = 12.0
GIGABYTES = 1.5
RUNS = 3


def peak_gigabytes():
    """Return the largest resident set of any child so far: the one just run, unless one before was larger."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e9


def test_demo(benchmark, tmp_path, capsys):
    command = [sys.executable, str(ROOT / "pipelines" / "conv1_volume.py"), "--quiet", "--out", str(tmp_path)]
    # The tests run with one thread each; a user's process has all cores.
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    options = {"check": True, "env": environment}
    benchmark.pedantic(subprocess.run, args=(command,), kwargs=options, rounds=RUNS)
    seconds, memory = benchmark.stats.stats.median, peak_gigabytes()
    with capsys.disabled():
        sys.stdout.write(
            f"\ndemo: {seconds:.1f} s of at most {SECONDS:g} s, {memory:.2f} GB of at most {GIGABYTES:g} GB\n"
        )
    assert (tmp_path / "index.html").exists()
    assert seconds < SECONDS
    assert memory < GIGABYTES
