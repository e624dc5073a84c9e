"""Write the notebooks anew from the .py twins beside them: executed, with pictures, the same on every machine.

    python notebooks/refresh.py

The .py files are the source, in jupytext's percent format; edit those. Interactive cells are stored as pictures.
"""

import os
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def refresh(source: Path) -> None:
    notebook = jupytext.read(source)
    NotebookClient(notebook, kernel_name="python3", record_timing=False).execute()
    # What differs from run to run or from machine to machine is left out, so that a diff shows what has changed.
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop("image/jpeg", None)  # IPython stores Pillow's pictures twice
    notebook.metadata = {
        "kernelspec": notebook.metadata.kernelspec,
        "language_info": {"name": "python"},
        "jupytext": {"formats": notebook.metadata.jupytext.formats},
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, source.with_suffix(".ipynb"), version=4)


if __name__ == "__main__":
    os.environ["CNNVIS_BACKEND"] = "static"
    os.environ["PYTHONWARNINGS"] = "ignore:IProgress not found"  # of tqdm, which pyvista loads; it would show a path
    for source in sorted(HERE.glob("[0-9]*.py")):
        print(source.name)
        refresh(source)
