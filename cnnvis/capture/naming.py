"""Names of layers: the same for tracing, recording and intervening.

A module call bears the module's dotted name, `name_1` from its second call on. A functional operation
is named after the module whose forward calls it and the operation: `layer1.0.add`, at the root `add`.
An input bears the name of forward()'s argument.

Names that belong to a module are never given to anything else: a number that would make one is
skipped (`relu` called twice beside a module `relu_1` gives `relu`, `relu_2`), and an operation or an
input called like a module gets a tag (`add_op`, `features_input`). So the names of module calls do
not depend on the operations around them, and need no trace.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

_SYNONYMS = {
    "concat": "cat",
    "concatenate": "cat",
    "divide": "div",
    "floor_divide": "floordiv",
    "multiply": "mul",
    "negative": "neg",
    "radd": "add",
    "rdiv": "div",
    "rmatmul": "matmul",
    "rmul": "mul",
    "rpow": "pow",
    "rsub": "sub",
    "rtruediv": "div",
    "subtract": "sub",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "true_divide": "div",
    "truediv": "div",
}


def operation_name(function: Callable[..., Any]) -> str:
    """Return the plain name of a torch function: "add" for +, +=, `torch.add`, `Tensor.add_`, `aten.add.Tensor`."""
    name = getattr(function, "__name__", type(function).__name__)
    if name == "__get__":  # an attribute such as Tensor.mT
        name = getattr(getattr(function, "__self__", None), "__name__", name)
    name = name.split(".")[0].strip("_")
    if name not in _SYNONYMS and name.startswith("i") and name[1:] in {"add", "sub", "mul", "truediv", "matmul", "pow"}:
        name = name[1:]
    return _SYNONYMS.get(name, name)


class Namer:
    """Gives each call of one forward pass its name.

    Parameters
    ----------
    root : str
        What the model itself is called where it is a layer.
    modules : collection of str
        Dotted names of all modules.
    """

    def __init__(self, root: str, modules: Collection[str]) -> None:
        self._root = root
        self._modules = modules
        self._inputs: set[str] = set()
        self._calls: Counter[str] = Counter()

    def restart(self) -> None:
        """Begin another forward pass."""
        self._inputs.clear()
        self._calls.clear()

    def input(self, argument: str) -> str:
        """Return the name of the input `argument`; inputs are named before any call."""
        name = self._tagged(argument, "input")
        self._inputs.add(name)
        return name

    def module_call(self, module: str) -> str:
        """Return the name of the next call of the module of this dotted name ("" is the model itself)."""
        return self._numbered(module or self._root)

    def operation(self, module: str, operation: str) -> str:
        """Return the name of the next call of `operation` inside the forward of `module`."""
        return self._numbered(self._tagged(f"{module}.{operation}" if module else operation, "op"))

    def _tagged(self, name: str, tag: str) -> str:
        while name in self._modules:
            name = f"{name}_{tag}"
        return name

    def _numbered(self, base: str) -> str:
        while True:
            count = self._calls[base]
            self._calls[base] += 1
            if count == 0 and base not in self._inputs:
                return base
            name = f"{base}_{count}"
            if count and name not in self._modules and name not in self._inputs:
                return name


def called_module(name: str, modules: Collection[str]) -> str | None:
    """Return the dotted name of the module of which `name` is a call, or None where it is none."""
    if name in modules:
        return name
    base = re.sub(r"_\d+$", "", name)
    return base if base in modules else None
