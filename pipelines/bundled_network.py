"""A whole network as bundled links: pictures for all classes and each class, a film, files for ParaView, a report.

    python pipelines/bundled_network.py
    python pipelines/bundled_network.py --model fashion-cnn --stages
    python pipelines/bundled_network.py --model efficientnet-lite0 --fold '_blocks.*' --top-k 20000

The work is done by `cnnvis.studies.bundled_network`; the same as a verb is `cnnvis bundle`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.bundle import bundle

if __name__ == "__main__":
    sys.exit(run(bundle))
