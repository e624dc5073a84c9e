"""Which kind of .safetensors file of ours one is, and of which version, as its header says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnnvis.core.errors import FileFormatError


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of file.

    Parameters
    ----------
    name : str
        Such as "cnnvis-survey".
    version : int
        The newest that is read, and the one that is written.
    what : str
        What it holds, as a message names it.
    """

    name: str
    version: int
    what: str

    @property
    def header(self) -> dict[str, str]:
        """Entries of the header that say so."""
        return {"format": self.name, "version": str(self.version)}

    def require(self, path: Path, header: Mapping[str, str]) -> None:
        """Raise FileFormatError for a file with a header of something else, or of a newer version."""
        if header.get("format") != self.name:
            raise FileFormatError(f"{path} is a .safetensors file, but holds no {self.what}.")
        if int(header["version"]) > self.version:
            raise FileFormatError(
                f"{path} is of version {header['version']}, this cnnvis reads {self.version}; update cnnvis."
            )
