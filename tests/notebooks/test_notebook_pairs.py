"""Each notebook says what its reviewed .py twin says, and is stored as it should be; `make test` also executes it."""

from __future__ import annotations

import re
from pathlib import Path

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
SOURCES = sorted(FOLDER.glob("[0-9]*.py"))
MAX_BYTES = 1_500_000
ABSOLUTE_PATH = re.compile(r"(?<![\w/.:<])/\w[\w.-]*/|\b[A-Z]:\\")


@pytest.fixture(params=SOURCES, ids=lambda path: path.stem)
def source(request):
    return request.param


@pytest.fixture
def notebook(source):
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_every_notebook_has_its_twin():
    assert SOURCES
    assert [path.stem for path in SOURCES] == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def test_cells_are_those_of_the_twin(source, notebook):
    def cells(book):
        return [(cell.cell_type, cell.source) for cell in book.cells]

    assert cells(notebook) == cells(jupytext.read(source)), "run: python notebooks/refresh.py"


def test_stored_notebook_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert {output.output_type for output in outputs(notebook)} <= {"stream", "display_data", "execute_result"}
    assert [output.text for output in outputs(notebook) if output.get("name") == "stderr"] == []


def test_stored_notebook_shows_pictures_and_stays_small(source, notebook):
    kinds = [kind for output in outputs(notebook) for kind in output.get("data", ())]
    assert "image/png" in kinds
    assert set(kinds) <= {"image/png", "text/plain"}  # a page of WebGL would be dead weight
    assert source.with_suffix(".ipynb").stat().st_size < MAX_BYTES


def test_stored_notebook_tells_nothing_of_the_machine(notebook):
    assert notebook.metadata.kernelspec == {"display_name": "Python 3", "language": "python", "name": "python3"}
    assert notebook.metadata.language_info == {"name": "python"}  # no version
    assert all(cell.metadata == {} for cell in notebook.cells)  # no times
    texts = [output.get("text") or output.data["text/plain"] for output in outputs(notebook)]
    assert [text for text in texts if ABSOLUTE_PATH.search(text)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [("see\n/home/me/x", True), (r"C:\Users", True), ("rows/columns, 3/4, https://a/b/c, </b>", False)],
)
def test_an_absolute_path_is_noticed(text, found):
    assert bool(ABSOLUTE_PATH.search(text)) is found
