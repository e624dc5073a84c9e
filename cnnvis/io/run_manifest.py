"""The manifest of a run: what it is of, how far it is, and which checkpoints there are; always replaced as a whole.

    run.json                         this
    samples.safetensors              the sample images, as the network takes them
    curves.csv                       losses and accuracies, see `run_table`
    weights/000003.safetensors       state dict after epoch (or step) 3
    recordings/000003.safetensors    what the layers and the network make of the samples then
    alive                            touched again and again while the run is written

A checkpoint is there once the manifest lists it: its files are in place by then.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnvis.core import LayerLink, LayerNode, ModelGraph
from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError, MissingFileError
from cnnvis.core.training_run import PieceFacts, RunCheckpoint, RunFacts, RunState

MANIFEST, SAMPLES, CURVES, ALIVE = "run.json", "samples.safetensors", "curves.csv", "alive"

WEIGHTS, RECORDINGS = "weights", "recordings"
"""The pieces of a checkpoint, and the folders they lie in."""

FORMAT, VERSION = "cnnvis-run", 1


@dataclass(frozen=True)
class Manifest:
    """What run.json says.

    Parameters
    ----------
    facts : RunFacts
    state : RunState
    error : str
        What ended it, where an error did.
    checkpoints : tuple of RunCheckpoint
        In order of their numbers.
    problems : tuple of str
        A sentence for each piece that could not be taken.
    """

    facts: RunFacts
    state: RunState = RunState.TRAINING
    error: str = ""
    checkpoints: tuple[RunCheckpoint, ...] = ()
    problems: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write it in place of the one before."""
        content = {"format": FORMAT, "version": VERSION, **_fields(self)}
        save_bytes(json.dumps(content, default=_fields).encode("utf-8"), folder / MANIFEST)


def _fields(value: Any) -> dict[str, Any]:
    """Return a data class, or a read-only mapping, as what JSON can hold."""
    if isinstance(value, Mapping):
        return dict(value)
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def piece(folder: Path, kind: str, number: int) -> Path:
    """Return where the weights or the recording of a checkpoint lie."""
    return folder / kind / f"{number:06d}.safetensors"


def is_run(path: Path) -> bool:
    """Whether a path is the folder of a run, or its manifest; reads neither."""
    if path.is_dir():
        return (path / MANIFEST).is_file()
    return path.name == MANIFEST and (path.parent / SAMPLES).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a run.

    Raises
    ------
    MissingFileError
        When the folder holds no run.
    FileFormatError
        When its manifest is damaged, something else, or of a newer version.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        if content["version"] > VERSION:
            raise FileFormatError(f"{path} is of version {content['version']}, this cnnvis reads {VERSION}; update it.")
        return Manifest(
            facts=_facts(content["facts"]),
            state=RunState(content["state"]),
            error=str(content["error"]),
            checkpoints=tuple(sorted(map(_checkpoint, content["checkpoints"]), key=lambda found: found.number)),
            problems=tuple(map(str, content["problems"])),
        )
    except (FileNotFoundError, NotADirectoryError) as error:
        raise MissingFileError(
            f"{folder} holds no run: there is no {MANIFEST} in it. A run is a folder that cnnvis.Watcher writes; of "
            "state dicts alone `cnnvis timeline FOLDER --model NAME` or cnnvis.training.run_of_checkpoints makes one."
        ) from error
    except FileFormatError:
        raise
    except (KeyError, TypeError, ValueError, InvalidInputError) as error:
        raise FileFormatError(
            f"{path} is no manifest of a run, or damaged ({type(error).__name__}: {error})."
        ) from error


def _facts(parts: Mapping[str, Any]) -> RunFacts:
    graph = parts["graph"]
    if graph is not None:
        layers = tuple(LayerNode(**layer) for layer in graph["layers"])
        graph = ModelGraph(layers, tuple(LayerLink(**link) for link in graph["links"]), graph["model"])
    return RunFacts(**{**parts, "graph": graph})


def _checkpoint(parts: Mapping[str, Any]) -> RunCheckpoint:
    pieces = {str(kind): PieceFacts(**facts) for kind, facts in parts["pieces"].items()}
    lists = {name: tuple(parts[name]) for name in ("predicted", "probability", "truth")}
    numbers = {name: int(parts[name]) for name in ("number", "step", "epoch")}
    return RunCheckpoint(**{**parts, "pieces": pieces, **lists, **numbers})
