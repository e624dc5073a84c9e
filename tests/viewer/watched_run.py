"""Runs of a tiny network for tests of the window: written at once, or step by step as a training does."""

import torch
from torch import nn

from cnnvis.models import Network
from cnnvis.training import Watcher

SAMPLES = torch.rand(3, 1, 10, 10, generator=torch.Generator().manual_seed(0))


def network(seed=0, name="tiny"):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = (nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.Flatten(), nn.Linear(216, 2))
    return Network(nn.Sequential(*layers), name=name, example=SAMPLES[:1], class_names=("cat", "dog"))


class Training:
    """A training whose second convolution grows by half each epoch, of three steps."""

    def __init__(self, folder, **options):
        self.network = network(name=options.pop("name", "tiny"))
        self.watcher = Watcher(self.network, folder, **({"samples": SAMPLES, "labels": [0, 1, 0]} | options))
        self.n_epochs = 0

    def epochs(self, count):
        for _ in range(count):
            self.n_epochs += 1
            with torch.no_grad():
                self.network.module[2].weight.mul_(1.5)
                self.network.module[2].bias.mul_(1.5)
            for _ in range(3):
                self.watcher.step(loss=1 / self.n_epochs)
            self.watcher.epoch(loss=1 / self.n_epochs, accuracy=1 - 0.5**self.n_epochs)
        return self

    def end(self):
        self.watcher.close()
        return self

    def die(self):
        """End without a word: as far as the run tells, it goes on, until it has been silent for a while."""
        self.watcher._background.close()
        return self
