"""Networks and data for the tests of importance by batch norm."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from cnnvis.attribution._scale_moments import LabelledMoments
from cnnvis.attribution._scale_sites import SiteNetwork, sites_of
from cnnvis.attribution._scale_training import ScaleTraining, Task
from cnnvis.attribution.batchnorm import _first
from cnnvis.attribution.batchnorm_options import BatchNormOptions
from cnnvis.attribution.layer_choice import choose_layers
from cnnvis.capture.labelled import all_labelled
from cnnvis.capture.spaces import channel_spaces


def perceptron(sizes=(5, 6, 4, 3), seed=0):
    torch.manual_seed(seed)
    layers = []
    for fed, size in pairwise(sizes):
        layers += [nn.Linear(fed, size), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def blobs(n=90, n_inputs=5, n_classes=3, seed=1):
    """Images (n, n_inputs) around one centre per class, with labels in turn."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    centres = rng.normal(size=(n_classes, n_inputs)) * 2
    images = centres[labels] + rng.normal(size=(n, n_inputs))
    return torch.tensor(images, dtype=torch.float32), torch.tensor(labels)


def pictures(n=48, n_classes=3, seed=1):
    """Images (n, 2, 6, 6); a class is brighter in one part."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % n_classes
    images = rng.normal(size=(n, 2, 6, 6)) * 0.5
    for image, label in zip(images, labels, strict=True):
        image[label % 2, 2 * label : 2 * label + 2] += 2
    return torch.tensor(images, dtype=torch.float32), torch.tensor(labels)


class Residual(nn.Module):
    """A stream of 4 channels that two blocks add to, one of them depthwise; an activation only inside the blocks."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv1 = nn.Conv2d(4, 6, 1)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.bn2 = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 4, 1)
        self.conv3 = nn.Conv2d(4, 4, 3, padding=1)
        self.fc = nn.Linear(4, 3)
        torch.manual_seed(3)
        for norm in (self.bn1, self.bn2):
            norm.running_mean.normal_(std=0.1)
            norm.running_var.uniform_(0.5, 1.5)

    def forward(self, x):
        x = functional.relu(self.bn1(self.stem(x)), inplace=True)
        y = functional.relu6(self.conv1(x))
        y = functional.relu6(self.bn2(self.depthwise(y)), inplace=True)
        x = x + self.conv2(y)
        y = self.conv3(functional.relu(x))
        y += x
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(y, 1), 1))


def residual():
    torch.manual_seed(2)
    return Residual().train()


def task_of(model, data, *, layers=None, **options):
    """Return the task of a run, as by_batchnorm makes it."""
    chosen = BatchNormOptions(**options)
    images, labels = all_labelled(model, data)
    few = _first(images, 2)
    spaces = channel_spaces(model, few.args)
    sites = sites_of(spaces, choose_layers(spaces, layers, inputs=chosen.inputs))
    return Task(SiteNetwork(model, sites, few), sites, images, labels, chosen)


def opened(task, classes):
    """Return what training of `classes` begins with; inside `task.network.opened()`."""
    before = LabelledMoments(task)
    return before, ScaleTraining(task, classes), before.one_vs_rest(classes)
