"""Which files are networks rather than what was made of one, and what can be known of them without running anything."""

from __future__ import annotations

import ast
from pathlib import Path

from cnnvis.core.errors import FileFormatError
from cnnvis.viewer.examples import MODELS

CODE, PROGRAM = ".py", ".pt2"
WEIGHTS = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
"""Suffixes of `cnnvis.models.checkpoints`, by hand: a file that is dropped must not wait for torch."""

PACKAGES = ("torchvision", "timm")
"""Packages of `cnnvis.models.packages`, by hand as well."""


def is_model(path: Path) -> bool:
    """Whether a file is code, a program or weights of a network; reads the header of a .safetensors file only."""
    suffix = path.suffix.lower()
    if suffix != ".safetensors":
        return suffix in (CODE, PROGRAM, *WEIGHTS)
    from cnnvis.io.tensors_safetensors import CONTENTS, format_of

    try:
        return format_of(path) not in CONTENTS
    except (FileFormatError, OSError):
        return False  # whoever reads it says why


def functions_of(path: Path) -> tuple[str, ...]:
    """Return the functions and classes of a Python file that can be called without arguments, by its text alone."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ()
    kinds = (ast.FunctionDef, ast.ClassDef)
    found = [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]
    return tuple(node.name for node in found if isinstance(node, ast.ClassDef) or not _needs(node.args))


def _needs(arguments: ast.arguments) -> bool:
    """Whether a call needs arguments."""
    positional = len(arguments.posonlyargs) + len(arguments.args)
    return positional > len(arguments.defaults) or None in arguments.kw_defaults


def is_loadable(name: str) -> bool:
    """Whether a network can be loaded by the name that files keep of it, as far as can be told without torch."""
    if name.partition("@")[0] in MODELS or name.partition(":")[0] in PACKAGES:
        return True
    file, _, _ = name.rpartition(":")
    return Path(file or name).is_file()


def network_of(weights: Path) -> str:
    """Return the network that comes along and has the longest name that a file of weights begins with; "" for none."""
    fitting = [name for name in MODELS if weights.stem.startswith(name)]
    return max(fitting, key=len, default="")
