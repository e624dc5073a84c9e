"""How the networks that ship with cnnvis were trained, and what lies in `data/` was made."""

from cnnvis.training.loop import History, accuracy, train
from cnnvis.training.manifest import update_manifest
from cnnvis.training.options import TrainOptions
from cnnvis.training.recipes import train_cnn, train_perceptron, train_vgg16, untrained_perceptron
from cnnvis.training.splitting import split_by_class

__all__ = [
    "History",
    "TrainOptions",
    "accuracy",
    "split_by_class",
    "train",
    "train_cnn",
    "train_perceptron",
    "train_vgg16",
    "untrained_perceptron",
    "update_manifest",
]
