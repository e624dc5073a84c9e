"""Networks from a Python file that the user names: ``path/to/file.py:factory``."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from cnnvis.core.errors import InvalidInputError, ModelNotFoundError, did_you_mean


def call_factory(path: Path, factory: str) -> Any:
    """Import a file, call one function or class of it without arguments and return what it returns.

    The file may import its neighbours; `sys.path` and the names of those neighbours in `sys.modules` are as before
    afterwards, so that files of the same name in two folders do not meet.

    Raises
    ------
    InvalidInputError
        When there is no such file, or its code raises: the message names file and line.
    ModelNotFoundError
        When the file has no such function; near matches are listed.
    """
    if not path.is_file():
        raise InvalidInputError(f"There is no file {path} to take the network {factory!r} from.")
    with _neighbours_importable(path.resolve().parent):
        module = _imported(path)
        make = getattr(module, factory, None)
        if not callable(make):
            names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
            raise ModelNotFoundError(
                f"{path} has no function or class {factory!r}. {did_you_mean(factory, names, what='functions')}"
            )
        with _errors_located(path, f"calling {factory}() without arguments"):
            return make()


def _imported(path: Path) -> ModuleType:
    # The name must be unlike any other, and stay in sys.modules: dataclasses and torch.fx look it up there.
    name = f"_cnnvis_{path.stem}_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidInputError(f"{path} is no Python file; its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    with _errors_located(path, "importing it"):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _neighbours_importable(folder: Path) -> Iterator[None]:
    """Put `folder` first on sys.path for a while, and forget what was imported from it."""
    modules, search_path = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = search_path
        for name in set(sys.modules) - modules:
            if _stands_in(name, folder):
                del sys.modules[name]


def _stands_in(name: str, folder: Path) -> bool:
    """Return whether the module `name`, or the package it is part of, is a file or folder of `folder` itself."""
    top = sys.modules.get(name.partition(".")[0])
    file = getattr(top, "__file__", None)
    if name.startswith("_cnnvis_") or not file:
        return False
    place = Path(file).resolve()
    return folder in (place.parent, place.parent.parent if place.name == "__init__.py" else None)


@contextmanager
def _errors_located(path: Path, doing: str) -> Iterator[None]:
    """Turn an error of the user's code into one that names its file and line."""
    try:
        yield
    except (Exception, SystemExit) as error:
        raise InvalidInputError(f"{_place(path, error)}: {type(error).__name__} while {doing}: {error}") from error


def _place(path: Path, error: BaseException) -> str:
    """Return "file:line" of the innermost frame of the user's file; of the file alone when it never got there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    return f"{path}:{frames[-1].lineno}" if frames else str(path)
