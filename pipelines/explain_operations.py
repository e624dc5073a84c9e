"""How a network computes, with the actual numbers: one operation of each kind, and a film of a window that moves.

    python pipelines/explain_operations.py
    python pipelines/explain_operations.py --image 7 --layer conv2 --channel 5 --position 4 7
    python pipelines/explain_operations.py --model efficientnet-lite0 --image chelsea

The work is done by `cnnvis.studies.operations`; the same as a verb is `cnnvis explain`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.explain import explain

if __name__ == "__main__":
    sys.exit(run(explain))
