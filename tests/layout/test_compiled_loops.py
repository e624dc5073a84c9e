"""Loops that are compiled once, and said to be."""

import os
import subprocess
import sys
from pathlib import Path

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
