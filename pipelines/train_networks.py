"""Train the small networks that come with cnnvis, and write their checkpoints into `data/networks`.

    python pipelines/train_networks.py --fashion share/datasets/fashion-mnist

Without FASHION, a folder of Fashion-MNIST's four IDX files, only the perceptrons are trained. The same seed gives the
same weights on one machine, and accuracies that differ by a few images on another.
"""

import sys
from functools import partial
from pathlib import Path

from safetensors.torch import save

from cnnvis.cli import run
from cnnvis.cli._options import Quiet, Seed
from cnnvis.cli._progress import progress_bar
from cnnvis.core.atomic import save_bytes
from cnnvis.models import labelled_images
from cnnvis.training import accuracy, recipes, update_manifest


def train_networks(*, fashion: Path | None = None, out: Path = Path("data"), seed: Seed = 0, quiet: Quiet = False):
    """Train each network, print the accuracy of its checkpoints, and enter them into the manifest of the folder OUT."""
    digits, tests = labelled_images("mnist", "train"), [labelled_images("mnist", "test")]
    last = recipes.PERCEPTRON.epochs
    jobs = [
        ({0: "mnist-mlp-untrained", last: "mnist-mlp"}, recipes.train_perceptron, digits, tests),
        ({last: "mnist-mlp-l1"}, partial(recipes.train_perceptron, l1=recipes.L1), digits, tests),
    ]
    if fashion:
        part = partial(labelled_images, "fashion-mnist", folder=fashion)
        images, tests = part("train"), [part("selection"), part("test")]
        names = {epoch: f"fashion-cnn-{epoch:02d}" for epoch in range(recipes.CNN.epochs + 1)}
        jobs.append((names, recipes.train_cnn, images, tests))
    for names, train, images, tests in jobs:
        facts = {"origin": "pipelines/train_networks.py", "random_state": seed, "trained_on": described(images)}
        keep = partial(keep_checkpoint, out, names, tests, facts)
        with progress_bar(names[max(names)], quiet=quiet) as progress:
            train(images, random_state=seed, on_epoch=keep, progress=progress)


def keep_checkpoint(out, names, tests, facts, epoch, module):
    """Write the module, print how good it is and list it, if the epoch has a name."""
    if epoch not in names:
        return
    path = save_bytes(save(module.state_dict()), out / "networks" / f"{names[epoch]}.safetensors")
    found = {described(test): round(accuracy(module, (test.images, test.labels)), 4) for test in tests}
    print(f"{path}:", ", ".join(f"{share:.2%} right of {test}" for test, share in found.items()), flush=True)
    entry = {"name": f"networks/{path.name}", "description": f"Weights after epoch {epoch}.", "licence": "MIT", **facts}
    update_manifest(out, [{**entry, "epoch": epoch, "accuracy": found}])


def described(images):
    """Return what a set of images is, and how many: "mnist test, 2,000 images"."""
    return f"{images.names[0].rpartition(' ')[0]}, {len(images):,} images"


if __name__ == "__main__":
    sys.exit(run(train_networks))
