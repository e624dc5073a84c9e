"""Which importance can be believed: accuracy while a network is pruned by it, beside the controls it must beat.

    python pipelines/importance_curves.py
    python pipelines/importance_curves.py --model fashion-cnn --method taylor --method ablation
    python pipelines/importance_curves.py --model my.py:network --data photos/ --out out/mine

The work is done by `cnnvis.studies.importance_curves`; the same as a verb is `cnnvis importance-curves`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.importance_curves import importance_curves

if __name__ == "__main__":
    sys.exit(run(importance_curves))
