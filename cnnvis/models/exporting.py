"""Write a network as a torch.export program that says of itself what a program does not: preprocessing, classes."""

from __future__ import annotations

import dataclasses
import io
import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from cnnvis.core.atomic import save_bytes
from cnnvis.core.errors import FileFormatError, InvalidInputError
from cnnvis.models._reason import first_sentence
from cnnvis.models.network import Network
from cnnvis.models.preprocessing import ImageSpec

RECORD = "cnnvis.json"
"""Extra file in the archive that holds the description."""


def save_exported(network: Network, path: str | Path) -> Path:
    """Write `network` as a program (.pt2) that `cnnvis.models.load` opens without its code, for any number of images.

    Name, weights, class names and preprocessing go along, as JSON.

    Parameters
    ----------
    network : Network
        Inputs are tensors with the images along their first axis.
    path : str or path
        Ends in .pt2.

    Raises
    ------
    InvalidInputError
        When torch cannot export it: its forward() decides by values, or fixes the number of images.
    OutputError
        When the file cannot be written.
    """
    if Path(path).suffix != ".pt2":
        raise InvalidInputError(f"An exported program is a .pt2 file, got {path}.")
    return save_bytes(exported(network), path)


def exported(network: Network) -> bytes:
    """Return the content of the file that `save_exported` writes."""
    batch = torch.export.Dim("batch", min=1)
    example = tuple(torch.cat([tensor[:1]] * 2) for tensor in network.example)  # one image alone would be a constant
    content = io.BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own, of its exporter
            program = torch.export.export(network.module, example, dynamic_shapes=tuple({0: batch} for _ in example))
            torch.export.save(program, content, extra_files={RECORD: json.dumps(describe(network))})
    except Exception as error:  # the exporter raises whatever the network's code makes it
        raise InvalidInputError(
            f"{network.name} cannot be exported for any number of images ({first_sentence(error)})."
        ) from error
    return content.getvalue()


def describe(network: Network) -> dict[str, Any]:
    """Return what a program does not know of its network, as JSON-able values; `described` reads it."""
    return {
        "name": network.name,
        "weights": network.weights,
        "class_names": network.class_names,
        "image": network.image and dataclasses.asdict(network.image),
    }


def described(network: Network, description: Any, path: Path) -> Network:
    """Return a network with what `describe` said of it, and one image as its example.

    Raises
    ------
    FileFormatError
        When `path` holds another description than `describe` gives.
    """
    try:
        image, names = description["image"], description["class_names"]
        texts = [description["name"], description["weights"], *(names or ())]
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("a name is no text")
        return replace(
            network,
            name=texts[0],
            weights=texts[1],
            example=tuple(tensor[:1] for tensor in network.example),
            class_names=names and tuple(names),
            image=image and ImageSpec(**image),
        )
    except (TypeError, KeyError, ValueError) as error:
        raise FileFormatError(
            f"The description in {path} is none that cnnvis wrote ({first_sentence(error)})."
        ) from error


def read_description(path: Path) -> Any:
    """Return the description in a program's archive; None where there is none."""
    reader = torch.PyTorchFileReader(str(path))
    if f"extra/{RECORD}" not in reader.get_all_records():
        return None
    try:
        return json.loads(reader.get_record(f"extra/{RECORD}"))
    except ValueError as error:
        raise FileFormatError(f"The description in {path} is no JSON ({error}).") from error
