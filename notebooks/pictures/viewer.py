"""Take the pictures of the window that README shows: needs a display.

python notebooks/pictures/viewer.py [viewer viewer_maps viewer_training]
"""

import sys
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


def show_training(window: ViewerWindow) -> None:
    """Open the training that comes along, at its first epoch, of an ankle boot."""
    window.resize(1100, 640)
    window.files.open_example("training")
    settle(window)
    window.timeline.run.sample.setValue(9)
    settle(window)
    window.timeline.slider.setValue(1)


PICTURES = {"viewer": select_path, "viewer_maps": show_maps, "viewer_training": show_training}


def main() -> None:
    """Take all pictures, or those that are named."""
    application()
    for name, prepare in PICTURES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
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
