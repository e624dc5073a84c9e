"""Files that cnnvis brings along: the folder `data/`, in a checkout and in an installed wheel."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cnnvis.core.errors import InvalidInputError, did_you_mean

_PACKAGE = Path(__file__).resolve().parents[1]
_FOLDERS = (_PACKAGE / "_data", _PACKAGE.parent / "data")  # in a wheel; in a checkout


def data_path(name: str) -> Path:
    """Return the path of a file of `data/` ("imagenet_classes.txt", "mnist/split.json"), wherever cnnvis is installed.

    Raises
    ------
    InvalidInputError
        When there is no such file; near matches are listed.
    """
    folder = next((folder for folder in _FOLDERS if (folder / "manifest.json").is_file()), _FOLDERS[0])
    path = folder / name
    if not path.is_file():
        names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        raise InvalidInputError(f"cnnvis brings no data file {name!r}. {did_you_mean(name, names, what='files')}")
    return path


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the 1000 class names of ImageNet-1k in the order of a network's outputs, each once."""
    return tuple(data_path("imagenet_classes.txt").read_text(encoding="utf-8").splitlines())
