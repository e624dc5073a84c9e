"""Which weights a class neuron leans on: its gradients for images of its own class, a similar and a dissimilar one.

    python pipelines/gradient_classes.py
    python pipelines/gradient_classes.py --model fashion-cnn --class Coat --layer conv2
    python pipelines/gradient_classes.py --model efficientnet-lite0 --image my.jpg --target-class tabby

The work is done by `cnnvis.studies.gradient_classes`; the same as a verb is `cnnvis gradients`.
"""

import sys

from cnnvis.cli import run
from cnnvis.cli.gradients import gradients

if __name__ == "__main__":
    sys.exit(run(gradients))
