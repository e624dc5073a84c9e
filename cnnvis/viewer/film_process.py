"""Draws a film in a process of its own, and writes how far it is to standard output: `done total`, line by line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cnnvis.core.errors import CnnvisError
from cnnvis.io import load
from cnnvis.rendering import film


def main() -> int:
    """Run it; the arguments are those of `cnnvis render`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--over", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--fps", type=int, required=True)
    parser.add_argument("--size", required=True)
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))

    def tell(done: int, total: int) -> None:
        sys.stdout.write(f"{done} {total}\n")
        sys.stdout.flush()

    try:
        film(
            load(asked.scene),
            asked.film,
            over=asked.over,
            frames=asked.frames,
            fps=asked.fps,
            size=(width, height),
            progress=tell,
        )
    except CnnvisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
