"""A random network of any layer sizes as bundled links: what bundling is tried on.

    python pipelines/random_network.py
    python pipelines/random_network.py --layers 784,81,49,10 --seed 1 --stages

The same as a verb is `cnnvis bundle --random 784,81,49,10`.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cnnvis.cli import run
from cnnvis.cli._drawing import DEFAULTS, DrawingFlags
from cnnvis.cli._options import Out, Quiet, Seed, Size
from cnnvis.cli.bundle import LAYERS, Frames, Stages, bundle

Sizes = Annotated[
    tuple[int, ...], LAYERS, Parameter(name="--layers", show_default=lambda sizes: ",".join(map(str, sizes)))
]


def random_network(
    *,
    layers: Sizes = (100, 40, 20, 10),
    drawing: DrawingFlags = DEFAULTS,
    stages: Stages = False,
    frames: Frames = 36,
    seed: Seed = 0,
    size: Size = (1600, 1000),
    out: Out = Path("out/random_network"),
    quiet: Quiet = False,
):
    """Draw a random network as bundled links: pictures, a film, files for ParaView and the report index.html.

    Parameters
    ----------
    layers : str
        Units of each layer.
    stages : bool
        Keep the unbundled links, those between moved units and those after each iteration, as a series and a film.
    frames : int
        Pictures of the turntable; 0 leaves the film out.
    """
    bundle(random=layers, drawing=drawing, stages=stages, frames=frames, seed=seed, size=size, out=out, quiet=quiet)


if __name__ == "__main__":
    sys.exit(run(random_network))
