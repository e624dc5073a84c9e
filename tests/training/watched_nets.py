"""A small network and images for tests of the Watcher, and a loop that trains it; also run as a program."""

import signal
import sys
import time

import torch
from torch import nn

from cnnvis.training import Watcher


def net(channels=3, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, channels, 3), nn.BatchNorm2d(channels), nn.ReLU(), nn.Flatten(), nn.Linear(16 * channels, 2)
        )


def images(n=12):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(n, 1, 6, 6, generator=generator), torch.arange(n) % 2


def train(module, watcher, epochs=2, batch=4, pause=0.0):
    inputs, labels = images()
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    for _ in range(epochs):
        for x, y in zip(inputs.split(batch), labels.split(batch), strict=True):
            loss = nn.functional.cross_entropy(module(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            watcher.step(loss=loss)
        watcher.epoch(loss=loss, accuracy=0.5)
        time.sleep(pause)


if __name__ == "__main__":
    folder, epochs, end = sys.argv[1:]
    model = net()
    samples, truth = images()
    with Watcher(model, folder, samples=samples[:3], labels=truth[:3]) as running:
        train(model, running, epochs=int(epochs), pause=0.1)
        if end == "wait":  # for somebody to kill it
            signal.pause()
