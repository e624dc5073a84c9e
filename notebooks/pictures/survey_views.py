"""Take the picture of a survey's linked views that README shows: needs Chromium.

python notebooks/pictures/survey_views.py out/channel_survey/views.html
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

TARGET = Path(__file__).parent / "survey_views.png"
SIZE = (1280, 720)

HAND = """
const grid = document.getElementById("grid");
const data = JSON.parse(document.getElementById("data").textContent);
const layer = data.layers.findIndex((one) => one.name === "features.24");
const box = grid.getBoundingClientRect();
function over(what, channel) {
  const cell = gridCell(data.layers, box.width, box.height);
  const { x, y } = cellOf(cell, layer, channel);
  const place = { clientX: box.left + x + cell.width / 2, clientY: box.top + y + cell.height / 2 };
  grid.dispatchEvent(new MouseEvent(what, { ...place, bubbles: true }));
}
document.getElementById("next").click(); // the first that is answered wrongly
over("click", 94);
over("mousemove", 117);
"""
"""What a hand would do: pin one channel, and point at another."""


def main(page: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shown = Path(folder, "views.html")
        shown.write_text(Path(page).read_text("utf-8").replace("</body>", f"<script>{HAND}</script></body>"), "utf-8")
        options = ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size={},{}".format(*SIZE)]
        command = ["chromium", *options, f"--screenshot={TARGET}", shown.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
    few_colours = {
        "method": Image.Quantize.MAXCOVERAGE,
        "kmeans": 2,
        "dither": Image.Dither.NONE,
    }  # a third of the size
    Image.open(TARGET).convert("RGB").quantize(**few_colours).save(TARGET, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1])
