"""`import cnnvis` is light, and what it promises is there."""

from __future__ import annotations

import ast
import pkgutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

import cnnvis

PACKAGE = Path(cnnvis.__file__).parent
HEAVY = ("numpy", "torch", "vtkmodules", "pyvista", "qtpy", "PyQt5", "matplotlib", "sklearn", "scipy")


def stub() -> list[ast.stmt]:
    return ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body


def stub_names(*, packages: bool = True) -> list[str]:
    """Names that `__init__.pyi` imports, in its order; without those of the packages themselves if so asked."""
    imports = [node for node in stub() if isinstance(node, ast.ImportFrom) and (packages or node.module)]
    return [alias.asname or alias.name for node in imports for alias in node.names]


def loaded_by(statement: str) -> set[str]:
    """Return which heavy packages a fresh Python has loaded after `statement`."""
    code = f"import sys; {statement}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_nothing_heavy():
    assert loaded_by("import cnnvis") == set()
    assert "numpy" in loaded_by("import cnnvis.core")  # the measurement itself works


def test_import_is_quick():
    def seconds(code: str) -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    rounds = [(seconds("import cnnvis"), seconds("pass")) for _ in range(5)]
    # 50 ms is the aim on a quiet machine (benchmarks); this only catches a heavy import that slipped in.
    assert statistics.median(ours - bare for ours, bare in rounds) < 0.2


@pytest.mark.parametrize("name", stub_names())
def test_public_name_resolves(name):
    assert getattr(cnnvis, name) is not None
    assert name in dir(cnnvis)


def test_all_agrees_with_the_stub():
    assert sorted(cnnvis.__all__) == sorted(stub_names())
    listed = next(ast.literal_eval(node.value) for node in stub() if isinstance(node, ast.Assign))
    assert sorted(listed) == sorted(stub_names())


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = cnnvis.nonsense


def test_no_module_bears_the_name_of_a_public_function():
    """Otherwise importing the module would replace the function: `cnnvis.order` must stay callable."""
    modules = {module.name for module in pkgutil.iter_modules([str(PACKAGE)])}
    assert "core" in modules
    assert not modules & set(stub_names(packages=False))


def test_every_package_lists_what_it_exports():
    """A package's `__init__` has a docstring and an `__all__` that names existing things."""
    for module in pkgutil.iter_modules([str(PACKAGE)]):
        if module.ispkg:
            package = __import__(f"cnnvis.{module.name}", fromlist=["__all__"])
            assert package.__doc__, module.name
            assert [name for name in package.__all__ if not hasattr(package, name)] == [], module.name
