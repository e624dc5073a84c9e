"""Networks side by side, drawn alike, and how close together their links run: untrained, trained, trained with L1.

    python pipelines/compare_networks.py
    python pipelines/compare_networks.py --seeds 1
    python pipelines/compare_networks.py --model mnist-mlp --model my.py:network --out out/mine

The work is done by `cnnvis.studies.compare_networks`; the same as a verb is `cnnvis compare-networks`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.compare_networks import compare_networks

if __name__ == "__main__":
    sys.exit(run(compare_networks))
