"""Draws a picture or a film in a process of its own; of a film it writes how far it is, line by line: `done total`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cnnvis.core.errors import CnnvisError
from cnnvis.io import load
from cnnvis.rendering import film, render


def main() -> int:
    """Run it; the arguments are those of `cnnvis render`, and without `--over` it is a picture."""
    parser = argparse.ArgumentParser()
    parser.add_argument("scene", type=Path)
    parser.add_argument("path", type=Path)
    parser.add_argument("--size", required=True)
    parser.add_argument("--over")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--fps", type=int)
    asked = parser.parse_args()
    width, height = map(int, asked.size.split("x"))
    try:
        target = load(asked.scene)
        if asked.over is None:
            render(target, asked.path, size=(width, height))
        else:
            timing = {"over": asked.over, "frames": asked.frames, "fps": asked.fps}
            film(target, asked.path, size=(width, height), progress=_tell, **timing)
    except CnnvisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _tell(done: int, total: int) -> None:
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
