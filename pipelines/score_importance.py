"""Score the networks that come with cnnvis by batch norm, and write their importance into `data/importance`.

    python pipelines/score_importance.py
    python pipelines/score_importance.py --model fashion-cnn

Of every unit, pixels and classes among them, for every class; on the images that are kept for that. A perceptron takes
about a minute, fashion-cnn half an hour; interrupted, the next run goes on.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cnnvis import importance
from cnnvis.capture import channel_spaces
from cnnvis.cli import run
from cnnvis.cli._options import Quiet, Seed
from cnnvis.cli._progress import progress_bar
from cnnvis.io import save
from cnnvis.models import load as load_network
from cnnvis.models.folders import labelled_parts
from cnnvis.training import update_manifest

NETWORKS = ("mnist-mlp", "mnist-mlp-l1", "mnist-mlp-untrained", "fashion-cnn")
Models = Annotated[tuple[str, ...], Parameter(name="--model", negative="")]


def score_importance(*, model: Models = NETWORKS, out: Path = Path("data"), seed: Seed = 0, quiet: Quiet = False):
    """Score each network, write what was found and enter it into the manifest of the folder OUT."""
    for name in model:
        network = load_network(name)
        images = labelled_parts(network).importance
        state = out / "importance" / f"{name}.state.safetensors"
        with progress_bar(name, quiet=quiet) as progress:
            found = importance(
                network,
                images.pair,
                "batchnorm",
                layers=channel_spaces(network).names,
                random_state=seed,
                checkpoint=state,
                progress=progress,
            )
        # whose scores they are, so that they are not taken for those of other weights
        found = replace(found, options={**found.options, "model_sha256": network.sha256})
        path = save(found, out / "importance" / f"{name}.safetensors")
        state.unlink()
        described = f"Importance of every unit of {name} for every class, by batch norm."
        scored = f"{images.names[0].rpartition(' ')[0]}, {len(images.labels):,} images"
        facts = {"licence": "MIT", "origin": "pipelines/score_importance.py", "random_state": seed, "scored_on": scored}
        update_manifest(out, [{"name": f"importance/{path.name}", "description": described, **facts}])
        print(f"{path}: {len(found.scores)} layers, {path.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    sys.exit(run(score_importance))
