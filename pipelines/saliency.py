"""Where in an image a network sees classes: Grad-CAM and occlusion laid over the picture, class beside class.

    python pipelines/saliency.py
    python pipelines/saliency.py 0 --model fashion-cnn --of margin --class "Ankle boot" --class Bag

The work is done by `cnnvis.studies.saliency`; the same as a verb is `cnnvis saliency`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.saliency import saliency

if __name__ == "__main__":
    sys.exit(run(saliency))
