"""A training played back: loss and accuracy, and what a layer makes of one image after each epoch, as film and scene.

    python pipelines/training_timeline.py
    python pipelines/training_timeline.py out/watched_training --layer conv2 --sample 3 --out out/mine

Without a run it is the training of fashion-cnn, of which the weights after each epoch come along. The work is done by
`cnnvis.studies.training_timeline`; the same as a verb is `cnnvis timeline`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.timeline import timeline

if __name__ == "__main__":
    sys.exit(run(timeline))
