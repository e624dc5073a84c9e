"""Train the VGG-16 that comes with cnnvis, and write its weights into `data/networks`, in half precision.

    OMP_NUM_THREADS=1 python pipelines/train_vgg16.py share/datasets/fashion-mnist

FASHION is the folder of Fashion-MNIST's four IDX files. Interrupted, the same command goes on with the epoch that was
not finished, and ends with the same weights: those of the seed and the number of threads.
"""

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
    images, measure = part("train"), partial(measured, {name: part(name) for name in ("selection", "test")})
    name = f"vgg16-fashion-{width:g}"
    checkpoint = out / f"{name}.checkpoint"
    options = {"width": width, "epochs": epochs, "random_state": seed, "checkpoint": checkpoint}
    with progress_bar(name, quiet=quiet) as progress:
        module = recipes.train_vgg16(images, **options, on_epoch=measure, progress=progress).module
    card = {"description": f"Weights of VGG-16 with batch norm after epoch {epochs}, float16.", "licence": "MIT"}
    card |= {"origin": f"pipelines/train_vgg16.py --width {width:g} --epochs {epochs} --seed {seed}"}
    card |= {"random_state": seed, "threads": torch.get_num_threads(), "width": width, "epoch": epochs}
    card |= {"trained_on": f"fashion-mnist train, {len(images):,} images", "accuracy_float32": measure("last", module)}
    card |= {"accuracy": measure("last, float16", module.half().float())}
    path = save_bytes(save(module.half().state_dict()), out / "networks" / f"{name}.safetensors")
    update_manifest(out, [{"name": f"networks/{path.name}", **card}])
    checkpoint.unlink()


def measured(tests, epoch, module):
    """Print and return the share of each part that the module gets right."""
    found = {f"fashion-mnist {name}, {len(test):,} images": accuracy(module, test.pair) for name, test in tests.items()}
    print(f"epoch {epoch}:", ", ".join(f"{share:.2%} right of {test}" for test, share in found.items()), flush=True)
    return {test: round(share, 4) for test, share in found.items()}


if __name__ == "__main__":
    sys.exit(run(train_vgg16))
