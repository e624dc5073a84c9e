"""Training: how the networks that ship with cnnvis were trained, and watching any training as it goes."""

from cnnvis.io.run_folder import StoredRun
from cnnvis.training.checkpoint_files import run_of_checkpoints
from cnnvis.training.loop import History, accuracy, train
from cnnvis.training.manifest import update_manifest
from cnnvis.training.options import TrainOptions
from cnnvis.training.recipes import train_cnn, train_perceptron, train_vgg16, untrained_perceptron
from cnnvis.training.shipped import first_of_each_class, shipped_run
from cnnvis.training.splitting import split_by_class
from cnnvis.training.watcher import Watcher

__all__ = [
    "History",
    "StoredRun",
    "TrainOptions",
    "Watcher",
    "accuracy",
    "first_of_each_class",
    "run_of_checkpoints",
    "shipped_run",
    "split_by_class",
    "train",
    "train_cnn",
    "train_perceptron",
    "train_vgg16",
    "untrained_perceptron",
    "update_manifest",
]
