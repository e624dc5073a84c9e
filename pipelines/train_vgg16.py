"""Train the VGG-16 that comes with cnnvis, and write its weights into `data/networks`, in half precision.

    python pipelines/train_vgg16.py share/datasets/fashion-mnist

FASHION is the folder of Fashion-MNIST's four IDX files. At half width it takes about 40 minutes on one core; after an
interruption the same command goes on with the epoch that was not finished, and ends with the same weights.
"""

import copy
import sys
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save

from cnnvis.cli import run
from cnnvis.cli._options import Quiet, Seed
from cnnvis.cli._progress import progress_bar
from cnnvis.core.atomic import save_bytes
from cnnvis.models import labelled_images
from cnnvis.training import accuracy, recipes, update_manifest


def train_vgg16(
    fashion: Path,
    *,
    width: float = 0.5,
    epochs: int = recipes.VGG_16.epochs,
    out: Path = Path("data"),
    seed: Seed = 0,
    quiet: Quiet = False,
):
    """Train VGG-16 at a share WIDTH of its channels, and enter it into the manifest of the folder OUT."""
    part = partial(labelled_images, "fashion-mnist", folder=fashion)
    images, tests = part("train"), {"selection": part("selection"), "test": part("test")}
    name = f"vgg16-fashion-{width:g}"
    checkpoint = out / f"{name}.checkpoint"

    def report(epoch, module):
        found = {test: accuracy(module, tests[test].pair) for test in tests}
        print(f"epoch {epoch}:", ", ".join(f"{share:.2%} of {test}" for test, share in found.items()), flush=True)

    with progress_bar(name, quiet=quiet) as progress:
        options = {"width": width, "epochs": epochs, "random_state": seed, "checkpoint": checkpoint}
        module = recipes.train_vgg16(images, **options, on_epoch=report, progress=progress).module
    halved = copy.deepcopy(module).half()
    path = save_bytes(save(halved.state_dict()), out / "networks" / f"{name}.safetensors")
    found = {
        f"{test}, {len(data):,} images": round(accuracy(halved.float(), data.pair), 4) for test, data in tests.items()
    }
    facts = {"random_state": seed, "trained_on": f"fashion-mnist train, {len(images):,} images", "epoch": epochs}
    facts |= {"width": width, "threads": torch.get_num_threads(), "precision": "float16", "accuracy": found}
    entry = {"name": f"networks/{path.name}", "description": "Weights of VGG-16 with batch norm.", "licence": "MIT"}
    update_manifest(out, [{**entry, "origin": "pipelines/train_vgg16.py", **facts}])
    checkpoint.unlink()
    print(f"{path}:", ", ".join(f"{share:.2%} of {test}" for test, share in found.items()))


if __name__ == "__main__":
    sys.exit(run(train_vgg16))
