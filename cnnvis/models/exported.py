"""Programs saved by torch.export, read only after everything in them that torch would execute was checked.

`torch.export.load` must not be given strangers' files as it is: it falls back to full unpickling, evaluates the
symbolic sizes as Python (sympy.sympify) and looks operators up by dotted name. So the archive is read once, each of
these is checked against what `torch.export.save` writes, and anything else is refused before torch sees it.
"""

from __future__ import annotations

import ast
import io
import json
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis.core.errors import CheckpointError, FileFormatError, UnsafeFileError
from cnnvis.models._reason import first_sentence

_RECORDS = re.compile(
    r"archive_format|archive_version|byteorder|\.data/\w+|\.format_version|\.storage_alignment|extra/.*"
    r"|models/\w+\.json|data/sample_inputs/\w+\.pt"
    r"|data/weights/(weight_\d+|\w+_weights_config\.json)|data/constants/(tensor_\d+|\w+_constants_config\.json)"
)
_PAYLOAD = re.compile(r"(weight|tensor)_\d+")
_TARGET = re.compile(
    r"torch\.ops\.\w+\.\w+(\.\w+)?|torch\._?sym_\w+|math\.\w+"
    r"|_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|and_|or_|xor|not_|eq|ne|lt|le|gt|ge|getitem)"
)
_GUARD = re.compile(r"L\['\w+'\]\.size\(\)\[\d+\] == L\['\w+'\]\.size\(\)\[\d+\]")
"""Several inputs hold as many images."""

_NAME = re.compile(r"[\w.]*")
_FREE_TEXT = {"metadata", "in_spec", "out_spec", "as_string", "as_strings", "torch_version"}
"""Parts of a program that torch reads as JSON or quotes, and never evaluates."""

_EXPRESSION_NODES = (
    ast.Expression, ast.Call, ast.keyword, ast.Name, ast.Load, ast.Constant,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.operator, ast.unaryop, ast.cmpop,
)  # fmt: skip


def load_exported(path: Path) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """Return the module of an exported program, with its layers under their own names, and its example inputs.

    The layers are torch's interpreters of the original ones: hooks fit, class names are lost, and the batch size is
    that of the export unless it was exported as a dynamic dimension.

    Raises
    ------
    UnsafeFileError
        When the archive holds anything that would run as code on loading.
    FileFormatError
        When it was written by torch before 2.8, or has inputs that are no tensors.
    CheckpointError
        When the file is damaged or no exported program.
    """
    content = path.read_bytes()
    _check(content, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # from torch's own use of pytree
            program = torch.export.load(io.BytesIO(content))
            module = torch.export.unflatten(program)
    except Exception as error:
        raise CheckpointError(f"{path} cannot be loaded as an exported program ({first_sentence(error)}).") from error
    inputs, keywords = program.example_inputs or ((), {})
    if keywords or not inputs or not all(torch.is_tensor(one) for one in inputs):
        raise FileFormatError(f"{path} was exported with inputs that are not all tensors; export it with tensors.")
    return module, tuple(inputs)


def _check(content: bytes, path: Path) -> None:
    """Raise unless everything that torch would evaluate in the archive is harmless."""
    reader, records = _opened(content, path)
    for record in records:
        if not _RECORDS.fullmatch(record):
            raise _refused(path, f"the record {record}")
        try:
            _check_record(record, reader.get_record(record), path)
        except UnsafeFileError:
            raise
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CheckpointError(f"{path} is damaged at {record} ({first_sentence(error)}).") from error


def _opened(content: bytes, path: Path) -> tuple[Any, list[str]]:
    """Return the reader that torch.export.load uses, and the names of its records."""
    try:
        reader = torch.PyTorchFileReader(io.BytesIO(content))
        records = reader.get_all_records()
        # When that reader fails, torch takes zipfile and the format of 2.7: both must see the same records.
        listed = sorted(name.partition("/")[2] for name in zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (RuntimeError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path} is no exported program, or is damaged ({first_sentence(error)}).") from error
    if not any(record.startswith("models/") for record in records):
        raise FileFormatError(
            f"{path} holds no program exported by torch 2.8 or later; save it with torch.export.save."
        )
    if listed != sorted(records):
        raise _refused(path, "two tables of contents")
    return reader, records


def _check_record(record: str, content: bytes, path: Path) -> None:
    if record.startswith("models/"):
        _check_program(json.loads(content), path)
    elif record.endswith("_config.json"):
        _check_payloads(json.loads(content), path)
    elif record.startswith("data/sample_inputs/"):
        _check_pickle(content, path)


def _check_payloads(config: dict[str, Any], path: Path) -> None:
    for name, payload in config["config"].items():
        if payload["use_pickle"] or not _PAYLOAD.fullmatch(payload["path_name"]):
            raise _refused(path, f"the pickled value {name}")


def _check_pickle(content: bytes, path: Path) -> None:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception as error:
        raise _refused(path, "example inputs that are no tensors") from error


def _check_program(program: Any, path: Path) -> None:
    for key, text in _texts(program):
        if key == "expr_str":
            harmless = _is_arithmetic(text)
        elif key == "target":
            harmless = _TARGET.fullmatch(text) is not None
        elif key == "guards_code":
            harmless = _GUARD.fullmatch(text) is not None
        else:
            harmless = _NAME.fullmatch(text) is not None
        if not harmless:
            raise _refused(path, f"{key} {text!r}")


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every text within JSON data, keys of mappings included."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield "key", name
            if name not in _FREE_TEXT:
                yield from _texts(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
    elif isinstance(value, str):
        yield key, value


def _is_arithmetic(text: str) -> bool:
    """Return whether a symbolic size is only names, numbers, operators and constructors: ``2*Symbol('n')``."""
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, _EXPRESSION_NODES) and _is_plain(node) for node in nodes)


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        # sympy also knows Python's builtins by name, all in lower case: eval, exec, open, __import__ ...
        return isinstance(node.func, ast.Name) and node.func.id[0].isupper()
    if isinstance(node, ast.Name):
        return not node.id.startswith("_")
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.isidentifier()  # sympy evaluates texts too
    return True


def _refused(path: Path, what: str) -> UnsafeFileError:
    return UnsafeFileError(
        f"{path} holds {what}, which could run code on loading; it was refused. Give the network's own code as "
        "file.py:factory with its state dict as weights."
    )
