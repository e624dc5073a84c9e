# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # One scene in the window, in a notebook and without a screen
#
# What is shown, and how, is a *scene*: items with their data, colours, opacities, camera. The window of `cnnvis view`,
# a notebook and `cnnvis render` are three ways to look at the same one. Here a scene goes from one to the next as a
# file, and each time the pixels are compared.
#
# ## A scene as a file

# %%
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import Image

import cnnvis
from cnnvis.studies import DrawingOptions, bundled_network

folder = Path(tempfile.mkdtemp())
perceptron = cnnvis.models.load("mnist-mlp")
scores = cnnvis.studies.score_units(perceptron).importance
digits = bundled_network.build(perceptron, scores, DrawingOptions(top_k=3_000))

cnnvis.save(cnnvis.Scene.of_network(digits), folder / "digits.json")
print(sorted(path.relative_to(folder).parts[0] for path in folder.iterdir()))

# %% [markdown]
# The `.json` holds the state, the folder beside it the data, with their hashes: a file that was changed since is
# refused.
#
# ## In the window
#
# `cnnvis view digits.json` opens the window. With `--screenshot` it waits until everything is painted, leaves a picture
# of the whole window, and closes it; where there is no display, Xvfb is one in memory.


# %%
def run(*command):
    """Run a program of this Python in the folder, with a display."""
    display = [] if os.environ.get("DISPLAY") or not shutil.which("xvfb-run") else ["xvfb-run", "-a"]
    subprocess.run([*display, sys.executable, *command], cwd=folder, check=True, capture_output=True)


run("-m", "cnnvis", "view", "digits.json", "--screenshot", "window.png")
Image((folder / "window.png").read_bytes(), width=900)

# %% [markdown]
# By hand one would now choose a class, move the threshold, turn the network and press Ctrl+S. A script does the same,
# since the window edits the scene that scripts use: no state is kept anywhere else. At the end it also keeps the pixels
# of the 3-D view, to be compared.

# %%
(folder / "by_hand.py").write_text("""
import numpy as np
from cnnvis.viewer.app import open_window, settle

window = open_window()
window.files.open(["digits.json"])
settle(window)

scene = window.workspace.scene
scene["bundle"].shown_class = scene["units"].shown_class = "3"
scene["bundle"].importance_threshold = 0.05
scene.camera.update({"azimuth": 60.0, "elevation": -20.0})
settle(window)

np.save("seen.npy", window.canvas.pixels())
window.commands.run("file.save")
window.close()
""")
run("by_hand.py")
seen = np.load(folder / "seen.npy")
print("the view has", seen.shape[1], "x", seen.shape[0], "pixels")

# %% [markdown]
# ## In the notebook
#
# The file the window saved is loaded, and drawn in the size of the window's view. How many pixels differ?

# %%
scene = cnnvis.load(folder / "digits.json")
size = seen.shape[1::-1]


def differing(pixels):
    return int((pixels != seen).any(axis=-1).sum())


print("class:", scene["bundle"].shown_class, "· threshold:", scene["bundle"].importance_threshold)
print("pixels that differ from the window:", differing(cnnvis.render(scene, size=size)))

# %% [markdown]
# None. `cnnvis.show` puts the scene below the cell. In a running notebook it turns with the mouse and has a few
# sliders: the kernel draws it and streams the pictures. What changes in the scene, there or in a later cell, changes in
# both. Where no kernel runs, as where you may be reading this, its picture is seen.

# %%
cnnvis.show(scene, size=(720, 450))

# %% [markdown]
# ## Without a screen
#
# `cnnvis render` draws the file on a machine without display, say in a job that makes the figures of a paper:

# %%
from PIL import Image as Picture

size_text = "{}x{}".format(*size)
environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
command = [sys.executable, "-m", "cnnvis", "render", "digits.json", "figure.png", "--size", size_text, "--quiet"]
subprocess.run(command, cwd=folder, env=environment, check=True)

print("pixels that differ from the window:", differing(np.asarray(Picture.open(folder / "figure.png"))))

# %% [markdown]
# ## As Python
#
# "Copy as Python" in the window gives the present state as a script that sets what differs from the defaults. It is a
# good start for one's own figures, and draws the same picture, too:

# %%
text = cnnvis.scene.as_python(scene, "digits.json")
print(text)

# %%
(folder / "copied.py").write_text(text.replace('"digits.png"', f'"digits.png", size={size}'))
subprocess.run([sys.executable, "copied.py"], cwd=folder, check=True)

print("pixels that differ from the window:", differing(np.asarray(Picture.open(folder / "digits.png"))))
shutil.rmtree(folder)

# %% [markdown]
# Equal to the pixel means: on the same OpenGL driver. Another one rounds otherwise, and single pixels of edges may
# differ.

# %% [markdown]
# ## Exercises
#
# 1. Change the class to "8". How many pixels of the picture change? And if you change it back?
# 2. Save the scene and look into its `.json`: which keys are there, and where are the points of the lines?
# 3. Change one byte of the data beside it, and load it. What happens, and why is that right?
# 4. `as_python` says only what differs from the defaults. Make one more change: which lines of the script change?
# 5. Find by hand, in the window, a view in which the bundles to the 3 and to the 8 are apart; save it, and draw it here
#    without the window. (No answer below: compare with your neighbour's.)
#
# Answers are below; each is a cell that runs with what is defined above.

# %%
# 1. A class changes colours and opacities only, so going back gives the same picture to the pixel.
for digit in ("8", "3"):
    scene["bundle"].shown_class = scene["units"].shown_class = digit
    print(f"class {digit}: {differing(cnnvis.render(scene, size=size)):,} of {seen[..., 0].size:,} pixels differ")

# %%
# 2. State is in the text, data are in files beside it, named with their hashes.
import json

folder = Path(tempfile.mkdtemp())
cnnvis.save(scene, folder / "mine.json")
state = json.loads((folder / "mine.json").read_text())
print("keys:", *state)
print("data:", *sorted(path.name for path in (folder / "mine.data").iterdir()))

# %%
# 3. It is refused, by name: a picture of other data than those that were saved would be wrong without a word.
data = next(path for path in sorted((folder / "mine.data").iterdir()) if path.is_file())
content = bytearray(data.read_bytes())
content[-1] ^= 1
data.write_bytes(bytes(content))
try:
    cnnvis.load(folder / "mine.json")
except cnnvis.core.errors.DataMismatchError as error:
    print(type(error).__name__, "names", data.name, data.name in str(error))
shutil.rmtree(folder)

# %%
# 4. One line for each decision: such a script can be read, and kept under version control.
scene["bundle"].opacity = 0.5
before, after = text.splitlines(), cnnvis.scene.as_python(scene, "digits.json").splitlines()
print("gone:", *(line for line in before if line not in after))
print("new: ", *(line for line in after if line not in before))
