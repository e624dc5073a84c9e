"""Train the architecture of fashion-cnn on images that come with cnnvis, and watch it: the run can be followed live.

    python pipelines/watch_training.py
    python pipelines/watch_training.py --epochs 20 --out out/longer

While it runs, and afterwards, `cnnvis timeline out/watched_training` makes films and a page of it, and
`cnnvis.load("out/watched_training")` opens it in Python. It trains on 2,000 images, since no more come along: expect
about 84 % rather than the 91 % of fashion-cnn. An epoch is 1 MB: weights, and the maps of ten images.
"""

import sys
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

import cnnvis
from cnnvis.cli import run
from cnnvis.cli._options import Out, Quiet, Seed
from cnnvis.models import labelled_images
from cnnvis.models.architectures import small_cnn
from cnnvis.models.bundled import fashion_network
from cnnvis.models.seeding import seeded
from cnnvis.training import accuracy, first_of_each_class


def watch_training(
    *, epochs: int = 8, batch: int = 50, seed: Seed = 0, out: Out = Path("out/watched_training"), quiet: Quiet = False
):
    """Train for some EPOCHS in batches of BATCH images, and leave the run in the folder OUT, in place of one there."""
    parts = [labelled_images("fashion-mnist", part) for part in ("importance", "selection")]
    images, labels = torch.cat([part.images for part in parts]), torch.cat([part.labels for part in parts])
    tests = labelled_images("fashion-mnist", "test")
    samples = first_of_each_class(tests)
    with seeded(seed):
        network = fashion_network(small_cnn(), name="fashion-cnn", weights="random")
    optimiser = torch.optim.Adam(network.module.parameters())
    shuffle = torch.Generator().manual_seed(seed)
    watch = {"samples": samples.images, "labels": samples.labels, "names": samples.names, "overwrite": True}
    with cnnvis.Watcher(network, out, **watch) as watcher:
        if not quiet:
            print(f"The run is in {out.resolve()}: follow it with cnnvis timeline, or cnnvis.load.", flush=True)
        for epoch in range(1, epochs + 1):
            for chosen in torch.randperm(len(images), generator=shuffle).split(batch):
                loss = cross_entropy(network.module(images[chosen]), labels[chosen])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                watcher.step(loss=loss)
            share = accuracy(network.module, tests.pair)
            watcher.epoch(accuracy=share)
            if not quiet:
                print(f"epoch {epoch}: loss {loss.item():.3f}, {share:.1%} of {len(tests):,} test images", flush=True)


if __name__ == "__main__":
    sys.exit(run(watch_training))
