"""Where a result came from: carried by every result into pictures, files and reports."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """Model, weights and inputs behind a result.

    Parameters
    ----------
    model : str
        Name of the network as the user gave it.
    weights : str
        "trained", "random", or the checkpoint's file name; "" when unknown.
    model_sha256 : str
        Hash over the network's parameters and buffers, "" when not computed.
    inputs : tuple of str
        One name per image, in order; may be empty.
    preprocessing : str
        What was done to the image, in words.
    notes : tuple of (str, str), or mapping of str to str
        Further facts in words, by name: the class that gradients are of, how well they were checked.
    """

    model: str = ""
    weights: str = ""
    model_sha256: str = ""
    inputs: tuple[str, ...] = ()
    preprocessing: str = ""
    notes: tuple[tuple[str, str], ...] | Mapping[str, str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(self.inputs))
        pairs = self.notes.items() if isinstance(self.notes, Mapping) else self.notes
        object.__setattr__(self, "notes", tuple((str(name), str(text)) for name, text in pairs))

    def noted(self, **notes: str) -> Provenance:
        """Return the same with further notes; one of a name that is there already takes its place."""
        return dataclasses.replace(self, notes={**dict(self.notes), **notes})

    @property
    def caption(self) -> str:
        """One line for a picture: model, a warning on random weights, the input."""
        model = self.model + (" (RANDOM WEIGHTS)" if self.weights == "random" else "")
        shown = self.inputs[0] if len(self.inputs) == 1 else f"{len(self.inputs)} images" if self.inputs else ""
        return " · ".join(part for part in (model, shown) if part)

    def to_json(self) -> str:
        """Return all fields as one line of JSON."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """Read what `to_json` wrote; fields of newer versions are ignored."""
        known = {field.name for field in dataclasses.fields(cls)}
        found = {key: value for key, value in json.loads(text).items() if key in known}
        return cls(**found)
