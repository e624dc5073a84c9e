"""Take the pictures of the window that README shows: needs a display.

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

HERE = Path(__file__).parent
SIZE = (1280, 720)
DIGIT = 3


def select_path(window: ViewerWindow) -> None:
    """Open the perceptron, and select the strongest path to a digit."""
    window.files.open_example("mnist")
    settle(window)
    window.docks["ask"].raise_()
    bundle = window.workspace.scene["bundle"]
    output = int(bundle.units.id(bundle.units.layers[-1], DIGIT))
    units = [bundle.units.split(int(unit)) for unit in strongest_path(bundle.data, output, towards="input").units]
    window.workspace.select(Selection.of_path((layer, int(channel)) for layer, channel in units))


def show_maps(window: ViewerWindow) -> None:
    """Open the maps of a photo beside their transfer function."""
    window.files.open_model("efficientnet-lite0", "chelsea", layers=("_conv_stem",))
    settle(window)
    window.docks["transfer"].raise_()


def main() -> None:
    application()
    for name, prepare in (("viewer", select_path), ("viewer_maps", show_maps)):
        with tempfile.TemporaryDirectory() as folder:
            window = ViewerWindow(Settings(Path(folder)))
            window.resize(*SIZE)
            window.show()
            prepare(window)
            settle(window)
            target = HERE / f"{name}.png"
            window.screenshot().save(str(target))
            window.close()
        Image.open(target).convert("RGB").save(target, optimize=True)


if __name__ == "__main__":
    main()
