"""Take the picture of the window that README shows: needs a display.

python notebooks/pictures/viewer.py
"""

import tempfile
from pathlib import Path

from PIL import Image

from cnnvis.layout.neighbours import strongest_path
from cnnvis.scene import Selection
from cnnvis.viewer.app import application, settle
from cnnvis.viewer.settings import Settings
from cnnvis.viewer.window import ViewerWindow

TARGET = Path(__file__).with_suffix(".png")
SIZE = (1280, 720)
DIGIT = 3


def main() -> None:
    application()
    with tempfile.TemporaryDirectory() as folder:
        window = ViewerWindow(Settings(Path(folder)))
        window.resize(*SIZE)
        window.show()
        window.files.open_example("mnist")
        settle(window)
        window.docks["ask"].raise_()
        bundle = window.workspace.scene["bundle"]
        output = int(bundle.units.id(bundle.units.layers[-1], DIGIT))
        units = [bundle.units.split(int(unit)) for unit in strongest_path(bundle.data, output, towards="input").units]
        window.workspace.select(Selection.of_path((layer, int(channel)) for layer, channel in units))
        settle(window)
        window.screenshot().save(str(TARGET))
        window.close()
    Image.open(TARGET).convert("RGB").save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
