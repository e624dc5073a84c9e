"""A whole network as the maps of its layers in space: grid, circle, stack, line, and a film between them.

    python pipelines/architecture.py
    python pipelines/architecture.py --model vgg16-fashion --image 7
    python pipelines/architecture.py --model efficientnet-lite0 --image chelsea --frames 0

The work is done by `cnnvis.studies.architecture`; the same as a verb is `cnnvis architecture`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.architecture import architecture

if __name__ == "__main__":
    sys.exit(run(architecture))
