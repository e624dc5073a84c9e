"""The training of which checkpoints come along, as a run; and the samples that it shows."""

from __future__ import annotations

from pathlib import Path

from cnnvis.core.progress import Progress, silent
from cnnvis.io.run_folder import StoredRun
from cnnvis.models import LabelledImages, data_path, labelled_images, load
from cnnvis.models.bundled import FASHION_EPOCHS
from cnnvis.training.checkpoint_files import run_of_checkpoints

SHIPPED = "fashion-cnn"
"""The network whose checkpoint after each epoch lies in `data/networks`."""


def first_of_each_class(images: LabelledImages) -> LabelledImages:
    """Return the first image of each class, in the order of the classes; classes without one are left out."""
    labels = images.labels.tolist()
    chosen = [labels.index(label) for label in range(len(images.class_names)) if label in labels]
    names = tuple(images.names[index] for index in chosen)
    return LabelledImages(images.images[chosen], images.labels[chosen], images.class_names, names)


def shipped_run(folder: str | Path, *, overwrite: bool = False, progress: Progress = silent) -> StoredRun:
    """Write the run of "fashion-cnn", epochs 0 to 10, with one test image of each class as its samples.

    Loss and accuracy of each epoch are those of the 1,000 images for selection. 11 MB, and a few seconds.

    Parameters
    ----------
    folder, overwrite
        As for `cnnvis.Watcher`.
    progress : callable
        Counts epochs.
    """
    samples = first_of_each_class(labelled_images("fashion-mnist", "test"))
    return run_of_checkpoints(
        load(SHIPPED, device="cpu"),
        [data_path(f"networks/{SHIPPED}-{epoch:02d}.safetensors") for epoch in range(FASHION_EPOCHS + 1)],
        folder,
        samples=samples.images,
        labels=samples.labels,
        names=samples.names,
        data=labelled_images("fashion-mnist", "selection").pair,
        overwrite=overwrite,
        progress=progress,
    )
