"""From a trained network and a photo to reordered activation volumes, pictures, a film and a report.

    python pipelines/conv1_volume.py
    python pipelines/conv1_volume.py --image my.jpg --layer '_blocks.*._expand_conv' --order leaf --out out/mine

The work is done by `cnnvis.studies.activation_volumes`; the same as a verb is `cnnvis volume`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.volume import volume

if __name__ == "__main__":
    sys.exit(run(volume))
